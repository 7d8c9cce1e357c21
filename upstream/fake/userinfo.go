package fake

import (
	"net/http"
	"strings"
)

// userInfo tells about the person behind an access token (OpenID Connect Core 1.0 §5.3).
func (p *Provider) userInfo(w http.ResponseWriter, r *http.Request, f Faults) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	p.mu.Lock()
	in, known := p.memory.access[token]
	p.mu.Unlock()
	if !ok || !known || !p.o.Now().Before(in.expires) {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		http.Error(w, "no such token ("+Notice+")", http.StatusUnauthorized)
		return
	}
	h, _ := p.person(in.username)
	claims := h.userInfoClaims(in.ask.scopes)
	claims["fake"] = Notice
	over(claims, f.Login.UserInfo)
	if f.Login.UserInfoJWT {
		claims["aud"] = in.ask.client
		w.Header().Set("Content-Type", "application/jwt")
		_, _ = w.Write([]byte(p.Mint(claims)))
		return
	}
	f.writeJSON(w, mustJSON(claims))
}
