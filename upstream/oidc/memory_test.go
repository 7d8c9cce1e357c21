package oidc

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"apostille/trust"
	"apostille/trust/jose"
)

// A token is remembered only as far as nothing it rests on changed.
func TestA73_RememberedTokens(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(t *testing.T, f *fixture)
		want   func(*fixture) Want // nil = the same
		looked bool                // keys are looked up again
		reason trust.Reason
	}{
		"nothing changed":           {func(*testing.T, *fixture) {}, nil, false, ""},
		"another registry":          {func(t *testing.T, f *fixture) { f.reg = compile(t) }, nil, true, ""},
		"a key was added":           {func(t *testing.T, f *fixture) { f.keys.publish("hq", f.hq.key(), f.elsewhere.key2("k7")) }, nil, true, ""},
		"A70 its key was withdrawn": {func(t *testing.T, f *fixture) { f.keys.publish("hq", f.elsewhere.key2("k7")) }, nil, true, trust.ReasonKeyUnknown},
		"another trust's keys":      {func(t *testing.T, f *fixture) { f.keys.publish("other", f.hq.key()) }, nil, false, ""},
		"another client, no rule":   {func(*testing.T, *fixture) {}, func(f *fixture) Want { return Want{Type: trust.CredentialJWT, Client: "stranger"} }, false, trust.ReasonNoRule},
		"another type":              {func(*testing.T, *fixture) {}, func(f *fixture) Want { return f.wantID }, false, trust.ReasonAudience},
		"expired meanwhile":         {func(t *testing.T, f *fixture) { f.now = f.now.Add(6*time.Minute + time.Second) }, nil, false, trust.ReasonExpired},
		"almost expired":            {func(t *testing.T, f *fixture) { f.now = f.now.Add(359 * time.Second) }, nil, false, ""},
		"the clock went back":       {func(t *testing.T, f *fixture) { f.now = f.now.Add(-time.Hour) }, nil, false, trust.ReasonNotYetValid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			raw := f.hq.token(t, nil, f.claims)
			first, err := f.Verify(t.Context(), f.reg, raw, f.want)
			if err != nil {
				t.Fatal(err)
			}
			before := f.keys.lookups.Load()
			tc.change(t, f)
			want := f.want
			if tc.want != nil {
				want = tc.want(f)
			}
			second, err := f.Verify(t.Context(), f.reg, raw, want)
			if got := reasonOf(t, err); got != tc.reason {
				t.Errorf("reason %q (%v), want %q", got, err, tc.reason)
			}
			if looked := f.keys.lookups.Load() > before; looked != tc.looked {
				t.Errorf("keys looked up: %v, want %v", looked, tc.looked)
			}
			if err == nil && second.Sub != first.Sub {
				t.Errorf("another subject: %+v", second)
			}
		})
	}
}

func (s *signer) key2(kid string) jose.Key {
	k := s.key()
	k.ID = kid
	return k
}

func TestRememberedTokenTooOldForMaxAge(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw := f.hq.token(t, nil, edit(f.claims, object{"exp": epoch.Unix() + 86400}))
	for _, tc := range []struct {
		after  time.Duration
		reason trust.Reason
	}{{0, ""}, {3590 * time.Second, ""}, {3591 * time.Second, trust.ReasonTooOld}} {
		f.now = epoch.Add(tc.after)
		_, err := f.Verify(t.Context(), f.reg, raw, f.want)
		if got := reasonOf(t, err); got != tc.reason {
			t.Errorf("after %v: %q, want %q", tc.after, got, tc.reason)
		}
	}
}

func TestFailuresAreNotRemembered(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	late := newSigner(t, "k2")
	raw := late.token(t, nil, f.claims)
	_, err := f.Verify(t.Context(), f.reg, raw, f.want)
	if got := reasonOf(t, err); got != trust.ReasonKeyUnknown {
		t.Fatalf("reason %q", got)
	}
	f.keys.publish("hq", f.hq.key(), late.key())
	if _, err := f.Verify(t.Context(), f.reg, raw, f.want); err != nil {
		t.Error(err)
	}
}

func TestCapacityNegativeRemembersNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.Capacity = -1
	raw := f.hq.token(t, nil, f.claims)
	for range 3 {
		if _, err := f.Verify(t.Context(), f.reg, raw, f.want); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.keys.lookups.Load(); n != 3 {
		t.Errorf("%d look-ups, want 3", n)
	}
}

// Tokens used to be counted, not weighed: an issuer whose tokens are as large as the front door lets in could make the broker hold
// 16,384 of them with their claims, more than a gigabyte.
func TestA120_RememberedTokensAreBoundedBySizeNotByNumber(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.Capacity = 30
	remembered := func(claims map[string]any) int {
		v := &Verifier{Keys: f.keys, Now: f.Now, Capacity: f.Capacity}
		for i := range 20 {
			raw := f.hq.token(t, nil, edit(edit(f.claims, claims), map[string]any{"jti": strconv.Itoa(i)}))
			if _, err := v.Verify(t.Context(), f.reg, raw, f.want); err != nil {
				t.Fatal(err)
			}
		}
		cache := v.memory.Load().cache
		cache.CleanUp()
		return cache.EstimatedSize()
	}
	if n := remembered(map[string]any{"groups": strings.Repeat("x", 10<<10)}); n > 2 {
		t.Errorf("%d large tokens are remembered, want 2 at most", n)
	}
	if n := remembered(nil); n != 20 {
		t.Errorf("%d small tokens are remembered, want all 20", n)
	}
}
