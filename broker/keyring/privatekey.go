package keyring

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"time"

	"apostille/broker/store"
	"apostille/trust/jose"
)

// rsaBits: 2048 is what every verifier takes; 3072 costs three times as much to sign with.
const rsaBits = 2048

// make is the maker of real keys.
func (r *Ring) make(alg string, now time.Time) (store.Key, error) {
	private, err := generate(alg)
	if err != nil {
		return store.Key{}, err
	}
	kid, err := jose.Thumbprint(private.Public())
	if err != nil {
		return store.Key{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return store.Key{}, err
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return store.Key{}, err
	}
	k := store.Key{ID: kid, Purpose: r.c.Purpose.Name, Alg: alg, Public: public, Created: now}
	k.Wrapped = r.c.KEK.wrap(der, label(k))
	return k, nil
}

func generate(alg string) (crypto.Signer, error) {
	switch alg {
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "RS256", RSAOAEP:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	case "EdDSA":
		_, k, err := ed25519.GenerateKey(rand.Reader)
		return k, err
	}
	return nil, fmt.Errorf("no key can be made for algorithm %q", alg)
}

func (r *Ring) unwrap(k store.Key) (crypto.Signer, error) {
	der, err := r.c.KEK.unwrap(k.Wrapped, label(k))
	if err != nil {
		return nil, err
	}
	private, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("is a %T, not a signing key", private)
	}
	if kid, err := jose.Thumbprint(signer.Public()); err != nil || kid != k.ID {
		return nil, fmt.Errorf("is another key than its ID says")
	}
	return signer, nil
}

func label(k store.Key) string { return k.Purpose + "\x00" + k.Alg + "\x00" + k.ID }
