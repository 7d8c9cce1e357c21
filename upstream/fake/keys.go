package fake

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"

	"apostille/trust/jose"
)

// signingKey is a private key with the header members that name it.
type signingKey struct {
	kid    string
	alg    jose.Alg
	signer crypto.Signer
}

func newSigningKey(alg jose.Alg) signingKey {
	signer := NewKey(alg)
	kid, err := jose.Thumbprint(signer.Public())
	if err != nil {
		panic("fake: " + err.Error())
	}
	return signingKey{kid: kid, alg: alg, signer: signer}
}

// NewKey makes a private key that fits an algorithm (RSA: 2048 bits). It panics for an algorithm trust/jose does not have.
func NewKey(alg jose.Alg) crypto.Signer {
	key, err := generate(alg)
	if err != nil {
		panic("fake: " + err.Error())
	}
	return key
}

func generate(alg jose.Alg) (crypto.Signer, error) {
	switch alg {
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES512":
		return ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "EdDSA":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, jose.ErrAlgorithm
}

// PEM is the public key that signs now, as a "PUBLIC KEY" block for import.
func (p *Provider) PEM() []byte {
	der, err := x509.MarshalPKIXPublicKey(p.current().signer.Public())
	if err != nil {
		panic("fake: " + err.Error())
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
