package storetest

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"apostille/broker/store"
)

// put puts a source and fails the test if the answer is not the wanted one.
func put(t *testing.T, s store.Sources, source store.Source, was string, want bool) {
	t.Helper()
	var before []byte
	if was != "" {
		before = []byte(was)
	}
	if ok, err := s.PutSource(t.Context(), source, before); err != nil || ok != want {
		t.Errorf("%q in the place of %q: %v, error %v; want %v", source.Value, was, ok, err, want)
	}
}

func wantSource(t *testing.T, s store.Sources, h store.Hash, want string) {
	t.Helper()
	got, ok, err := s.Source(t.Context(), h)
	if err != nil || string(got.Value) != want || ok != (want != "") {
		t.Errorf("found %v %q, error %v; want %q", ok, got.Value, err, want)
	}
}

func testSources(t *testing.T, open Open) {
	of := func(f *fixture, session, trust, value string) store.Source {
		return store.Source{Hash: hash(session + trust), Session: session, Trust: trust, Value: []byte(value), Until: f.clock.Now().Add(time.Hour)}
	}
	cases(t, open, map[string]func(*testing.T, *fixture){
		"a source is replaced by who knows what it was": func(t *testing.T, f *fixture) {
			one := of(f, "s", "hq", "1")
			wantSource(t, f, one.Hash, "")
			put(t, f, of(f, "s", "hq", "2"), "1", false) // there is none
			put(t, f, one, "", true)
			put(t, f, of(f, "s", "hq", "2"), "", false) // there is one
			put(t, f, of(f, "s", "hq", "2"), "0", false)
			got, ok, err := f.reopen().Source(t.Context(), one.Hash)
			if d := cmp.Diff(one, got); d != "" || !ok || err != nil {
				t.Errorf("%v, error %v, differs:\n%s", ok, err, d)
			}
			put(t, f, of(f, "s", "hq", "2"), "1", true)
			wantSource(t, f, one.Hash, "2")
		},
		"a source that is over is none": func(t *testing.T, f *fixture) {
			one := of(f, "s", "hq", "1")
			put(t, f, one, "", true)
			f.clock.Add(time.Hour)
			wantSource(t, f, one.Hash, "")
			put(t, f, of(f, "s", "hq", "2"), "1", false)
			put(t, f, of(f, "s", "hq", "3"), "", true)
			wantSource(t, f, one.Hash, "3")
		},
		"what cannot be a source is refused": func(t *testing.T, f *fixture) {
			good := of(f, "s", "hq", "1")
			for name, change := range map[string]func(*store.Source){
				"without hash": func(s *store.Source) { s.Hash = store.Hash{} }, "without end": func(s *store.Source) { s.Until = time.Time{} },
				"without value": func(s *store.Source) { s.Value = nil },
			} {
				bad := good
				change(&bad)
				if ok, err := f.PutSource(t.Context(), bad, nil); ok || !errors.Is(err, store.ErrInvalid) {
					t.Errorf("%s: %v, error %v", name, ok, err)
				}
			}
			put(t, f, good, "", true)
		},
		"of 50 parallel replacements of one value, on two handles, exactly one succeeds (R02)": func(t *testing.T, f *fixture) {
			put(t, f, of(f, "s", "hq", "start"), "", true)
			handles := []store.Store{f, f.reopen()}
			var won atomic.Int32
			inParallel(50, func(i int) {
				ok, err := handles[i%2].PutSource(t.Context(), of(f, "s", "hq", fmt.Sprint("next ", i)), []byte("start"))
				if err != nil {
					t.Error(err)
				} else if ok {
					won.Add(1)
				}
			})
			if won.Load() != 1 {
				t.Errorf("%d succeeded", won.Load())
			}
		},
		"a source ends with the identity or session it belongs to": func(t *testing.T, f *fixture) {
			signIn(t, f, "s", identity(f, "hq", "alice"), identity(f, "west", "bob"))
			signIn(t, f, "other", identity(f, "hq", "alice"))
			hq, west, other := of(f, "s", "hq", "1"), of(f, "s", "west", "2"), of(f, "other", "hq", "3")
			for _, s := range []store.Source{hq, west, other} {
				put(t, f, s, "", true)
			}
			_, _, err := f.EndSessions(t.Context(), store.SessionQuery{ID: "s", Trust: "hq"})
			must(t, err)
			wantSource(t, f, hq.Hash, "")
			wantSource(t, f, west.Hash, "2")
			put(t, f, of(f, "s", "hq", "9"), "1", false) // an answer that came too late brings nothing back
			_, _, err = f.EndSessions(t.Context(), store.SessionQuery{ID: "s"})
			must(t, err)
			wantSource(t, f, west.Hash, "")
			wantSource(t, f, other.Hash, "3")
		},
	})
}
