package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"apostille/broker/store"
)

func wantSubjects(t *testing.T, s store.Subjects, want ...store.SubjectMark) {
	t.Helper()
	got, err := s.ListSubjects(t.Context())
	must(t, err)
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("subjects differ (-want +got):\n%s", d)
	}
}

func testSubjects(t *testing.T, open Open) {
	now := NewClock().Now()
	blocked := store.SubjectMark{Sub: "s2", Blocked: true, Note: "left on Friday", Changed: now}
	bounded := store.SubjectMark{Sub: "s1", NotBefore: now.Add(-time.Hour), Changed: now}
	cases(t, open, map[string]func(*testing.T, *fixture){
		"a new store has none": func(t *testing.T, f *fixture) { wantSubjects(t, f) },
		"marks come back ordered by subject, after a restart": func(t *testing.T, f *fixture) {
			must(t, f.SetSubject(t.Context(), blocked))
			must(t, f.SetSubject(t.Context(), bounded))
			wantSubjects(t, f, bounded, blocked)
			must(t, f.Close())
			wantSubjects(t, f.reopen(), bounded, blocked)
		},
		"a mark is replaced as a whole": func(t *testing.T, f *fixture) {
			must(t, f.SetSubject(t.Context(), blocked))
			next := bounded
			next.Sub = blocked.Sub
			must(t, f.SetSubject(t.Context(), next))
			wantSubjects(t, f, next)
		},
		"a mark that says nothing deletes it, and needs none to be there": func(t *testing.T, f *fixture) {
			must(t, f.SetSubject(t.Context(), blocked))
			must(t, f.SetSubject(t.Context(), bounded))
			for range 2 {
				must(t, f.SetSubject(t.Context(), store.SubjectMark{Sub: blocked.Sub, Note: "back again"}))
			}
			wantSubjects(t, f, bounded)
		},
		"the store's clock fills Changed in": func(t *testing.T, f *fixture) {
			m := blocked
			m.Changed = time.Time{}
			must(t, f.SetSubject(t.Context(), m))
			wantSubjects(t, f, blocked)
		},
		"an empty subject is refused": func(t *testing.T, f *fixture) {
			if err := f.SetSubject(t.Context(), store.SubjectMark{Blocked: true}); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("error %v, want ErrInvalid", err)
			}
			wantSubjects(t, f)
		},
	})
}

func testVersion(t *testing.T, open Open) {
	moves := func(write func(context.Context, store.Store) error) func(*testing.T, *fixture) {
		return func(t *testing.T, f *fixture) {
			other := f.reopen()
			before, err := f.Version(t.Context())
			must(t, err)
			must(t, write(t.Context(), other))
			after, err := f.Version(t.Context())
			must(t, err)
			if before == after {
				t.Errorf("version stayed %d", before)
			}
		}
	}
	cases(t, open, map[string]func(*testing.T, *fixture){
		"it moves when another handle changes keys": moves(func(ctx context.Context, s store.Store) error {
			return s.ChangeKeys(ctx, replaceWith(store.Key{ID: "a"}))
		}),
		"it moves when another handle marks a subject": moves(func(ctx context.Context, s store.Store) error {
			return s.SetSubject(ctx, store.SubjectMark{Sub: "a", Blocked: true})
		}),
		"it stands still otherwise": func(t *testing.T, f *fixture) {
			before, err := f.Version(t.Context())
			must(t, err)
			claim(t, f, "a", f.clock.Now().Add(time.Minute), true)
			must(t, f.SaveKeySet(t.Context(), "a", store.KeySet{JWKS: []byte("{}")}))
			if err := f.ChangeKeys(t.Context(), func([]store.Key) ([]store.Key, error) { return nil, errors.New("no") }); err == nil {
				t.Error("the failing change did not fail")
			}
			after, err := f.reopen().Version(t.Context())
			must(t, err)
			if before != after {
				t.Errorf("version moved from %d to %d", before, after)
			}
		},
	})
}

func testLifeCycle(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, *fixture){
		"an open store answers Ping": func(t *testing.T, f *fixture) { must(t, f.Ping(t.Context())) },
		"after Close every method says ErrClosed, and a second Close nothing": func(t *testing.T, f *fixture) {
			must(t, f.Close())
			for name, err := range afterClose(t.Context(), f) {
				if !errors.Is(err, store.ErrClosed) {
					t.Errorf("%s: error %v, want ErrClosed", name, err)
				}
			}
			must(t, f.Close())
		},
		"Close answers the claims that wait": func(t *testing.T, f *fixture) {
			until := f.clock.Now().Add(time.Minute)
			inParallel(33, func(i int) {
				if i == 32 {
					if err := f.Close(); err != nil {
						t.Error(err)
					}
					return
				}
				_, err := f.Claim(t.Context(), "jti", issuer, string(rune('a'+i)), until)
				if err != nil && !errors.Is(err, store.ErrClosed) {
					t.Errorf("error %v, want none or ErrClosed", err)
				}
			})
		},
		"one handle's Close leaves the other alone": func(t *testing.T, f *fixture) {
			other := f.reopen()
			must(t, f.Close())
			claim(t, other, "a", f.clock.Now().Add(time.Minute), true)
		},
	})
}

func afterClose(ctx context.Context, f *fixture) map[string]error {
	_, claimErr := f.Claim(ctx, "jti", issuer, "a", f.clock.Now().Add(time.Minute))
	_, keysErr := f.ListKeys(ctx)
	_, _, loadErr := f.LoadKeySet(ctx, "a")
	_, subjectsErr := f.ListSubjects(ctx)
	_, versionErr := f.Version(ctx)
	return map[string]error{
		"Claim": claimErr, "ListKeys": keysErr, "LoadKeySet": loadErr, "ListSubjects": subjectsErr, "Version": versionErr,
		"ChangeKeys": f.ChangeKeys(ctx, replaceWith()),
		"SaveKeySet": f.SaveKeySet(ctx, "a", store.KeySet{}),
		"SetSubject": f.SetSubject(ctx, store.SubjectMark{Sub: "a", Blocked: true}),
		"Ping":       f.Ping(ctx),
	}
}
