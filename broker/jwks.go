package broker

import (
	"net/http"
	"strings"
)

// KeySet is the published key set; *keyring.Ring implements it.
type KeySet interface {
	JWKS() (body []byte, etag string)
}

// jwksHandler serves the broker's public keys (RFC 7517 §5).
type jwksHandler struct{ keys KeySet }

// ServeHTTP answers with the set, or 304 to who has it (RFC 9110 §13.1.2).
func (h *jwksHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !readOnly(w, r) {
		return
	}
	body, etag := h.keys.JWKS()
	w.Header().Set("ETag", etag)
	if matches(r.Header.Values("If-None-Match"), etag) {
		publish(w.Header())
		w.WriteHeader(http.StatusNotModified)
		return
	}
	public(w, body, "application/jwk-set+json")
}

// matches compares an entity tag with If-None-Match: a list, compared weakly (RFC 9110 §13.1.2), for proxies that compress make
// tags weak.
func matches(fields []string, etag string) bool {
	for _, field := range fields {
		for tag := range strings.SplitSeq(field, ",") {
			if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == etag || tag == "*" {
				return true
			}
		}
	}
	return false
}
