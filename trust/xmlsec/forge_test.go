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
