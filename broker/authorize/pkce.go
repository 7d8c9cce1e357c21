package authorize

import (
	"encoding/base64"

	"apostille/broker/oauth"
)

// proof checks code_challenge (RFC 7636 §4.3): S256 only, and left out only by who may and then sends a nonce (RFC 9700 §2.1.1).
func (q *request) proof(v values) *problem {
	method := v.get("code_challenge_method")
	q.Challenge = v.get("code_challenge")
	switch {
	case q.Challenge == "" && method != "":
		return redirected(oauth.CodeInvalidRequest, "code_challenge_method without code_challenge")
	case q.Challenge == "" && !q.client.Spec.App.PKCEOptional:
		return redirected(oauth.CodeInvalidRequest, "code_challenge is required")
	case q.Challenge == "" && (q.Nonce == "" || !contains(q.Scopes, "openid")):
		return redirected(oauth.CodeInvalidRequest, "send a code_challenge, or scope openid with a nonce")
	case q.Challenge == "":
		return nil
	case method != "S256": // absent means plain (RFC 7636 §4.3)
		return redirected(oauth.CodeInvalidRequest, "code_challenge_method must be S256")
	}
	if raw, err := base64.RawURLEncoding.Strict().DecodeString(q.Challenge); err != nil || len(raw) != 32 || len(q.Challenge) != 43 {
		return redirected(oauth.CodeInvalidRequest, "code_challenge is not a SHA-256 in base64url")
	}
	return nil
}
