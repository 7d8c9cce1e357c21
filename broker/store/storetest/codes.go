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

func testCodes(t *testing.T, open Open) {
	put := func(t *testing.T, f *fixture, handle string) store.Code {
		t.Helper()
		c := store.Code{Hash: hash(handle), Value: []byte("value"), Session: "session", Until: f.clock.Now().Add(time.Minute)}
		must(t, f.PutCode(t.Context(), c))
		return c
	}
	redeem := func(t *testing.T, s store.Families, handle string, fam store.Family, want bool) {
		t.Helper()
		first, err := s.RedeemCode(t.Context(), hash(handle), fam, &store.Refresh{Hash: hash(fam.ID + "-0"), Until: fam.Until})
		if err != nil || first != want {
			t.Errorf("code %q for %s: first = %v, error %v; want %v", handle, fam.ID, first, err, want)
		}
	}
	t.Run("concurrency", func(t *testing.T) { testConcurrentCodes(t, open) })
	cases(t, open, map[string]func(*testing.T, *fixture){
		"a code comes back as it was put, and says what it was redeemed for": func(t *testing.T, f *fixture) {
			want := put(t, f, "c")
			got, ok, err := f.Code(t.Context(), hash("c"))
			if d := cmp.Diff(want, got); d != "" || !ok || err != nil {
				t.Errorf("%v, error %v, differs:\n%s", ok, err, d)
			}
			redeem(t, f, "c", family(f, "f"), true)
			want.Family = "f"
			got, ok, err = f.reopen().Code(t.Context(), hash("c"))
			if d := cmp.Diff(want, got); d != "" || !ok || err != nil {
				t.Errorf("redeemed: %v, error %v, differs:\n%s", ok, err, d)
			}
			if _, ok, err := f.Code(t.Context(), hash("d")); ok || err != nil {
				t.Errorf("unknown: %v, error %v", ok, err)
			}
		},
		"a second use ends the family, at once and after 30 s, also when the code is over (A101)": func(t *testing.T, f *fixture) {
			for i, wait := range []time.Duration{0, 30 * time.Second, 5 * time.Minute, 50 * time.Minute} {
				handle, id := fmt.Sprint("c", i), fmt.Sprint("f", i)
				put(t, f, handle)
				redeem(t, f, handle, family(f, id), true)
				f.clock.Add(wait)
				wantFamily(t, f, id, "")
				redeem(t, f, handle, family(f, id+" again"), false)
				wantFamily(t, f, id, store.WhyReuse)
				if _, ok, err := f.Family(t.Context(), id+" again"); ok || err != nil {
					t.Errorf("after %v the second use made a family: error %v", wait, err)
				}
			}
		},
		"a code that is over or unknown makes no family (A101)": func(t *testing.T, f *fixture) {
			put(t, f, "c")
			put(t, f, "d")
			f.clock.Add(time.Minute - time.Microsecond)
			redeem(t, f, "d", family(f, "in time"), true)
			f.clock.Add(time.Microsecond)
			redeem(t, f, "c", family(f, "late"), false)
			redeem(t, f, "never issued", family(f, "forged"), false)
			for _, id := range []string{"late", "forged"} {
				if _, ok, err := f.Family(t.Context(), id); ok || err != nil {
					t.Errorf("family %s: %v, error %v", id, ok, err)
				}
			}
			if _, _, ok, err := f.Refresh(t.Context(), hash("late-0")); ok || err != nil {
				t.Errorf("refresh: %v, error %v", ok, err)
			}
		},
		"a restart between the first and the second use changes nothing (R03)": func(t *testing.T, f *fixture) {
			put(t, f, "c")
			redeem(t, f, "c", family(f, "f"), true)
			must(t, f.Close())
			again := f.reopen()
			redeem(t, again, "c", family(f, "g"), false)
			wantFamily(t, again, "f", store.WhyReuse)
		},
		"without a refresh token there is none": func(t *testing.T, f *fixture) {
			put(t, f, "c")
			first, err := f.RedeemCode(t.Context(), hash("c"), family(f, "f"), nil)
			if err != nil || !first {
				t.Errorf("first = %v, error %v", first, err)
			}
			wantFamily(t, f, "f", "")
		},
		"what cannot be kept is refused and consumes nothing": func(t *testing.T, f *fixture) {
			put(t, f, "taken")
			redeem(t, f, "taken", family(f, "taken"), true)
			c := put(t, f, "c")
			if err := f.PutCode(t.Context(), c); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("a second put: error %v, want ErrInvalid", err)
			}
			good, until := family(f, "f"), f.clock.Now().Add(time.Minute)
			none, endless, ended := good, good, good
			none.ID, endless.Until, ended.Ended = "", time.Time{}, f.clock.Now()
			for name, r := range map[string]struct {
				fam store.Family
				r   *store.Refresh
			}{
				"no ID":                          {none, nil},
				"no end":                         {endless, nil},
				"ended already":                  {ended, nil},
				"a family that exists":           {family(f, "taken"), nil},
				"a refresh token that exists":    {good, &store.Refresh{Hash: hash("taken-0"), Until: until}},
				"a refresh token of another one": {good, &store.Refresh{Hash: hash("f-0"), Family: "taken", Until: until}},
				"a refresh token without end":    {good, &store.Refresh{Hash: hash("f-0")}},
			} {
				if first, err := f.RedeemCode(t.Context(), hash("c"), r.fam, r.r); first || !errors.Is(err, store.ErrInvalid) {
					t.Errorf("%s: first = %v, error %v; want ErrInvalid", name, first, err)
				}
			}
			redeem(t, f, "c", good, true)
		},
	})
}

func testConcurrentCodes(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, *fixture){
		"of 100 parallel uses, on two handles, one is first, and the reuse ends its family (A101, R02)": func(t *testing.T, f *fixture) {
			handles := []store.Store{f, f.reopen()}
			for round := range 3 {
				code := hash(fmt.Sprint("code", round))
				must(t, f.PutCode(t.Context(), store.Code{Hash: code, Until: f.clock.Now().Add(time.Minute)}))
				var firsts atomic.Int32
				var winner atomic.Value
				inParallel(100, func(i int) {
					fam := family(f, fmt.Sprint(round, ".", i))
					first, err := handles[i%2].RedeemCode(t.Context(), code, fam, &store.Refresh{Hash: hash(fam.ID), Until: fam.Until})
					if err != nil {
						t.Error(err)
					} else if first {
						firsts.Add(1)
						winner.Store(fam.ID)
					}
				})
				if n := firsts.Load(); n != 1 {
					t.Fatalf("round %d: %d were first, want 1", round, n)
				}
				wantFamily(t, f, winner.Load().(string), store.WhyReuse)
				list, err := f.ListFamilies(t.Context(), store.FamilyQuery{}, 10)
				wantFamilies(t, list, err)
			}
		},
		"different codes at once are all first": func(t *testing.T, f *fixture) {
			inParallel(64, func(i int) {
				begin(t, f, family(f, fmt.Sprint(i)))
			})
			list, err := f.ListFamilies(t.Context(), store.FamilyQuery{Client: "portal"}, 100)
			if err != nil || len(list) != 64 {
				t.Errorf("%d families, error %v; want 64", len(list), err)
			}
		},
	})
}
