package broker

import "net/http"

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
	if r.Header.Get("If-None-Match") == etag {
		w.Header().Set("Cache-Control", "public, max-age=300")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	public(w, body, "application/jwk-set+json")
}
