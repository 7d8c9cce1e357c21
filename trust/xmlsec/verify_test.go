package xmlsec

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// Pieces of what Sign writes, for the attacks to replace.
const (
	transformEnveloped = `<ds:Transform Algorithm="` + enveloped + `"></ds:Transform>`
	transformExclusive = `<ds:Transform Algorithm="` + exclusive + `"></ds:Transform>`
	digestSHA256       = `<ds:DigestMethod Algorithm="` + spaceEnc + `sha256"></ds:DigestMethod>`
	ecdsaSHA256        = `<ds:SignatureMethod Algorithm="` + moreDSig + `ecdsa-sha256"></ds:SignatureMethod>`
	inclusive          = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
)

// A forgery is signed again by the genuine key after its replacements, so that only its shape can be at fault.
func TestL15_ForgedShapesAreRefused(t *testing.T) {
	t.Parallel()
	document := signed(assertion(1))
	signature := document[strings.Index(document, "<ds:Signature "):strings.Index(document, "</ds:Signature>")] + "</ds:Signature>"
	reference := document[strings.Index(document, "<ds:Reference "):strings.Index(document, "</ds:Reference>")] + "</ds:Reference>"
	foreign := strings.Replace(reference, "#_a1", "#_other", 1)
	info := document[strings.Index(document, "<ds:SignedInfo"):strings.Index(document, "</ds:SignedInfo>")] + "</ds:SignedInfo>"
	for _, c := range []struct {
		name    string
		replace []string
		want    Fault
	}{
		{"A06_an Object in the signature", []string{"</ds:SignatureValue>", "</ds:SignatureValue><ds:Object><evil/></ds:Object>"}, ErrShape},
		{"A06_an empty Object", []string{"</ds:SignatureValue>", "</ds:SignatureValue><ds:Object/>"}, ErrShape},
		{"A10_a foreign reference first", []string{reference, foreign + reference}, ErrShape},
		{"A10_a foreign reference last", []string{reference, reference + foreign}, ErrShape},
		{"A10_the reference twice", []string{reference, reference + reference}, ErrShape},
		{"A10_no reference", []string{reference, ""}, ErrShape},
		{"A10_a reference to another ID", []string{reference, foreign}, ErrShape},
		{"A10_a reference to the whole document", []string{`URI="#_a1"`, `URI=""`}, ErrShape},
		{"A10_a reference without URI", []string{` URI="#_a1"`, ""}, ErrShape},
		{"A10_a reference by XPointer", []string{`URI="#_a1"`, `URI="#xpointer(id('_a1'))"`}, ErrShape},
		{"A10_a reference to somewhere else", []string{`URI="#_a1"`, `URI="https://evil.example/#_a1"`}, ErrShape},
		{"A10_two SignedInfo", []string{info, info + info}, ErrShape},
		{"A10_two SignatureValue", []string{"<ds:SignatureValue>", "<ds:SignatureValue>AAAA</ds:SignatureValue><ds:SignatureValue>"}, ErrShape},
		{"A10_two digests", []string{"<ds:DigestValue>", "<ds:DigestValue>AAAA</ds:DigestValue><ds:DigestValue>"}, ErrShape},
		{"A10_an element in the digest", []string{"<ds:DigestValue>", "<ds:DigestValue><b/>"}, ErrShape},
		{"A10_an element in the signature value", []string{"<ds:SignatureValue>", "<ds:SignatureValue><b/>"}, ErrShape},
		{"A10_a manifest's type", []string{`URI="#_a1"`, `URI="#_a1" Type="` + spaceDSig + `Manifest"`}, ErrShape},
		{"A10_SignedInfo of another namespace", []string{"<ds:SignedInfo", `<x:SignedInfo xmlns:x="urn:x"`, "</ds:SignedInfo>", "</x:SignedInfo>"}, ErrShape},
		{"A10_text in SignedInfo", []string{"<ds:SignatureMethod", "text<ds:SignatureMethod"}, ErrShape},
		{"A10_two signatures", []string{signature, signature + strings.ReplaceAll(signature, "_a1", "_b1")}, ErrShape},
		{"A16_no canonicalisation", []string{transformExclusive, ""}, ErrShape},
		{"A16_an unknown canonicalisation", []string{`<ds:Transform Algorithm="` + exclusive, `<ds:Transform Algorithm="urn:none`}, ErrShape},
		{"A18_a canonicalisation with comments", []string{`<ds:Transform Algorithm="` + exclusive, `<ds:Transform Algorithm="` + exclusive + `WithComments`}, ErrShape},
		{"A18_SignedInfo with comments", []string{`<ds:CanonicalizationMethod Algorithm="` + exclusive, `<ds:CanonicalizationMethod Algorithm="` + exclusive + `WithComments`}, ErrShape},
		{"A18_inclusive canonicalisation", []string{`<ds:Transform Algorithm="` + exclusive, `<ds:Transform Algorithm="` + inclusive}, ErrShape},
		{"A18_inclusive canonicalisation of SignedInfo", []string{`<ds:CanonicalizationMethod Algorithm="` + exclusive, `<ds:CanonicalizationMethod Algorithm="` + inclusive}, ErrShape},
		{"A18_no enveloped transform", []string{transformEnveloped, ""}, ErrShape},
		{"A18_transforms in the other order", []string{transformEnveloped + transformExclusive, transformExclusive + transformEnveloped}, ErrShape},
		{"A18_the enveloped transform twice", []string{transformEnveloped, transformEnveloped + transformEnveloped}, ErrShape},
		{"A18_XSLT", []string{transformExclusive, `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>` + transformExclusive}, ErrShape},
		{"A18_XPath for the enveloped transform", []string{`Algorithm="` + enveloped, `Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116`}, ErrShape},
		{"A18_XPath inside the enveloped transform", []string{enveloped + `">`, enveloped + `"><ds:XPath>x</ds:XPath>`}, ErrShape},
		{"A18_base64", []string{transformExclusive, `<ds:Transform Algorithm="` + spaceDSig + `base64"/>` + transformExclusive}, ErrShape},
		{"A18_something else beside InclusiveNamespaces", []string{transformExclusive, `<ds:Transform Algorithm="` + exclusive + `"><x/></ds:Transform>`}, ErrShape},
		{"A19_RSA with SHA-1", []string{moreDSig + "ecdsa-sha256", spaceDSig + "rsa-sha1"}, ErrAlgorithm},
		{"A19_ECDSA with SHA-1", []string{moreDSig + "ecdsa-sha256", moreDSig + "ecdsa-sha1"}, ErrAlgorithm},
		{"A19_RSA with MD5", []string{moreDSig + "ecdsa-sha256", moreDSig + "rsa-md5"}, ErrAlgorithm},
		{"A19_HMAC", []string{moreDSig + "ecdsa-sha256", moreDSig + "hmac-sha256"}, ErrAlgorithm},
		{"A19_DSA", []string{moreDSig + "ecdsa-sha256", spaceDSig + "dsa-sha1"}, ErrAlgorithm},
		{"A19_no signature method", []string{` Algorithm="` + moreDSig + `ecdsa-sha256"`, ""}, ErrAlgorithm},
		{"A19_an output length", []string{ecdsaSHA256, strings.Replace(ecdsaSHA256, "><", "><ds:HMACOutputLength>8</ds:HMACOutputLength><", 1)}, ErrShape},
		{"A19_RSA named for an EC key", []string{moreDSig + "ecdsa-sha256", moreDSig + "rsa-sha256"}, ErrAlgorithm},
		{"A19_a SHA-1 digest", []string{spaceEnc + "sha256", spaceDSig + "sha1"}, ErrAlgorithm},
		{"A19_an MD5 digest", []string{spaceEnc + "sha256", moreDSig + "md5"}, ErrAlgorithm},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, err := Verify(forge(document, c.replace...), public(p256()))
			if !errors.Is(err, c.want) || v.Element() != nil {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if _, err := Verify(forge(document), public(p256())); err != nil {
				t.Errorf("twin: %v", err)
			}
		})
	}
}

// The twins of the shapes: what peers write that we do not.
func TestShapesOfPeersVerify(t *testing.T) {
	t.Parallel()
	document := signed(assertion(1))
	list := func(prefixes string) string {
		return `<ds:Transform Algorithm="` + exclusive + `"><ec:InclusiveNamespaces xmlns:ec="` + exclusive + `" PrefixList="` + prefixes + `"/></ds:Transform>`
	}
	for _, c := range []struct {
		name    string
		replace []string
	}{
		{"as Sign writes it", nil},
		{"a PrefixList", []string{transformExclusive, list("xs")}},
		{"a PrefixList of everything", []string{transformExclusive, list("#default saml xs xsi none xml")}},
		{"an empty PrefixList", []string{transformExclusive, list("")}},
		{"a PrefixList for SignedInfo", []string{`<ds:CanonicalizationMethod Algorithm="` + exclusive + `"></ds:CanonicalizationMethod>`,
			strings.ReplaceAll(list("xs saml"), "ds:Transform", "ds:CanonicalizationMethod")}},
		{"white space everywhere", []string{"><", "> \n\t<", "<ds:DigestValue>", "<ds:DigestValue>\n"}},
		{"the signature last", []string{"</saml:Assertion>", "  </saml:Assertion>"}},
		{"IDs on the parts", []string{"<ds:SignatureValue>", `<ds:SignatureValue Id="v">`, "<ds:Reference ", `<ds:Reference Id="r" `}},
		{"another prefix", []string{"ds:", "dsig:", ":ds", ":dsig"}},
		{"no prefix", []string{"ds:", "", "xmlns:ds", "xmlns"}},
		{"an element of the name Signature in another namespace", []string{"</saml:Assertion>", `<Signature/></saml:Assertion>`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Verify(forge(document, c.replace...), public(p256())); err != nil {
				t.Error(err)
			}
		})
	}
}

// XSW: which element a signature speaks for. That there is one assertion in a message is upstream/saml's to check.
func TestWrappedSignaturesDoNotVouchForOthers(t *testing.T) {
	t.Parallel()
	genuine := signed(assertion(1))
	signature := genuine[strings.Index(genuine, "<ds:Signature "):strings.Index(genuine, "</ds:Signature>")] + "</ds:Signature>"
	bare := strings.Replace(genuine, signature, "", 1)
	evil := func(content string) string {
		return strings.Replace(strings.ReplaceAll(strings.ReplaceAll(bare, "alice", "admin"), "_a1", "_evil"), "</saml:Issuer>", "</saml:Issuer>"+content, 1)
	}
	withObject := strings.Replace(signature, "</ds:SignatureValue>", "</ds:SignatureValue><ds:Object>"+bare+"</ds:Object>", 1)
	inKeyInfo := strings.Replace(signature, "</ds:SignatureValue>", "</ds:SignatureValue><ds:KeyInfo>"+bare+"</ds:KeyInfo>", 1)
	for _, c := range []struct {
		name, document string
		want           Fault
	}{
		{"A01_XSW1 an evil assertion that carries the signature, the original inside it", evil(withObject), ErrShape},
		{"A01_XSW2 the original in KeyInfo", evil(inKeyInfo), ErrShape},
		{"A02_XSW3 an evil assertion beside the signed one", response(evil("") + genuine), ErrUnsigned},
		{"A03_XSW4 an evil assertion around the signed one", evil("<saml:Advice>" + genuine + "</saml:Advice>"), ErrUnsigned},
		{"A04_XSW5 an evil assertion with the signature, the original without", response(evil(signature) + bare), ErrShape},
		{"A04_XSW6 the original inside the signature of the evil one", response(evil(withObject)), ErrShape},
		{"A04_the signature deeper than a child", evil("<saml:Advice>" + signature + "</saml:Advice>"), ErrUnsigned},
		{"A05_XSW7 an evil assertion in Extensions", response("<samlp:Extensions>" + evil("") + "</samlp:Extensions>" + genuine), ErrUnsigned},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			root := read(t, c.document)
			for e := range root.Walk() {
				id, _ := e.Attr("ID")
				v, err := Verify(e, public(p256()))
				if id == "_evil" && !errors.Is(err, c.want) {
					t.Errorf("the evil assertion: %v, want %v", err, c.want)
				}
				if err == nil && bytes.Contains(v.Element().Canonical(), []byte("admin")) {
					t.Errorf("%s vouches for admin", id)
				}
			}
		})
	}
	for _, c := range []struct{ name, document string }{
		{"A06_XSW8 the evil one with the original's ID", response(strings.ReplaceAll(evil(withObject), "_evil", "_a1"))},
		{"A11_XSW10 the signed one twice", response(genuine + genuine)},
	} {
		if _, err := Parse([]byte(c.document)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v, want a refusal for the ID that comes twice", c.name, err)
		}
	}
}

func TestA07_L04_OnlyTheDigestedBytesAreSeen(t *testing.T) {
	t.Parallel()
	root := read(t, strings.Replace(signed(assertion(1)), "<saml:Subject>", "<!-- unsigned --><saml:Subject>", 1))
	v, err := Verify(root, public(p256()))
	if err != nil {
		t.Fatal(err)
	}
	if v.Element() == root {
		t.Error("the tree is the one that was parsed, not one of the digested bytes")
	}
	if HasSignature(v.Element()) {
		t.Error("the signature is in the tree, and nobody signed that")
	}
	if _, ok := find(t, v.Element(), "AttributeValue").QName("xs:string"); ok {
		t.Error("a prefix is bound by a declaration outside the digest")
	}
	if got := find(t, v.Element(), "NameID"); got.text != "alice" {
		t.Errorf("NameID is %q", got.text)
	}
	if _, ok := v.Part(find(t, root, "Subject")); ok {
		t.Error("an element of another tree passes for a part")
	}
	if part, ok := v.Part(find(t, v.Element(), "Subject")); !ok || part.Element().local != "Subject" {
		t.Error("a part is not found")
	}
	if (Verified{}).Element() != nil {
		t.Error("the zero value has an element")
	}
}

func TestChangedContentIsRefused(t *testing.T) {
	t.Parallel()
	document := signed(assertion(1))
	if _, err := Verify(read(t, document), public(p256())); err != nil {
		t.Fatalf("twin: %v", err)
	}
	for _, c := range []struct{ name, from, to string }{
		{"another subject", ">alice<", ">admin<"},
		{"white space in a value", ">alice<", "> alice<"},
		{"an attribute of the root", `Version="2.0"`, `Version="2.1"`},
		{"an attribute more", `Version="2.0"`, `Version="2.0" x=""`},
		{"white space between elements", "<saml:Subject>", " <saml:Subject>"},
		{"another namespace behind the prefix", spaceSAML, spaceSAML + ":x"},
		{"another prefix", "saml", "other"},
	} {
		if _, err := Verify(read(t, strings.ReplaceAll(document, c.from, c.to)), public(p256())); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v, want %v", c.name, err, ErrSignature)
		}
	}
}

func TestA20_KeysAreTheCallers(t *testing.T) {
	t.Parallel()
	// KeyInfo holds a key that verifies the signature; it does not matter.
	byOther := string(must(Sign([]byte(assertion(1)), otherRSA(), []byte("the certificate of the other key"))))
	if _, err := Verify(read(t, byOther), public(rsaKey(), p256())); !errors.Is(err, ErrSignature) {
		t.Errorf("by a key that is not pinned: %v", err)
	}
	if _, err := Verify(read(t, byOther), public(otherRSA())); err != nil {
		t.Errorf("twin: %v", err)
	}
	unreadable := forge(signed(assertion(1)), "</ds:SignatureValue>", `</ds:SignatureValue><ds:KeyInfo><ds:KeyValue/><x xmlns="urn:x">junk</x></ds:KeyInfo>`)
	if _, err := Verify(unreadable, public(p256())); err != nil {
		t.Errorf("KeyInfo that holds anything: %v", err)
	}
}

func TestA21_NoKeyVerifiesNothing(t *testing.T) {
	t.Parallel()
	weak := must(rsa.GenerateKey(rand.Reader, 1024))
	for _, c := range []struct {
		name string
		keys []crypto.PublicKey
	}{
		{"no keys", nil},
		{"a nil key", []crypto.PublicKey{nil}},
		{"an empty RSA key", []crypto.PublicKey{&rsa.PublicKey{}, (*rsa.PublicKey)(nil)}},
		{"A22_an RSA key of 1024 bits", public(weak)},
		{"a key of another family", public(p256())},
		{"a private key", []crypto.PublicKey{rsaKey()}},
	} {
		if _, err := Verify(read(t, string(must(Sign([]byte(assertion(1)), rsaKey(), nil)))), c.keys); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%s: %v, want %v", c.name, err, ErrAlgorithm)
		}
	}
	if _, err := Sign([]byte(assertion(1)), weak, nil); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("signing with a weak key: %v", err)
	}
}

func TestL07_EachKeyIsTried(t *testing.T) {
	t.Parallel()
	document := read(t, string(must(Sign([]byte(assertion(1)), rsaKey(), nil))))
	for _, keys := range [][]crypto.PublicKey{public(otherRSA(), rsaKey()), public(rsaKey(), otherRSA()), public(p256(), otherRSA(), rsaKey())} {
		if _, err := Verify(document, keys); err != nil {
			t.Errorf("one of %d: %v", len(keys), err)
		}
	}
	if _, err := Verify(document, public(otherRSA(), p256())); !errors.Is(err, ErrSignature) {
		t.Errorf("none: %v", err)
	}
}

func TestSignatureValuesOfTheWrongFormAreRefused(t *testing.T) {
	t.Parallel()
	document := signed(assertion(1))
	begin, end := strings.Index(document, "<ds:SignatureValue>")+len("<ds:SignatureValue>"), strings.Index(document, "</ds:SignatureValue>")
	for _, c := range []struct {
		name, value string
		want        Fault
	}{
		{"zeros", strings.Repeat("A", 84) + "AA==", ErrSignature},
		{"too short", document[begin : begin+84], ErrSignature},
		{"too long", document[begin:end-4] + document[begin:end], ErrSignature},
		{"empty", "", ErrShape},
		{"white space", " \n", ErrShape},
		{"no base64", "!!!!", ErrShape},
		{"URL-safe base64", "-_-_", ErrShape},
		{"without padding", strings.TrimRight(document[begin:end], "="), ErrShape},
		{"bits after the end", document[begin:end-3] + "B==", ErrShape},
	} {
		if _, err := Verify(read(t, document[:begin]+c.value+document[end:]), public(p256())); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	lines := document[:begin] + "&#13;\n" + document[begin:begin+40] + "\r\n\t" + document[begin+40:end] + "&#xD;\n" + document[end:]
	if _, err := Verify(read(t, lines), public(p256())); err != nil {
		t.Errorf("twin, in lines as Java writes them: %v", err)
	}
}

func TestASignatureInsideASignedElementKeepsItsOwnKey(t *testing.T) {
	t.Parallel()
	outer := must(Sign([]byte(response(signed(assertion(1)))), rsaKey(), nil))
	root := read(t, string(outer))
	if _, err := Verify(root, public(rsaKey())); err != nil {
		t.Errorf("the outer one: %v", err)
	}
	if _, err := Verify(find(t, root, "Assertion"), public(p256())); err != nil {
		t.Errorf("the inner one: %v", err)
	}
	if _, err := Verify(find(t, root, "Assertion"), public(rsaKey())); err == nil {
		t.Error("the inner one passes with the key of the outer one")
	}
	if _, err := Verify(read(t, assertion(1)), public(p256())); !errors.Is(err, ErrUnsigned) {
		t.Errorf("no signature: %v", err)
	}
}

func TestPSSNeedsASaltAsLongAsTheHash(t *testing.T) {
	t.Parallel()
	document := string(must(Sign([]byte(assertion(1)), rsaKey(), nil)))
	for name, hash := range map[string]crypto.Hash{"sha256-rsa-MGF1": crypto.SHA256, "sha384-rsa-MGF1": crypto.SHA384, "sha512-rsa-MGF1": crypto.SHA512} {
		for salt, want := range map[int]error{hash.Size(): nil, 20: ErrSignature} {
			root := read(t, strings.Replace(document, moreDSig+"rsa-sha256", moreDSig07+name, 1))
			sum := digest(hash, find(t, root, "SignedInfo").Canonical())
			value := must(rsa.SignPSS(rand.Reader, rsaKey(), hash, sum, &rsa.PSSOptions{SaltLength: salt}))
			find(t, root, "SignatureValue").text = base64.StdEncoding.EncodeToString(value)
			if _, err := Verify(root, public(rsaKey())); !errors.Is(err, want) || want == nil && err != nil {
				t.Errorf("%s with a salt of %d bytes: %v, want %v", name, salt, err, want)
			}
		}
	}
}

func TestAKeyOfAnotherCurveIsNoObstacle(t *testing.T) {
	t.Parallel()
	if _, err := Verify(read(t, signed(assertion(1))), public(p521(), p384(), p256())); err != nil {
		t.Error(err)
	}
	ed := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	if _, err := Sign([]byte(assertion(1)), ed, nil); !errors.Is(err, ErrAlgorithm) {
		t.Errorf("signing with Ed25519: %v", err)
	}
	for _, document := range []string{`<a/>`, signed(assertion(1))} {
		if _, err := Sign([]byte(document), p256(), nil); !errors.Is(err, ErrShape) {
			t.Errorf("signing what has no ID, or a signature: %v", err)
		}
	}
	if _, err := Sign([]byte(`<a ID="x" xmlns:ds="urn:other"/>`), p256(), nil); !errors.Is(err, ErrMalformed) {
		t.Errorf("signing where ds: means something else: %v", err)
	}
}
