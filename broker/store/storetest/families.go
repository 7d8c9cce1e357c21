package storetest

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"apostille/broker/store"
)

func hash(handle string) store.Hash { return sha256.Sum256([]byte(handle)) }

// family is one that lives for an hour from now.
func family(f *fixture, id string) store.Family {
	return store.Family{
		ID: id, Session: "session", Client: "portal", Trust: "head-office", Sub: "alice", SID: "sid-" + id,
		Subject: []byte(`{"sub":"alice"}`), Created: f.clock.Now(), Until: f.clock.Now().Add(time.Hour),
	}
}

// begin redeems a code for a family and its first refresh token, "ID-0".
func begin(t *testing.T, f *fixture, fam store.Family) {
	t.Helper()
	until := f.clock.Now().Add(time.Minute)
	must(t, f.PutCode(t.Context(), store.Code{Hash: hash("code " + fam.ID), Value: []byte("v"), Session: fam.Session, Until: until}))
	first, err := f.RedeemCode(t.Context(), hash("code "+fam.ID), fam, &store.Refresh{Hash: hash(fam.ID + "-0"), Until: fam.Until})
	if err != nil || !first {
		t.Fatalf("code of %s: first = %v, error %v", fam.ID, first, err)
	}
}

// wantFamily says whether a family lives, or why it ended.
func wantFamily(t *testing.T, s store.Families, id, why string) {
	t.Helper()
	f, ok, err := s.Family(t.Context(), id)
	if err != nil || !ok || f.Why != why || f.Ended.IsZero() != (why == "") {
		t.Errorf("family %s: %v, ended %v because of %q, error %v; want %q", id, ok, f.Ended, f.Why, err, why)
	}
}

func wantFamilies(t *testing.T, got []store.Family, err error, want ...store.Family) {
	t.Helper()
	must(t, err)
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("families differ (-want +got):\n%s", d)
	}
}

func testFamilies(t *testing.T, open Open) {
	t.Run("codes", func(t *testing.T) { testCodes(t, open) })
	t.Run("rotation", func(t *testing.T) { testRotation(t, open) })
	t.Run("ending", func(t *testing.T) { testEnding(t, open) })
	cases(t, open, map[string]func(*testing.T, *fixture){
		"every field comes back, after a restart": func(t *testing.T, f *fixture) {
			want := family(f, "f")
			begin(t, f, want)
			must(t, f.Close())
			again := f.reopen()
			got, ok, err := again.Family(t.Context(), "f")
			if err != nil || !ok {
				t.Fatalf("%v, error %v", ok, err)
			}
			wantFamilies(t, []store.Family{got}, nil, want)
			token, got, ok, err := again.Refresh(t.Context(), hash("f-0"))
			if err != nil || !ok {
				t.Fatalf("%v, error %v", ok, err)
			}
			wantFamilies(t, []store.Family{got}, nil, want)
			if d := cmp.Diff(store.Refresh{Hash: hash("f-0"), Family: "f", Until: want.Until}, token); d != "" {
				t.Errorf("token differs:\n%s", d)
			}
		},
		"what is not there is not found": func(t *testing.T, f *fixture) {
			if _, ok, err := f.Family(t.Context(), "f"); ok || err != nil {
				t.Errorf("family: %v, error %v", ok, err)
			}
			if _, _, ok, err := f.Refresh(t.Context(), hash("x")); ok || err != nil {
				t.Errorf("refresh: %v, error %v", ok, err)
			}
		},
		"an update replaces the subject and shortens the life, never lengthens it": func(t *testing.T, f *fixture) {
			fam := family(f, "f")
			begin(t, f, fam)
			for _, c := range []struct{ until, want time.Time }{
				{time.Time{}, fam.Until},
				{fam.Until.Add(time.Hour), fam.Until},
				{fam.Until.Add(-time.Minute), fam.Until.Add(-time.Minute)},
			} {
				ok, err := f.UpdateFamily(t.Context(), "f", []byte("new"), c.until)
				got, _, _ := f.Family(t.Context(), "f")
				if err != nil || !ok || string(got.Subject) != "new" || !got.Until.Equal(c.want) {
					t.Errorf("%v: %v, error %v, now %+v", c.until, ok, err, got)
				}
			}
		},
		"what does not live is not updated": func(t *testing.T, f *fixture) {
			begin(t, f, family(f, "ended"))
			_, err := f.EndFamilies(t.Context(), store.FamilyQuery{ID: "ended"}, "revoked")
			must(t, err)
			begin(t, f, family(f, "over"))
			f.clock.Add(time.Hour)
			for _, id := range []string{"ended", "over", "unknown"} {
				if ok, err := f.UpdateFamily(t.Context(), id, []byte("new"), time.Time{}); ok || err != nil {
					t.Errorf("%s: %v, error %v", id, ok, err)
				}
			}
		},
	})
}

func testEnding(t *testing.T, open Open) {
	three := func(t *testing.T, f *fixture) (a, b, c store.Family) {
		a, b, c = family(f, "a"), family(f, "b"), family(f, "c")
		b.Client, b.Session, b.Created = "other", "session-2", a.Created.Add(-time.Minute)
		c.Trust, c.Sub, c.Created = "region", "bob", a.Created.Add(-2*time.Minute)
		for _, fam := range []store.Family{a, b, c} {
			begin(t, f, fam)
		}
		return a, b, c
	}
	cases(t, open, map[string]func(*testing.T, *fixture){
		"each field of a query selects, and all must match": func(t *testing.T, f *fixture) {
			a, b, c := three(t, f)
			for _, q := range []struct {
				query store.FamilyQuery
				want  []store.Family
			}{
				{store.FamilyQuery{}, []store.Family{a, b, c}},
				{store.FamilyQuery{ID: "b"}, []store.Family{b}},
				{store.FamilyQuery{Session: "session"}, []store.Family{a, c}},
				{store.FamilyQuery{Client: "portal"}, []store.Family{a, c}},
				{store.FamilyQuery{Trust: "head-office"}, []store.Family{a, b}},
				{store.FamilyQuery{Sub: "bob"}, []store.Family{c}},
				{store.FamilyQuery{Trust: "head-office", Sub: "bob"}, nil},
				{store.FamilyQuery{ID: "a", Client: "other"}, nil},
				{store.FamilyQuery{ID: "x"}, nil},
			} {
				got, err := f.ListFamilies(t.Context(), q.query, 10)
				wantFamilies(t, got, err, q.want...)
			}
			got, err := f.ListFamilies(t.Context(), store.FamilyQuery{}, 2)
			wantFamilies(t, got, err, a, b)
			got, err = f.ListFamilies(t.Context(), store.FamilyQuery{}, 0)
			wantFamilies(t, got, err)
		},
		"ended ones are returned as they were, once": func(t *testing.T, f *fixture) {
			a, b, c := three(t, f)
			got, err := f.EndFamilies(t.Context(), store.FamilyQuery{Trust: "head-office"}, "revoked")
			wantFamilies(t, got, err, a, b)
			got, err = f.EndFamilies(t.Context(), store.FamilyQuery{Sub: "alice"}, "logout")
			wantFamilies(t, got, err)
			wantFamily(t, f, "a", "revoked")
			wantFamily(t, f, "c", "")
			got, err = f.reopen().ListFamilies(t.Context(), store.FamilyQuery{}, 10)
			wantFamilies(t, got, err, c)
		},
		"a family that is over is not listed": func(t *testing.T, f *fixture) {
			three(t, f)
			f.clock.Add(time.Hour)
			got, err := f.ListFamilies(t.Context(), store.FamilyQuery{}, 10)
			wantFamilies(t, got, err)
		},
		"an empty query ends nothing": func(t *testing.T, f *fixture) {
			three(t, f)
			if _, err := f.EndFamilies(t.Context(), store.FamilyQuery{}, "revoked"); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("error %v, want ErrInvalid", err)
			}
			wantFamily(t, f, "a", "")
		},
		"the refresh tokens of an ended family are worth nothing": func(t *testing.T, f *fixture) {
			three(t, f)
			_, err := f.EndFamilies(t.Context(), store.FamilyQuery{ID: "a"}, "revoked")
			must(t, err)
			wantRotation(t, f, rotation(f, "a-0", "a-1", 10*time.Second), store.RotationUnknown, "")
			wantRotation(t, f, rotationOf(f, "other", "b-0", "b-1", 10*time.Second), store.RotationDone, "answer to b-0")
		},
	})
}
