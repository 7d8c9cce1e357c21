package bearer_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"apostille/broker/bearer"
	"apostille/trust/jose"
	"apostille/upstream/fake"
	"apostille/upstream/keys"
)

const (
	issuer   = "https://id.west.example"
	audience = "https://warehouse.west.example"
)

var clock = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func fixed() time.Time { return clock }

// seconds is a NumericDate relative to the clock.
func seconds(d time.Duration) int64 { return clock.Add(d).Unix() }

// source serves a provider's keys without a network, and counts.
type source struct {
	provider *fake.Provider
	err      error

	mu    sync.Mutex
	asked []string // kid
}

func (s *source) Lookup(_ context.Context, trustID, kid string, alg jose.Alg) ([]jose.Key, uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, kid)
	if s.err != nil {
		return nil, 0, s.err
	}
	found := s.provider.KeySet().Lookup(kid, alg)
	if trustID != bearer.TrustID || len(found) == 0 {
		return nil, 0, keys.ErrUnknown
	}
	return found, 1, nil
}

func (s *source) lookups() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// logbook is where causes go.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// bench is an API behind a guard, and the broker whose tokens it accepts.
type bench struct {
	broker *fake.Provider
	source *source
	log    *logbook
	guard  *bearer.Guard
}

func newBench(t testing.TB, change ...func(*bearer.Config)) *bench {
	t.Helper()
	b := &bench{log: &logbook{}}
	b.broker = fake.NewProvider(fake.Options{Issuer: issuer, Alg: "ES256", Now: fixed})
	b.source = &source{provider: b.broker}
	c := bearer.Config{
		Issuer: issuer, Audience: audience, Keys: b.source, Now: fixed,
		Log: slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&c)
	}
	var err error
	if b.guard, err = bearer.New(c); err != nil {
		t.Fatal(err)
	}
	return b
}

// claims are those of a good token, with changes; nil removes.
func claims(changes map[string]any) map[string]any {
	c := map[string]any{
		"aud": audience, "sub": "8S3mNq", "client_id": "warehouse-portal", "scope": "stock.read stock.order",
		"idp": "head-office", "department": "logistics",
	}
	maps.Copy(c, changes)
	return c
}

// token is a good token of the broker, with changes.
func (b *bench) token(changes map[string]any, opts ...fake.MintOption) string {
	return b.broker.Mint(claims(changes), append([]fake.MintOption{fake.Typ("at+jwt")}, opts...)...)
}

// answer is what a caller sees, and whether the handler was reached.
type answer struct {
	*httptest.ResponseRecorder
	principal bearer.Principal
	reached   bool
}

// do sends a request through Require(scopes…).
func (b *bench) do(r *http.Request, scopes ...string) answer {
	a := answer{ResponseRecorder: httptest.NewRecorder()}
	b.guard.Require(scopes...)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.principal, a.reached = bearer.From(r.Context())
		_, _ = w.Write([]byte("stock"))
	})).ServeHTTP(a.ResponseRecorder, r)
	return a
}

// call sends a token as it should be sent.
func (b *bench) call(token string, scopes ...string) answer {
	r := httptest.NewRequest("GET", "/stock", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return b.do(r, scopes...)
}

func (a answer) challenge() string { return a.Header().Get("WWW-Authenticate") }

// problem is the error code and description of the body.
func (a answer) problem(t *testing.T) (code, description string) {
	t.Helper()
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(a.Body.Bytes(), &body); err != nil {
		t.Fatalf("body %q: %v", a.Body, err)
	}
	return body.Error, body.Description
}
