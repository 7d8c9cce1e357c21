package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"apostille/broker/store"
)

const issuer = "https://idp.hq.hmart.example"

// claim claims (jti, issuer, id) and fails the test if the answer is not the wanted one.
func claim(t *testing.T, s store.Replay, id string, until time.Time, want bool) {
	t.Helper()
	first, err := s.Claim(t.Context(), "jti", issuer, id, until)
	if err != nil {
		t.Errorf("claim of %q: %v", id, err)
	} else if first != want {
		t.Errorf("claim of %q says first = %v, want %v", id, first, want)
	}
}

func testReplay(t *testing.T, open Open) {
	t.Run("expiry", func(t *testing.T) { testExpiry(t, open) })
	t.Run("concurrency", func(t *testing.T) { testConcurrentClaims(t, open) })
	cases(t, open, map[string]func(*testing.T, *fixture){
		"the first claim is true and every later one false": func(t *testing.T, f *fixture) {
			until := f.clock.Now().Add(time.Minute)
			claim(t, f, "a", until, true)
			claim(t, f, "a", until, false)
			claim(t, f, "a", until.Add(time.Hour), false)
			claim(t, f, "b", until, true)
		},
		"another handle sees the mark (R02)": func(t *testing.T, f *fixture) {
			until := f.clock.Now().Add(time.Minute)
			other := f.reopen()
			claim(t, f, "a", until, true)
			claim(t, other, "a", until, false)
			claim(t, other, "b", until, true)
			claim(t, f, "b", until, false)
		},
		"a restart keeps the mark (R03)": func(t *testing.T, f *fixture) {
			until := f.clock.Now().Add(time.Minute)
			claim(t, f, "a", until, true)
			must(t, f.Close())
			again := f.reopen()
			claim(t, again, "a", until, false)
			claim(t, again, "b", until, true)
		},
		"kind, issuer and id never run into each other (A102)": func(t *testing.T, f *fixture) {
			until := f.clock.Now().Add(time.Minute)
			triples := [][3]string{
				{"jti", "ab", "c"}, {"jti", "a", "bc"}, {"jtia", "b", "c"}, {"jti", "", "abc"}, {"code", "ab", "c"},
				{"jti", "a\x00b", "c"}, {"jti", "a", "\x00bc"}, {"jti", "ab", "C"}, {"jti", "ab", "c "},
				{"jti", "ab", "\xff"}, {"jti", "ab", "\xfe"}, {"jti", "ab", strings.Repeat("x", 1<<16)},
			}
			for _, want := range []bool{true, false} {
				for _, tr := range triples {
					first, err := f.Claim(t.Context(), tr[0], tr[1], tr[2], until)
					if err != nil || first != want {
						t.Errorf("%.40q: first = %v, error %v; want %v", tr, first, err, want)
					}
				}
			}
		},
		"an empty kind or id is refused, and so is a time that has passed": func(t *testing.T, f *fixture) {
			now := f.clock.Now()
			for _, c := range []struct {
				kind, id string
				until    time.Time
				want     error
			}{
				{"", "a", now.Add(time.Minute), store.ErrInvalid},
				{"jti", "", now.Add(time.Minute), store.ErrInvalid},
				{"jti", "a", now, store.ErrExpired},
				{"jti", "a", now.Add(-time.Second), store.ErrExpired},
				{"jti", "a", time.Time{}, store.ErrExpired},
			} {
				first, err := f.Claim(t.Context(), c.kind, issuer, c.id, c.until)
				if first || !errors.Is(err, c.want) {
					t.Errorf("%+v: first = %v, error %v", c, first, err)
				}
			}
			claim(t, f, "a", now.Add(time.Minute), true)
		},
		"to look makes no mark, and sees one as long as it counts": func(t *testing.T, f *fixture) {
			looks := func(s store.Replay, kind, from, id string, want bool) {
				t.Helper()
				if got, err := s.Claimed(t.Context(), kind, from, id); err != nil || got != want {
					t.Errorf("%s of %q from %q: claimed = %v, error %v; want %v", kind, id, from, got, err, want)
				}
			}
			looks(f, "jti", issuer, "a", false)
			claim(t, f, "a", f.clock.Now().Add(time.Minute), true)
			looks(f, "jti", issuer, "a", true)
			looks(f.reopen(), "jti", issuer, "a", true)
			looks(f, "code", issuer, "a", false)
			looks(f, "jti", "", "a", false)
			looks(f, "jti", issuer, "b", false)
			f.clock.Add(time.Minute)
			looks(f, "jti", issuer, "a", false)
			if _, err := f.Claimed(t.Context(), "jti", issuer, ""); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("without ID: %v", err)
			}
		},
		"a caller who has left makes no mark": func(t *testing.T, f *fixture) {
			until := f.clock.Now().Add(time.Minute)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			first, err := f.Claim(ctx, "jti", issuer, "a", until)
			if first || !errors.Is(err, context.Canceled) {
				t.Errorf("first = %v, error %v; want context.Canceled", first, err)
			}
			claim(t, f, "a", until, true)
		},
	})
}

func testExpiry(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, *fixture){
		"a mark counts to its time and not longer": func(t *testing.T, f *fixture) {
			until := f.clock.Now().Add(time.Minute)
			claim(t, f, "a", until, true)
			f.clock.Add(time.Minute - time.Microsecond)
			claim(t, f, "a", until.Add(time.Minute), false)
			f.clock.Add(time.Microsecond)
			claim(t, f, "a", until.Add(time.Minute), true)
			claim(t, f, "a", until.Add(time.Minute), false)
		},
		"a fraction of a microsecond does not shorten it": func(t *testing.T, f *fixture) {
			until := f.clock.Now().Add(time.Second + time.Nanosecond)
			claim(t, f, "a", until, true)
			f.clock.Add(time.Second)
			claim(t, f, "a", until.Add(time.Second), false)
		},
		"a refused claim does not move it": func(t *testing.T, f *fixture) {
			now := f.clock.Now()
			claim(t, f, "a", now.Add(time.Minute), true)
			claim(t, f, "a", now.Add(time.Second), false)
			f.clock.Add(30 * time.Second)
			claim(t, f, "a", now.Add(time.Hour), false)
			f.clock.Add(31 * time.Second)
			claim(t, f, "a", now.Add(time.Hour), true)
		},
		"sweeping takes expired marks only": func(t *testing.T, f *fixture) {
			now := f.clock.Now()
			for i := range 40 {
				claim(t, f, fmt.Sprint("short", i), now.Add(time.Minute), true)
			}
			claim(t, f, "long", now.Add(24*time.Hour), true)
			for i := range 5 {
				f.clock.Add(time.Hour)
				claim(t, f, fmt.Sprint("later", i), f.clock.Now().Add(time.Minute), true)
				claim(t, f, "long", now.Add(24*time.Hour), false)
			}
			claim(t, f, "short0", f.clock.Now().Add(time.Minute), true)
		},
	})
}

func testConcurrentClaims(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, *fixture){
		"of 100 parallel claims of one triple, on two handles, exactly one is first (R02)": func(t *testing.T, f *fixture) {
			until := f.clock.Now().Add(time.Minute)
			handles := []store.Store{f, f.reopen()}
			for round := range 5 {
				var firsts atomic.Int32
				inParallel(100, func(i int) {
					first, err := handles[i%2].Claim(t.Context(), "jti", issuer, fmt.Sprint("round", round), until)
					if err != nil {
						t.Error(err)
					} else if first {
						firsts.Add(1)
					}
				})
				if n := firsts.Load(); n != 1 {
					t.Errorf("round %d: %d claims were first, want 1", round, n)
				}
			}
		},
		"32 callers with overlapping ids share them out without loss": func(t *testing.T, f *fixture) {
			until := f.clock.Now().Add(time.Minute)
			const ids = 200
			var firsts [ids]atomic.Int32
			inParallel(32, func(caller int) {
				for i := range ids {
					id := (i + caller*7) % ids
					first, err := f.Claim(t.Context(), "jti", issuer, fmt.Sprint(id), until)
					if err != nil {
						t.Error(err)
					} else if first {
						firsts[id].Add(1)
					}
				}
			})
			for id := range firsts {
				if n := firsts[id].Load(); n != 1 {
					t.Errorf("id %d: %d claims were first, want 1", id, n)
				}
			}
		},
		"callers who leave break nobody else's claim": func(t *testing.T, f *fixture) {
			until := f.clock.Now().Add(time.Minute)
			inParallel(64, func(i int) {
				for n := range 20 {
					id := fmt.Sprint(i, ".", n)
					if i%2 == 0 {
						claim(t, f, id, until, true)
						continue
					}
					ctx, cancel := context.WithCancel(t.Context())
					go cancel()
					if _, err := f.Claim(ctx, "jti", issuer, id, until); err != nil && !errors.Is(err, context.Canceled) {
						t.Errorf("the one who left: %v", err)
					}
					cancel()
				}
			})
		},
	})
}

// inParallel runs f(0) … f(n-1), lets them go at once, and waits for all.
func inParallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-gate
			f(i)
		})
	}
	close(gate)
	wg.Wait()
}
