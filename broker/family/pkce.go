package family

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"apostille/trust"
)

// unproven checks PKCE (RFC 7636 §4.6, S256 only); "" if it holds.
func unproven(challenge, verifier string, app *trust.AppSpec) string {
	switch {
	case challenge == "" && verifier != "": // RFC 9700 §2.1.1: else a challenge could be stripped from the request
		return "code_verifier for a code without code_challenge"
	case challenge == "" && (app.Public || !app.PKCEOptional):
		return "the code has no code_challenge and the client needs one"
	case challenge == "":
		return ""
	case verifier == "":
		return "code_verifier is missing"
	case !verifierSyntax(verifier):
		return "code_verifier is not 43 to 128 characters of RFC 7636 §4.1"
	}
	sum := sha256.Sum256([]byte(verifier))
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare([]byte(want), []byte(challenge)) != 1 {
		return "code_verifier does not fit code_challenge"
	}
	return ""
}

// verifierSyntax is RFC 7636 §4.1: 43 to 128 unreserved characters.
func verifierSyntax(v string) bool {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	return len(v) >= 43 && len(v) <= 128 && strings.Trim(v, unreserved) == ""
}
