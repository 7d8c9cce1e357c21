package oidc

import (
	"crypto/rand"
	"encoding/base64"

	"apostille/trust"
	"apostille/upstream"
)

// memo is what Finish needs of Begin: a nonce and a verifier. Strangers begin logins, so their random bytes are kept, not their texts.
type memo [2 * randomSize]byte

// randomSize is 256 bits: 43 characters, which is what RFC 7636 §4.1 asks of a verifier.
const randomSize = 32

func newMemo() (m memo) {
	_, _ = rand.Read(m[:]) // it never fails
	return m
}

func (m memo) nonce() string    { return base64.RawURLEncoding.EncodeToString(m[:randomSize]) }
func (m memo) verifier() string { return base64.RawURLEncoding.EncodeToString(m[randomSize:]) }

// readMemo reads what was kept.
func readMemo(secret []byte) (m memo, err error) {
	if copy(m[:], secret) != len(m) || len(secret) != len(m) {
		return memo{}, &upstream.Error{Reason: trust.ReasonLoginState, Detail: "what was kept of the login cannot be read"}
	}
	return m, nil
}

// random is the text of as many random bytes.
func random() string {
	var b [randomSize]byte
	_, _ = rand.Read(b[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}
