package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"apostille/broker/store"
)

func testPendings(t *testing.T, open Open) {
	put := func(t *testing.T, f *fixture, kind, handle, value string) {
		t.Helper()
		must(t, f.PutPending(t.Context(), kind, handle, store.Pending{Value: []byte(value), Until: f.clock.Now().Add(time.Minute)}))
	}
	take := func(t *testing.T, s store.Pendings, kind, handle, want string) {
		t.Helper()
		p, ok, err := s.TakePending(t.Context(), kind, handle)
		if err != nil || string(p.Value) != want || ok != (want != "") {
			t.Errorf("take of %s %q: %q, %v, error %v; want %q", kind, handle, p.Value, ok, err, want)
		}
	}
	cases(t, open, map[string]func(*testing.T, *fixture){
		"what is put comes back once": func(t *testing.T, f *fixture) {
			put(t, f, "login", "a", "one")
			put(t, f, "login", "b", "two")
			for range 2 {
				p, ok, err := f.PeekPending(t.Context(), "login", "a")
				if err != nil || !ok || string(p.Value) != "one" || !p.Until.Equal(f.clock.Now().Add(time.Minute)) {
					t.Errorf("peek: %+v, %v, error %v", p, ok, err)
				}
			}
			take(t, f, "login", "a", "one")
			take(t, f, "login", "a", "")
			if _, ok, err := f.PeekPending(t.Context(), "login", "a"); ok || err != nil {
				t.Errorf("peek after take: %v, error %v", ok, err)
			}
			take(t, f, "login", "b", "two")
			take(t, f, "login", "never put", "")
		},
		"a handle of one kind never finds another (A102)": func(t *testing.T, f *fixture) {
			put(t, f, "login", "a", "one")
			put(t, f, "par", "a", "two")
			for _, other := range [][2]string{{"logi", "na"}, {"login\x00", "a"}, {"login", "a\x00"}, {"result", "a"}, {"LOGIN", "a"}, {"login", "A"}} {
				take(t, f, other[0], other[1], "")
			}
			take(t, f, "par", "a", "two")
			take(t, f, "login", "a", "one")
		},
		"it is gone when its time is over": func(t *testing.T, f *fixture) {
			put(t, f, "login", "a", "one")
			put(t, f, "login", "b", "two")
			f.clock.Add(time.Minute - time.Microsecond)
			take(t, f, "login", "a", "one")
			f.clock.Add(time.Microsecond)
			if _, ok, err := f.PeekPending(t.Context(), "login", "b"); ok || err != nil {
				t.Errorf("peek: %v, error %v", ok, err)
			}
			take(t, f, "login", "b", "")
			put(t, f, "login", "b", "three") // the handle is free again
			take(t, f, "login", "b", "three")
		},
		"a second put under one handle is refused, and changes nothing": func(t *testing.T, f *fixture) {
			put(t, f, "login", "a", "one")
			err := f.PutPending(t.Context(), "login", "a", store.Pending{Value: []byte("two"), Until: f.clock.Now().Add(time.Hour)})
			if !errors.Is(err, store.ErrInvalid) {
				t.Errorf("error %v, want ErrInvalid", err)
			}
			take(t, f, "login", "a", "one")
		},
		"what cannot be kept is refused": func(t *testing.T, f *fixture) {
			until := f.clock.Now().Add(time.Minute)
			for name, c := range map[string]struct {
				kind, handle string
				p            store.Pending
			}{
				"no kind":          {"", "a", store.Pending{Value: []byte("x"), Until: until}},
				"no handle":        {"login", "", store.Pending{Value: []byte("x"), Until: until}},
				"no value":         {"login", "a", store.Pending{Until: until}},
				"no end":           {"login", "a", store.Pending{Value: []byte("x")}},
				"too long a value": {"login", "a", store.Pending{Value: make([]byte, store.MaxPending+1), Until: until}},
				"too long for all": {"login", "a", store.Pending{Value: make([]byte, store.MaxVouched+1), Until: until, Vouched: true}},
			} {
				if err := f.PutPending(t.Context(), c.kind, c.handle, c.p); !errors.Is(err, store.ErrInvalid) {
					t.Errorf("%s: error %v, want ErrInvalid", name, err)
				}
			}
			must(t, f.PutPending(t.Context(), "login", "a", store.Pending{Value: make([]byte, store.MaxPending), Until: until}))
		},
		"what somebody vouches for may be large, and comes back as it was": func(t *testing.T, f *fixture) {
			// 64 KB and 256 KB are where lengths and chunks of an implementation may end.
			for _, size := range []int{store.MaxPending + 1, 1<<16 + 1, 1<<18 + 1, store.MaxVouched} {
				handle := fmt.Sprint(size)
				value := bytes.Repeat([]byte("0123456789abcdef\x00"), size/17+1)[:size]
				must(t, f.PutPending(t.Context(), "hop", handle, store.Pending{Value: value, Until: f.clock.Now().Add(time.Minute), Vouched: true}))
				put(t, f, "hop", handle+" beside it", "small")
				p, ok, err := f.TakePending(t.Context(), "hop", handle)
				must(t, err)
				if !ok || !bytes.Equal(p.Value, value) {
					t.Errorf("%d bytes came back as %d", size, len(p.Value))
				}
				take(t, f, "hop", handle+" beside it", "small")
			}
		},
		"values belong to their callers": func(t *testing.T, f *fixture) {
			value := []byte("one")
			must(t, f.PutPending(t.Context(), "login", "a", store.Pending{Value: value, Until: f.clock.Now().Add(time.Minute)}))
			value[0] = 'X'
			p, _, err := f.PeekPending(t.Context(), "login", "a")
			must(t, err)
			if !bytes.Equal(p.Value, []byte("one")) {
				t.Errorf("the caller's slice was kept: %q", p.Value)
			}
			p.Value[0] = 'Y'
			take(t, f, "login", "a", "one")
		},
		"a restart keeps what waits, and what was taken stays taken (R03)": func(t *testing.T, f *fixture) {
			put(t, f, "login", "a", "one")
			put(t, f, "login", "b", "two")
			take(t, f, "login", "a", "one")
			must(t, f.Close())
			again := f.reopen()
			take(t, again, "login", "a", "")
			take(t, again, "login", "b", "two")
		},
		"of 100 parallel takes, on two handles, exactly one finds it (R02)": func(t *testing.T, f *fixture) {
			handles := []store.Store{f, f.reopen()}
			for round := range 3 {
				put(t, f, "login", fmt.Sprint(round), "one")
				var taken atomic.Int32
				inParallel(100, func(i int) {
					_, ok, err := handles[i%2].TakePending(t.Context(), "login", fmt.Sprint(round))
					if err != nil {
						t.Error(err)
					} else if ok {
						taken.Add(1)
					}
				})
				if n := taken.Load(); n != 1 {
					t.Errorf("round %d: taken %d times", round, n)
				}
			}
		},
		"many waiting ones of two kinds keep their values": func(t *testing.T, f *fixture) {
			value := func(i int) string { return fmt.Sprint(i, bytes.Repeat([]byte{'x'}, i*7%900)) }
			inParallel(8, func(worker int) {
				for i := worker; i < 400; i += 8 {
					put(t, f, []string{"login", "par"}[i%2], fmt.Sprint(i), value(i))
				}
			})
			inParallel(8, func(worker int) {
				for i := worker; i < 400; i += 8 {
					take(t, f, []string{"par", "login"}[i%2], fmt.Sprint(i), "")
					take(t, f, []string{"login", "par"}[i%2], fmt.Sprint(i), value(i))
				}
			})
		},
	})
}

// Bounded runs the suite of a store that was opened with room for three pendings of each kind.
func Bounded(t *testing.T, open Open) {
	t.Helper()
	cases(t, open, map[string]func(*testing.T, *fixture){
		"the oldest of a kind makes room (A120)": func(t *testing.T, f *fixture) {
			until := f.clock.Now().Add(time.Minute)
			must(t, f.PutPending(t.Context(), "par", "other", store.Pending{Value: []byte("x"), Until: until}))
			for i := range 5 {
				must(t, f.PutPending(t.Context(), "login", fmt.Sprint(i), store.Pending{Value: []byte("x"), Until: until}))
			}
			for i := range 5 {
				if _, ok, err := f.PeekPending(t.Context(), "login", fmt.Sprint(i)); err != nil || ok != (i >= 2) {
					t.Errorf("login %d: %v, error %v", i, ok, err)
				}
			}
			if _, ok, err := f.PeekPending(t.Context(), "par", "other"); err != nil || !ok {
				t.Errorf("the other kind: %v, error %v", ok, err)
			}
		},
		"one that was taken leaves its place to the next": func(t *testing.T, f *fixture) {
			until := f.clock.Now().Add(time.Minute)
			for i := range 20 {
				must(t, f.PutPending(t.Context(), "login", fmt.Sprint(i), store.Pending{Value: []byte("x"), Until: until}))
				if i == 0 {
					continue
				}
				if _, ok, err := f.TakePending(t.Context(), "login", fmt.Sprint(i)); err != nil || !ok {
					t.Errorf("login %d: %v, error %v", i, ok, err)
				}
			}
			if _, ok, err := f.PeekPending(t.Context(), "login", "0"); err != nil || !ok {
				t.Errorf("the first: %v, error %v", ok, err)
			}
		},
	})
}
