package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// published is a JWK as MarshalJWKS writes it. Of its members those that RFC 7638 §3.2 requires are in thumbprint.
type published struct {
	thumbprint
	Use string `json:"use"`
	Alg Alg    `json:"alg"`
	Kid string `json:"kid,omitempty"`
}

// thumbprint holds the required members of a public key, in the lexicographic order that RFC 7638 §3.3 hashes. No kind of key
// has all of them; those it lacks are left out.
type thumbprint struct {
	Crv string `json:"crv,omitempty"`
	E   string `json:"e,omitempty"`
	Kty string `json:"kty"`
	N   string `json:"n,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
}

// MarshalJWKS writes a set as a JWK Set: public members, kid, alg (the first of the key's Algs) and use "sig", in the order of Keys,
// so that equal sets give equal bytes. A key that ParseJWKS would refuse is an error: nobody publishes one on purpose.
func MarshalJWKS(s *Set) ([]byte, error) {
	doc := struct {
		Keys []published `json:"keys"`
	}{Keys: []published{}}
	for _, k := range s.Keys() {
		if len(k.Algs) == 0 || !fits(k.Algs[0], k.Public) {
			return nil, fmt.Errorf("key %.64q has no algorithm that fits it", k.ID)
		}
		if err := checkKid(k.ID); err != nil {
			return nil, err
		}
		members, err := required(k.Public)
		if err != nil {
			return nil, fmt.Errorf("key %.64q: %w", k.ID, err)
		}
		doc.Keys = append(doc.Keys, published{thumbprint: members, Use: "sig", Alg: k.Algs[0], Kid: k.ID})
	}
	return json.Marshal(doc)
}

// Thumbprint is the RFC 7638 SHA-256 thumbprint, base64url without padding, 43 characters. A key that ParseJWKS would refuse is an error.
func Thumbprint(pub crypto.PublicKey) (string, error) {
	members, err := required(pub)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(members)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:]), nil
}

func required(pub crypto.PublicKey) (thumbprint, error) {
	if err := checkPublic(pub); err != nil {
		return thumbprint{}, err
	}
	encode := base64.RawURLEncoding.EncodeToString
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return thumbprint{Kty: "RSA", N: encode(k.N.Bytes()), E: encode(big.NewInt(int64(k.E)).Bytes())}, nil
	case *ecdsa.PublicKey:
		point, err := k.Bytes() // 4, x, y
		if err != nil {
			return thumbprint{}, err
		}
		half := 1 + len(point)/2
		return thumbprint{Kty: "EC", Crv: k.Params().Name, X: encode(point[1:half]), Y: encode(point[half:])}, nil
	case ed25519.PublicKey:
		return thumbprint{Kty: "OKP", Crv: "Ed25519", X: encode(k)}, nil
	}
	return thumbprint{}, errors.New("key is not RSA, EC or Ed25519")
}
