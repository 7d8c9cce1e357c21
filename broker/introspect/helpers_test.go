package introspect_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/json"
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
	"apostille/broker/introspect"
	"apostille/broker/keyring"
	"apostille/broker/mint"
	"apostille/broker/store"
	"apostille/broker/store/memory"
	"apostille/broker/token"
	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/fake"
	"apostille/upstream/oidc"
)

const (
	issuer    = "https://id.west.example"
	warehouse = "https://warehouse.example"
	vault     = "https://vault.example"
	secret    = "a-secret-of-each-client"
)

var (
	start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	kim   = trust.DeriveSub("https://idp.hq.example", "sub", "kim")
	salt  = bytes.Repeat([]byte{9}, 32)
)

var keys = map[jose.Alg]func() crypto.Signer{
	"ES256": sync.OnceValue(func() crypto.Signer { return fake.NewKey("ES256") }),
	"RS256": sync.OnceValue(func() crypto.Signer { return fake.NewKey("RS256") }),
}

// own are our signing keys.
type own struct{}

func (own) Signer(alg jose.Alg) (keyring.Signer, error) {
	return keyring.Signer{Kid: string(alg), Alg: alg, Key: keys[alg]()}, nil
}

func (own) Lookup(_ context.Context, _, _ string, alg jose.Alg) ([]jose.Key, uint64, error) {
	return []jose.Key{{ID: string(alg), Algs: []jose.Alg{alg}, Public: keys[alg]().Public()}}, 1, nil
}

func (own) Version(string) uint64 { return 1 }

// bench is the endpoint, with a gateway for each of two APIs, whose tokens are JWTs (warehouse) and opaque (vault).
type bench struct {
	*introspect.Endpoint
	store  *memory.Store
	marks  *token.Marks
	spec   trust.Spec
	policy *token.Policy
	now    time.Time
	log    bytes.Buffer

	mu     sync.Mutex
	events []audit.Event
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{now: start}
	clock := func() time.Time { return b.now }
	b.store = memory.New(memory.Options{Now: clock})
	app := func(a trust.AppSpec) trust.ClientSpec {
		a.RedirectURIs = []string{"https://app.example/callback"}
		return trust.ClientSpec{Grants: []string{"authorization_code", "refresh_token"}, APIs: map[string][]string{"warehouse": {"stock.read"}}, App: &a}
	}
	gateway := trust.ClientSpec{Grants: []string{"token_exchange"}}
	b.spec = trust.Spec{
		Issuer: issuer,
		APIs: map[string]trust.APISpec{
			"warehouse": {Audience: warehouse, Client: "gateway", Scopes: map[string]string{"stock.read": "See"}},
			"vault":     {Audience: vault, Client: "guard", Scopes: map[string]string{"open": "Open"}, Token: trust.TokenSpec{Format: "opaque"}},
		},
		Clients: map[string]trust.ClientSpec{
			"shop": app(trust.AppSpec{FirstParty: true}), "phone": app(trust.AppSpec{FirstParty: true, Public: true}),
			"gateway": gateway, "guard": gateway, "stranger": gateway,
		},
		Trusts: map[string]trust.TrustSpec{"hq": {
			Issuer: "https://idp.hq.example", KeySource: "fake", Login: &trust.LoginSpec{Protocol: "oidc"},
			Grants: []trust.GrantSpec{{Clients: []string{"shop", "phone"}, SignIn: true}},
		}},
	}
	b.compile(t)
	b.marks = &token.Marks{Subjects: b.store, Now: clock}
	b.mark(t, store.SubjectMark{Sub: "somebody else", Blocked: true})
	log := slog.New(slog.NewTextHandler(&b.log, nil))
	b.Endpoint = &introspect.Endpoint{
		Policy: func() *token.Policy { return b.policy }, Clients: &clientauth.Authenticator{Replay: b.store, Now: clock},
		Verifier:  &oidc.Verifier{Keys: own{}, Handles: token.Handles{Store: b.store}, Now: clock},
		Standings: &token.Known{Marks: b.marks, Revocations: b.store, Consents: b.store, Log: log},
		Store:     b.store, Minter: &mint.Minter{Issuer: issuer, Keys: own{}, Salt: salt}, Gate: token.NewGate(2), Audit: b,
		Remote: func(*http.Request) string { return "192.0.2.7" }, Now: clock, Log: log, MaxBody: 16 << 10,
	}
	return b
}

func (b *bench) Record(_ context.Context, e *audit.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, *e)
	return nil
}

func (b *bench) compile(t *testing.T) {
	t.Helper()
	reg, problems := trust.Compile(b.spec)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	credentials := map[string]clientauth.Credential{}
	for id := range b.spec.Clients {
		if id != "phone" {
			credentials[id] = clientauth.Credential{SecretSHA256: [][32]byte{sha256.Sum256([]byte(secret))}}
		}
	}
	b.policy = &token.Policy{Registry: reg, Credentials: credentials}
}

// disable compiles a policy in which a trust or a client is disabled.
func (b *bench) disable(t *testing.T, trustID, client string) {
	t.Helper()
	if trustID != "" {
		hq := b.spec.Trusts[trustID]
		hq.Disabled = true
		b.spec.Trusts[trustID] = hq
	}
	if client != "" {
		c := b.spec.Clients[client]
		c.Disabled = true
		b.spec.Clients[client] = c
	}
	b.compile(t)
}

func (b *bench) mark(t *testing.T, m store.SubjectMark) {
	t.Helper()
	if err := b.store.SetSubject(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if err := b.marks.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// access mints kim's access token for an API, as the token endpoint does.
func (b *bench) access(t *testing.T, audience, client, family string, change func(*trust.Decision)) string {
	t.Helper()
	d := &trust.Decision{
		Granted: true, Trust: "hq", Sub: kim, ClientID: client, Audience: []string{audience}, Scopes: []string{"stock.read"}, Family: family,
		Expires: b.now.Add(10 * time.Minute), Token: trust.TokenSpec{Alg: "ES256", Typ: "at+jwt"}, Claims: map[string]any{"department": "logistics"},
	}
	if audience == vault {
		d.Token.Format = "opaque"
	}
	if change != nil {
		change(d)
	}
	made, err := b.Minter.Mint(d, b.now)
	if err == nil && made.Claims != nil {
		err = b.store.PutOpaque(t.Context(), store.Opaque{Hash: sha256.Sum256([]byte(made.Raw)), Family: family, Claims: made.Claims, Until: made.Expires})
	}
	if err != nil {
		t.Fatal(err)
	}
	return made.Raw
}

// refresh makes a family of a client and its first refresh token.
func (b *bench) refresh(t *testing.T, id, client string) string {
	t.Helper()
	raw, code := mint.NewSecret(), sha256.Sum256([]byte(id))
	err := b.store.PutCode(t.Context(), store.Code{Hash: code, Value: []byte("x"), Until: b.now.Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	first, err := b.store.RedeemCode(t.Context(), code, store.Family{
		ID: id, Client: client, Trust: "hq", Sub: kim, Subject: []byte("x"), Created: b.now, Until: b.now.Add(12 * time.Hour),
	}, &store.Refresh{Hash: sha256.Sum256([]byte(raw)), Family: id, Until: b.now.Add(time.Hour)})
	if err != nil || !first {
		t.Fatal(first, err)
	}
	return raw
}

// got is an answer.
type got struct {
	*httptest.ResponseRecorder
	body map[string]any // of JSON
}

// post posts a form; client "" sends no authentication.
func (b *bench) post(h http.Handler, client string, form url.Values, header ...string) got {
	r := httptest.NewRequest(http.MethodPost, issuer+introspect.Path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if client != "" {
		r.SetBasicAuth(client, secret)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	g := got{ResponseRecorder: w}
	_ = json.Unmarshal(w.Body.Bytes(), &g.body) // a JWT has no members
	return g
}

// told is what a client is told of a token.
func (b *bench) told(t *testing.T, client, raw string) map[string]any {
	t.Helper()
	if err := b.marks.Refresh(t.Context()); err != nil { // the clock may have moved
		t.Fatal(err)
	}
	g := b.post(b, client, url.Values{"token": {raw}})
	if g.Code != http.StatusOK || g.Header().Get("Content-Type") != "application/json" || g.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v %s", g.Code, g.Header(), g.Body)
	}
	return g.body
}

func active(body map[string]any) bool { return body["active"] == true }

// down is a store that does not answer.
type down struct{ introspect.Store }

func (down) Refresh(context.Context, store.Hash) (store.Refresh, store.Family, bool, error) {
	return store.Refresh{}, store.Family{}, false, context.DeadlineExceeded
}
func (down) RevokeToken(context.Context, string, time.Time) error { return context.DeadlineExceeded }
func (down) EndFamilies(context.Context, store.FamilyQuery, string) ([]store.Family, error) {
	return nil, context.DeadlineExceeded
}

// failing is a verifier whose keys cannot be had.
type failing struct{ err error }

func (f failing) Verify(context.Context, *trust.Registry, string, oidc.Want) (trust.Subject, error) {
	return trust.Subject{}, f.err
}
