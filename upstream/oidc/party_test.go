package oidc

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream"
	"apostille/upstream/fake"
	"apostille/upstream/fetch"
)

const (
	clientID     = "west client"
	clientSecret = "fake: secret+100%"
	callback     = "https://west.example/login/callback/hq"
)

// meeting is an upstream, a relying party and a person with a browser.
type meeting struct {
	*RelyingParty
	op      *fake.Provider
	browser *fake.Browser
	trust   *trust.Trust
	keys    *fakeKeys
	cfg     LoginConfig
	now     *atomic.Int64 // Unix seconds, of all parties
	ask     upstream.Ask
	start   upstream.Start
}

// arrangement is what a test wants to be different.
type arrangement struct {
	op    fake.Options
	cfg   func(*LoginConfig)
	spec  func(*trust.TrustSpec)
	alg   jose.Alg
	guard *fetch.Options
}

func meet(t testing.TB, a arrangement) *meeting {
	t.Helper()
	m := &meeting{now: &atomic.Int64{}, keys: &fakeKeys{}}
	m.now.Store(epoch.Unix())
	srv := httptest.NewUnstartedServer(nil)
	o := a.op
	o.Issuer, o.Now, o.Alg = "http://"+srv.Listener.Addr().String(), m.clock, jose.ES256
	if a.alg != "" {
		o.Alg = a.alg
	}
	if o.Clients == nil {
		o.Clients = []fake.Client{{ID: clientID, Secret: clientSecret, RedirectURIs: []string{callback}}}
	}
	m.op = fake.NewProvider(o)
	srv.Config.Handler = m.op
	srv.Start()
	t.Cleanup(srv.Close)
	m.browser = fake.NewBrowser(nil)
	m.browser.Now = m.clock
	m.browser.Stop = func(u *url.URL) bool { return u.Host == "west.example" }

	m.cfg = LoginConfig{ClientID: clientID, Secret: clientSecret, UserInfo: true}
	if a.cfg != nil {
		a.cfg(&m.cfg)
	}
	m.trust = loginTrust(t, m.op.Issuer(), a.spec)
	m.keys.publish("hq", m.op.KeySet().Keys()...)
	guard := fetch.Options{Dev: true}
	if a.guard != nil {
		guard = *a.guard
	}
	m.RelyingParty = &RelyingParty{
		Configs: func(id string) (LoginConfig, bool) { return m.cfg, id == "hq" },
		Keys:    m.keys, Client: fetch.New(guard).Client, Now: m.clock, Log: slog.New(slog.DiscardHandler),
	}
	return m
}

func (m *meeting) clock() time.Time { return time.Unix(m.now.Load(), 0) }

func (m *meeting) later(d time.Duration) { m.now.Add(int64(d / time.Second)) }

func loginTrust(t testing.TB, issuer string, adjust func(*trust.TrustSpec)) *trust.Trust {
	t.Helper()
	reg := compile(t, func(s *trust.Spec) {
		s.Dev = true
		hq := s.Trusts["hq"]
		hq.Issuer = issuer
		hq.Login = &trust.LoginSpec{Protocol: "oidc", SessionMax: 8 * time.Hour, ACR: map[string]string{"urn:fake:mfa": "strong", "urn:fake:otp": "strong", "urn:fake:password": "basic"}}
		if adjust != nil {
			adjust(&hq)
		}
		s.Trusts["hq"] = hq
	})
	hq, _ := reg.Trust("hq")
	return hq
}

// leave begins a login and goes to the upstream, where alice signs in; it returns what comes back.
func (m *meeting) leave(t testing.TB) upstream.Answer {
	t.Helper()
	var err error
	begun := m.clock()
	if m.start, err = m.Begin(t.Context(), m.trust, "state-1", callback, m.ask); err != nil {
		t.Fatal(err)
	}
	page, err := m.browser.Open(m.start.URL)
	if err == nil && page.Status == http.StatusOK && strings.Contains(page.Body, `value="alice"`) {
		page, err = m.browser.SignIn(page, "alice")
	}
	if err != nil {
		t.Fatal(err)
	}
	if page.URL.Host != "west.example" {
		t.Fatalf("the browser ends at %s: %d %s", page.URL, page.Status, page.Body)
	}
	params := page.Posted
	if params == nil {
		params = page.URL.Query()
	}
	return upstream.Answer{Secret: m.start.Secret, Params: params, Ask: m.ask, Begun: begun}
}

func (m *meeting) finish(t testing.TB, a upstream.Answer) (upstream.Login, error) {
	t.Helper()
	return m.Finish(t.Context(), m.trust, callback, a)
}

// signIn is a whole login.
func (m *meeting) signIn(t testing.TB) (upstream.Login, error) {
	t.Helper()
	return m.finish(t, m.leave(t))
}

// why returns the reason of an *upstream.Error and sees that its text holds no secret; "" for nil.
func why(t *testing.T, err error, secrets ...string) trust.Reason {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *upstream.Error
	if !errors.As(err, &e) {
		t.Fatalf("not an *upstream.Error: %v", err)
	}
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		for _, s := range append(secrets, clientSecret, url.QueryEscape(clientSecret)) {
			if s != "" && strings.Contains(cause.Error(), s) {
				t.Errorf("a secret stands in an error: %v", cause)
			}
		}
	}
	return e.Reason
}

func TestALoginWithEachWayToAuthenticateAndToAnswer(t *testing.T) {
	t.Parallel()
	key := fake.NewKey(jose.ES256)
	ours := jose.NewSet(jose.Key{ID: "o1", Algs: []jose.Alg{jose.ES256}, Public: key.Public()})
	for name, tc := range map[string]struct {
		op  fake.Options
		cfg func(*LoginConfig)
		alg jose.Alg
	}{
		"client_secret_basic":                    {},
		"client_secret_post":                     {cfg: func(c *LoginConfig) { c.Auth = AuthPost }},
		"private_key_jwt":                        {op: fake.Options{Clients: []fake.Client{{ID: clientID, Keys: ours}}}, cfg: func(c *LoginConfig) { c.Auth, c.Secret = AuthPrivateKeyJWT, "" }},
		"a public client":                        {op: fake.Options{Clients: []fake.Client{{ID: clientID}}}, cfg: func(c *LoginConfig) { c.Secret = "" }},
		"a pushed request":                       {op: fake.Options{PAR: true}},
		"a pushed request with a form":           {op: fake.Options{RequirePAR: true}, cfg: func(c *LoginConfig) { c.ResponseMode = ModeFormPost }},
		"form_post":                              {cfg: func(c *LoginConfig) { c.ResponseMode = ModeFormPost }},
		"an upstream without RFC 9207":           {op: fake.Options{NoIss: true}},
		"at_hash of RS256":                       {alg: jose.RS256},
		"at_hash of ES384":                       {alg: jose.ES384},
		"at_hash of EdDSA":                       {alg: jose.EdDSA},
		"the algorithm listed":                   {cfg: func(c *LoginConfig) { c.Algs = []jose.Alg{jose.RS256, jose.ES256} }},
		"scopes without openid, which is always": {cfg: func(c *LoginConfig) { c.Scopes = []string{"profile", "email"} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := meet(t, arrangement{op: tc.op, cfg: tc.cfg, alg: tc.alg})
			m.op.Break(fake.Faults{Discovery: map[string]any{"token_endpoint_auth_signing_alg_values_supported": []string{"RS256", "ES256"}}})
			m.Sign = func(alg jose.Alg, typ string, claims []byte) (string, error) {
				if typ != "client-authentication+jwt" {
					t.Errorf("typ %q", typ)
				}
				return jose.Sign(alg, "o1", typ, claims, key)
			}
			got, err := m.signIn(t)
			if err != nil {
				t.Fatal(err)
			}
			s := got.Subject
			if s.Credential != trust.CredentialLogin || s.Trust != "hq" || s.Origin != "hq" || !s.SignedIn || s.Domain != m.op.Issuer() || s.Kind != "sub" ||
				s.Value != m.op.Sub("alice") || s.Sub != trust.DeriveSub(m.op.Issuer(), "sub", s.Value) || s.ACR != "basic" ||
				s.SessionID != m.op.Sessions("alice")[0] || !s.AuthTime.Equal(epoch) || !s.IssuedAt.Equal(epoch) || !s.Expires.Equal(epoch.Add(8*time.Hour)) ||
				s.Issuer != m.op.Issuer() || s.HasScopes || s.OneTime {
				t.Errorf("subject %+v", s)
			}
			if s.Claims["name"] != "Alice Martin" || s.Claims["email"] != "alice@hq.hmart.example" || s.Claims["email_verified"] != true || s.Claims["nonce"] != nil {
				t.Errorf("claims %v", s.Claims)
			}
			if got.IDToken != "" || got.Refresh != "" {
				t.Error("tokens leave that nobody asked for")
			}
			for _, c := range s.Checks {
				if !c.OK {
					t.Errorf("check %+v", c)
				}
			}
			if len(m.start.Secret) > 1024 || strings.Contains(m.start.URL, "verifier=") {
				t.Error("the start holds too much")
			}
		})
	}
}

func TestTheRequestAsksForWhatWasAsked(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		ask  upstream.Ask
		want map[string]string
	}{
		"nothing": {upstream.Ask{}, map[string]string{"prompt": "", "max_age": "", "login_hint": "", "acr_values": "", "ui_locales": "", "response_mode": "",
			"scope": "openid profile email", "code_challenge_method": "S256", "response_type": "code", "state": "s", "redirect_uri": callback, "client_id": clientID}},
		"a fresh login":                {upstream.Ask{Force: true}, map[string]string{"prompt": "login", "max_age": "0"}},
		"another account":              {upstream.Ask{Select: true}, map[string]string{"prompt": "select_account", "max_age": ""}},
		"both":                         {upstream.Ask{Select: true, Force: true}, map[string]string{"prompt": "login select_account"}},
		"a recent login":               {upstream.Ask{MaxAge: 90 * time.Second, HasMaxAge: true}, map[string]string{"prompt": "", "max_age": "90"}},
		"a login of now":               {upstream.Ask{HasMaxAge: true}, map[string]string{"max_age": "0"}},
		"a hint":                       {upstream.Ask{LoginHint: "alice@hq.example"}, map[string]string{"login_hint": "alice@hq.example"}},
		"a hint with a line break":     {upstream.Ask{LoginHint: "alice\r\nX: y"}, map[string]string{"login_hint": ""}},
		"a hint that is too long":      {upstream.Ask{LoginHint: strings.Repeat("a", 257)}, map[string]string{"login_hint": ""}},
		"our acr, in their words":      {upstream.Ask{ACRValues: []string{"strong", "unheard-of", "basic"}}, map[string]string{"acr_values": "urn:fake:mfa urn:fake:otp urn:fake:password"}},
		"an acr that only theirs have": {upstream.Ask{ACRValues: []string{"urn:fake:mfa"}}, map[string]string{"acr_values": ""}},
		"languages":                    {upstream.Ask{Locales: []string{"de-CH", "fr", "no\nt"}}, map[string]string{"ui_locales": "de-CH fr"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := meet(t, arrangement{})
			m.op.Break(fake.Faults{Discovery: map[string]any{"authorization_endpoint": m.op.Issuer() + "/authorize?tenant=1"}})
			s, err := m.Begin(t.Context(), m.trust, "s", callback, tc.ask)
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(s.URL)
			if err != nil || u.Query().Get("tenant") != "1" || len(u.Query().Get("code_challenge")) != 43 || len(u.Query().Get("nonce")) != 43 {
				t.Errorf("URL %s", s.URL)
			}
			for name, want := range tc.want {
				if got := u.Query().Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

// It used to be sent to every upstream, and oidc-provider refuses a request with a prompt that it does not know.
func TestAnotherAccountIsAskedForWhereTheUpstreamKnowsHow(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		said any
		want string
	}{
		"it says so":             {[]string{"login", "select_account"}, "login select_account"},
		"it says something else": {[]string{"none", "login"}, "login"},
		"it says nothing":        {nil, "login"},
		"it says nonsense":       {"select_account", "login"},
		"it has strange entries": {[]any{1, nil, []string{}, "select_account"}, "login select_account"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := meet(t, arrangement{})
			m.op.Break(fake.Faults{Discovery: map[string]any{"prompt_values_supported": tc.said}})
			s, err := m.Begin(t.Context(), m.trust, "s", callback, upstream.Ask{Select: true, Force: true})
			if err != nil {
				t.Fatal(err)
			}
			if u, err := url.Parse(s.URL); err != nil || u.Query().Get("prompt") != tc.want {
				t.Errorf("%v: asked at %s, want prompt %q", err, s.URL, tc.want)
			}
		})
	}
}

func TestNoTwoLoginsShareANonceOrVerifier(t *testing.T) {
	t.Parallel()
	m := meet(t, arrangement{})
	seen := map[string]bool{}
	for range 20 {
		s, err := m.Begin(t.Context(), m.trust, "s", callback, upstream.Ask{})
		if err != nil {
			t.Fatal(err)
		}
		k, _ := readMemo(s.Secret)
		if seen[k.nonce()] || seen[k.verifier()] || k.nonce() == k.verifier() {
			t.Fatal("a value came twice")
		}
		seen[k.nonce()], seen[k.verifier()] = true, true
	}
}

func TestATrustThatNobodySignsInWithIsRefused(t *testing.T) {
	t.Parallel()
	for name, adjust := range map[string]func(*trust.TrustSpec){
		"disabled":      func(s *trust.TrustSpec) { s.Disabled = true },
		"without login": func(s *trust.TrustSpec) { s.Login = nil },
	} {
		m := meet(t, arrangement{spec: adjust})
		_, begin := m.Begin(t.Context(), m.trust, "s", callback, upstream.Ask{})
		_, finish := m.Finish(t.Context(), m.trust, callback, upstream.Answer{})
		_, out := m.Logout(t.Context(), m.trust, "")
		_, refresh := m.Refresh(t.Context(), m.trust, "r")
		for _, err := range []error{begin, finish, out, refresh} {
			if why(t, err) != trust.ReasonTrustNotLive {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	m := meet(t, arrangement{})
	m.Configs = func(string) (LoginConfig, bool) { return LoginConfig{}, false }
	if _, err := m.Begin(t.Context(), m.trust, "s", callback, upstream.Ask{}); why(t, err) != trust.ReasonTrustNotLive {
		t.Errorf("not configured: %v", err)
	}
}

func TestAPanicIsAFailedLogin(t *testing.T) {
	t.Parallel()
	m := meet(t, arrangement{})
	a := m.leave(t)
	m.keys.panics = true
	if _, err := m.finish(t, a); why(t, err, "SECRET") != trust.ReasonPanic {
		t.Errorf("%v", err)
	}
	m.keys.panics = false
	if _, err := m.signIn(t); err != nil {
		t.Errorf("the twin: %v", err)
	}
	m.Client = func(*x509.CertPool, bool) *http.Client { panic("SECRET") }
	if _, err := m.finish(t, a); why(t, err, "SECRET") != trust.ReasonPanic {
		t.Errorf("%v", err)
	}
	fresh := meet(t, arrangement{})
	fresh.Client = m.Client
	if _, err := fresh.Begin(context.Background(), fresh.trust, "s", callback, upstream.Ask{}); why(t, err, "SECRET") != trust.ReasonUpstreamDown {
		t.Errorf("in the goroutine that fetches: %v", err)
	}
}
