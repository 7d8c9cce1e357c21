package jose

import (
	"crypto"
	"crypto/rsa"
	_ "crypto/sha256" // the hashes of pssHash
	_ "crypto/sha512"
	"fmt"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// Verify checks the signature with one key. The header's algorithm must be among the key's Algs and fit its type, curve and
// size; else the error wraps ErrAlgorithm. Any other failure wraps ErrSignature.
func (t *Token) Verify(k Key) error { return t.jws.verify(k) }

func (j *compactJWS) verify(k Key) error {
	if !slices.Contains(k.Algs, j.header.Alg) || !fits(j.header.Alg, k.Public) {
		return fmt.Errorf("%w: the key may not be used with it", ErrAlgorithm)
	}
	return verify(j.header.Alg, k.Public, []byte(j.signingInput), j.signature)
}

// verify calls the library with a raw key and an algorithm that fits it. jws.Verify would decode header and payload a second
// time, by other rules than ours, at 20 µs; its verifiers look at nothing but the signature.
func verify(alg Alg, pub crypto.PublicKey, input, signature []byte) (err error) {
	defer recovered(&err)
	v, err := jws.NewVerifier(jwa.SignatureAlgorithm(alg))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if err := v.Verify(input, signature, pub); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return verifySalt(alg, pub, input, signature)
}

var pssHash = map[Alg]crypto.Hash{PS256: crypto.SHA256, PS384: crypto.SHA384, PS512: crypto.SHA512}

// verifySalt checks what the library does not: RFC 7518 §3.5 gives a PSS salt the length of the hash, and the library takes any. It
// verifies a second time, because only the verification recovers the salt.
func verifySalt(alg Alg, pub crypto.PublicKey, input, signature []byte) error {
	hash, ok := pssHash[alg]
	if !ok {
		return nil
	}
	k, ok := pub.(*rsa.PublicKey)
	if !ok {
		return fmt.Errorf("%w: the key is not RSA", ErrAlgorithm)
	}
	h := hash.New()
	h.Write(input)
	if err := rsa.VerifyPSS(k, hash, h.Sum(nil), signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// recovered turns a panic of the library, or of a key behind crypto.Signer, into an error. Its value is left out: it may hold token or key bytes.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = fmt.Errorf("%w: panic of type %T in the signature library", ErrSignature, v)
	}
}
