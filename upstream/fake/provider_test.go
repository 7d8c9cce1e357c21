package fake_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"apostille/trust/jose"
	"apostille/upstream/fake"
)

var clock = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func fixed() time.Time { return clock }

// start serves a provider on loopback. Redirects are not followed.
func start(t *testing.T, o fake.Options) (*fake.Provider, *http.Client) {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	if o.Issuer == "" {
		o.Issuer = "http://" + srv.Listener.Addr().String()
	}
	if o.Alg == "" {
		o.Alg = "ES256"
	}
	o.Now = fixed
	p := fake.NewProvider(o)
	srv.Config.Handler = p
	srv.Start()
	t.Cleanup(srv.Close)
	c := srv.Client()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return p, c
}

func get(t *testing.T, c *http.Client, url string) (*http.Response, []byte) {
	t.Helper()
	res, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, body
}

func object(t *testing.T, b []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("not a JSON object: %v", err)
	}
	return m
}

func TestEveryAnswerSaysItIsFake(t *testing.T) {
	t.Parallel()
	p, c := start(t, fake.Options{})
	for _, path := range []string{fake.PathDiscovery, fake.PathJWKS, fake.PathHome, fake.PathToken, "/nowhere"} {
		res, body := get(t, c, p.Issuer()+path)
		if res.Header.Get(fake.FakeHeader) != fake.Notice {
			t.Errorf("%s: header %s is %q", path, fake.FakeHeader, res.Header.Get(fake.FakeHeader))
		}
		if !strings.Contains(string(body), fake.Notice) {
			t.Errorf("%s: the body does not say so", path)
		}
	}
}

func TestDiscoveryNamesTheIssuerAndItsKeys(t *testing.T) {
	t.Parallel()
	p, c := start(t, fake.Options{})
	_, body := get(t, c, p.Issuer()+fake.PathDiscovery)
	doc := object(t, body)
	if doc["issuer"] != p.Issuer() || doc["jwks_uri"] != p.Issuer()+"/jwks" || doc["token_endpoint"] != p.Issuer()+"/token" {
		t.Errorf("got %s", body)
	}
	_, body = get(t, c, doc["jwks_uri"].(string))
	set, refused, err := jose.ParseJWKS(body, nil)
	if err != nil || len(refused) != 0 {
		t.Fatalf("%v, refused %v", err, refused)
	}
	if len(set.Lookup(p.Kid(), "ES256")) != 1 {
		t.Error("the signing key is not published")
	}
}

func TestAnIssuerMayHaveAPath(t *testing.T) {
	t.Parallel()
	p := fake.NewProvider(fake.Options{Issuer: "https://login.example/tenant/v2.0", Alg: "ES256"})
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "/tenant/v2.0/jwks", nil))
	if w.Code != 200 || p.Requests(fake.PathJWKS) != 1 {
		t.Errorf("status %d, counted %v", w.Code, p.AllRequests())
	}
	w = httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "/jwks", nil))
	if w.Code != 404 || p.Requests("other") != 1 {
		t.Errorf("outside the path: status %d, counted %v", w.Code, p.AllRequests())
	}
}

func TestNewProviderRefusesNonsense(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]fake.Options{
		"no issuer":                {},
		"a trailing slash":         {Issuer: "https://hq.example/"},
		"an algorithm of its own":  {Issuer: "https://hq.example", Alg: "HS256"},
		"an issuer without a host": {Issuer: "hq"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("accepted")
				}
			}()
			fake.NewProvider(o)
		})
	}
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	p, c := start(t, fake.Options{})
	const id, secret = "hq-replenishment", "fake-secret-replenishment"
	form := func(kv ...string) url.Values {
		v := url.Values{}
		for i := 0; i < len(kv); i += 2 {
			v.Set(kv[i], kv[i+1])
		}
		return v
	}
	for _, tt := range []struct {
		name   string
		form   url.Values
		basic  string // secret
		status int
		want   string // scope, or error code
	}{
		{"a secret in the form gets all scopes", form("grant_type", "client_credentials", "client_id", id, "client_secret", secret), "", 200, "inventory:read inventory:write"},
		{"a secret in the header gets the scope asked for", form("grant_type", "client_credentials", "scope", "inventory:read"), secret, 200, "inventory:read"},
		{"a wrong secret is refused", form("grant_type", "client_credentials"), "guess", 401, "invalid_client"},
		{"an unknown client is refused", form("grant_type", "client_credentials", "client_id", "nobody", "client_secret", ""), "", 401, "invalid_client"},
		{"another grant is refused", form("grant_type", "password"), secret, 400, "unsupported_grant_type"},
		{"a scope the account lacks is refused", form("grant_type", "client_credentials", "scope", "menu:read"), secret, 400, "invalid_scope"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			req, _ := http.NewRequest("POST", p.Issuer()+"/token", strings.NewReader(tt.form.Encode()))
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if tt.basic != "" {
				req.SetBasicAuth(id, tt.basic)
			}
			res, err := c.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			body, _ := io.ReadAll(res.Body)
			doc := object(t, body)
			got := doc["error"]
			if tt.status == 200 {
				got = doc["scope"]
			}
			if res.StatusCode != tt.status || got != tt.want || doc["fake"] != fake.Notice {
				t.Fatalf("status %d, body %s", res.StatusCode, body)
			}
			if tt.status == 200 {
				checkAccessToken(t, p, doc["access_token"].(string), tt.want)
			}
		})
	}
}

func checkAccessToken(t *testing.T, p *fake.Provider, raw, scope string) {
	t.Helper()
	tok := verified(t, p, raw)
	want := map[string]any{
		"iss": p.Issuer(), "aud": p.Issuer(), "sub": "svc-replenishment", "client_id": "hq-replenishment",
		"department": "logistics", "scope": scope,
	}
	for name, v := range want {
		if tok.Claims[name] != v {
			t.Errorf("%s is %v, want %v", name, tok.Claims[name], v)
		}
	}
	if tok.Header.Typ != "at+jwt" {
		t.Errorf("typ is %q", tok.Header.Typ)
	}
}

// verified parses a token and verifies it with the published keys.
func verified(t *testing.T, p *fake.Provider, raw string) *jose.Token {
	t.Helper()
	tok, err := jose.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !verifies(p, tok) {
		t.Fatal("the published keys do not verify it")
	}
	return tok
}

func verifies(p *fake.Provider, tok *jose.Token) bool {
	for _, k := range p.KeySet().Lookup(tok.Header.Kid, tok.Header.Alg) {
		if tok.Verify(k) == nil {
			return true
		}
	}
	return false
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	p, c := start(t, fake.Options{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			switch i % 4 {
			case 0:
				p.Withdraw(p.Rotate())
			case 1:
				p.Break(fake.Faults{EmptyKeys: true})
				p.Repair()
			case 2:
				p.Mint(nil)
				p.PEM()
			}
			res, err := c.Get(p.Issuer() + fake.PathJWKS)
			if err != nil {
				t.Error(err)
				return
			}
			_ = res.Body.Close()
		})
	}
	wg.Wait()
	if n := p.Requests(fake.PathJWKS); n != 8 {
		t.Errorf("%d requests counted", n)
	}
}
