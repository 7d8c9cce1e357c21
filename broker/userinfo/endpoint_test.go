package userinfo_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"apostille/broker/family"
	"apostille/broker/keyring"
	"apostille/broker/mint"
	"apostille/broker/store"
	"apostille/broker/store/memory"
	"apostille/broker/token"
	"apostille/broker/userinfo"
	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/fake"
	"apostille/upstream/oidc"
)

const issuer = "https://id.west.example"

var (
	now  = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	kim  = trust.DeriveSub("https://idp.hq.example", "sub", "kim")
	salt = bytes.Repeat([]byte{9}, 32)
)

func fixed() time.Time { return now }

var key = sync.OnceValue(func() crypto.Signer { return fake.NewKey("ES256") })

// own are our signing keys.
type own struct{}

func (own) Signer(alg jose.Alg) (keyring.Signer, error) {
	return keyring.Signer{Kid: "k1", Alg: alg, Key: key()}, nil
}

func (own) Lookup(context.Context, string, string, jose.Alg) ([]jose.Key, uint64, error) {
	return []jose.Key{{ID: "k1", Algs: []jose.Alg{"ES256"}, Public: key().Public()}}, 1, nil
}

func (own) Version(string) uint64 { return 1 }

// bench is the endpoint with a family of kim at the shop, which is of the sector hmart, and whose people are asked for consent.
type bench struct {
	*userinfo.Endpoint
	store  *memory.Store
	marks  *token.Marks
	spec   trust.Spec
	policy *token.Policy
	log    bytes.Buffer
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{store: memory.New(memory.Options{Now: fixed})}
	b.spec = trust.Spec{
		Issuer: issuer,
		APIs:   map[string]trust.APISpec{"warehouse": {Audience: "https://warehouse.example", Scopes: map[string]string{"stock.read": "See"}}},
		Clients: map[string]trust.ClientSpec{"shop": {
			Grants: []string{"authorization_code"}, APIs: map[string][]string{"warehouse": {"stock.read"}},
			App: &trust.AppSpec{RedirectURIs: []string{"https://shop.example/callback"}, Sector: "hmart", Origins: []string{"https://shop.example"}},
		}, "other": {Grants: []string{"authorization_code"}, App: &trust.AppSpec{RedirectURIs: []string{"https://other.example/"}, Origins: []string{"https://other.example"}}}},
		Trusts: map[string]trust.TrustSpec{"hq": {
			Issuer: "https://idp.hq.example", KeySource: "fake", Login: &trust.LoginSpec{Protocol: "oidc"},
			Grants: []trust.GrantSpec{{Clients: []string{"shop"}, SignIn: true, Claims: map[string]string{"groups": "groups"}}},
		}},
	}
	b.compile(t)
	b.marks = &token.Marks{Subjects: b.store, Now: fixed}
	log := slog.New(slog.NewTextHandler(&b.log, nil))
	b.Endpoint = &userinfo.Endpoint{
		Policy: func() *token.Policy { return b.policy }, Verifier: &oidc.Verifier{Keys: own{}, Now: fixed},
		Standings: &token.Known{Marks: b.marks, Revocations: b.store, Consents: b.store, Log: log},
		Families:  b.store, Minter: &mint.Minter{Issuer: issuer, Keys: own{}, Salt: salt}, Gate: token.NewGate(2), Now: fixed, Log: log, MaxBody: 16 << 10,
	}
	b.mark(t, store.SubjectMark{Sub: "x", Blocked: true})
	b.consent(t, "profile", "email")
	b.addFamily(t)
	return b
}

func (b *bench) compile(t *testing.T) {
	t.Helper()
	reg, problems := trust.Compile(b.spec)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	b.policy = &token.Policy{Registry: reg}
}

func (b *bench) mark(t *testing.T, m store.SubjectMark) {
	t.Helper()
	if err := errors.Join(b.store.SetSubject(t.Context(), m), b.marks.Refresh(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) consent(t *testing.T, scopes ...string) {
	t.Helper()
	if err := b.store.PutConsent(t.Context(), store.Consent{Sub: kim, Client: "shop", Scopes: map[string][]string{"userinfo": scopes}}); err != nil {
		t.Fatal(err)
	}
}

// addFamily makes the family f-1 as redeeming a code does: through the grant itself.
func (b *bench) addFamily(t *testing.T) {
	t.Helper()
	families := &family.Families{Store: fixedID{b.store}, Sessions: b.store, Now: fixed}
	_, err := families.IssueCode(t.Context(), family.SignIn{
		Client: "shop", RedirectURI: "https://shop.example/callback",
		Subject: trust.Subject{
			Credential: trust.CredentialLogin, SignedIn: true, Trust: "hq", Origin: "hq", Domain: "https://idp.hq.example", Kind: "sub", Value: "kim", Sub: kim,
			IssuedAt: now, Expires: now.Add(time.Hour), AuthTime: now,
			Claims: map[string]any{"sub": "kim", "name": "Kim", "email": "kim@hq.example", "phone_number": "+1 555", "groups": []any{"night"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// fixedID stores what a code remembers as the family f-1.
type fixedID struct{ *memory.Store }

func (s fixedID) PutCode(ctx context.Context, c store.Code) error {
	if err := s.Store.PutCode(ctx, c); err != nil {
		return err
	}
	_, err := s.RedeemCode(ctx, c.Hash, store.Family{
		ID: "f-1", Client: "shop", Trust: "hq", Sub: kim, Subject: c.Value, Created: now, Until: now.Add(time.Hour),
	}, nil)
	return err
}

// token mints an access token for userinfo.
func (b *bench) token(t *testing.T, change func(*trust.Decision)) mint.Token {
	t.Helper()
	d := &trust.Decision{
		Granted: true, Trust: "hq", Sub: kim, ClientID: "shop", Audience: []string{issuer}, Scopes: []string{"email", "openid", "profile"},
		Expires: now.Add(10 * time.Minute), Token: trust.TokenSpec{Alg: "ES256", Typ: "at+jwt"}, AuthTime: now, Family: "f-1",
	}
	if change != nil {
		change(d)
	}
	made, err := b.Minter.Mint(d, now)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

type got struct {
	status int
	header http.Header
	body   map[string]any
}

func (b *bench) send(t *testing.T, r *http.Request) got {
	t.Helper()
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	g := got{status: w.Code, header: w.Header()}
	if w.Body.Len() > 0 {
		if err := json.Unmarshal(w.Body.Bytes(), &g.body); err != nil {
			t.Fatalf("%v: %s", err, w.Body)
		}
	}
	if w.Code != http.StatusNoContent && g.header.Get("Cache-Control") != "no-store" {
		t.Errorf("Cache-Control %q", g.header.Get("Cache-Control"))
	}
	return g
}

func (b *bench) ask(t *testing.T, raw string) got {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/oauth2/userinfo", nil)
	r.Header.Set("Authorization", "Bearer "+raw)
	return b.send(t, r)
}

// refused expects a challenge with an error, and nothing about anybody.
func refused(t *testing.T, g got, status int, code string) {
	t.Helper()
	if g.status != status || g.body["error"] != code || g.body["sub"] != nil || !strings.Contains(g.header.Get("WWW-Authenticate"), `error="`+code+`"`) {
		t.Errorf("answered %d %v with %q, wanted %d %s", g.status, g.body, g.header.Get("WWW-Authenticate"), status, code)
	}
}

func told(t *testing.T, g got) {
	t.Helper()
	if g.status != http.StatusOK || g.body["sub"] == nil {
		t.Errorf("answered %d %v with %q", g.status, g.body, g.header.Get("WWW-Authenticate"))
	}
}

func TestUserInfoTellsWhatTheScopesStandFor(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	sub := trust.PairwiseSub(salt, "hmart", kim)
	for _, c := range []struct {
		name   string
		scopes []string
		want   map[string]any
	}{
		{"all that was granted", []string{"email", "openid", "profile"},
			map[string]any{"sub": sub, "name": "Kim", "email": "kim@hq.example", "email_verified": false, "groups": []any{"night"}}},
		{"openid alone", []string{"openid"}, map[string]any{"sub": sub, "groups": []any{"night"}}},
		{"A105 what the person did not consent to is left out", []string{"openid", "phone"}, map[string]any{"sub": sub, "groups": []any{"night"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := b.ask(t, b.token(t, func(d *trust.Decision) { d.Scopes = c.scopes }).Raw)
			if g.status != 200 || !reflect.DeepEqual(g.body, c.want) || g.header.Get("Content-Type") != "application/json" {
				t.Errorf("answered %d %v, wanted %v", g.status, g.body, c.want)
			}
		})
	}
}

// The token of an application with a sector names the person as the application does; what is known of the person counts all the same.
func TestATokenMayNameThePersonAsItsApplicationDoes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	as := func(sub string) string { return b.token(t, func(d *trust.Decision) { d.Sub = sub }).Raw }
	pairwise := trust.PairwiseSub(salt, "hmart", kim)
	told(t, b.ask(t, as(pairwise)))
	told(t, b.ask(t, as(kim))) // one that was issued before
	for _, other := range []string{trust.PairwiseSub(salt, "another", kim), trust.PairwiseSub(salt, "hmart", "somebody else")} {
		refused(t, b.ask(t, as(other)), http.StatusUnauthorized, "invalid_token")
	}
	b.mark(t, store.SubjectMark{Sub: kim, Blocked: true})
	refused(t, b.ask(t, as(pairwise)), http.StatusUnauthorized, "invalid_token")
}

func TestRFC6750_WaysToSendTheToken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	raw := b.token(t, nil).Raw
	form := url.Values{"access_token": {raw}}.Encode()
	for _, c := range []struct {
		name                               string
		method, target, header, kind, body string
		status                             int
		challenge                          string
	}{
		{name: "GET with a header", method: "GET", header: "Bearer " + raw, status: 200},
		{name: "POST with a header", method: "POST", header: "bearer " + raw, status: 200},
		{name: "POST with a form", method: "POST", kind: "application/x-www-form-urlencoded", body: form, status: 200},
		{name: "the query", method: "GET", target: "?" + form, status: 400, challenge: `error="invalid_request"`},
		{name: "the query beside a header", method: "GET", target: "?" + form, header: "Bearer " + raw, status: 400, challenge: `error="invalid_request"`},
		{name: "header and form", method: "POST", header: "Bearer " + raw, kind: "application/x-www-form-urlencoded", body: form, status: 400, challenge: `error="invalid_request"`},
		{name: "a form with GET", method: "GET", kind: "application/x-www-form-urlencoded", body: form, status: 401},
		{name: "nothing", method: "GET", status: 401},
		{name: "another scheme", method: "GET", header: "Basic x", status: 401},
		{name: "an empty token", method: "GET", header: "Bearer ", status: 400, challenge: `error="invalid_request"`},
		{name: "garbage", method: "GET", header: "Bearer x", status: 401, challenge: `error="invalid_token"`},
		{name: "another method", method: "DELETE", header: "Bearer " + raw, status: 405, challenge: `error="invalid_request"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(c.method, "/oauth2/userinfo"+c.target, strings.NewReader(c.body))
			if c.header != "" {
				r.Header.Set("Authorization", c.header)
			}
			if c.kind != "" {
				r.Header.Set("Content-Type", c.kind)
			}
			g := b.send(t, r)
			challenge := g.header.Get("WWW-Authenticate")
			if g.status != c.status || !strings.Contains(challenge, c.challenge) || (c.status == 200) != (challenge == "") {
				t.Errorf("answered %d %v with %q", g.status, g.body, challenge)
			}
			if c.status == 401 && c.challenge == "" && challenge != `Bearer realm="`+issuer+`"` { // RFC 6750 §3.1: no error code where no token came
				t.Errorf("challenge %q", challenge)
			}
		})
	}
}

func TestA105_OnlyATokenForUserInfoOpensIt(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, c := range map[string]struct {
		change func(*trust.Decision)
		status int
		code   string
	}{
		"a token for an API":             {func(d *trust.Decision) { d.Audience = []string{"https://warehouse.example"} }, 401, "invalid_token"},
		"a token for an API and for us":  {func(d *trust.Decision) { d.Audience = []string{issuer, "https://warehouse.example"} }, 401, "invalid_token"},
		"without openid":                 {func(d *trust.Decision) { d.Scopes = []string{"email"} }, 403, "insufficient_scope"},
		"of no sign-in":                  {func(d *trust.Decision) { d.Family = "" }, 401, "invalid_token"},
		"of a sign-in that nobody knows": {func(d *trust.Decision) { d.Family = "f-2" }, 401, "invalid_token"},
		"of another client's sign-in":    {func(d *trust.Decision) { d.ClientID = "other" }, 401, "invalid_token"},
		"of somebody else's sign-in":     {func(d *trust.Decision) { d.Sub = "somebody" }, 401, "invalid_token"},
		"typed as something else":        {func(d *trust.Decision) { d.Token.Typ = "logout+jwt" }, 401, "invalid_token"},
	} {
		refusedGot := b.ask(t, b.token(t, c.change).Raw)
		refused(t, refusedGot, c.status, c.code)
		if t.Failed() {
			t.Fatalf("with %s", name)
		}
	}
	told(t, b.ask(t, b.token(t, nil).Raw))
}

func TestA79_WhatEndedTellsNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(t *testing.T, b *bench, of mint.Token)
		code string
	}{
		{"the token was revoked", func(t *testing.T, b *bench, of mint.Token) {
			if err := b.store.RevokeToken(t.Context(), of.ID, of.Expires); err != nil {
				t.Fatal(err)
			}
		}, "invalid_token"},
		{"the family ended", func(t *testing.T, b *bench, _ mint.Token) {
			if _, err := b.store.EndFamilies(t.Context(), store.FamilyQuery{ID: "f-1"}, "logout"); err != nil {
				t.Fatal(err)
			}
		}, "invalid_token"},
		{"A80 the subject is blocked", func(t *testing.T, b *bench, _ mint.Token) { b.mark(t, store.SubjectMark{Sub: kim, Blocked: true}) }, "invalid_token"},
		{"the trust is disabled", func(t *testing.T, b *bench, _ mint.Token) {
			hq := b.spec.Trusts["hq"]
			hq.Disabled = true
			b.spec.Trusts["hq"] = hq
			b.compile(t)
		}, "invalid_token"},
		{"the client is disabled", func(t *testing.T, b *bench, _ mint.Token) {
			shop := b.spec.Clients["shop"]
			shop.Disabled = true
			b.spec.Clients["shop"] = shop
			b.compile(t)
		}, "invalid_token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			of, other := b.token(t, nil), b.token(t, nil)
			told(t, b.ask(t, of.Raw))
			c.end(t, b, of)
			refused(t, b.ask(t, of.Raw), 401, c.code)
			if c.name == "the token was revoked" {
				told(t, b.ask(t, other.Raw))
			}
		})
	}
}

func TestAStoreThatDoesNotAnswerIsNotTheTokensFault(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	raw := b.token(t, nil).Raw
	told(t, b.ask(t, raw))
	b.Families = silent{}
	if g := b.ask(t, raw); g.status != 503 || g.header.Get("Retry-After") == "" || g.body["error"] != "temporarily_unavailable" {
		t.Errorf("answered %d %v", g.status, g.body)
	}
	if !strings.Contains(b.log.String(), "disk gone") {
		t.Errorf("log %s", b.log.String())
	}
}

type silent struct{}

func (silent) Family(context.Context, string) (store.Family, bool, error) {
	return store.Family{}, false, errors.New("disk gone")
}

func TestPagesOfTheApplicationsOriginsMayRead(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	raw := b.token(t, nil).Raw
	for _, c := range []struct{ name, token, origin, want string }{
		{"its own", raw, "https://shop.example", "https://shop.example"},
		{"another application's", raw, "https://other.example", ""},
		{"anybody's", raw, "https://evil.example", ""},
		{"a refusal, to a registered one", "x", "https://other.example", "https://other.example"},
		{"a refusal, to anybody", "x", "https://evil.example", ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/oauth2/userinfo", nil)
		r.Header.Set("Authorization", "Bearer "+c.token)
		r.Header.Set("Origin", c.origin)
		if g := b.send(t, r); g.header.Get("Access-Control-Allow-Origin") != c.want || g.header.Get("Vary") != "Origin" {
			t.Errorf("%s: %v", c.name, g.header)
		}
	}
	r := httptest.NewRequest(http.MethodOptions, "/oauth2/userinfo", nil)
	r.Header.Set("Origin", "https://shop.example")
	r.Header.Set("Access-Control-Request-Method", "GET")
	if g := b.send(t, r); g.status != 204 || g.header.Get("Access-Control-Allow-Headers") != "Authorization, Content-Type" {
		t.Errorf("preflight %d %v", g.status, g.header)
	}
}
