package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"apostille/broker/store"
)

// replaceWith is a change that writes exactly list.
func replaceWith(list ...store.Key) func([]store.Key) ([]store.Key, error) {
	return func([]store.Key) ([]store.Key, error) { return list, nil }
}

func wantKeys(t *testing.T, s store.Keys, want ...store.Key) {
	t.Helper()
	got, err := s.ListKeys(t.Context())
	must(t, err)
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("keys differ (-want +got):\n%s", d)
	}
}

func testKeys(t *testing.T, open Open) {
	created := NewClock().Now()
	full := store.Key{
		ID: "full", Purpose: "token", Alg: "ES256", Wrapped: []byte{0, 1, 255}, Public: []byte{2},
		Created: created, ActiveAt: created.Add(time.Hour), RetireAt: created.Add(2 * time.Hour), GoneAt: created.Add(3 * time.Hour),
	}
	bare := store.Key{ID: "bare", Wrapped: []byte{9}, Public: []byte{8}, Created: created.Add(time.Second)}

	t.Run("atomicity", func(t *testing.T) { testChangeKeys(t, open, full, bare) })
	cases(t, open, map[string]func(*testing.T, *fixture){
		"a new store has none": func(t *testing.T, f *fixture) { wantKeys(t, f) },
		"every field comes back, zero times too, after a restart": func(t *testing.T, f *fixture) {
			must(t, f.ChangeKeys(t.Context(), replaceWith(full, bare)))
			wantKeys(t, f, full, bare)
			must(t, f.Close())
			wantKeys(t, f.reopen(), full, bare)
		},
		"they are ordered by creation, then ID": func(t *testing.T, f *fixture) {
			a, b, c := full, full, full
			a.ID, b.ID, c.ID = "z", "a", "b"
			b.Created, c.Created = created.Add(time.Second), created.Add(time.Second)
			must(t, f.ChangeKeys(t.Context(), replaceWith(c, b, a)))
			wantKeys(t, f, a, b, c)
			must(t, f.ChangeKeys(t.Context(), func(list []store.Key) ([]store.Key, error) {
				if d := cmp.Diff([]store.Key{a, b, c}, list); d != "" {
					t.Errorf("change sees another order:\n%s", d)
				}
				return list, nil
			}))
		},
		"times come back in UTC, cut to the microsecond": func(t *testing.T, f *fixture) {
			odd := bare
			odd.Created = created.Add(789).In(time.FixedZone("elsewhere", 3600))
			must(t, f.ChangeKeys(t.Context(), replaceWith(odd)))
			odd.Created = created
			wantKeys(t, f, odd)
		},
		"bytes belong to the caller on both sides": func(t *testing.T, f *fixture) {
			mine := full
			mine.Wrapped = []byte{0, 1, 255}
			must(t, f.ChangeKeys(t.Context(), replaceWith(mine)))
			mine.Wrapped[0] = 77
			got, err := f.ListKeys(t.Context())
			must(t, err)
			got[0].Public[0] = 77
			wantKeys(t, f, full)
		},
	})
}

func testChangeKeys(t *testing.T, open Open, full, bare store.Key) {
	cases(t, open, map[string]func(*testing.T, *fixture){
		"a failing change leaves everything as it was": func(t *testing.T, f *fixture) {
			must(t, f.ChangeKeys(t.Context(), replaceWith(full)))
			refused := errors.New("refused")
			err := f.ChangeKeys(t.Context(), func([]store.Key) ([]store.Key, error) { return []store.Key{bare}, refused })
			if !errors.Is(err, refused) {
				t.Errorf("error %v, want the change's own", err)
			}
			wantKeys(t, f, full)
		},
		"a change that panics leaves everything as it was, and the store usable": func(t *testing.T, f *fixture) {
			must(t, f.ChangeKeys(t.Context(), replaceWith(full)))
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic was swallowed")
					}
				}()
				_ = f.ChangeKeys(t.Context(), func([]store.Key) ([]store.Key, error) { panic("boom") })
			}()
			wantKeys(t, f, full)
			must(t, f.ChangeKeys(t.Context(), replaceWith(bare)))
			wantKeys(t, f, bare)
		},
		"a change whose caller leaves meanwhile leaves everything as it was": func(t *testing.T, f *fixture) {
			must(t, f.ChangeKeys(t.Context(), replaceWith(full)))
			ctx, cancel := context.WithCancel(t.Context())
			err := f.ChangeKeys(ctx, func([]store.Key) ([]store.Key, error) {
				cancel()
				return []store.Key{bare}, nil
			})
			if err == nil {
				t.Error("no error")
			}
			wantKeys(t, f, full)
		},
		"a list with an empty or repeated ID is refused": func(t *testing.T, f *fixture) {
			must(t, f.ChangeKeys(t.Context(), replaceWith(full)))
			for _, list := range [][]store.Key{{bare, {}}, {bare, bare}} {
				if err := f.ChangeKeys(t.Context(), replaceWith(list...)); !errors.Is(err, store.ErrInvalid) {
					t.Errorf("error %v, want ErrInvalid", err)
				}
			}
			wantKeys(t, f, full)
		},
		"changes under two handles never interleave": func(t *testing.T, f *fixture) {
			handles := []store.Store{f, f.reopen()}
			const each = 10
			inParallel(8, func(i int) {
				for n := range each {
					err := handles[i%2].ChangeKeys(t.Context(), func(list []store.Key) ([]store.Key, error) {
						k := bare
						k.ID = fmt.Sprint(i, ".", n)
						return append(list, k), nil
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
			for _, h := range handles {
				list, err := h.ListKeys(t.Context())
				must(t, err)
				if len(list) != 8*each {
					t.Errorf("%d keys, want %d: a change was lost", len(list), 8*each)
				}
			}
		},
		"a reader sees all of a change or none": func(t *testing.T, f *fixture) {
			other := f.reopen()
			a, b := full, bare
			must(t, f.ChangeKeys(t.Context(), replaceWith(a, b)))
			inParallel(2, func(i int) {
				for range 30 {
					if i == 0 {
						a.ID, b.ID = b.ID, a.ID
						if err := f.ChangeKeys(t.Context(), replaceWith(a, b)); err != nil {
							t.Error(err)
						}
						continue
					}
					list, err := other.ListKeys(t.Context())
					if err != nil || len(list) != 2 || list[0].ID == list[1].ID {
						t.Errorf("error %v, saw %+v", err, list)
					}
				}
			})
		},
	})
}

func testKeySets(t *testing.T, open Open) {
	fetched := NewClock().Now()
	want := store.KeySet{JWKS: []byte(`{"keys":[]}`), JWKSURI: "https://idp.hq.hmart.example/jwks", Fetched: fetched}
	check := func(t *testing.T, s store.KeySets, source string, want store.KeySet, found bool) {
		t.Helper()
		got, ok, err := s.LoadKeySet(t.Context(), source)
		must(t, err)
		if d := cmp.Diff(want, got); ok != found || d != "" {
			t.Errorf("%q: found = %v, want %v (-want +got):\n%s", source, ok, found, d)
		}
	}
	cases(t, open, map[string]func(*testing.T, *fixture){
		"one that was never saved is no error": func(t *testing.T, f *fixture) {
			check(t, f, "a", store.KeySet{}, false)
		},
		"one comes back after a restart, under its source only": func(t *testing.T, f *fixture) {
			must(t, f.SaveKeySet(t.Context(), "a", want))
			must(t, f.Close())
			again := f.reopen()
			check(t, again, "a", want, true)
			check(t, again, "A", store.KeySet{}, false)
		},
		"a later one replaces it": func(t *testing.T, f *fixture) {
			must(t, f.SaveKeySet(t.Context(), "a", want))
			later := store.KeySet{JWKS: []byte(`{}`), Fetched: fetched.Add(time.Minute)}
			must(t, f.SaveKeySet(t.Context(), "a", later))
			check(t, f, "a", later, true)
		},
		"an empty source is refused": func(t *testing.T, f *fixture) {
			if err := f.SaveKeySet(t.Context(), "", want); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("error %v, want ErrInvalid", err)
			}
		},
		"bytes belong to the caller on both sides": func(t *testing.T, f *fixture) {
			mine := want
			mine.JWKS = []byte(`{"keys":[]}`)
			must(t, f.SaveKeySet(t.Context(), "a", mine))
			mine.JWKS[0] = 'x'
			got, _, err := f.LoadKeySet(t.Context(), "a")
			must(t, err)
			got.JWKS[1] = 'x'
			check(t, f, "a", want, true)
		},
	})
}
