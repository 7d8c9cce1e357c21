package bearer

import (
	"net/http"
	"strings"

	"apostille/broker/oauth"
)

// tokenOf takes the token from the one place where it may be, the Authorization header (RFC 6750 §2.1).
//
// A token in the URL would stand in logs and histories, so it is refused even beside a header. A token in the body
// (RFC 6750 §2.2) is never looked for: the body belongs to the handler, and such a request counts as one without a token.
func (g *Guard) tokenOf(r *http.Request, required []string) (string, *oauth.Error) {
	if r.URL.Query().Has("access_token") {
		return "", g.invalidRequest("send the access token in the Authorization header, not in the URL")
	}
	headers := r.Header.Values("Authorization")
	if len(headers) > 1 {
		return "", g.invalidRequest("more than one Authorization header")
	}
	if len(headers) == 0 {
		return "", g.noToken(required)
	}
	scheme, rest, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") { // RFC 9110 §11.1: schemes are case-insensitive
		return "", g.noToken(required)
	}
	raw := strings.Trim(rest, " ")
	if !isB64Token(raw) {
		return "", g.invalidRequest("the Authorization header does not hold one bearer token")
	}
	return raw, nil
}

// isB64Token is RFC 6750 §2.1's b64token.
func isB64Token(s string) bool {
	s = strings.TrimRight(s, "=")
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		alnum := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !alnum && !strings.ContainsRune("-._~+/", r)
	})
}
