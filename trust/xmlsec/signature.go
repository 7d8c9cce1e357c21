package xmlsec

import (
	"crypto"
	"encoding/base64"
	"strings"
)

// signature is a Signature element of the one shape we accept.
type signature struct {
	signedInfo []byte // canonical
	method     method
	value      []byte

	prefixes []string // PrefixList of the reference
	digest   crypto.Hash
	sum      []byte
}

// readSignature takes a Signature element apart: SignedInfo, SignatureValue, perhaps KeyInfo, which nobody looks into; no Object. There is one
// reference, to id, with the enveloped and the exclusive transform.
func readSignature(e *Element, id string) (s *signature, err error) {
	children, err := structure(e, "Id", "SignedInfo", "SignatureValue", "KeyInfo?")
	if err != nil {
		return nil, err
	}
	s = &signature{}
	if s.value, err = octets(children[1], "Id"); err != nil {
		return nil, err
	}
	info := children[0]
	if children, err = structure(info, "Id", "CanonicalizationMethod", "SignatureMethod", "Reference"); err != nil {
		return nil, err
	}
	prefixes, err := exclusiveWith(children[0])
	if err != nil {
		return nil, err
	}
	name, err := algorithm(children[1])
	if err != nil {
		return nil, err
	}
	known := false
	if s.method, known = signatureMethods[name]; !known {
		return nil, faultf(ErrAlgorithm, "SignatureMethod is not RSA or ECDSA with SHA-256 or better")
	}
	if err := s.reference(children[2], id); err != nil {
		return nil, err
	}
	s.signedInfo = info.Canonical(prefixes...)
	return s, nil
}

// reference reads the Reference.
func (s *signature) reference(e *Element, id string) error {
	if uri, _ := e.Attr("URI"); uri != "#"+id {
		return faultf(ErrShape, "the reference is not to the ID of the element that holds the signature")
	}
	children, err := structure(e, "Id URI", "Transforms", "DigestMethod", "DigestValue")
	if err != nil {
		return err
	}
	transforms, err := structure(children[0], "", "Transform", "Transform")
	if err != nil {
		return err
	}
	if name, err := algorithm(transforms[0]); err != nil || name != enveloped {
		return faultf(ErrShape, "the first transform is not the enveloped signature")
	}
	if s.prefixes, err = exclusiveWith(transforms[1]); err != nil {
		return err
	}
	name, err := algorithm(children[1])
	if err != nil {
		return err
	}
	known := false
	if s.digest, known = digestMethods[name]; !known {
		return faultf(ErrAlgorithm, "DigestMethod is not SHA-256, SHA-384 or SHA-512")
	}
	s.sum, err = octets(children[2], "")
	return err
}

// structure checks that an element of XML Signature has no attributes but those named, and no content but these children in this
// order; one with "?" may be missing, and is nil then.
func structure(e *Element, attrs string, names ...string) ([]*Element, error) {
	if err := onlyAttributes(e, attrs); err != nil {
		return nil, err
	}
	if !e.Spaced() {
		return nil, faultf(ErrShape, "text in %s", e.local)
	}
	children := make([]*Element, len(names))
	c := e.first
	for i, name := range names {
		name, optional := strings.CutSuffix(name, "?")
		if c != nil && c.Is(Name{spaceDSig, name}) {
			children[i], c = c, c.next
		} else if !optional {
			return nil, faultf(ErrShape, "expected %s in %s", name, e.local)
		}
	}
	if c != nil {
		return nil, faultf(ErrShape, "%s holds more than it may", e.local)
	}
	return children, nil
}

func onlyAttributes(e *Element, allowed string) error {
	for name := range e.Attrs() {
		if name.Space != "" || !strings.Contains(" "+allowed+" ", " "+name.Local+" ") {
			return faultf(ErrShape, "an attribute of %s that has no use there", e.local)
		}
	}
	return nil
}

// algorithm reads the Algorithm of an element without content.
func algorithm(e *Element) (string, error) {
	if _, err := structure(e, "Algorithm"); err != nil {
		return "", err
	}
	name, _ := e.Attr("Algorithm")
	return name, nil
}

// maxPrefixes bounds a PrefixList, which is looked up for each element.
const maxPrefixes = 32

// exclusiveWith checks that an element names exclusive canonicalisation without comments, and returns its PrefixList (Exclusive XML
// Canonicalization 1.0 §4).
func exclusiveWith(e *Element) ([]string, error) {
	if name, _ := e.Attr("Algorithm"); name != exclusive {
		return nil, faultf(ErrShape, "%s is not exclusive canonicalisation without comments", e.local)
	}
	if err := onlyAttributes(e, "Algorithm"); err != nil {
		return nil, err
	}
	inclusive := e.first
	switch {
	case inclusive == nil && e.Spaced():
		return nil, nil
	case inclusive == nil || inclusive.next != nil || inclusive.first != nil || !e.Spaced() || !inclusive.Spaced(),
		!inclusive.Is(Name{exclusive, "InclusiveNamespaces"}):
		return nil, faultf(ErrShape, "%s holds more than InclusiveNamespaces", e.local)
	}
	list, _ := inclusive.Attr("PrefixList")
	prefixes := strings.Fields(list)
	if len(prefixes) > maxPrefixes {
		return nil, faultf(ErrTooLarge, "PrefixList of more than %d prefixes", maxPrefixes)
	}
	return prefixes, onlyAttributes(inclusive, "PrefixList")
}

// octets decodes the base64 text of an element without children.
func octets(e *Element, attrs string) ([]byte, error) {
	if e.first != nil {
		return nil, faultf(ErrShape, "an element in %s", e.local)
	}
	if err := onlyAttributes(e, attrs); err != nil {
		return nil, err
	}
	b, err := base64Text(e.text)
	if err != nil || len(b) == 0 {
		return nil, faultf(ErrShape, "%s is not base64", e.local)
	}
	return b, nil
}

// base64Text decodes base64 with white space anywhere, padded (XML Schema Part 2 §3.2.16).
func base64Text(text string) ([]byte, error) {
	compact := make([]byte, 0, len(text))
	for i := range len(text) {
		if class[text[i]]&isSpace == 0 {
			compact = append(compact, text[i])
		}
	}
	return base64.StdEncoding.Strict().AppendDecode(compact[:0], compact)
}
