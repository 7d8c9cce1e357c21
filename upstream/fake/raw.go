package fake

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256" // for hashes
	_ "crypto/sha512" // for hashes
	"encoding/base64"
	"maps"

	"apostille/trust/jose"
)

// raw puts a token together by hand, for headers and signatures that jose.Sign rightly does not make.
func (d *draft) raw(payload []byte) string {
	header := map[string]any{"alg": d.key.alg}
	if d.kid != "" {
		header["kid"] = d.kid
	}
	if d.typ != "" {
		header["typ"] = d.typ
	}
	maps.Copy(header, d.header)
	maps.DeleteFunc(header, func(_ string, v any) bool { return v == nil })

	input := encode(mustJSON(header)) + "." + encode(payload)
	sign := d.sign
	if sign == nil {
		sign = d.key.signature
	}
	return input + "." + encode(sign([]byte(input)))
}

// Sign signs any bytes with the key that signs now, for tokens that Mint cannot bend far enough.
func (p *Provider) Sign(input []byte) []byte { return p.current().signature(input) }

// hashes by the last three digits of an algorithm's name.
var hashes = map[jose.Alg]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// signature is the JWS signature (RFC 7518 §3, RFC 8037 §3.1) of an input.
func (k signingKey) signature(input []byte) []byte {
	if key, ok := k.signer.(ed25519.PrivateKey); ok {
		return ed25519.Sign(key, input)
	}
	hash := hashes[k.alg[2:]]
	h := hash.New()
	h.Write(input)
	digest := h.Sum(nil)

	var sig []byte
	var err error
	switch key := k.signer.(type) {
	case *ecdsa.PrivateKey:
		r, s, signErr := ecdsa.Sign(rand.Reader, key, digest)
		if err = signErr; err == nil {
			size := (key.Curve.Params().BitSize + 7) / 8
			sig = append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
		}
	case *rsa.PrivateKey:
		if k.alg[:2] == "PS" {
			sig, err = rsa.SignPSS(rand.Reader, key, hash, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			sig, err = rsa.SignPKCS1v15(rand.Reader, key, hash, digest)
		}
	default:
		panic("fake: a key of a kind that is not known")
	}
	if err != nil {
		panic("fake: " + err.Error())
	}
	return sig
}
