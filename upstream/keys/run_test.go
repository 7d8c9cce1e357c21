package keys

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRunEndsWithItsContextAndLeavesNothingUnderWay(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.stalls(t)
	f := newFixture(t, map[string]Source{"a": u.jwks()})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		f.Run(ctx)
		close(ended)
	}()
	short, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	_, _, _ = f.Lookup(short, "a", "k1", es256)
	cancel()
	<-ended
	if f.entryOf("a").flight != nil {
		t.Error("a fetch is still under way")
	}
	before := u.fetches.Load()
	f.clock.advance(time.Hour)
	f.want(t, "k1", ErrUnavailable)
	if u.fetches.Load() != before {
		t.Error("a fetch began after Run ended")
	}
}

func TestBackgroundRefreshesAreBounded(t *testing.T) {
	t.Parallel()
	slow, good := newUpstream(t), newUpstream(t)
	slow.publishes(t, "k1")
	good.publishes(t, "g1")
	sources := map[string]Source{"good": good.jwks()}
	for i := range 40 {
		sources[fmt.Sprint(i)] = Source{JWKSURL: fmt.Sprintf("%s/keys?%d", slow.URL, i)}
	}
	f := newFixture(t, sources)
	for id := range sources {
		if _, _, err := f.Lookup(t.Context(), id, "k1", es256); err != nil && id != "good" {
			t.Fatal(err)
		}
	}
	slow.stalls(t)
	before := slow.fetches.Load()
	f.clock.advance(13 * time.Minute)
	f.sweep(f.clock.now())
	if n := len(f.refreshes); n > maxRefreshes {
		t.Errorf("%d refreshes at once", n)
	}
	if n := slow.fetches.Load() - before; n > maxRefreshes {
		t.Errorf("%d requests at once", n)
	}
	// Look-ups of the good one do not queue behind them.
	f.clock.advance(3 * time.Minute)
	if _, _, err := f.Lookup(t.Context(), "good", "g1", es256); err != nil {
		t.Error(err)
	}
	if n := f.Status()[40].Age; n != 0 {
		t.Errorf("the good source is %v old, want refreshed", n)
	}
}

func TestR15_PanicIsOneFailedFetch(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.publishes(t, "k1")
	f := newFixture(t, map[string]Source{"a": u.jwks(), "b": {JWKSURL: u.URL + "/keys?b"}})
	client := f.cfg.Client
	var broken atomic.Bool
	broken.Store(true)
	f.cfg.Client = func(r *x509.CertPool, configured bool) *http.Client {
		if broken.Load() {
			panic("library: SECRET")
		}
		return client(r, configured)
	}
	_, err := f.finds(t, "k1")
	if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "panic") || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("err = %v", err)
	}
	broken.Store(false)
	if _, _, err := f.Lookup(t.Context(), "b", "k1", es256); err != nil {
		t.Errorf("another source: %v", err)
	}
	f.clock.advance(pauseMin)
	f.want(t, "k1", nil)
}

func TestOnFetchIsToldForEachTrust(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.fails(500)
	f := newFixture(t, nil)
	told := make(chan string, 4)
	f.cfg.OnFetch = func(id string, err error) { told <- fmt.Sprint(id, " ", err != nil) }
	f.Replace(map[string]Source{"a": u.jwks(), "b": u.jwks()})
	f.want(t, "k1", ErrUnavailable)
	f.settle()
	if a, b := <-told, <-told; a != "a true" || b != "b true" || len(told) != 0 {
		t.Errorf("told %q, %q and %d more", a, b, len(told))
	}
}
