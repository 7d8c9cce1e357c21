package main

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"apostille/broker/oauth"
	"apostille/trust"
	"apostille/upstream/fake"
)

const (
	portalCallback = "https://portal.west.example/callback"
	portalVerifier = "a-verifier-of-at-least-forty-three-characters-for-tests"
)

// inside reaches the broker without a network, and everybody else over it.
type inside struct{ a *arena }

func (i inside) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.URL.String(), ours) {
		return http.DefaultTransport.RoundTrip(r)
	}
	in := r.Clone(r.Context())
	in.RequestURI, in.RemoteAddr, in.Host = r.URL.RequestURI(), "192.0.2.7:1", r.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	i.a.handler.ServeHTTP(w, in)
	out := w.Result()
	out.Request = r
	return out, nil
}

// browser is a person's, whose applications have no server.
func (a *arena) browser() *fake.Browser {
	b := fake.NewBrowser(inside{a})
	b.Stop = func(u *url.URL) bool { return strings.HasPrefix(u.String(), portalCallback) }
	return b
}

// authorizeURL is the portal's request; more are parameters beside the usual ones, or in their place.
func authorizeURL(more ...string) string {
	sum := sha256.Sum256([]byte(portalVerifier))
	q := url.Values{
		"client_id": {"portal"}, "response_type": {"code"}, "redirect_uri": {portalCallback}, "state": {"s-1"}, "nonce": {"n-1"},
		"scope": {"openid offline_access stock.read"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
		if more[i+1] == "" {
			q.Del(more[i])
		}
	}
	return ours + "/oauth2/authorize?" + q.Encode()
}

// signIn signs a person of the office in to the portal and returns the code.
func (a *arena) signIn(t testing.TB, b *fake.Browser, person string, more ...string) string {
	t.Helper()
	page, err := b.Open(authorizeURL(more...))
	if err == nil && page.Status != 0 {
		page, err = b.SignIn(page, person)
	}
	if err != nil {
		t.Fatal(err)
	}
	code := page.URL.Query().Get("code")
	if page.Status != 0 || code == "" {
		t.Fatalf("no code came of it: %v %d\n%s", page.Hops, page.Status, page.Body)
	}
	return code
}

func codeForm(code string) url.Values {
	return url.Values{"grant_type": {oauth.GrantTypeCode}, "code": {code}, "redirect_uri": {portalCallback}, "code_verifier": {portalVerifier}}
}

func refreshForm(token string) url.Values {
	return url.Values{"grant_type": {oauth.GrantTypeRefresh}, "refresh_token": {token}}
}

// refreshToken signs alice in and redeems the code.
func (a *arena) refreshToken(t testing.TB) string {
	t.Helper()
	out := a.ask(t, "portal", codeForm(a.signIn(t, a.browser(), "alice")), nil)
	if out.Status != http.StatusOK || out.Token.RefreshToken == "" {
		t.Fatalf("no refresh token: %d %s", out.Status, out.Body)
	}
	return out.Token.RefreshToken
}

// aliceSub is our sub of the office's Alice.
func (a *arena) aliceSub() string {
	return trust.DeriveSub(a.office.Issuer(), "sub", a.office.Sub("alice"))
}
