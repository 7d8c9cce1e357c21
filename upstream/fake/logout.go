package fake

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"apostille/trust/jose"
)

// LogoutEvent is the member of `events` that makes a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4).
const LogoutEvent = "http://schemas.openid.net/event/backchannel-logout"

const logoutTimeout = 5 * time.Second

// LogoutToken makes a logout token for a client. The claims name sub, sid or both; they replace what is added, and nil leaves a claim out.
func (p *Provider) LogoutToken(clientID string, claims map[string]any, opts ...MintOption) string {
	all := map[string]any{"aud": clientID, "events": map[string]any{LogoutEvent: map[string]any{}}}
	maps.Copy(all, claims)
	return p.Mint(all, append([]MintOption{Typ("logout+jwt")}, opts...)...)
}

// SendLogout posts a logout token to a client's BackchannelLogoutURI and returns the status it answered with.
func (p *Provider) SendLogout(ctx context.Context, clientID string, claims map[string]any, opts ...MintOption) (int, error) {
	c, ok := p.client(clientID)
	if !ok || c.BackchannelLogoutURI == "" {
		return 0, fmt.Errorf("fake: client %q has no back-channel logout", clientID)
	}
	form := url.Values{"logout_token": {p.LogoutToken(clientID, claims, opts...)}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.BackchannelLogoutURI, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := p.o.HTTP.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer))
	return res.StatusCode, nil
}

// endSession is RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0 §2): the session ends without a question, its clients are
// told, and the browser goes where it was asked to.
func (p *Provider) endSession(w http.ResponseWriter, r *http.Request, _ Faults) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.refusePage(w, "The request is not a form.")
		return
	}
	c, known := p.client(clientOf(r.Form))
	back := r.Form.Get("post_logout_redirect_uri")
	if back != "" && (!known || len(c.PostLogoutURIs) > 0 && !slices.Contains(c.PostLogoutURIs, back)) {
		p.refusePage(w, "The post_logout_redirect_uri is not registered.")
		return
	}
	p.endBrowser(w, r)
	u, err := url.Parse(back)
	if back == "" || err != nil {
		writePage(w, http.StatusOK, "message", map[string]any{"Title": "Signed out of " + p.o.Name, "Text": "You may close this window."})
		return
	}
	if state := r.Form.Get("state"); state != "" {
		q := u.Query()
		q.Set("state", state)
		u.RawQuery = q.Encode()
	}
	w.Header().Set("Location", u.String())
	w.WriteHeader(http.StatusSeeOther)
}

// clientOf reads who asks. The hint is not verified: this provider only looks up what to believe about a return address.
func clientOf(form url.Values) string {
	if id := form.Get("client_id"); id != "" {
		return id
	}
	t, err := jose.Parse(form.Get("id_token_hint"))
	if err != nil {
		return ""
	}
	aud, _ := t.Claims["aud"].(string)
	return aud
}

// endBrowser ends the browser's session and tells the clients that have a BackchannelLogoutURI.
func (p *Provider) endBrowser(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return
	}
	http.SetCookie(w, p.cookie("", -1))
	p.mu.Lock()
	s, ok := p.memory.sessions[cookie.Value]
	delete(p.memory.sessions, cookie.Value)
	var told []string
	if ok {
		told = slices.Sorted(maps.Keys(s.clients))
	}
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(r.Context(), logoutTimeout)
	defer cancel()
	for _, id := range told {
		// A client that is not told learns of it when its session ends; there is nobody to report to.
		_, _ = p.SendLogout(ctx, id, map[string]any{"sub": p.Sub(s.username), "sid": s.sid})
	}
}
