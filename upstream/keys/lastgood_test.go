package keys

import (
	"crypto/x509"
	"errors"
	"testing"
	"time"
)

// restart makes a second cache on the same clock and store.
func (f *fixture) restart(t *testing.T, sources map[string]Source) *fixture {
	t.Helper()
	f.close()
	return newFixtureOn(t, f.clock, f.store, sources)
}

func TestR04_RestartDuringAnOutageServesTheStoredSet(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		age  time.Duration
		want error
	}{
		"stored a minute ago":      {time.Minute, nil},
		"stored 23 hours ago":      {23 * time.Hour, nil},
		"stored beyond max_stale":  {25 * time.Hour, ErrUnavailable},
		"stored in the future":     {-time.Hour, ErrUnavailable},
		"stored exactly max_stale": {24 * time.Hour, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t)
			u.publishes(t, "k1")
			sources := map[string]Source{"a": u.oidc()}
			f := newFixture(t, sources)
			f.want(t, "k1", nil)
			f.settle()
			u.Close()
			f.clock.advance(tc.age)
			f = f.restart(t, sources)
			if f.store.loads.Load() != 1 {
				t.Error("the store was read before the first use")
			}
			f.want(t, "k1", tc.want)
			f.want(t, "k1", tc.want)
			if f.store.loads.Load() != 2 {
				t.Errorf("%d loads, want one per start", f.store.loads.Load())
			}
		})
	}
}

func TestA70_RestartAsksTheUpstreamBeforeAnOldStoredSetServes(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.publishes(t, "old")
	sources := map[string]Source{"a": u.jwks()}
	f := newFixture(t, sources)
	f.want(t, "old", nil)
	f.settle()
	u.publishes(t, "new")
	f.clock.advance(time.Hour)
	f = f.restart(t, sources)
	f.want(t, "old", ErrUnknown)
	f.want(t, "new", nil)
}

func TestStoredSetIsWrittenWhenItChangedOrForItsAge(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.publishes(t, "k1")
	f := newFixture(t, map[string]Source{"a": u.jwks()})
	refresh := func(after time.Duration) int64 {
		f.clock.advance(after)
		f.want(t, "k1", nil)
		f.sweep(f.clock.now())
		f.settle()
		return f.store.saves.Load()
	}
	if n := refresh(0); n != 1 {
		t.Fatalf("%d saves after the first fetch", n)
	}
	if n := refresh(16 * time.Minute); n != 1 || u.fetches.Load() != 2 {
		t.Errorf("%d saves after an unchanged refresh, want 1", n)
	}
	if n := refresh(saveEvery); n != 2 {
		t.Errorf("%d saves after an hour, want 2", n)
	}
	u.publishes(t, "k1")
	if n := refresh(16 * time.Minute); n != 3 {
		t.Errorf("%d saves after a change, want 3", n)
	}
}

func TestFailingStoreHurtsNobody(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.publishes(t, "k1")
	f := newFixture(t, map[string]Source{"a": u.jwks()})
	f.store.err = errors.New("disk full")
	f.want(t, "k1", nil)
	f.settle()
	if f.store.saves.Load() != 1 {
		t.Error("nothing was saved: the test shows nothing")
	}
}

func TestA75_StoredSetsOfOtherRootsAreNotUsed(t *testing.T) {
	t.Parallel()
	pool := x509.NewCertPool()
	for name, tc := range map[string]struct {
		src  Source
		want string
	}{
		"system roots":             {Source{JWKSURL: "https://a.example/keys"}, "jwks_url:https://a.example/keys"},
		"private roots":            {Source{JWKSURL: "https://a.example/keys", Roots: pool, RootsID: "ab12"}, "jwks_url:https://a.example/keys ca:ab12"},
		"private roots, anonymous": {Source{JWKSURL: "https://a.example/keys", Roots: pool}, ""},
		"discovery":                {Source{Discovery: "https://a.example"}, "discovery:https://a.example"},
		"static":                   {Source{Static: newSet(t, "k")}, ""},
	} {
		if got := tc.src.StoredAs(); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	if (Source{JWKSURL: "x", Roots: pool}).equal(Source{JWKSURL: "x"}) {
		t.Error("sources with different roots share an entry")
	}
	if !(Source{JWKSURL: "x", Roots: pool}).equal(Source{JWKSURL: "x", Roots: x509.NewCertPool()}) {
		t.Error("equal roots, read again, do not share an entry")
	}
}
