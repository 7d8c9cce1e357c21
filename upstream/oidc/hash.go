package oidc

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"apostille/trust"
	"apostille/trust/jose"
)

// checkHash compares a claim that, if present, is the hash of something that came beside the token.
func (x *examination) checkHash(claim, of string) *fault {
	if !x.claims.has(claim) {
		return nil
	}
	have, f := x.claims.text(claim, checkHashes)
	if f != nil {
		return f
	}
	if subtle.ConstantTimeCompare([]byte(have), []byte(halfHash(x.token.Header.Alg, of))) != 1 {
		return &fault{trust.ReasonClaim, checkHashes, claim + " is not of what came with the ID token", nil}
	}
	return x.passed(checkHashes, claim)
}

// halfHash is the left half of the hash that the algorithm signs with (OpenID Connect Core 1.0 §3.1.3.6). Ed25519 hashes with SHA-512
// (RFC 8032 §5.1).
func halfHash(alg jose.Alg, of string) string {
	var sum []byte
	switch {
	case strings.HasSuffix(string(alg), "256"):
		h := sha256.Sum256([]byte(of))
		sum = h[:]
	case strings.HasSuffix(string(alg), "384"):
		h := sha512.Sum384([]byte(of))
		sum = h[:]
	default:
		h := sha512.Sum512([]byte(of))
		sum = h[:]
	}
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
