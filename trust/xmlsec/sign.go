package xmlsec

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
)

// Sign returns the document with an enveloped signature over its root, which must have an ID and no signature yet. The signature follows
// an Issuer that comes first, as in messages and assertions, and else is the first child, as in metadata. The key decides the
// algorithm: RSA with SHA-256; ECDSA with SHA-256, 384 or 512 by its curve. A certificate, DER, goes into KeyInfo; nil leaves it out.
//
// The document is written anew, with the same content and prefixes, as UTF-8 without declaration and comments.
func Sign(document []byte, key crypto.Signer, certificate []byte) ([]byte, error) {
	root, err := Parse(document)
	if err != nil {
		return nil, err
	}
	id, ok := root.Attr("ID")
	if !ok || HasSignature(root) {
		return nil, faultf(ErrShape, "expected a document whose root has an ID and no signature")
	}
	name, m, err := methodOf(key)
	if err != nil {
		return nil, err
	}
	info := signedInfo(id, name, digest(crypto.SHA256, root.Canonical()))
	value, err := m.sign(key, info)
	if err != nil {
		return nil, err
	}
	sig, err := Parse(fmt.Appendf(nil, `<ds:Signature xmlns:ds="%s">%s<ds:SignatureValue>%s</ds:SignatureValue>%s</ds:Signature>`,
		spaceDSig, info, base64.StdEncoding.EncodeToString(value), keyInfo(certificate)))
	if err != nil {
		return nil, err
	}
	insert(root, sig)
	out := root.whole()
	_, err = Parse(out) // the signature may be one element too many, or ds: be another namespace here
	return out, err
}

// signedInfo is in canonical form.
func signedInfo(id, method string, sum []byte) []byte {
	uri := appendEscaped(nil, id, &valueEscapes)
	return fmt.Appendf(nil, `<ds:SignedInfo xmlns:ds="%s"><ds:CanonicalizationMethod Algorithm="%s"></ds:CanonicalizationMethod>`+
		`<ds:SignatureMethod Algorithm="%s"></ds:SignatureMethod><ds:Reference URI="#%s">`+
		`<ds:Transforms><ds:Transform Algorithm="%s"></ds:Transform><ds:Transform Algorithm="%s"></ds:Transform></ds:Transforms>`+
		`<ds:DigestMethod Algorithm="%ssha256"></ds:DigestMethod><ds:DigestValue>%s</ds:DigestValue></ds:Reference></ds:SignedInfo>`,
		spaceDSig, exclusive, method, uri, enveloped, exclusive, spaceEnc, base64.StdEncoding.EncodeToString(sum))
}

func keyInfo(certificate []byte) string {
	if certificate == nil {
		return ""
	}
	return "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>" + base64.StdEncoding.EncodeToString(certificate) +
		"</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
}

// insert puts the signature into a tree that nobody else has seen. Text does not move: it is signed.
func insert(root, sig *Element) {
	if c := root.first; c != nil && c.local == "Issuer" {
		sig.next, c.next = c.next, sig
		sig.tail, c.tail = c.tail, ""
		return
	}
	sig.next, root.first = root.first, sig
	sig.tail, root.text = root.text, ""
}

// whole writes the canonical form with every declaration, also of a prefix that only a value such as that of xsi:type uses.
func (e *Element) whole() []byte { return e.Canonical(declared(e)...) }

// declared lists the prefixes bound anywhere in a tree.
func declared(root *Element) []string {
	seen := map[string]bool{}
	for e := range root.Walk() {
		for b := e.scope; b != nil; b = b.outer {
			seen[b.prefix] = true
		}
	}
	prefixes := make([]string, 0, len(seen))
	for prefix := range seen {
		if prefix == "" {
			prefix = "#default"
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes
}

// methodOf returns what a key signs with.
func methodOf(key crypto.Signer) (string, method, error) {
	switch k := key.Public().(type) {
	case *rsa.PublicKey:
		if usable(k, pkcs1) {
			return moreDSig + "rsa-sha256", method{pkcs1, crypto.SHA256}, nil
		}
	case *ecdsa.PublicKey:
		if hash, ok := map[int]crypto.Hash{256: crypto.SHA256, 384: crypto.SHA384, 521: crypto.SHA512}[k.Params().BitSize]; ok && usable(k, ecDSA) {
			return fmt.Sprintf("%secdsa-sha%d", moreDSig, 8*hash.Size()), method{ecDSA, hash}, nil
		}
	}
	return "", method{}, faultf(ErrAlgorithm, "the key is not RSA of %d to %d bits or ECDSA on P-256, P-384 or P-521", minRSABits, maxRSABits)
}

// sign returns the signature in the form that verifies expects.
func (m method) sign(key crypto.Signer, signed []byte) ([]byte, error) {
	value, err := key.Sign(rand.Reader, digest(m.hash, signed), m.hash)
	if err != nil || m.family != ecDSA {
		return value, err
	}
	var n struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(value, &n); err != nil || len(rest) > 0 {
		return nil, faultf(ErrSignature, "the key gave no ECDSA signature")
	}
	k, ok := key.Public().(*ecdsa.PublicKey)
	if !ok {
		return nil, faultf(ErrAlgorithm, "the key is not ECDSA")
	}
	size := orderBytes(k)
	if n.R.Sign() <= 0 || n.S.Sign() <= 0 || n.R.BitLen() > 8*size || n.S.BitLen() > 8*size {
		return nil, faultf(ErrSignature, "the key gave no ECDSA signature of its size")
	}
	value = make([]byte, 2*size)
	n.R.FillBytes(value[:size])
	n.S.FillBytes(value[size:])
	return value, nil
}
