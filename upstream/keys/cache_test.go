package keys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"apostille/trust/jose"
)

func TestFirstLookupFetchesAndTheNextDoesNot(t *testing.T) {
	t.Parallel()
	for name, discovery := range map[string]bool{"a JWKS URL": false, "discovery": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			u.publishes(t, "k1")
			src := u.jwks()
			if discovery {
				src = u.oidc()
			}
			f := newFixture(t, map[string]Source{"a": src})
			for range 3 {
				f.want(t, "k1", nil)
			}
			f.settle()
			if n := u.fetches.Load(); n != 1 {
				t.Errorf("%d fetches, want 1", n)
			}
			if n := u.discoveries.Load(); (n == 1) != discovery {
				t.Errorf("%d discoveries", n)
			}
			if f.store.saves.Load() != 1 {
				t.Errorf("%d saves, want 1", f.store.saves.Load())
			}
			if r := f.store.records[src.StoredAs()]; !r.Fetched.Equal(f.clock.now()) || (r.JWKSURI != "") != discovery {
				t.Errorf("stored %q at %v", r.JWKSURI, r.Fetched)
			}
		})
	}
}

func TestSignersAreAllKeysOfATrust(t *testing.T) {
	t.Parallel()
	f := newFixture(t, map[string]Source{"a": {Static: newSet(t, "k1", "k2")}, "empty": {Static: jose.NewSet()}})
	if got, err := f.Signers(t.Context(), "a"); err != nil || len(got) != 2 || got[0] == nil {
		t.Errorf("%d keys, error %v", len(got), err)
	}
	for id, want := range map[string]error{"empty": ErrUnknown, "nobody": ErrUnavailable} {
		if got, err := f.Signers(t.Context(), id); !errors.Is(err, want) || got != nil {
			t.Errorf("%s: %d keys, error %v", id, len(got), err)
		}
	}
}

func TestStaticKeysAreNeverFetchedAndNeverAge(t *testing.T) {
	t.Parallel()
	f := newFixture(t, map[string]Source{"a": {Static: newSet(t, "k1")}})
	f.cfg.Client = noClient(t)
	f.want(t, "k1", nil)
	f.want(t, "k2", ErrUnknown)
	version := f.Version("a")
	f.clock.advance(1000 * time.Hour)
	f.sweep(f.clock.now())
	f.want(t, "k1", nil)
	if got := f.Version("a"); got == 0 || got != version {
		t.Errorf("version %d, then %d", version, got)
	}
	if f.store.loads.Load()+f.store.saves.Load() != 0 {
		t.Error("the store was used for static keys")
	}
}

func TestTrustsAreApart(t *testing.T) {
	t.Parallel()
	f := newFixture(t, map[string]Source{"a": {Static: newSet(t, "same")}, "b": {Static: newSet(t, "same", "only-b")}})
	ka, va, _ := f.Lookup(t.Context(), "a", "same", es256)
	kb, vb, _ := f.Lookup(t.Context(), "b", "same", es256)
	if len(ka) != 1 || len(kb) != 1 || ka[0].Public == kb[0].Public || va == vb {
		t.Error("A47: the same kid of two issuers gave the same key")
	}
	f.want(t, "only-b", ErrUnknown)
	if _, _, err := f.Lookup(t.Context(), "nobody", "same", es256); !errors.Is(err, ErrUnavailable) {
		t.Errorf("unknown trust: %v", err)
	}
	if f.Version("nobody") != 0 {
		t.Error("an unknown trust has a version")
	}
}

func TestR05_NewKeyIsFoundAtTheFirstTokenWithOneFetch(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.publishes(t, "k1")
	f := newFixture(t, map[string]Source{"a": u.oidc()})
	f.want(t, "k1", nil)
	before := f.Version("a")
	u.publishes(t, "k1", "k2")
	f.want(t, "k2", nil)
	if u.fetches.Load() != 2 || u.discoveries.Load() != 1 {
		t.Errorf("%d fetches, %d discoveries, want 2 and 1", u.fetches.Load(), u.discoveries.Load())
	}
	if after := f.Version("a"); after == before || after == 0 {
		t.Errorf("version %d, then %d: want another", before, after)
	}
}

func TestA70_L17_WithdrawnKeyIsRefusedWithinMaxAgeWhileTheUpstreamAnswers(t *testing.T) {
	t.Parallel()
	for name, background := range map[string]bool{"refreshed by Run": true, "found overdue by a look-up": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			u.publishes(t, "old", "kept")
			f := newFixture(t, map[string]Source{"a": u.jwks()})
			f.want(t, "old", nil)
			before := f.Version("a")
			u.publishes(t, "kept")
			f.clock.advance(9 * time.Minute)
			f.sweep(f.clock.now())
			f.want(t, "old", nil) // not yet asked again
			if background {
				f.clock.advance(4 * time.Minute)
				f.sweep(f.clock.now())
				f.settle()
			} else {
				f.clock.advance(6*time.Minute + time.Second)
				if v := f.Version("a"); v != 0 {
					t.Errorf("an overdue set has version %d, want 0", v)
				}
			}
			f.want(t, "old", ErrUnknown)
			f.want(t, "kept", nil)
			if f.Version("a") == before {
				t.Error("the version outlived the withdrawal")
			}
		})
	}
}

func TestA70_LastGoodServesUntilMaxStaleAndThenNothingDoes(t *testing.T) {
	t.Parallel()
	for name, maxStale := range map[string]time.Duration{"by default": 0, "as configured": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			u.publishes(t, "k1")
			src := u.jwks()
			src.MaxStale = maxStale
			f := newFixture(t, map[string]Source{"a": src})
			f.want(t, "k1", nil)
			u.fails(503)
			bound := f.entryOf("a").maxStale()
			for range int(bound / (10 * time.Minute)) {
				f.clock.advance(10*time.Minute - time.Millisecond)
				f.sweep(f.clock.now())
				f.settle()
				f.want(t, "k1", nil)
				if f.Version("a") == 0 {
					t.Fatal("no version while the last good set serves")
				}
			}
			f.clock.advance(time.Minute)
			f.want(t, "k1", ErrUnavailable)
			if f.Version("a") != 0 {
				t.Error("a version outlived MaxStale")
			}
			u.publishes(t, "k1")
			f.clock.advance(pauseMax)
			f.want(t, "k1", nil)
		})
	}
}

func (f *fixture) entryOf(id string) *entry { return (*f.trusts.Load())[id] }

func TestR04_BadAnswersKeepTheLastGoodSet(t *testing.T) {
	t.Parallel()
	write := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
	}
	whole := string(setOf(t, "k2"))
	tests := map[string]http.HandlerFunc{
		"a 500":        func(w http.ResponseWriter, _ *http.Request) { http.Error(w, whole, 500) },
		"a 404":        func(w http.ResponseWriter, _ *http.Request) { http.Error(w, whole, 404) },
		"HTML":         write("<html>maintenance</html>"),
		"nothing":      write(""),
		"no keys":      write(`{"keys":[]}`),
		"no member":    write(`{}`),
		"null":         write(`null`),
		"truncated":    write(whole[:len(whole)-20]),
		"50 MB":        func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 50<<20)) },
		"secrets only": write(`{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"k2","alg":"HS256"}]}`),
		"a redirect to another host": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.2:1/keys", http.StatusFound)
		},
		"a reset": func(w http.ResponseWriter, _ *http.Request) {
			if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = c.Close()
			}
		},
	}
	for name, bad := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			u.publishes(t, "k1")
			f := newFixture(t, map[string]Source{"a": u.jwks()})
			f.want(t, "k1", nil)
			before := f.Version("a")
			u.answers(bad)
			f.clock.advance(20 * time.Minute)
			f.want(t, "k1", nil)
			f.want(t, "k2", ErrUnknown)
			if f.Version("a") != before {
				t.Error("the version changed")
			}
			if st := f.Status()[0]; st.Err == nil || !st.Serving || st.Keys != 1 || strings.Contains(st.Err.Error(), "maintenance") {
				t.Errorf("status %+v", st)
			}
			f.settle()
			if n := f.store.saves.Load(); n != 1 {
				t.Errorf("%d saves, want 1", n)
			}
			// The twin: a good answer is taken up again.
			u.publishes(t, "k2")
			f.clock.advance(pauseMax)
			f.sweep(f.clock.now())
			f.settle()
			f.want(t, "k2", nil)
		})
	}
}

func TestR04_SlowUpstreamDelaysNobodyWhoseKeysAreCached(t *testing.T) {
	t.Parallel()
	slow, good := newUpstream(t), newUpstream(t)
	slow.publishes(t, "k1")
	good.publishes(t, "g1")
	f := newFixture(t, map[string]Source{"a": slow.jwks(), "b": good.jwks()})
	f.want(t, "k1", nil)
	slow.stalls(t)
	f.clock.advance(12*time.Minute + time.Second) // due, not overdue
	started := time.Now()
	for range 100 {
		f.want(t, "k1", nil)
	}
	if _, _, err := f.Lookup(t.Context(), "b", "g1", es256); err != nil {
		t.Errorf("another upstream, cold: %v", err)
	}
	if took := time.Since(started); took > time.Second {
		t.Errorf("took %v", took)
	}
	if f.entryOf("a").flight == nil {
		t.Error("no refresh is under way: the test shows nothing")
	}
}

func TestR04_ColdStartWaitsAsLongAsTheCallerDoes(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.stalls(t)
	f := newFixture(t, map[string]Source{"a": u.jwks()})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _, err := f.Lookup(ctx, "a", "k1", es256)
	if !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v", err)
	}
}

func TestR04_FailedColdStartIsRememberedAndRecovers(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.fails(500)
	f := newFixture(t, map[string]Source{"a": u.jwks()})
	for range 50 {
		f.want(t, "k1", ErrUnavailable)
	}
	if n := u.fetches.Load(); n != 1 {
		t.Errorf("%d fetches in the pause, want 1", n)
	}
	u.publishes(t, "k1")
	f.clock.advance(pauseMin)
	f.want(t, "k1", nil)
}

func TestA74_L27_UnknownKidsCauseFetchesOnlyAsTheBucketAllows(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.publishes(t, "k1")
	f := newFixture(t, map[string]Source{"a": u.jwks(), "same-source": u.jwks()})
	f.want(t, "k1", nil) // the first of the burst
	for i := range 1000 {
		f.want(t, fmt.Sprintf("random-%d", i), ErrUnknown)
		if _, _, err := f.Lookup(t.Context(), "same-source", fmt.Sprint(i), es256); !errors.Is(err, ErrUnknown) {
			t.Fatal(err)
		}
	}
	if n := u.fetches.Load(); n != missBurst {
		t.Errorf("%d fetches, want %d", n, missBurst)
	}
	f.want(t, "k1", nil)
	for range 6 {
		f.clock.advance(missInterval)
		f.want(t, "random", ErrUnknown)
		f.want(t, "random", ErrUnknown)
	}
	if n := u.fetches.Load(); n != missBurst+6 {
		t.Errorf("%d fetches, want %d", n, missBurst+6)
	}
}

func TestA74_BucketsAreOnePerSource(t *testing.T) {
	t.Parallel()
	flooded, quiet := newUpstream(t), newUpstream(t)
	flooded.publishes(t, "k1")
	quiet.publishes(t, "q1")
	f := newFixture(t, map[string]Source{"a": flooded.jwks(), "b": quiet.jwks()})
	for i := range 100 {
		_, _ = f.finds(t, fmt.Sprint(i))
	}
	if _, _, err := f.Lookup(t.Context(), "b", "q1", es256); err != nil {
		t.Errorf("the other source: %v", err)
	}
}

func TestA74_ConcurrentMissesShareOneFetch(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.publishes(t, "k1")
	f := newFixture(t, map[string]Source{"a": u.jwks()})
	f.want(t, "k1", nil)
	release := make(chan struct{})
	body := setOf(t, "k1", "k2")
	u.answers(func(w http.ResponseWriter, _ *http.Request) {
		<-release
		_, _ = w.Write(body)
	})
	var wg sync.WaitGroup
	var found atomic.Int64
	for range 50 {
		wg.Go(func() {
			if ok, _ := f.finds(t, "k2"); ok {
				found.Add(1)
			}
		})
	}
	for f.waiting.Load() < 50 {
		time.Sleep(time.Millisecond)
	}
	close(release)
	wg.Wait()
	if found.Load() != 50 || u.fetches.Load() != 2 {
		t.Errorf("%d of 50 found it, %d fetches, want 50 and 2", found.Load(), u.fetches.Load())
	}
}

func TestA74_OnlySoManyWaitForASlowUpstream(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.publishes(t, "k1")
	f := newFixture(t, map[string]Source{"a": u.jwks()})
	f.want(t, "k1", nil)
	u.stalls(t)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range maxWaiters {
		wg.Go(func() { _, _, _ = f.Lookup(ctx, "a", "k2", es256) })
	}
	for f.waiting.Load() < maxWaiters {
		time.Sleep(time.Millisecond)
	}
	started := time.Now()
	f.want(t, "k2", ErrUnknown)
	f.want(t, "k1", nil)
	if took := time.Since(started); took > time.Second {
		t.Errorf("one more waited %v", took)
	}
	cancel()
	wg.Wait()
}

// The bound over all upstreams used to be 256, more than a server of one or two processors handles at once: two upstreams that
// did not answer took every place, and tokens of all others were refused.
func TestR04_DeadUpstreamsTogetherHoldNoMorePlacesThanConfigured(t *testing.T) {
	t.Parallel()
	u, v := newUpstream(t), newUpstream(t)
	u.stalls(t)
	v.stalls(t)
	f := newFixture(t, map[string]Source{"a": u.jwks(), "b": v.jwks()})
	f.cfg.MaxWaiting = 3
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	for _, id := range []string{"a", "a", "b"} {
		wg.Go(func() { _, _, _ = f.Lookup(ctx, id, "k1", es256) })
	}
	for f.waiting.Load() < 3 {
		time.Sleep(time.Millisecond)
	}
	started := time.Now()
	for _, id := range []string{"a", "b"} {
		if _, _, err := f.Lookup(t.Context(), id, "k1", es256); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", id, err)
		}
	}
	if took := time.Since(started); took > time.Second {
		t.Errorf("one more waited %v", took)
	}
	cancel()
	wg.Wait()
}

func TestReplaceKeepsWhatDidNotChangeAndDoesNoIO(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.publishes(t, "k1")
	f := newFixture(t, map[string]Source{"a": u.jwks()})
	f.want(t, "k1", nil)
	before := f.Version("a")
	f.settle()
	loads, fetches := f.store.loads.Load(), u.fetches.Load()

	f.Replace(map[string]Source{"a": u.jwks(), "b": u.oidc()})
	if f.Version("a") != before {
		t.Error("an unchanged source lost its keys")
	}
	narrowed := u.jwks()
	narrowed.Algs = []jose.Alg{"RS256"}
	f.Replace(map[string]Source{"a": narrowed, "broken": {}, "two": {JWKSURL: "x", Discovery: "y"}})
	if f.Version("a") != 0 {
		t.Error("a changed source kept its keys")
	}
	f.settle()
	if f.store.loads.Load() != loads || u.fetches.Load() != fetches {
		t.Error("Replace did I/O")
	}
	f.want(t, "k1", ErrUnavailable) // no RS256 key there
	for _, id := range []string{"broken", "two", "b"} {
		if _, _, err := f.Lookup(t.Context(), id, "k1", es256); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestReplaceOf5000TrustsStartsNothing(t *testing.T) {
	t.Parallel()
	sources := map[string]Source{}
	for i := range 5000 {
		sources[fmt.Sprint(i)] = Source{Discovery: fmt.Sprintf("https://idp-%d.example", i)}
		if i%2 == 0 {
			sources[fmt.Sprint(i)] = Source{Static: jose.NewSet()}
		}
	}
	store := &memoryStore{}
	c := New(Config{Client: noClient(t), LastGood: store, Now: newClock().now, Log: slog.New(slog.DiscardHandler)})
	started := time.Now()
	c.Replace(sources)
	c.Replace(sources)
	c.sweep(c.cfg.Now())
	if took := time.Since(started); took > time.Second {
		t.Errorf("took %v", took)
	}
	c.close()
	if store.loads.Load() != 0 {
		t.Error("the store was read")
	}
	if n := len(c.Status()); n != 5000 {
		t.Errorf("%d in Status", n)
	}
}

func TestIdleSourcesAreLeftAlone(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.publishes(t, "k1")
	f := newFixture(t, map[string]Source{"a": u.jwks()})
	f.want(t, "k1", nil)
	f.clock.advance(idleAfter + 2*time.Minute)
	f.sweep(f.clock.now())
	f.settle()
	if n := u.fetches.Load(); n != 1 {
		t.Errorf("%d fetches, want 1", n)
	}
	f.want(t, "k1", nil) // used again: fetched again
	if n := u.fetches.Load(); n != 2 {
		t.Errorf("%d fetches, want 2", n)
	}
}

func TestWarmLookupWritesNothingAndAllocatesNothing(t *testing.T) {
	u := newUpstream(t)
	u.publishes(t, "k1")
	f := newFixture(t, map[string]Source{"a": u.jwks()})
	f.want(t, "k1", nil)
	f.settle()
	loads, saves := f.store.loads.Load(), f.store.saves.Load()
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		if _, _, err := f.Lookup(ctx, "a", "k1", es256); err != nil || f.Version("a") == 0 {
			t.Error(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
	if f.store.loads.Load() != loads || f.store.saves.Load() != saves {
		t.Error("a warm look-up used the store")
	}
}

func BenchmarkLookupWarm(b *testing.B) {
	f := newFixture(b, map[string]Source{"a": {Static: newSet(b, "k1", "k2")}})
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := f.Lookup(context.Background(), "a", "k1", es256); err != nil {
			b.Fatal(err)
		}
	}
}
