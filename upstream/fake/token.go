package fake

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
)

const maxForm = 16 << 10 // bytes

// token is the token endpoint.
func (p *Provider) token(w http.ResponseWriter, r *http.Request, f Faults) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		tokenError(w, http.StatusMethodNotAllowed, "invalid_request", "post a form")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		tokenError(w, http.StatusBadRequest, "invalid_request", "not a form")
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code", "refresh_token":
		p.exchange(w, r, f)
	default:
		p.clientCredentials(w, r, f)
	}
}

// clientCredentials answers (RFC 6749 §4.4) with a JWT access token (RFC 9068).
func (p *Provider) clientCredentials(w http.ResponseWriter, r *http.Request, f Faults) {
	account, ok := p.authenticate(r)
	if !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="fake"`)
		tokenError(w, http.StatusUnauthorized, "invalid_client", "no such client, or a wrong secret")
		return
	}
	if r.PostForm.Get("grant_type") != "client_credentials" {
		tokenError(w, http.StatusBadRequest, "unsupported_grant_type", "no such grant")
		return
	}
	scopes, ok := account.narrow(r.PostForm.Get("scope"))
	if !ok {
		tokenError(w, http.StatusBadRequest, "invalid_scope", "the account does not have this scope")
		return
	}
	f.writeJSON(w, mustJSON(map[string]any{
		"fake":         Notice,
		"access_token": p.accessToken(account, scopes),
		"token_type":   "Bearer",
		"expires_in":   int(p.o.Lifetime.Seconds()),
		"scope":        scopes,
	}))
}

func (p *Provider) authenticate(r *http.Request) (Account, bool) {
	id, secret, err := credentials(r)
	if err != nil {
		return Account{}, false
	}
	a, ok := p.accounts[id]
	return a, ok && a.Secret != "" && subtle.ConstantTimeCompare([]byte(a.Secret), []byte(secret)) == 1
}

// narrow is the scope of a token: what is asked for, if the account has it.
func (a Account) narrow(asked string) (string, bool) {
	if asked == "" {
		return strings.Join(a.Scopes, " "), true
	}
	for s := range strings.FieldsSeq(asked) {
		if !slices.Contains(a.Scopes, s) {
			return "", false
		}
	}
	return asked, true
}

func (p *Provider) accessToken(a Account, scope string) string {
	claims := map[string]any{"sub": a.ClientID, "client_id": a.ClientID, "scope": scope}
	if a.Subject != "" {
		claims["sub"] = a.Subject
	}
	switch len(a.Audience) {
	case 0:
	case 1:
		claims["aud"] = a.Audience[0]
	default:
		claims["aud"] = a.Audience
	}
	for name, v := range a.Claims {
		claims[name] = v
	}
	return p.Mint(claims, Typ("at+jwt"))
}

func tokenError(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(mustJSON(map[string]string{"fake": Notice, "error": code, "error_description": text}))
}
