package fake_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"apostille/trust/jose"
	"apostille/upstream/fake"
)

const (
	rp       = "west"
	rpSecret = "fake secret: west"
	callback = "https://west.example/callback"
	verifier = "a-verifier-that-is-long-enough-to-be-one-of-rfc7636"
)

func relyingParty() []fake.Client {
	return []fake.Client{{ID: rp, Secret: rpSecret, RedirectURIs: []string{callback}, PostLogoutURIs: []string{"https://west.example/out"}}}
}

// startOP serves a provider with a relying party, and a browser that stops where the relying party would be.
func startOP(t *testing.T, o fake.Options) (*fake.Provider, *fake.Browser) {
	t.Helper()
	if o.Clients == nil {
		o.Clients = relyingParty()
	}
	p, _ := start(t, o)
	b := fake.NewBrowser(nil)
	b.Stop = func(u *url.URL) bool { return u.Host == "west.example" }
	return p, b
}

// ask is a good authorization request, with changes; "" leaves a parameter out.
func ask(changes ...string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"client_id": {rp}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid profile email"}, "state": {"s-1"},
		"nonce": {"n-1"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(changes); i += 2 {
		q.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			q.Del(changes[i])
		}
	}
	return q
}

// authorize signs alice in and returns what the relying party got.
func authorize(t *testing.T, p *fake.Provider, b *fake.Browser, q url.Values) *fake.Page {
	t.Helper()
	page, err := b.Open(p.Issuer() + fake.PathAuthorize + "?" + q.Encode())
	if err == nil && page.Status == 200 && strings.Contains(page.Body, `value="alice"`) {
		page, err = b.SignIn(page, "alice")
	}
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// result is the parameters that the relying party got, by whichever way.
func result(page *fake.Page) url.Values {
	if page.Posted != nil {
		return page.Posted
	}
	return page.URL.Query()
}

func redeem(t *testing.T, p *fake.Provider, form url.Values) (int, map[string]any) {
	t.Helper()
	r, _ := http.NewRequest("POST", p.Issuer()+fake.PathToken, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(rp), url.QueryEscape(rpSecret))
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, object(t, body)
}

func codeForm(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
}

func TestALoginFromTheFormToUserinfo(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"", "form_post"} {
		p, b := startOP(t, fake.Options{})
		got := result(authorize(t, p, b, ask("response_mode", mode)))
		if got.Get("state") != "s-1" || got.Get("iss") != p.Issuer() {
			t.Fatalf("answer %v", got)
		}
		status, doc := redeem(t, p, codeForm(got.Get("code")))
		if status != 200 || doc["refresh_token"] != nil {
			t.Fatalf("%d %v", status, doc)
		}
		id := verified(t, p, doc["id_token"].(string)).Claims
		for name, want := range map[string]any{"aud": rp, "nonce": "n-1", "sub": p.Sub("alice"), "name": "Alice Martin", "department": "logistics",
			"acr": "urn:fake:password", "sid": p.Sessions("alice")[0], "email": nil} {
			if id[name] != want {
				t.Errorf("%s is %v, want %v", name, id[name], want)
			}
		}
		if _, ok := jose.NumericDate(id["auth_time"]); !ok {
			t.Errorf("auth_time %v", id["auth_time"])
		}
		r, _ := http.NewRequest("GET", p.Issuer()+fake.PathUserInfo, nil)
		r.Header.Set("Authorization", "Bearer "+doc["access_token"].(string))
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if info := object(t, body); info["sub"] != p.Sub("alice") || info["email"] != "alice@hq.hmart.example" || info["email_verified"] != true {
			t.Errorf("userinfo %s", body)
		}
		if status, _ := redeem(t, p, codeForm(got.Get("code"))); status != 400 {
			t.Errorf("a code works twice: %d", status)
		}
	}
}

func TestPromptAndMaxAge(t *testing.T) {
	t.Parallel()
	now := clock
	p := fake.NewProvider(fake.Options{Issuer: "http://hq.localhost", Alg: "ES256", Clients: relyingParty(), Now: func() time.Time { return now }})
	b := fake.NewBrowser(handlerTransport{p})
	b.Stop = func(u *url.URL) bool { return u.Host == "west.example" }
	shown := func(q url.Values) (page *fake.Page, form bool) {
		t.Helper()
		page = open(t, b, p.Issuer()+fake.PathAuthorize+"?"+q.Encode())
		return page, page.Status == 200
	}
	if page, _ := shown(ask("prompt", "none")); result(page).Get("error") != "login_required" || result(page).Get("iss") != p.Issuer() {
		t.Errorf("nobody is signed in: %v", result(page))
	}
	authorize(t, p, b, ask())
	now = now.Add(10 * time.Minute)
	for name, tc := range map[string]struct {
		q    url.Values
		form bool
	}{
		"prompt=none":             {ask("prompt", "none"), false},
		"nothing":                 {ask(), false},
		"prompt=login":            {ask("prompt", "login"), true},
		"prompt=select_account":   {ask("prompt", "select_account"), true},
		"max_age that is over":    {ask("max_age", "60"), true},
		"max_age that is not":     {ask("max_age", "3600"), false},
		"prompt=none and max_age": {ask("max_age", "60", "prompt", "none"), false},
	} {
		page, form := shown(tc.q)
		if form != tc.form {
			t.Errorf("%s: the form is shown: %v", name, form)
		}
		if strings.HasPrefix(name, "prompt=none and") && result(page).Get("error") != "login_required" {
			t.Errorf("%s: %v", name, result(page))
		}
	}
	page, _ := shown(ask("prompt", "login", "login_hint", "bob@hq.hmart.example"))
	if f := page.Forms(); len(f) != 1 || f[0].Buttons[0].Value != "bob" {
		t.Errorf("the hinted person is not first: %+v", f)
	}
	if page, err := b.SignIn(page, ""); err != nil || result(page).Get("error") != "access_denied" {
		t.Errorf("cancel: %v", err)
	}
}

// handlerTransport answers from a handler, without a network.
type handlerTransport struct{ h http.Handler }

func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	t.h.ServeHTTP(w, r)
	return w.Result(), nil
}

func TestARequestThatIsWrongIsToldWhereItMayBe(t *testing.T) {
	t.Parallel()
	p, b := startOP(t, fake.Options{})
	for name, tc := range map[string]struct {
		q    url.Values
		code string // "" = a page, and no redirect
	}{
		"an unknown client":          {ask("client_id", "nobody"), ""},
		"another redirect_uri":       {ask("redirect_uri", callback+"/x"), ""},
		"a pushed request of nobody": {ask("request_uri", "urn:x"), ""},
		"another response_type":      {ask("response_type", "token"), "unsupported_response_type"},
		"no openid":                  {ask("scope", "profile"), "invalid_scope"},
		"no PKCE":                    {ask("code_challenge", ""), "invalid_request"},
		"plain PKCE":                 {ask("code_challenge_method", "plain"), "invalid_request"},
		"another response_mode":      {ask("response_mode", "fragment"), "invalid_request"},
	} {
		page := authorize(t, p, b, tc.q)
		if got := result(page).Get("error"); got != tc.code || (tc.code == "") != (page.Status == 400) {
			t.Errorf("%s: status %d, error %q", name, page.Status, got)
		}
	}
}

func TestCodesAndRefreshTokensAreForTheirClientOnce(t *testing.T) {
	t.Parallel()
	p, b := startOP(t, fake.Options{})
	code := func() string { return result(authorize(t, p, b, ask("scope", "openid offline_access"))).Get("code") }
	for name, change := range map[string][2]string{
		"another verifier": {"code_verifier", "x"}, "another redirect_uri": {"redirect_uri", "https://x.example"}, "another code": {"code", "x"},
	} {
		form := codeForm(code())
		form.Set(change[0], change[1])
		if status, doc := redeem(t, p, form); status != 400 || doc["error"] != "invalid_grant" {
			t.Errorf("%s: %d %v", name, status, doc)
		}
	}
	_, doc := redeem(t, p, codeForm(code()))
	again := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {doc["refresh_token"].(string)}}
	status, second := redeem(t, p, again)
	if status != 200 || second["refresh_token"] == doc["refresh_token"] || verified(t, p, second["id_token"].(string)).Claims["nonce"] != nil {
		t.Errorf("%d %v", status, second)
	}
	if status, _ := redeem(t, p, again); status != 400 {
		t.Errorf("a refresh token works twice")
	}
}

func TestAPushedRequest(t *testing.T) {
	t.Parallel()
	p, b := startOP(t, fake.Options{RequirePAR: true})
	push := func(form url.Values, secret string) (int, map[string]any) {
		r, _ := http.NewRequest("POST", p.Issuer()+fake.PathPAR, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(rp, url.QueryEscape(secret))
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode, object(t, body)
	}
	status, doc := push(ask(), rpSecret)
	if status != 201 {
		t.Fatalf("%d %v", status, doc)
	}
	page := authorize(t, p, b, url.Values{"client_id": {rp}, "request_uri": {doc["request_uri"].(string)}})
	if status, _ := redeem(t, p, codeForm(result(page).Get("code"))); status != 200 {
		t.Errorf("status %d", status)
	}
	if page := authorize(t, p, b, ask()); page.Status != 400 {
		t.Errorf("a request that was not pushed: %d", page.Status)
	}
	if status, _ := push(ask(), "guess"); status != 401 {
		t.Errorf("a wrong secret: %d", status)
	}
	if status, _ := push(ask("redirect_uri", "https://x.example"), rpSecret); status != 400 {
		t.Errorf("another redirect_uri: %d", status)
	}
}

func TestLogoutEndsTheSessionAndTellsItsClients(t *testing.T) {
	t.Parallel()
	var told []string
	client := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told = append(told, r.PostFormValue("logout_token")) }))
	t.Cleanup(client.Close)
	clients := relyingParty()
	clients[0].BackchannelLogoutURI = client.URL
	p, b := startOP(t, fake.Options{Clients: clients})
	authorize(t, p, b, ask())
	sid := p.Sessions("alice")[0]
	if page := open(t, b, p.Issuer()+fake.PathEndSession+"?client_id="+rp+"&post_logout_redirect_uri=https://x.example"); page.Status != 400 || len(p.Sessions("alice")) != 1 {
		t.Errorf("another return address: %d", page.Status)
	}
	page := open(t, b, p.Issuer()+fake.PathEndSession+"?client_id="+rp+"&post_logout_redirect_uri=https://west.example/out&state=x")
	if page.URL.String() != "https://west.example/out?state=x" || len(p.Sessions("alice")) != 0 {
		t.Errorf("at %s", page.URL)
	}
	if len(told) != 1 {
		t.Fatalf("%d told", len(told))
	}
	tok := verified(t, p, told[0])
	if tok.Header.Typ != "logout+jwt" || tok.Claims["aud"] != rp || tok.Claims["sid"] != sid || tok.Claims["sub"] != p.Sub("alice") || tok.Claims["nonce"] != nil {
		t.Errorf("%+v", tok)
	}
	if page, err := b.Open(p.Issuer() + fake.PathAuthorize + "?" + ask("prompt", "none").Encode()); err != nil || result(page).Get("error") != "login_required" {
		t.Errorf("still signed in: %v", err)
	}
	if _, err := p.SendLogout(t.Context(), "nobody", nil); err == nil {
		t.Error("told nobody")
	}
}

func TestLoginFaultsShow(t *testing.T) {
	t.Parallel()
	p, b := startOP(t, fake.Options{})
	p.Break(fake.Faults{Login: fake.LoginFaults{Answer: map[string]any{"iss": "https://evil.example", "state": nil},
		IDToken: map[string]any{"nonce": "x", "at_hash": nil}, Token: map[string]any{"expires_in": nil}}})
	got := result(authorize(t, p, b, ask()))
	_, doc := redeem(t, p, codeForm(got.Get("code")))
	id := verified(t, p, doc["id_token"].(string)).Claims
	if got.Get("iss") != "https://evil.example" || got.Has("state") || id["nonce"] != "x" || id["at_hash"] != nil || doc["expires_in"] != nil {
		t.Errorf("%v %v %v", got, doc, id)
	}
	p.Break(fake.Faults{Login: fake.LoginFaults{Error: "server_error"}})
	if got := result(authorize(t, p, b, ask())); got.Get("error") != "server_error" || got.Get("state") != "s-1" {
		t.Errorf("%v", got)
	}
}
