package oauth

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// TokenResponse is a successful answer of the token endpoint (RFC 6749 §5.1, RFC 8693 §2.2.1).
type TokenResponse struct {
	AccessToken     string `json:"access_token"`
	IssuedTokenType string `json:"issued_token_type,omitempty"` // RFC 8693 only
	TokenType       string `json:"token_type"`                  // "Bearer"; of an assertion "N_A" (RFC 8693 §2.2.1)
	ExpiresIn       int64  `json:"expires_in"`                  // seconds
	Scope           string `json:"scope"`                       // always: what was granted, space-separated
	RefreshToken    string `json:"refresh_token,omitempty"`     // of sign-ins with offline_access
	IDToken         string `json:"id_token,omitempty"`          // of sign-ins with openid (OpenID Connect Core §3.1.3.3)
}

// errorBody is an error answer.
type errorBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
	Reference   string `json:"reference,omitempty"`
}

// WriteToken answers with a token.
func WriteToken(w http.ResponseWriter, t *TokenResponse) {
	writeJSON(w, http.StatusOK, t)
}

// WriteError answers with an error. reference is the correlation id under which the audit trail has the whole reason; "" leaves
// it out.
func WriteError(w http.ResponseWriter, e *Error, reference string) {
	h := w.Header()
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	if e.Challenge != "" {
		h.Set("WWW-Authenticate", e.Challenge)
	}
	writeJSON(w, e.Status, errorBody{Error: e.Code, Description: e.Description, Reference: reference})
}

// writeJSON sets every header before the status: what is set after is lost.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store") // RFC 6749 §5.1
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client went away: nothing is left to tell it
}
