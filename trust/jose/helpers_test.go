package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"sync"
	"testing"
)

// The keys of the tests; RSA is made once because it is slow.
var (
	rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	p256   = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p384   = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	p521   = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) })
	ed     = sync.OnceValue(func() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)) })
)

// signerFor returns a private key that fits the algorithm.
func signerFor(alg Alg) crypto.Signer {
	switch alg {
	case ES256:
		return p256()
	case ES384:
		return p384()
	case ES512:
		return p521()
	case EdDSA:
		return ed()
	default:
		return rsaKey()
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// aliceClaims is a payload without faults.
const aliceClaims = `{"iss":"https://idp.hq.hmart.example","sub":"alice","exp":1800000000}`

// forge signs any header and payload with the P-256 key, as an attacker who holds a genuine key could, past all checks of Sign.
func forge(header, payload string) string {
	input := b64(header) + "." + b64(payload)
	return input + "." + b64(string(must(sign(ES256, []byte(input), p256()))))
}

// p256Key is the trusted key that forge signs with.
func p256Key() Key { return Key{ID: "k1", Algs: []Alg{ES256}, Public: p256().Public()} }

// accept does with a token what a verifier does: parse, then look up, then verify.
func accept(token string, set *Set) error {
	t, err := Parse(token)
	if err != nil {
		return err
	}
	err = ErrSignature
	for _, k := range set.Lookup(t.Header.Kid, t.Header.Alg) {
		if err = t.Verify(k); err == nil {
			return nil
		}
	}
	return err
}

// jwkOf writes a public key as a JWK and lets the test change members; nil deletes one.
func jwkOf(t *testing.T, k Key, change map[string]any) map[string]any {
	t.Helper()
	var doc struct{ Keys []map[string]any }
	b, err := MarshalJWKS(NewSet(k))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	for member, v := range change {
		if doc.Keys[0][member] = v; v == nil {
			delete(doc.Keys[0], member)
		}
	}
	return doc.Keys[0]
}

func jwksOf(t *testing.T, keys ...map[string]any) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
