package oidc

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/fetch"
	"apostille/upstream/keys"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ Keys = (*keys.Cache)(nil)

// issuer publishes key sets on loopback; the verifier reads them through the real cache and client.
type issuer struct {
	*httptest.Server
	body    atomic.Pointer[[]byte]
	fetches atomic.Int64
}

func newIssuer(t *testing.T, ks ...jose.Key) *issuer {
	t.Helper()
	i := &issuer{}
	i.publish(t, ks...)
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i.fetches.Add(1)
		_, _ = w.Write(*i.body.Load())
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) publish(t *testing.T, ks ...jose.Key) {
	t.Helper()
	b, err := jose.MarshalJWKS(jose.NewSet(ks...))
	if err != nil {
		t.Fatal(err)
	}
	i.body.Store(&b)
}

// withCache puts a real key cache under the fixture.
func (f *fixture) withCache(t *testing.T, sources map[string]keys.Source) {
	t.Helper()
	c := keys.New(keys.Config{
		Client: fetch.New(fetch.Options{Dev: true}).Client,
		Now:    func() time.Time { return f.now },
		Log:    slog.New(slog.DiscardHandler),
	})
	c.Replace(sources)
	f.Keys = c
}

func TestA70_RememberedTokenFallsWithItsWithdrawnKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	next := newSigner(t, "k2")
	i := newIssuer(t, f.hq.key())
	f.withCache(t, map[string]keys.Source{"hq": {JWKSURL: i.URL}})
	raw := f.hq.token(t, nil, edit(f.claims, object{"exp": epoch.Unix() + 7200}))
	verify := func(raw string) trust.Reason {
		_, err := f.Verify(t.Context(), f.reg, raw, f.want)
		return reasonOf(t, err)
	}
	first, again := verify(raw), verify(raw)
	if first != "" || again != "" || i.fetches.Load() != 1 {
		t.Fatalf("%d fetches, want 1", i.fetches.Load())
	}
	i.publish(t, next.key())
	f.now = epoch.Add(9 * time.Minute)
	if got := verify(raw); got != "" {
		t.Fatalf("before the refresh: %q", got)
	}
	f.now = epoch.Add(keys.MaxAge + time.Second)
	if got := verify(raw); got != trust.ReasonKeyUnknown {
		t.Errorf("after MaxAge: %q, want %q", got, trust.ReasonKeyUnknown)
	}
	if got := verify(next.token(t, nil, edit(f.claims, object{"exp": epoch.Unix() + 7200}))); got != "" {
		t.Errorf("the next key: %q", got)
	}
}

func TestA74_L16_BadTokensCauseNoFetchesBeyondTheBucket(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	i := newIssuer(t, f.hq.key())
	f.withCache(t, map[string]keys.Source{"hq": {JWKSURL: i.URL}})
	good := f.hq.token(t, nil, f.claims)
	forger := newSigner(t, "k1")
	for n := range 100 {
		claims := edit(f.claims, object{"sub": fmt.Sprint(n)})
		_, badSignature := f.Verify(t.Context(), f.reg, forger.token(t, nil, claims), f.want)
		_, randomKid := f.Verify(t.Context(), f.reg, forger.token(t, object{"kid": fmt.Sprint(n)}, claims), f.want)
		_, expired := f.Verify(t.Context(), f.reg, f.hq.token(t, nil, edit(claims, object{"exp": 1})), f.want)
		if reasonOf(t, badSignature) != trust.ReasonSignature || reasonOf(t, randomKid) != trust.ReasonKeyUnknown || reasonOf(t, expired) != trust.ReasonExpired {
			t.Fatal(badSignature, randomKid, expired)
		}
		if _, err := f.Verify(t.Context(), f.reg, good, f.want); err != nil {
			t.Fatal(err)
		}
	}
	if n := i.fetches.Load(); n != 2 {
		t.Errorf("%d fetches, want the burst of 2", n)
	}
}
