package family_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
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
	"apostille/broker/family"
	"apostille/broker/keyring"
	"apostille/broker/mint"
	"apostille/broker/seal"
	"apostille/broker/store"
	"apostille/broker/store/memory"
	"apostille/broker/token"
	"apostille/exchange"
	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/fake"
	"apostille/upstream/keys"
	"apostille/upstream/oidc"
)

const (
	issuer    = "https://id.west.example"
	upstreamI = "https://idp.hq.example"
	secret    = "S3cretOfTheClient"
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // of RFC 7636 appendix B
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	callback  = "https://shop.example/callback"
	warehouse = "https://warehouse.example"
)

var (
	start = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	kim   = trust.DeriveSub(upstreamI, "sub", "kim")
)

// signers has a key per algorithm, and finds them as a verifier does.
type signers map[jose.Alg]crypto.Signer

var ring = sync.OnceValue(func() signers {
	return signers{"ES256": fake.NewKey("ES256"), "RS256": fake.NewKey("RS256"), "EdDSA": fake.NewKey("EdDSA")}
})

func (s signers) Signer(alg jose.Alg) (keyring.Signer, error) {
	return keyring.Signer{Kid: string(alg), Alg: alg, Key: s[alg]}, nil
}

func (s signers) Lookup(_ context.Context, _, _ string, alg jose.Alg) ([]jose.Key, uint64, error) {
	if s[alg] == nil {
		return nil, 0, keys.ErrUnknown
	}
	return []jose.Key{{ID: string(alg), Algs: []jose.Alg{alg}, Public: s[alg].Public()}}, 1, nil
}

func (signers) Version(string) uint64 { return 1 }

// bench is the token endpoint with a store in memory. Policy can be changed between requests.
type bench struct {
	*token.Endpoint
	store    *memory.Store
	families *family.Families
	marks    *token.Marks
	spec     trust.Spec
	policy   *token.Policy
	verifier *oidc.Verifier

	mu     sync.Mutex
	at     time.Time
	events []audit.Event
	log    bytes.Buffer
}

func (b *bench) Now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

func (b *bench) pass(d time.Duration) {
	b.mu.Lock()
	b.at = b.at.Add(d)
	b.mu.Unlock()
	b.marks.Confirm()
}

func (b *bench) Record(_ context.Context, e *audit.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events = append(b.events, *e)
	return nil
}

func (b *bench) last() audit.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.events[len(b.events)-1]
}

func (*bench) Ignored()                            {}
func (*bench) Token(string, string, time.Duration) {}

// spec has an application of our own (shop), one of strangers (guest), one without a secret (phone), one that may leave PKCE out (old)
// and one that may not refresh (plain).
func spec() trust.Spec {
	client := func(app trust.AppSpec, grants ...string) trust.ClientSpec {
		app.RedirectURIs = []string{callback}
		return trust.ClientSpec{Grants: grants, APIs: map[string][]string{"warehouse": {"stock.read", "stock.order"}, "vault": {"open"}}, App: &app}
	}
	code, refresh, exchange := string(trust.GrantCode), string(trust.GrantRefresh), string(trust.GrantTokenExchange)
	clients := map[string]trust.ClientSpec{
		"shop":  client(trust.AppSpec{FirstParty: true, Origins: []string{"https://shop.example"}}, code, refresh, exchange),
		"guest": client(trust.AppSpec{Sector: "guests", IDTokenAlg: "ES256"}, code, refresh),
		"phone": client(trust.AppSpec{FirstParty: true, Public: true, Origins: []string{"https://phone.example"}}, code, refresh),
		"old":   client(trust.AppSpec{FirstParty: true, PKCEOptional: true, IDTokenAlg: "EdDSA"}, code, refresh),
		"plain": client(trust.AppSpec{FirstParty: true}, code),
	}
	names := []string{"shop", "guest", "phone", "old", "plain"}
	return trust.Spec{
		Issuer: issuer,
		APIs: map[string]trust.APISpec{
			"warehouse": {Audience: warehouse, Scopes: map[string]string{"stock.read": "See", "stock.order": "Order"}},
			"vault":     {Audience: "https://vault.example", Resources: []string{"https://vault.example/v2"}, Scopes: map[string]string{"open": "Open"}, Token: trust.TokenSpec{Format: "opaque"}},
		},
		Clients: clients,
		Trusts: map[string]trust.TrustSpec{
			"local": {Grants: []trust.GrantSpec{{Clients: names[:1], API: "warehouse", Scopes: []string{"stock.read"}}}},
			"hq": {
				Issuer: upstreamI, KeySource: "fake", Login: &trust.LoginSpec{Protocol: "oidc"}, JWT: &trust.UseSpec{Audiences: []string{issuer}},
				Grants: []trust.GrantSpec{
					{Clients: names, SignIn: true, Claims: map[string]string{"groups": "groups"}},
					{Clients: names, API: "warehouse", Scopes: []string{"stock.read"}},
					{Clients: names, API: "vault", Scopes: []string{"open"}},
				},
			},
		},
	}
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{at: start, spec: spec()}
	b.store = memory.New(memory.Options{Now: b.Now})
	b.families = &family.Families{Store: b.store, Sessions: b.store, Sources: b.store, Box: seal.New(bytes.Repeat([]byte{7}, 32)), Now: b.Now}
	b.marks = &token.Marks{Subjects: b.store, Now: b.Now}
	b.verifier = &oidc.Verifier{Keys: ring(), Now: b.Now}
	log := slog.New(slog.NewTextHandler(&b.log, nil))
	b.Endpoint = &token.Endpoint{
		Policy: func() *token.Policy { return b.policy },
		Grants: map[trust.Grant]token.Grant{
			trust.GrantCode: family.CodeGrant{Families: b.families}, trust.GrantRefresh: family.RefreshGrant{Families: b.families},
			trust.GrantTokenExchange: exchange.TokenExchange{Verifier: b.verifier},
		},
		Clients:   &clientauth.Authenticator{Replay: b.store, Now: b.Now},
		Standings: &token.Known{Marks: b.marks, Revocations: b.store, Consents: b.store, FirstParty: b.firstParty, Log: log},
		Replay:    b.store, Minter: &mint.Minter{Issuer: issuer, Keys: ring(), Salt: bytes.Repeat([]byte{9}, 32)}, Opaques: b.store,
		Audit: b, Sampled: b, Gate: token.NewGate(8), Remote: func(*http.Request) string { return "192.0.2.1" },
		Observer: b, Now: b.Now, Log: log, MaxBody: 64 << 10,
	}
	b.change(t, nil)
	if err := b.marks.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) firstParty(client string) bool {
	c, ok := b.policy.Registry.Client(client)
	return ok && !c.ThirdParty()
}

// change compiles a changed policy.
func (b *bench) change(t testing.TB, change func(*trust.Spec)) {
	t.Helper()
	if change != nil {
		change(&b.spec)
	}
	reg, problems := trust.Compile(b.spec)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	credentials := map[string]clientauth.Credential{}
	for id, c := range b.spec.Clients {
		if !c.App.Public {
			credentials[id] = clientauth.Credential{SecretSHA256: [][32]byte{sha256.Sum256([]byte(secret))}}
		}
	}
	b.policy = &token.Policy{Registry: reg, Credentials: credentials}
}

func setApp(id string, change func(*trust.AppSpec)) func(*trust.Spec) {
	return func(s *trust.Spec) {
		c := s.Clients[id]
		app := *c.App
		change(&app)
		c.App = &app
		s.Clients[id] = c
	}
}

func setTrust(change func(*trust.TrustSpec)) func(*trust.Spec) {
	return func(s *trust.Spec) {
		hq := s.Trusts["hq"]
		login := *hq.Login
		hq.Login = &login
		change(&hq)
		s.Trusts["hq"] = hq
	}
}

// signIn is a sign-in of kim at the shop.
func (b *bench) signIn(change func(*family.SignIn)) family.SignIn {
	s := family.SignIn{
		Subject: trust.Subject{
			Credential: trust.CredentialLogin, SignedIn: true, Trust: "hq", Origin: "hq", Domain: upstreamI, Kind: "sub", Value: "kim", Sub: kim,
			Issuer: upstreamI, IssuedAt: b.Now(), Expires: b.Now().Add(12 * time.Hour), ClaimsAt: b.Now(), AuthTime: b.Now().Add(-5 * time.Minute), ACR: "mfa",
			Claims: map[string]any{"name": "Kim", "email": "kim@hq.example", "email_verified": true, "groups": []any{"logistics"}},
		},
		Client: "shop", RedirectURI: callback, RedirectSent: true, Challenge: challenge, Nonce: "n-1", SID: "sid-1",
		Scopes: []string{"offline_access", "openid", "profile", "email"},
	}
	if change != nil {
		change(&s)
	}
	return s
}

func (b *bench) code(t testing.TB, change func(*family.SignIn)) string {
	t.Helper()
	code, err := b.families.IssueCode(t.Context(), b.signIn(change))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func codeForm(code string) url.Values {
	return url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
}

func refreshForm(refresh string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}}
}

// got is an answer.
type got struct {
	status int
	header http.Header
	body   map[string]any
	text   string
}

func (g got) str(name string) string { s, _ := g.body[name].(string); return s }

// ask sends a form as a client; one that is public by its client_id alone.
func (b *bench) ask(client string, form url.Values) got {
	public := client == "phone"
	if public {
		form.Set("client_id", client)
	}
	r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !public && client != "" {
		r.SetBasicAuth(client, secret)
	}
	return b.send(r)
}

func (b *bench) send(r *http.Request) got {
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	g := got{status: w.Code, header: w.Header(), text: w.Body.String()}
	_ = json.Unmarshal(w.Body.Bytes(), &g.body) // an answer without JSON has no members
	return g
}

// redeem signs in and redeems the code.
func (b *bench) redeem(t testing.TB, client string, change func(*family.SignIn)) got {
	t.Helper()
	g := b.ask(client, codeForm(b.code(t, func(s *family.SignIn) {
		s.Client = client
		if change != nil {
			change(s)
		}
	})))
	if g.status != http.StatusOK {
		t.Fatalf("a good code of %s: %d %s %+v", client, g.status, g.text, b.last())
	}
	return g
}

// refused expects a refusal for a reason.
func (b *bench) refused(t testing.TB, g got, code string, reason trust.Reason) {
	t.Helper()
	if g.status < 400 || g.body["error"] != code || g.body["access_token"] != nil || g.body["refresh_token"] != nil || g.body["id_token"] != nil {
		t.Errorf("answered %d %s, wanted %s", g.status, g.text, code)
	}
	if e := b.last(); e.Reason != string(reason) {
		t.Errorf("on record: %q (%s), wanted %q", e.Reason, e.Detail, reason)
	}
}

func granted(t testing.TB, g got) got {
	t.Helper()
	if g.status != http.StatusOK || g.str("access_token") == "" {
		t.Fatalf("answered %d %s", g.status, g.text)
	}
	return g
}

// claims reads a JWT of ours, whose signature it checks.
func claims(t testing.TB, raw string) map[string]any {
	t.Helper()
	parsed, err := jose.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	found, _, err := ring().Lookup(t.Context(), "", "", parsed.Header.Alg)
	if err != nil || parsed.Verify(found[0]) != nil {
		t.Fatalf("signature: %v", err)
	}
	return parsed.Claims
}

func hashOf(s string) store.Hash { return sha256.Sum256([]byte(s)) }

// family reads the family that an access token belongs to.
func (b *bench) family(t testing.TB, g got) store.Family {
	t.Helper()
	id, _ := claims(t, g.str("access_token"))["family"].(string)
	f, ok, err := b.store.Family(t.Context(), id)
	if err != nil || !ok {
		t.Fatalf("family %q: %v, %v", id, ok, err)
	}
	return f
}

func number(t testing.TB, v any) int64 {
	t.Helper()
	n, ok := v.(json.Number)
	i, err := n.Int64()
	if !ok || err != nil {
		t.Fatalf("%v is no number", v)
	}
	return i
}

func leftHalf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
