package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"
	"slices"
)

// Alg is a JWS algorithm we accept (RFC 7518 §3.1, RFC 8037 §3.1). Nothing else exists: no "none", no HMAC.
type Alg string

// The algorithms.
const (
	RS256 Alg = "RS256"
	RS384 Alg = "RS384"
	RS512 Alg = "RS512"
	PS256 Alg = "PS256"
	PS384 Alg = "PS384"
	PS512 Alg = "PS512"
	ES256 Alg = "ES256"
	ES384 Alg = "ES384"
	ES512 Alg = "ES512"
	EdDSA Alg = "EdDSA" // with Ed25519 only
)

var (
	rsaAlgs = []Alg{RS256, RS384, RS512, PS256, PS384, PS512}
	allAlgs = append(slices.Clone(rsaAlgs), ES256, ES384, ES512, EdDSA)
)

// Algs lists the algorithms.
func Algs() []Alg { return slices.Clone(allAlgs) }

// Valid says whether a is one of the algorithms.
func (a Alg) Valid() bool { return slices.Contains(allAlgs, a) }

// RSA modulus sizes we accept, in bits. Below is weak; above, one verification is a denial of service.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// algsFor lists the algorithms that fit a key's type, curve and size; none for a key that is unusable. It is asked before
// each verification, so it looks at sizes only; checkPublic does the costly checks when a key is loaded.
func algsFor(pub crypto.PublicKey) []Alg {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if k == nil || k.N == nil || k.N.BitLen() < minRSABits || k.N.BitLen() > maxRSABits {
			return nil
		}
		return rsaAlgs
	case *ecdsa.PublicKey:
		if k == nil {
			return nil
		}
		return curveAlgs[k.Curve]
	case ed25519.PublicKey:
		if len(k) == ed25519.PublicKeySize {
			return edAlgs
		}
	}
	return nil
}

var (
	edAlgs    = []Alg{EdDSA}
	curveAlgs = map[elliptic.Curve][]Alg{
		elliptic.P256(): {ES256},
		elliptic.P384(): {ES384},
		elliptic.P521(): {ES512},
	}
)

// fits says whether the key can be used with the algorithm.
func fits(a Alg, pub crypto.PublicKey) bool { return slices.Contains(algsFor(pub), a) }

// narrow lists the algorithms of a key that are also allowed; an empty allowed list narrows nothing.
func narrow(pub crypto.PublicKey, allowed []Alg) []Alg {
	fit := algsFor(pub)
	if len(allowed) == 0 {
		return slices.Clone(fit)
	}
	return slices.DeleteFunc(slices.Clone(fit), func(a Alg) bool { return !slices.Contains(allowed, a) })
}

// checkAllowed refuses a list with a name that is no algorithm: a typing error must not silently narrow to nothing.
func checkAllowed(allowed []Alg) error {
	for _, a := range allowed {
		if !a.Valid() {
			return fmt.Errorf("allowed algorithm %.20q is none of %v", string(a), allAlgs)
		}
	}
	return nil
}
