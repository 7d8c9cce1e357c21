package keys

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"apostille/trust/jose"
	"apostille/upstream/fetch"
)

const es256 = jose.Alg("ES256")

// clock is a clock that tests move.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// upstream is an issuer whose every answer a test chooses.
type upstream struct {
	*httptest.Server
	discoveries, fetches atomic.Int64

	mu      sync.Mutex
	keys    http.HandlerFunc // answers /keys
	jwksURI string           // in discovery; "" = /keys here
	issuer  string           // in discovery; "" = this one
}

func newUpstream(t *testing.T) *upstream {
	t.Helper()
	u := unstartedUpstream(t)
	u.Start()
	return u
}

func newTLSUpstream(t *testing.T) *upstream {
	t.Helper()
	u := unstartedUpstream(t)
	u.StartTLS()
	return u
}

func unstartedUpstream(t *testing.T) *upstream {
	t.Helper()
	u := &upstream{}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", u.discovery)
	mux.HandleFunc("/keys", func(w http.ResponseWriter, r *http.Request) {
		u.fetches.Add(1)
		u.mu.Lock()
		h := u.keys
		u.mu.Unlock()
		h(w, r)
	})
	u.Server = httptest.NewUnstartedServer(mux)
	u.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(u.Close)
	return u
}

func (u *upstream) discovery(w http.ResponseWriter, _ *http.Request) {
	u.discoveries.Add(1)
	u.mu.Lock()
	doc := map[string]string{"issuer": u.issuer, "jwks_uri": u.jwksURI}
	u.mu.Unlock()
	if doc["issuer"] == "" {
		doc["issuer"] = u.URL
	}
	if doc["jwks_uri"] == "" {
		doc["jwks_uri"] = u.URL + "/keys"
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(doc)
}

func (u *upstream) answers(h http.HandlerFunc) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.keys = h
}

// publishes answers with a set of these kids.
func (u *upstream) publishes(t *testing.T, kids ...string) {
	t.Helper()
	body := setOf(t, kids...)
	u.answers(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
}

func (u *upstream) fails(status int) {
	u.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

// stalls answers nothing until the test ends or the client gives up.
func (u *upstream) stalls(t *testing.T) {
	t.Helper()
	over := make(chan struct{})
	t.Cleanup(func() { close(over) }) // before the server's own cleanup, which waits for handlers
	u.answers(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-over:
		case <-r.Context().Done():
		}
	})
}

func (u *upstream) jwks() Source { return Source{JWKSURL: u.URL + "/keys"} }
func (u *upstream) oidc() Source { return Source{Discovery: u.URL} }

func newKey(t testing.TB, kid string) jose.Key {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jose.Key{ID: kid, Algs: []jose.Alg{es256}, Public: &k.PublicKey}
}

func newSet(t testing.TB, kids ...string) *jose.Set {
	t.Helper()
	var all []jose.Key
	for _, kid := range kids {
		all = append(all, newKey(t, kid))
	}
	return jose.NewSet(all...)
}

func setOf(t testing.TB, kids ...string) []byte {
	t.Helper()
	body, err := jose.MarshalJWKS(newSet(t, kids...))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// fixture is a cache and what surrounds it.
type fixture struct {
	*Cache
	clock *clock
	store *memoryStore
}

func newFixture(t testing.TB, sources map[string]Source) *fixture {
	t.Helper()
	return newFixtureOn(t, newClock(), &memoryStore{}, sources)
}

func newFixtureOn(t testing.TB, c *clock, store *memoryStore, sources map[string]Source) *fixture {
	t.Helper()
	f := &fixture{clock: c, store: store}
	f.Cache = New(Config{
		Client:   fetch.New(fetch.Options{Dev: true}).Client,
		LastGood: store,
		Now:      c.now,
		Log:      slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	f.Replace(sources)
	t.Cleanup(f.close)
	return f
}

// finds looks a kid of trust "a" up and says what came.
func (f *fixture) finds(t testing.TB, kid string) (found bool, err error) {
	t.Helper()
	keys, version, err := f.Lookup(context.Background(), "a", kid, es256)
	if err == nil && (len(keys) == 0 || version == 0) {
		t.Fatalf("Lookup(%q) = %d keys, version %d, no error", kid, len(keys), version)
	}
	return err == nil, err
}

// want fails the test unless a look-up of kid has the outcome: nil, ErrUnknown or ErrUnavailable.
func (f *fixture) want(t testing.TB, kid string, outcome error) {
	t.Helper()
	if _, err := f.finds(t, kid); !errors.Is(err, outcome) {
		t.Fatalf("Lookup(%q): %v, want %v", kid, err, outcome)
	}
}

// settle waits until no fetch is under way.
func (f *fixture) settle() { f.flights.Wait() }

// memoryStore is a LastGood that counts.
type memoryStore struct {
	loads, saves atomic.Int64

	mu      sync.Mutex
	records map[string]Record
	err     error // of every call
}

func (m *memoryStore) LoadKeySet(_ context.Context, source string) (Record, bool, error) {
	m.loads.Add(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.records[source]
	return r, ok, m.err
}

func (m *memoryStore) SaveKeySet(_ context.Context, source string, r Record) error {
	m.saves.Add(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records == nil {
		m.records = map[string]Record{}
	}
	m.records[source] = r
	return m.err
}

func noClient(t *testing.T) func(*x509.CertPool, bool) *http.Client {
	return func(*x509.CertPool, bool) *http.Client {
		t.Error("a client was asked for")
		return http.DefaultClient
	}
}
