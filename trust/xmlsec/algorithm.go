package xmlsec

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes of the tables below
	_ "crypto/sha512"
	"math/big"
)

// Algorithms of XML Signature 1.1 §6 and RFC 9231 that we accept: nothing with SHA-1, MD5 or HMAC, no DSA.
const (
	exclusive  = "http://www.w3.org/2001/10/xml-exc-c14n#"
	enveloped  = spaceDSig + "enveloped-signature"
	moreDSig   = "http://www.w3.org/2001/04/xmldsig-more#"
	moreDSig07 = "http://www.w3.org/2007/05/xmldsig-more#"
)

// family is a way to sign.
type family int

const (
	pkcs1 family = iota + 1
	pss          // MGF1 with the same hash, salt as long as the hash: RFC 9231 §2.3.10
	ecDSA
)

type method struct {
	family family
	hash   crypto.Hash
}

var signatureMethods = map[string]method{
	moreDSig + "rsa-sha256":        {pkcs1, crypto.SHA256},
	moreDSig + "rsa-sha384":        {pkcs1, crypto.SHA384},
	moreDSig + "rsa-sha512":        {pkcs1, crypto.SHA512},
	moreDSig07 + "sha256-rsa-MGF1": {pss, crypto.SHA256}, // eIDAS asks for PSS or ECDSA
	moreDSig07 + "sha384-rsa-MGF1": {pss, crypto.SHA384},
	moreDSig07 + "sha512-rsa-MGF1": {pss, crypto.SHA512},
	moreDSig + "ecdsa-sha256":      {ecDSA, crypto.SHA256},
	moreDSig + "ecdsa-sha384":      {ecDSA, crypto.SHA384},
	moreDSig + "ecdsa-sha512":      {ecDSA, crypto.SHA512},
}

var digestMethods = map[string]crypto.Hash{
	spaceEnc + "sha256": crypto.SHA256,
	moreDSig + "sha384": crypto.SHA384,
	spaceEnc + "sha512": crypto.SHA512,
}

func digest(h crypto.Hash, b []byte) []byte {
	hash := h.New()
	hash.Write(b)
	return hash.Sum(nil)
}

// RSA modulus sizes we accept, in bits. Below is weak; above, one verification is a denial of service.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// usable says whether a key is of a kind and size we accept, and which family of methods it may be used with. It is asked per
// signature; whoever loads the key checks it in full.
func usable(key crypto.PublicKey, f family) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return f != ecDSA && k != nil && k.N != nil && k.N.BitLen() >= minRSABits && k.N.BitLen() <= maxRSABits
	case *ecdsa.PublicKey:
		return f == ecDSA && k != nil && (k.Curve == elliptic.P256() || k.Curve == elliptic.P384() || k.Curve == elliptic.P521())
	}
	return false
}

// maxKeys is how many keys are tried for a signature at most: those of one issuer while it rolls over.
const maxKeys = 16

// verify tries each key that fits. Which of them it was tells nobody anything: they are public.
func (m method) verify(keys []crypto.PublicKey, signed, signature []byte) error {
	if len(keys) > maxKeys {
		return faultf(ErrAlgorithm, "%d keys, at most %d are tried", len(keys), maxKeys)
	}
	tried, sum := 0, digest(m.hash, signed)
	for _, key := range keys {
		if !usable(key, m.family) {
			continue
		}
		if tried++; m.verifies(key, sum, signature) {
			return nil
		}
	}
	if tried == 0 {
		return faultf(ErrAlgorithm, "none of %d keys may be used with it", len(keys))
	}
	return faultf(ErrSignature, "by none of %d keys", tried)
}

// verifies checks with a key that is usable.
func (m method) verifies(key crypto.PublicKey, sum, signature []byte) bool {
	if k, ok := key.(*ecdsa.PublicKey); ok {
		size := orderBytes(k)
		if len(signature) != 2*size {
			return false
		}
		return ecdsa.Verify(k, sum, new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:]))
	}
	k, ok := key.(*rsa.PublicKey)
	if !ok {
		return false
	}
	if m.family == pss {
		return rsa.VerifyPSS(k, m.hash, sum, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
	}
	return rsa.VerifyPKCS1v15(k, m.hash, sum, signature) == nil
}

// orderBytes is how long each of the two numbers of a signature is (XML Signature 1.1 §6.4.3).
func orderBytes(k *ecdsa.PublicKey) int { return (k.Params().N.BitLen() + 7) / 8 }
