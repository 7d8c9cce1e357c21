package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"apostille/broker/audit"
	"apostille/broker/keyring"
	"apostille/broker/metrics"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/broker/store/sqlite"
	"apostille/broker/threat"
	"apostille/trust/jose"
	"apostille/upstream/fake"

	"github.com/fsnotify/fsnotify"
)

const (
	ours         = "https://id.west.example"
	warehouseAud = "https://warehouse.west.example"
	inventoryAud = "https://inventory.west.example"
	clientSecret = "S3cretOfTheClientThatMustNeverBeSeen"
)

// arena is a broker as serve wires it, on a real store, between a fake head office that it reaches over loopback, a partner
// and a cloud whose keys it has on file, and a stranger's server that nobody may call.
type arena struct {
	server  *server
	handler http.Handler
	store   *countingStore
	trail   *record // audit records
	log     *record
	dir     string
	close   func()

	office       *fake.Provider
	partner      *fake.Provider
	cloud        *fake.Provider
	once         *fake.Provider
	idp          *fake.IdP // an office that speaks SAML
	robot        crypto.Signer
	evil         *httptest.Server
	evilRequests atomic.Int64

	stepping sync.Mutex
	mu       sync.Mutex // one attack at a time: what it left behind is counted
}

// record collects what is written line by line.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *record) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *record) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *record) since(n int) string { return l.String()[n:] }

// countingStore counts committed changes that outlive a request. Saved key sets are the cache's own and not counted.
type countingStore struct {
	store.Store
	writes atomic.Int64
}

func (s *countingStore) Claim(ctx context.Context, kind, issuer, id string, until time.Time) (bool, error) {
	first, err := s.Store.Claim(ctx, kind, issuer, id, until)
	if first && err == nil {
		s.writes.Add(1)
	}
	return first, err
}

func (s *countingStore) RedeemCode(ctx context.Context, h store.Hash, f store.Family, r *store.Refresh) (bool, error) {
	first, err := s.Store.RedeemCode(ctx, h, f, r)
	if first && err == nil {
		s.writes.Add(1)
	}
	return first, err
}

func (s *countingStore) Rotate(ctx context.Context, r store.Rotation) (store.Rotated, []byte, error) {
	out, answer, err := s.Store.Rotate(ctx, r)
	if out != store.RotationUnknown && err == nil {
		s.writes.Add(1)
	}
	return out, answer, err
}

func (s *countingStore) EndFamilies(ctx context.Context, q store.FamilyQuery, why string) ([]store.Family, error) {
	ended, err := s.Store.EndFamilies(ctx, q, why)
	s.writes.Add(int64(len(ended)))
	return ended, err
}

// installation is a key file and a store with signing keys in it, made once: RSA keys take their time.
var installation = sync.OnceValues(func() (files map[string][]byte, err error) {
	dir, err := os.MkdirTemp("", "apostille")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	key, db := filepath.Join(dir, "apostille.key"), filepath.Join(dir, "apostille.db")
	if err := keyring.NewKEKFile(key); err != nil {
		return nil, err
	}
	kek, err := keyring.ReadKEKFile(key)
	if err != nil {
		return nil, err
	}
	quiet := slog.New(slog.DiscardHandler)
	s, err := sqlite.Open(context.Background(), db, sqlite.Options{Now: time.Now, Log: quiet})
	if err != nil {
		return nil, err
	}
	if _, err := keyring.Open(context.Background(), keyring.Config{Store: s, KEK: kek, Now: time.Now, Log: quiet}); err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	files = map[string][]byte{}
	for _, path := range []string{key, db} {
		if files[filepath.Base(path)], err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	return files, nil
})

// install writes a key file and a store into dir.
func install(t testing.TB, dir string) {
	t.Helper()
	files, err := installation()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		writeFile(t, filepath.Join(dir, name), content)
	}
}

func writeFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// newArena starts one with the usual policy; change edits the TOML.
func newArena(t testing.TB, change ...string) *arena {
	t.Helper()
	return newParties(t, "ES256").begin(t, change...)
}

// begin starts the broker among its parties.
func (a *arena) begin(t testing.TB, change ...string) *arena {
	t.Helper()
	install(t, a.dir)
	a.configure(t, change...)
	a.open(t)
	t.Cleanup(func() { a.close() })
	return a
}

// newParties makes everybody but the broker; the office signs with alg.
func newParties(t testing.TB, alg jose.Alg) *arena {
	t.Helper()
	a := &arena{trail: &record{}, log: &record{}, dir: t.TempDir(), robot: fake.NewKey("ES256")}
	a.office = served(t, fake.Options{Alg: alg, Clients: []fake.Client{{
		ID: "west", Secret: officeSecret, RedirectURIs: []string{ours + "/login/callback/office"}, BackchannelLogoutURI: ours + "/login/backchannel/office",
	}}})
	a.partner = fake.NewProvider(fake.Options{Issuer: "https://partner.example", Alg: "ES256"})
	a.cloud = fake.NewProvider(fake.Options{Issuer: "https://cloud.example", Alg: "ES256"})
	a.once = fake.NewProvider(fake.Options{Issuer: "https://once.example", Alg: "ES256"})
	a.idp = idp
	a.evil = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(a.cloud.JWKS()) }))
	a.evil.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			a.evilRequests.Add(1)
		}
	}
	a.evil.Start()
	t.Cleanup(a.evil.Close)
	return a
}

// served starts a fake provider on loopback.
func served(t testing.TB, o fake.Options) *fake.Provider {
	t.Helper()
	var p atomic.Pointer[fake.Provider]
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.Load().ServeHTTP(w, r) }))
	o.Issuer = "http://" + s.Listener.Addr().String()
	p.Store(fake.NewProvider(o))
	s.Start()
	t.Cleanup(s.Close)
	return p.Load()
}

// configure writes the TOML. change are pairs old, new.
func (a *arena) configure(t testing.TB, change ...string) {
	t.Helper()
	for name, p := range map[string]*fake.Provider{"partner": a.partner, "cloud": a.cloud, "once": a.once} {
		writeFile(t, filepath.Join(a.dir, name+".json"), p.JWKS())
	}
	writeFile(t, filepath.Join(a.dir, "idp.pem"), a.idp.PEM())
	robot, err := jose.MarshalJWKS(jose.NewSet(jose.Key{ID: "r1", Algs: []jose.Alg{"ES256"}, Public: a.robot.Public()}))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(a.dir, "robot.json"), robot)
	sum := sha256.Sum256([]byte(clientSecret))
	text := strings.NewReplacer("@ours@", ours, "@office@", a.office.Issuer(), "@hash@", fmt.Sprintf("%x", sum), "@office secret@", officeSecret).Replace(arenaTOML)
	for i := 0; i+1 < len(change); i += 2 {
		if !strings.Contains(text, change[i]) {
			t.Fatalf("the configuration has no %q", change[i])
		}
		text = strings.ReplaceAll(text, change[i], change[i+1])
	}
	writeFile(t, a.path(), []byte(text))
}

func (a *arena) path() string { return filepath.Join(a.dir, "apostille.toml") }

// open wires the broker as serve does, with the store's writes counted.
func (a *arena) open(t testing.TB) {
	t.Helper()
	app := &app{stdout: a.trail, stderr: a.log, configs: []string{a.path()}}
	cfg, err := app.load()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{app: app, log: newLog(a.log, cfg.Log), metrics: metrics.New(), started: time.Now()}
	if err := s.openStore(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	a.store = &countingStore{Store: s.store}
	s.store = a.store
	if err := s.openUpstreams(cfg); err != nil {
		t.Fatal(err)
	}
	if a.handler, err = s.newBroker(cfg); err != nil {
		t.Fatal(err)
	}
	go a.follow(t.Context(), s) // else the standing of subjects is too old after 10 s, when the other tests take longer
	a.server = s
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	s.background.Go(func() { s.keys.Run(ctx) })
	a.close = func() { // in serve's order
		cancel()
		s.background.Wait()
		s.close()
	}
}

const arenaTOML = `
issuer = "@ours@"
dev = true

[audit]
file = "-"

[log]
level = "debug"

[limits]
per_ip = { rate = 0 }
per_client = { rate = 0 }

[api.warehouse]
audience = "https://warehouse.west.example"
client = "gateway"
scopes = { "stock.read" = "See stock", "stock.order" = "Order stock", "stock.secret" = "Not for this portal" }
lifetime = "10m"

[api.inventory]
audience = "https://inventory.west.example"
resources = ["https://inventory.west.example/items"]
scopes = { "items.read" = "See items", "stock.read" = "See stock" }

[api.ledger]
audience = "https://ledger.west.example/sp"
scopes = { "book.read" = "See books" }
token = { format = "saml2", recipient = "https://ledger.west.example/acs" }

[client.portal]
grants = ["token_exchange", "jwt_bearer", "saml2_bearer", "client_credentials", "authorization_code", "refresh_token"]
redirect_uris = ["https://portal.west.example/callback"]
first_party = true
apis = { warehouse = ["stock.read", "stock.order"] }
secret_sha256 = ["@hash@"]

[client.robot]
grants = ["token_exchange", "jwt_bearer", "client_credentials"]
apis = { warehouse = ["stock.read", "stock.order"] }
jwks_file = "robot.json"

[client.gateway]
grants = ["token_exchange"]
apis = { inventory = ["items.read", "stock.read"], ledger = ["book.read"] }
secret_sha256 = ["@hash@"]

[client.stranger]
grants = ["token_exchange", "jwt_bearer", "saml2_bearer", "client_credentials"]
apis = { warehouse = ["stock.read"] }
secret_sha256 = ["@hash@"]

[client.idle]
grants = []
apis = { warehouse = ["stock.read"] }
secret_sha256 = ["@hash@"]

[[trust.local.grant]]
clients = ["portal", "robot"]
api = "warehouse"
scopes = ["stock.order"]

[[trust.local.grant]]
clients = ["gateway"]
api = "inventory"
scopes = { "stock.read" = "items.read" }

[trust.office]
issuer = "@office@"
keys = { discovery = true }
require = { department = ["logistics"] }

[trust.office.login]
protocol = "oidc"
client_id = "west"
client_secret = "@office secret@"

[trust.office.exchange]
jwt = { audiences = ["@ours@"] }
id_token = { audiences = ["office-app"] }

[[trust.office.grant]]
clients = ["portal", "robot"]
api = "warehouse"
scopes = ["stock.read"]
default_scopes = ["stock.read"]

[[trust.office.grant]]
clients = ["portal"]
sign_in = true

[trust.partner]
issuer = "https://partner.example"
keys = { jwks_file = "partner.json" }

[trust.partner.exchange]
jwt = { audiences = ["@ours@", "https://partner-only.example"] }

[[trust.partner.grant]]
clients = ["portal"]
api = "warehouse"
scopes = ["stock.read"]

[[trust.partner.grant]]
clients = ["gateway"]
api = "ledger"
scopes = ["book.read"]
claims = { department = "department" }

[trust.cloud]
issuer = "https://cloud.example"
keys = { jwks_file = "cloud.json" }
require = { department = ["logistics"] }

[trust.cloud.exchange]
jwt = { audiences = ["@ours@"] }

[[trust.cloud.grant]]
unauthenticated = true
api = "warehouse"
scopes = ["stock.read"]

[trust.once]
issuer = "https://once.example"
keys = { jwks_file = "once.json" }

[trust.once.exchange]
jwt = { audiences = ["@ours@"], one_time = true }

[[trust.once.grant]]
clients = ["portal"]
api = "warehouse"
scopes = ["stock.read"]

[trust.campus]
issuer = "http://idp.campus.example/metadata"
keys = { certificates = ["idp.pem"] }
require = { department = ["logistics"] }

[trust.campus.exchange]
saml2 = {}

[[trust.campus.grant]]
clients = ["portal"]
api = "warehouse"
scopes = ["stock.read"]
`

// idp is one for all arenas: RSA keys take their time.
var idp = fake.NewIdP("http://idp.campus.example/metadata", "RS256")

// answered is what came of one request, with the answer itself.
type answered struct {
	threat.Outcome
	Header http.Header
	Body   string
	Token  oauth.TokenResponse
}

// step does at once what follow does every second.
func (a *arena) step(t testing.TB) {
	a.stepping.Lock()
	defer a.stepping.Unlock()
	a.server.follower.Step(t.Context())
}

// follow is the follower's Run, beside which tests may step: a Follower is for one goroutine.
func (a *arena) follow(ctx context.Context, s *server) {
	tick := time.NewTicker(s.follower.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.stepping.Lock()
			s.follower.Step(ctx)
			a.stepping.Unlock()
		}
	}
}

// ask sends a form to the token endpoint as client ("" = without authentication) and counts what it left behind. Nothing
// of a credential may stand in the answer, the log or the trail, whatever the outcome: THREATS A119 at every entry.
func (a *arena) ask(t testing.TB, client string, form url.Values, header http.Header) answered {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.step(t)
	r := httptest.NewRequest(http.MethodPost, ours+"/oauth2/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if client != "" {
		r.SetBasicAuth(client, clientSecret)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	writes, dials, trail, log := a.store.writes.Load(), a.dials(), len(a.trail.String()), len(a.log.String())
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	out := answered{Header: w.Header(), Body: w.Body.String()}
	out.Status, out.StoreWrites, out.Dials = w.Code, int(a.store.writes.Load()-writes), int(a.dials()-dials)
	var body struct {
		oauth.TokenResponse
		Error string `json:"error"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Errorf("the answer is no JSON: %v: %s", err, w.Body)
	}
	out.Error, out.Token = body.Error, body.TokenResponse
	out.Audit = events(t, a.trail.since(trail), w.Header().Get("X-Correlation-Id"))
	seen := a.trail.since(trail) + a.log.since(log)
	if out.Status != http.StatusOK {
		seen += out.Body
	}
	leaks(t, seen, form)
	return out
}

// leaks looks for credentials of a form, and their parts, in what was written.
func leaks(t testing.TB, written string, form url.Values) {
	t.Helper()
	if strings.Contains(written, clientSecret) {
		t.Errorf("the client's secret was written: %s", written)
	}
	for _, name := range []string{"subject_token", "assertion", "client_assertion", "client_secret", "actor_token", "code", "code_verifier", "refresh_token"} {
		for _, value := range form[name] {
			for part := range strings.SplitSeq(value, ".") {
				if len(part) > 24 && strings.Contains(written, part) {
					t.Errorf("a part of %s was written", name)
				}
			}
		}
	}
}

func (a *arena) dials() int64 {
	n := a.evilRequests.Load()
	for _, count := range a.office.AllRequests() {
		n += int64(count)
	}
	return n
}

// events reads the records of one request; each must be one line.
func events(t testing.TB, trail, id string) []audit.Event {
	t.Helper()
	var out []audit.Event
	for line := range strings.SplitSeq(strings.TrimSuffix(trail, "\n"), "\n") {
		var e audit.Event
		if line == "" {
			continue
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Errorf("a line of the audit trail is no record: %v: %s", err, line)
		}
		if e.ID == id && id != "" {
			out = append(out, e)
		}
	}
	return out
}

// reload loads the files again, as SIGHUP does.
func (a *arena) reload(t testing.TB) {
	t.Helper()
	a.server.reload(&fsnotify.Watcher{})
}

// warm has the office's keys fetched, so that later requests need not.
func (a *arena) warm(t testing.TB) {
	t.Helper()
	if out := a.ask(t, "portal", exchangeForm(a.office.Mint(foreignClaims(a.office)), "jwt"), nil); out.Status != http.StatusOK {
		t.Fatalf("warming up: %s", out.Body)
	}
}

// foreignClaims are those of a good token of a provider.
func foreignClaims(p *fake.Provider) map[string]any {
	return map[string]any{"iss": p.Issuer(), "sub": "svc-1", "aud": ours, "department": "logistics"}
}

func exchangeForm(token, kind string) url.Values {
	return url.Values{
		"grant_type": {oauth.GrantTypeTokenExchange}, "subject_token": {token},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:" + kind}, "audience": {"warehouse"}, "scope": {"stock.read"},
	}
}

func bearerForm(token string) url.Values {
	return url.Values{"grant_type": {oauth.GrantTypeJWTBearer}, "assertion": {token}, "audience": {"warehouse"}, "scope": {"stock.read"}}
}

func ownForm() url.Values {
	return url.Values{"grant_type": {oauth.GrantTypeClientCredentials}, "audience": {"warehouse"}, "scope": {"stock.order"}}
}

// with returns a copy of a form with parameters replaced; one without values is removed.
func with(form url.Values, name string, values ...string) url.Values {
	out := url.Values{}
	for n, v := range form {
		out[n] = slices.Clone(v)
	}
	out[name] = values
	if len(values) == 0 {
		out.Del(name)
	}
	return out
}
