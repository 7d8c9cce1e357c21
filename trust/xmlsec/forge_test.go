package xmlsec

import (
	"crypto"
	"encoding/base64"
	"strings"
)

// resign makes every signature in a tree good again, inner ones first, as somebody who holds a genuine key could: whatever is refused then is
// refused for its shape. Digests are SHA-256, transforms what readSignature accepts, whatever the document says.
func resign(root *Element, key crypto.Signer) {
	resignBelow(root, root, key)
}

func resignBelow(e, root *Element, key crypto.Signer) {
	for c := e.first; c != nil; c = c.next {
		resignBelow(c, root, key)
	}
	for sig := e.first; sig != nil; sig = sig.next {
		if !sig.Is(signatureName) {
			continue
		}
		for part := range sig.Walk() {
			if part.local == "DigestValue" && part.first == nil {
				part.text = base64.StdEncoding.EncodeToString(digest(crypto.SHA256, e.canonical(sig, prefixList(sig, "Transform"))))
			}
		}
		_, m, err := methodOf(key)
		if err != nil {
			panic(err)
		}
		info, value := sig.child(spaceDSig, "SignedInfo"), sig.child(spaceDSig, "SignatureValue")
		if info != nil && value != nil {
			value.text = base64.StdEncoding.EncodeToString(must(m.sign(key, info.Canonical(prefixList(sig, "CanonicalizationMethod")...))))
		}
	}
}

// prefixList returns that of the last element of the name.
func prefixList(sig *Element, name string) (prefixes []string) {
	for e := range sig.Walk() {
		if e.local == name && e.first != nil {
			list, _ := e.first.Attr("PrefixList")
			prefixes = strings.Fields(list)
		}
	}
	return prefixes
}

// forge replaces text in a document, in pairs, and signs what comes out.
func forge(document string, replacements ...string) *Element {
	for i := 0; i < len(replacements); i += 2 {
		if !strings.Contains(document, replacements[i]) {
			panic("nothing to replace: " + replacements[i])
		}
	}
	root := must(Parse([]byte(strings.NewReplacer(replacements...).Replace(document))))
	resign(root, p256())
	return must(Parse(root.whole()))
}

// mutate edits a document up to eight times (pieces may double each time), four bytes an edit: what to do, to which tag, with which other one or which of some texts. Tags, with what stands in front of
// them, are dropped, doubled, moved, added and changed.
func mutate(document string, edits []byte) string {
	parts := strings.SplitAfter(document, ">")
	for edits = edits[:min(len(edits), 32)]; len(edits) >= 4; edits = edits[4:] {
		i, j := int(edits[1])%len(parts), int(edits[2])%len(parts)
		one := func(texts ...string) string { return texts[int(edits[3])%len(texts)] }
		switch edits[0] % 7 {
		case 0:
			parts[i] = ""
		case 1:
			parts[i] += parts[j]
		case 2:
			parts[i], parts[j] = parts[j], parts[i]
		case 3:
			parts[i] = strings.Replace(parts[i], one("#", ":", "ds:", "2001", "Transform", "\n"), one("", "x", "saml:", " "), 1)
		case 4:
			parts[i] += one("<!-- x -->", " ", "&#13;", "<x xmlns='urn:x'/>", "text", "<ds:Object xmlns:ds='"+spaceDSig+"'/>",
				"<ec:InclusiveNamespaces xmlns:ec='"+exclusive+"' PrefixList='xs #default'/>")
		case 5:
			parts[i] = strings.Replace(parts[i], " ", one(" x='1' ", " xmlns='urn:d' ", " xmlns:xs='urn:other' ", " ID='y' ", " Type='t' ", " xmlns='' ", " xml:lang='en' "), 1)
		case 6:
			if b := []byte(parts[i]); len(b) > 0 {
				b[int(edits[2])%len(b)] = ' ' + edits[3]%95
				parts[i] = string(b)
			}
		}
	}
	return strings.Join(parts, "")
}
