package xmlsec

import (
	"crypto"
	"crypto/subtle"
	"errors"
)

// Verified is content whose signature holds. Its tree was read from exactly the bytes that were digested, the signature left out.
// Only this package makes one; the zero value has no element.
type Verified struct{ root *Element }

// Element returns the signed element; nil for the zero value.
func (v Verified) Element() *Element { return v.root }

// Part returns an element of the tree as verified content of its own; ok is false for an element of another tree, be it equal.
func (v Verified) Part(e *Element) (part Verified, ok bool) {
	if v.root == nil || e == nil {
		return Verified{}, false
	}
	for each := range v.root.Walk() {
		if each == e {
			return Verified{e}, true
		}
	}
	return Verified{}, false
}

// Verify checks that e, an element of what Parse gave, is signed by one of the keys: RSA of 2048 to 8192 bits, ECDSA on P-256, P-384,
// P-521; others are passed over. e must have exactly one Signature child, with one reference, to the ID of e; see ErrShape.
// Errors wrap ErrUnsigned, ErrShape, ErrAlgorithm, ErrSignature, or, if the signed bytes are beyond a limit, ErrTooLarge.
//
// A signed element inside another one is to be verified in the tree that Parse gave: its signature may depend on namespace
// declarations which the outer signature does not cover, so that they are missing from the outer Verified.
func Verify(e *Element, keys []crypto.PublicKey) (Verified, error) {
	sig, err := signatureOf(e)
	if err != nil {
		return Verified{}, err
	}
	id, ok := e.Attr("ID")
	if !ok {
		return Verified{}, faultf(ErrShape, "the element that holds the signature has no ID")
	}
	s, err := readSignature(sig, id)
	if err != nil {
		return Verified{}, err
	}
	// The signature first: what follows costs more, and is spent on those who hold a key only.
	if err := s.method.verify(keys, s.signedInfo, s.value); err != nil {
		return Verified{}, err
	}
	signed := e.canonical(sig, s.prefixes)
	if subtle.ConstantTimeCompare(digest(s.digest, signed), s.sum) != 1 {
		return Verified{}, faultf(ErrSignature, "the digest is another")
	}
	root, err := parse(string(signed), nil)
	return Verified{root}, err
}

var signatureName = Name{spaceDSig, "Signature"}

// signatureOf returns the only Signature child.
func signatureOf(e *Element) (*Element, error) {
	var sig *Element
	for c := range e.Children() {
		if !c.Is(signatureName) {
			continue
		}
		if sig != nil {
			return nil, faultf(ErrShape, "more than one signature on one element")
		}
		sig = c
	}
	if sig == nil {
		return nil, ErrUnsigned
	}
	return sig, nil
}

// HasSignature says whether e has a Signature child, good or not.
func HasSignature(e *Element) bool {
	_, err := signatureOf(e)
	return !errors.Is(err, ErrUnsigned)
}
