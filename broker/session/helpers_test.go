package session

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"apostille/broker/store"
	"apostille/broker/store/memory"
	"apostille/trust"
	"apostille/upstream"
)

// clock is a time that tests move.
type clock struct{ nanos atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.nanos.Store(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time       { return time.Unix(0, c.nanos.Load()).UTC() }
func (c *clock) add(by time.Duration) { c.nanos.Add(int64(by)) }

// fixture is a manager on a store in memory.
type fixture struct {
	*Manager
	clock *clock
	store *failing
}

func newFixture(t testing.TB, secure bool) *fixture {
	t.Helper()
	c := newClock()
	s := &failing{Sessions: memory.New(memory.Options{Now: c.now})}
	return &fixture{clock: c, store: s, Manager: &Manager{
		Store: s, Cookies: Cookies{Secure: secure}, Idle: 8 * time.Hour, Max: 12 * time.Hour, Now: c.now,
		Remote: func(*http.Request) string { return "192.0.2.7" }, Log: slog.New(slog.DiscardHandler),
	}}
}

// failing is a store whose answers can be switched off, and that counts what is read and touched.
type failing struct {
	store.Sessions
	down           atomic.Bool
	reads, touches atomic.Int64
}

var errDown = errors.New("the store is down")

func (f *failing) Session(ctx context.Context, cookie store.Hash) (store.Session, bool, error) {
	f.reads.Add(1)
	if f.down.Load() {
		return store.Session{}, false, errDown
	}
	return f.Sessions.Session(ctx, cookie)
}

func (f *failing) TouchSession(ctx context.Context, cookie store.Hash, seen, idle time.Time) error {
	f.touches.Add(1)
	return f.Sessions.TouchSession(ctx, cookie, seen, idle)
}

func (f *failing) CreateSession(ctx context.Context, cookie store.Hash, s store.Session) error {
	if f.down.Load() {
		return errDown
	}
	return f.Sessions.CreateSession(ctx, cookie, s)
}

func (f *failing) EndSessions(ctx context.Context, q store.SessionQuery) ([]store.Session, []store.Family, error) {
	if f.down.Load() {
		return nil, nil, errDown
	}
	return f.Sessions.EndSessions(ctx, q)
}

// browser keeps cookies as a browser does, without expiry.
type browser map[string]string

func (b browser) request() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "https://id.example/", nil)
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	for name, value := range b {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

func (b browser) take(w *httptest.ResponseRecorder) {
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b, c.Name)
		} else {
			b[c.Name] = c.Value
		}
	}
}

func (f *fixture) signIn(t testing.TB, b browser, l upstream.Login) *Session {
	t.Helper()
	w := httptest.NewRecorder()
	s, err := f.SignIn(w, b.request(), l)
	if err != nil {
		t.Fatal(err)
	}
	b.take(w)
	return s
}

func (f *fixture) current(t testing.TB, b browser) *Session {
	t.Helper()
	s, err := f.Current(b.request())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// login is a person of a trust.
func (f *fixture) login(trustID, person string) upstream.Login {
	now := f.clock.now()
	issuer := "https://" + trustID + ".example"
	return upstream.Login{Subject: trust.Subject{
		Credential: trust.CredentialLogin, Trust: trustID, Origin: trustID, Domain: issuer, Kind: "sub", Value: person,
		Sub: trust.DeriveSub(issuer, "sub", person), Issuer: issuer, Claims: map[string]any{"sub": person, "name": "Name of " + person},
		IssuedAt: now, AuthTime: now.Add(-time.Minute), Expires: now.Add(12 * time.Hour), SignedIn: true, SessionID: "sid-" + person,
	}}
}
