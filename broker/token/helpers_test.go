package token_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"apostille/broker/audit"
	"apostille/broker/clientauth"
	"apostille/broker/keyring"
	"apostille/broker/mint"
	"apostille/broker/oauth"
	"apostille/broker/token"
	"apostille/exchange"
	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/fake"
	"apostille/upstream/keys"
	"apostille/upstream/oidc"
)

const (
	issuer   = "https://id.west.example"
	upstream = "https://idp.hq.example"
	secret   = "S3cretOfTheClient"
)

var now = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// bench is an endpoint whose parts can be made to fail. It notes the order in which they were used.
type bench struct {
	*token.Endpoint
	office *fake.Provider
	policy *token.Policy

	mu       sync.Mutex
	steps    []string
	events   []audit.Event // of Audit
	sampled  []audit.Event // of Sampled
	outcomes []string
	ignored  int
	log      bytes.Buffer

	auditErr error
	claimErr error
	claimed  map[string]bool
	standing trust.Standing
	signErr  error
	panics   any // in VERIFY
}

func (b *bench) step(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.steps = append(b.steps, name)
}

// grant wraps the real one: it notes VERIFY, and panics if told to.
type grant struct {
	token.Grant
	b *bench
}

func (g grant) Subject(ctx context.Context, reg *trust.Registry, client string, p oauth.Params) (trust.Subject, error) {
	g.b.step("verify")
	if g.b.panics != nil {
		panic(g.b.panics)
	}
	return g.Grant.Subject(ctx, reg, client, p)
}

func (b *bench) Standing(context.Context, trust.Subject, string) trust.Standing {
	b.step("standing")
	return b.standing
}

func (b *bench) Claim(_ context.Context, kind, issuer, id string, until time.Time) (bool, error) {
	b.step("claim")
	if b.claimErr != nil {
		return true, b.claimErr
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	key := kind + " " + issuer + " " + id
	first := !b.claimed[key]
	b.claimed[key] = true
	return first && until.After(now), nil
}

func (b *bench) Signer(alg jose.Alg) (keyring.Signer, error) {
	b.step("issue")
	return keyring.Signer{Kid: "k1", Alg: alg, Key: signingKey()}, b.signErr
}

var signingKey = sync.OnceValue(func() crypto.Signer { return fake.NewKey("ES256") })

func (b *bench) Ignored() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ignored++
}

func (b *bench) Token(grant, outcome string, _ time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.outcomes = append(b.outcomes, grant+" "+outcome)
}

// recorder keeps events.
type recorder struct {
	b    *bench
	into *[]audit.Event
}

func (r recorder) Record(_ context.Context, e *audit.Event) error {
	r.b.step("audit")
	r.b.mu.Lock()
	defer r.b.mu.Unlock()
	if r.b.auditErr != nil {
		return r.b.auditErr
	}
	*r.into = append(*r.into, *e)
	return nil
}

// provided are the office's keys.
type provided struct{ p *fake.Provider }

func (k provided) Lookup(_ context.Context, _, kid string, alg jose.Alg) ([]jose.Key, uint64, error) {
	found := k.p.KeySet().Lookup(kid, alg)
	if len(found) == 0 {
		return nil, 0, keys.ErrUnknown
	}
	return found, 1, nil
}

func (provided) Version(string) uint64 { return 1 }

func policy(t testing.TB) *trust.Registry {
	t.Helper()
	all := []string{"token_exchange", "jwt_bearer", "client_credentials"}
	rule := trust.GrantSpec{Clients: []string{"portal"}, API: "warehouse", Scopes: []string{"stock.read"}, Claims: map[string]string{"notes": "notes"}}
	open := trust.GrantSpec{Unauthenticated: true, API: "warehouse", Scopes: []string{"stock.read"}}
	reg, problems := trust.Compile(trust.Spec{
		Issuer: issuer,
		APIs:   map[string]trust.APISpec{"warehouse": {Audience: "https://warehouse.example", Scopes: map[string]string{"stock.read": "See"}}},
		Clients: map[string]trust.ClientSpec{
			"portal": {Grants: all, APIs: map[string][]string{"warehouse": {"stock.read"}}},
			"idle":   {APIs: map[string][]string{"warehouse": {"stock.read"}}},
		},
		Trusts: map[string]trust.TrustSpec{
			"local": {Grants: []trust.GrantSpec{{Clients: []string{"portal"}, API: "warehouse", Scopes: []string{"stock.read"}}}},
			"hq":    {Issuer: upstream, KeySource: "fake", JWT: &trust.UseSpec{Audiences: []string{issuer}}, Grants: []trust.GrantSpec{rule}},
			"once":  {Issuer: upstream, KeySource: "fake", JWT: &trust.UseSpec{Audiences: []string{"once"}, OneTime: true}, Grants: []trust.GrantSpec{rule}},
			"open":  {Issuer: upstream, KeySource: "fake", JWT: &trust.UseSpec{Audiences: []string{"open"}}, Grants: []trust.GrantSpec{open}},
		},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return reg
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{claimed: map[string]bool{}, standing: trust.Standing{Loaded: true}}
	b.office = fake.NewProvider(fake.Options{Issuer: upstream, Alg: "ES256", Now: fixed})
	hash := clientauth.Credential{SecretSHA256: [][32]byte{sha256.Sum256([]byte(secret))}}
	b.policy = &token.Policy{Registry: policy(t), Credentials: map[string]clientauth.Credential{"portal": hash, "idle": hash}}
	v := &oidc.Verifier{Keys: provided{b.office}, Now: fixed}
	b.Endpoint = &token.Endpoint{
		Policy: func() *token.Policy { return b.policy },
		Grants: map[trust.Grant]token.Grant{
			trust.GrantTokenExchange: grant{exchange.TokenExchange{Verifier: v}, b}, trust.GrantJWTBearer: grant{exchange.JWTBearer{Verifier: v}, b},
			trust.GrantClientCredentials: grant{exchange.ClientCredentials{}, b},
		},
		Clients: &clientauth.Authenticator{Replay: b, Now: fixed}, Standings: b, Replay: b, Minter: &mint.Minter{Issuer: issuer, Keys: b},
		Audit: recorder{b, &b.events}, Sampled: recorder{b, &b.sampled}, Gate: token.NewGate(4),
		Remote: func(*http.Request) string { return "192.0.2.1" }, Observer: b, Now: fixed,
		Log: slog.New(slog.NewTextHandler(&b.log, nil)), MaxBody: 64 << 10,
	}
	return b
}

func fixed() time.Time { return now }

// mint makes an upstream token; claims replace those of a good one.
func (b *bench) mint(claims map[string]any) string {
	all := map[string]any{"sub": "svc-1", "aud": issuer}
	for name, v := range claims {
		all[name] = v
	}
	return b.office.Mint(all)
}

func exchangeForm(token string) url.Values {
	return url.Values{"grant_type": {oauth.GrantTypeTokenExchange}, "subject_token": {token}, "subject_token_type": {oauth.TokenTypeJWT}, "scope": {"stock.read"}}
}

func bearerForm(token string) url.Values {
	return url.Values{"grant_type": {oauth.GrantTypeJWTBearer}, "assertion": {token}, "scope": {"stock.read"}}
}

func ownForm() url.Values {
	return url.Values{"grant_type": {oauth.GrantTypeClientCredentials}, "scope": {"stock.read"}}
}

// got is an answer.
type got struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

func (b *bench) ask(t testing.TB, client, body string) got {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if client != "" {
		r.SetBasicAuth(client, secret)
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	g := got{status: w.Code, header: w.Header(), text: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), &g.body); err != nil {
		t.Fatalf("the answer is no JSON: %v: %s", err, g.text)
	}
	return g
}

// refused expects an error and that nothing was issued.
func (b *bench) refused(t *testing.T, g got, status int, code string, reason trust.Reason) {
	t.Helper()
	if g.status != status || g.body["error"] != code || g.body["access_token"] != nil {
		t.Errorf("answered %d %s, wanted %d %s", g.status, g.text, status, code)
	}
	if g.body["reference"] == "" || g.body["reference"] != g.header.Get("X-Correlation-Id") || g.header.Get("Cache-Control") != "no-store" {
		t.Errorf("reference %v, header %v", g.body["reference"], g.header)
	}
	all := append(append([]audit.Event(nil), b.events...), b.sampled...)
	if reason != trust.ReasonAudit && (len(all) != 1 || all[0].Reason != string(reason) || all[0].IssuedID != "" || all[0].ID != g.body["reference"]) {
		t.Errorf("records %+v, wanted one with %q", all, reason)
	}
	if len(b.outcomes) != 1 || !strings.HasSuffix(b.outcomes[0], " "+string(reason)) {
		t.Errorf("counted %v", b.outcomes)
	}
}

var errDisk = errors.New("disk gone: eyJhbGciOiJub25lIn0.secret")
