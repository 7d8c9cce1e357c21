package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"apostille/broker/metrics"
	"apostille/upstream/fake"
)

// size is how much a broker has to carry besides the one trust, client and key that an exchange uses.
type size struct{ trusts, clients, keys int }

// wired is the broker as serve wires it, without listeners: SQLite, audit trail in a file, limits and metrics.
type wired struct {
	*server
	handler http.Handler
	dir     string
}

const costAudience = "https://broker.west.example"

func newWired(t testing.TB, p *fake.Provider, keys string, n size) *wired {
	t.Helper()
	w := &wired{dir: t.TempDir()}
	w.write(t, "keys.json", crowdedJWKS(t, p, n.keys))
	w.write(t, "apostille.toml", []byte(costTOML(n.clients)))
	for i := range n.trusts {
		w.write(t, fmt.Sprintf("trust.d/%d.toml", i), []byte(costTrust(i, p.Issuer(), keys)))
	}
	if code := run(t.Context(), []string{"init", "--dir", filepath.Join(w.dir, "made")}, nil, io.Discard, io.Discard); code != exitOK {
		t.Fatalf("init: exit code %d", code)
	}
	a := &app{stdout: io.Discard, stderr: io.Discard, configs: []string{filepath.Join(w.dir, "apostille.toml")}}
	cfg, err := a.load()
	if err != nil {
		t.Fatal(err)
	}
	w.server = &server{app: a, log: newLog(io.Discard, cfg.Log), metrics: metrics.New(), started: time.Now()}
	if err := w.openStore(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	w.openUpstreams(cfg)
	if w.handler, err = w.newBroker(cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *wired) write(t testing.TB, name string, b []byte) {
	t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// exchange exchanges one token, which must succeed.
func (w *wired) exchange(t testing.TB, token string) {
	t.Helper()
	form := url.Values{
		"grant_type":         {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:jwt"},
		"subject_token":      {token}, "audience": {"warehouse"}, "scope": {"stock.read"},
		"client_id": {"portal"}, "client_secret": {"secret"},
	}
	r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	w.handler.ServeHTTP(answer, r)
	if answer.Code != http.StatusOK {
		t.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
}

func costTOML(clients int) string {
	const secret = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b" // SHA-256 of "secret"
	var b strings.Builder
	fmt.Fprintf(&b, `issuer = %q
dev = true
key_file = "made/apostille.key"
[limits]
per_ip = { rate = 500_000, burst = 1_000_000 }
per_client = { rate = 500_000, burst = 1_000_000 }
[api.warehouse]
audience = "https://warehouse.west.example"
scopes = { "stock.read" = "See stock levels" }
`, costAudience)
	for i := range clients {
		fmt.Fprintf(&b, `[client.%s]
grants = ["token_exchange"]
apis = { warehouse = ["stock.read"] }
secret_sha256 = [%q]
`, numbered("portal", i), secret)
	}
	return b.String()
}

func costTrust(i int, issuer, keys string) string {
	return strings.NewReplacer("ID", numbered("head-office", i), "ISSUER", numbered(issuer, i), "KEYS", keys, "US", costAudience).Replace(
		`[trust.ID]
issuer = "ISSUER"
keys = KEYS
[trust.ID.exchange]
jwt = { audiences = ["US"] }
[[trust.ID.grant]]
clients = ["portal"]
api = "warehouse"
scopes = ["stock.read"]
`)
}

// numbered names the i-th of its kind; the first, which is the one that is used, keeps the plain name.
func numbered(name string, i int) string {
	if i == 0 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, i)
}

// crowdedJWKS is the provider's key set with others beside its own key, so that it holds n. Making real RSA keys would take
// most of a minute; what nobody signs with need not have factors.
func crowdedJWKS(t testing.TB, p *fake.Provider, n int) []byte {
	t.Helper()
	var doc struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(p.JWKS(), &doc); err != nil {
		t.Fatal(err)
	}
	modulus := make([]byte, 256)
	random := rand.NewChaCha8([32]byte{})
	for i := 1; i < n; i++ {
		_, _ = random.Read(modulus)
		modulus[0] |= 0x80
		modulus[255] |= 1
		doc.Keys = append(doc.Keys, map[string]any{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": fmt.Sprint("other-", i),
			"n": base64.RawURLEncoding.EncodeToString(modulus), "e": "AQAB",
		})
	}
	set, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func mintFor(p *fake.Provider, n int) []string {
	tokens := make([]string, n)
	for i := range tokens {
		tokens[i] = p.Mint(map[string]any{"sub": fmt.Sprint("user-", i), "aud": costAudience, "department": "logistics"})
	}
	return tokens
}

// Not parallel: AllocsPerRun counts for the whole process.
func TestTheCostOfAnExchangeDoesNotGrow(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector makes sync.Pool forget at random, so that allocations cannot be compared")
	}
	const runs = 200
	p := fake.NewProvider(fake.Options{Issuer: "https://idp.hq.example"})
	tokens := mintFor(p, runs+1)
	allocs := func(n size, tokens []string) float64 {
		w := newWired(t, p, `{ jwks_file = "../keys.json" }`, n)
		next := 0
		return testing.AllocsPerRun(runs, func() {
			w.exchange(t, tokens[next%len(tokens)])
			next++
		})
	}
	for _, kind := range []struct {
		name   string
		tokens []string
	}{{"distinct tokens", tokens}, {"one token", tokens[:1]}} {
		small := allocs(size{1, 1, 1}, kind.tokens)
		for _, large := range []struct {
			name string
			size size
		}{
			{"5,000 trusts", size{5000, 1, 1}},
			{"5,000 clients", size{1, 5000, 1}},
			{"100 keys of the issuer", size{1, 1, 100}},
		} {
			got := allocs(large.size, kind.tokens)
			t.Logf("%s: %.0f allocations with one of each, %.0f with %s", kind.name, small, got, large.name)
			if math.Abs(got-small) > 0.02*small {
				t.Errorf("%s: %v allocations with one of each, %v with %s", kind.name, small, got, large.name)
			}
		}
	}
}

func TestAWarmExchangeWritesNoStoreAndCallsNoUpstream(t *testing.T) {
	t.Parallel()
	var p *fake.Provider
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.ServeHTTP(w, r) }))
	t.Cleanup(upstream.Close)
	p = fake.NewProvider(fake.Options{Issuer: upstream.URL})
	w := newWired(t, p, "{ discovery = true }", size{1, 1, 1})

	w.exchange(t, mintFor(p, 1)[0])
	w.keysStored(t)
	warm := w.stored(t)
	fetched := p.Requests(fake.PathJWKS)
	for _, token := range mintFor(p, 50) {
		w.exchange(t, token)
	}
	if n := p.Requests(fake.PathJWKS) - fetched; n != 0 {
		t.Errorf("%d fetches of keys while warm", n)
	}
	if !bytes.Equal(w.stored(t), warm) {
		t.Error("the store was written while warm")
	}
	p.Rotate()
	w.exchange(t, mintFor(p, 1)[0])
	if p.Requests(fake.PathJWKS) == fetched {
		t.Error("a new key caused no fetch: fetches are not being observed")
	}
}

// stored is what the store has on disk.
func (w *wired) stored(t *testing.T) []byte {
	t.Helper()
	var all []byte
	for _, name := range []string{"apostille.db", "apostille.db-wal"} {
		b, err := os.ReadFile(filepath.Join(w.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

// keysStored waits until the fetched key sets are in the store: only then is what it has on disk final.
func (w *wired) keysStored(t *testing.T) {
	t.Helper()
	for _, source := range w.config.Load().Keys {
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			if _, ok, err := w.store.LoadKeySet(t.Context(), source.StoredAs()); err != nil {
				t.Fatal(err)
			} else if ok {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the key set was not stored")
			}
		}
	}
}

// BenchmarkExchange is the whole path but for sockets; -benchtime=5000x keeps the minting short.
func BenchmarkExchange(b *testing.B) {
	p := fake.NewProvider(fake.Options{Issuer: "https://idp.hq.example"})
	bench := func(b *testing.B, tokens []string) {
		w := newWired(b, p, `{ jwks_file = "../keys.json" }`, size{1, 1, 1})
		go w.follower.Run(b.Context())
		b.ReportAllocs()
		b.ResetTimer()
		for i := range b.N {
			w.exchange(b, tokens[i%len(tokens)])
		}
	}
	b.Run("distinct", func(b *testing.B) { bench(b, mintFor(p, b.N)) })
	b.Run("repeated", func(b *testing.B) { bench(b, mintFor(p, 1)) })
}
