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
			begin(t, f, family(f, "f"))
			wantRotation(t, f, rotation(f, "f-0", "f-1", 0), store.RotationDone, "answer to f-0")
			must(t, f.PutConsent(t.Context(), store.Consent{Sub: "alice", Client: "portal"}))
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
	until := f.clock.Now().Add(time.Minute)
	fam, session := family(f, "f"), store.Session{ID: "s", IdleUntil: until, Until: until}
	out := map[string]error{
		"ChangeKeys":     f.ChangeKeys(ctx, replaceWith()),
		"SaveKeySet":     f.SaveKeySet(ctx, "a", store.KeySet{}),
		"SetSubject":     f.SetSubject(ctx, store.SubjectMark{Sub: "a", Blocked: true}),
		"Ping":           f.Ping(ctx),
		"PutPending":     f.PutPending(ctx, "login", "a", store.Pending{Value: []byte("x"), Until: until}),
		"PutCode":        f.PutCode(ctx, store.Code{Hash: hash("c"), Until: until}),
		"CreateSession":  f.CreateSession(ctx, hash("s"), session),
		"TouchSession":   f.TouchSession(ctx, hash("s"), until, until),
		"PutConsent":     f.PutConsent(ctx, store.Consent{Sub: "a", Client: "b"}),
		"PutOpaque":      f.PutOpaque(ctx, store.Opaque{Hash: hash("o"), Until: until}),
		"RevokeToken":    f.RevokeToken(ctx, "a", until),
		"PutDeliveries":  f.PutDeliveries(ctx, []store.Delivery{{ID: "d"}}),
		"UpdateDelivery": f.UpdateDelivery(ctx, store.Delivery{ID: "d"}),
	}
	_, out["Claim"] = f.Claim(ctx, "jti", issuer, "a", until)
	_, out["ListKeys"] = f.ListKeys(ctx)
	_, _, out["LoadKeySet"] = f.LoadKeySet(ctx, "a")
	_, out["ListSubjects"] = f.ListSubjects(ctx)
	_, out["Version"] = f.Version(ctx)
	_, _, out["PeekPending"] = f.PeekPending(ctx, "login", "a")
	_, _, out["TakePending"] = f.TakePending(ctx, "login", "a")
	_, _, out["Code"] = f.Code(ctx, hash("c"))
	_, out["RedeemCode"] = f.RedeemCode(ctx, hash("c"), fam, nil)
	_, _, out["Family"] = f.Family(ctx, "f")
	_, _, _, out["Refresh"] = f.Refresh(ctx, hash("r"))
	_, _, out["Rotate"] = f.Rotate(ctx, rotation(f, "r", "s", 0))
	_, out["UpdateFamily"] = f.UpdateFamily(ctx, "f", nil, until)
	_, out["EndFamilies"] = f.EndFamilies(ctx, store.FamilyQuery{ID: "f"}, "revoked")
	_, out["ListFamilies"] = f.ListFamilies(ctx, store.FamilyQuery{}, 1)
	_, _, out["Session"] = f.Session(ctx, hash("s"))
	_, out["RenewSession"] = f.RenewSession(ctx, hash("s"), hash("t"), identity(f, "a", "b"), until, until)
	_, _, out["EndSessions"] = f.EndSessions(ctx, store.SessionQuery{ID: "s"})
	_, out["ListSessions"] = f.ListSessions(ctx, store.SessionQuery{ID: "s"}, 1)
	_, _, out["Consent"] = f.Consent(ctx, "a", "b")
	_, out["WithdrawConsent"] = f.WithdrawConsent(ctx, "a", "b")
	_, out["ListConsents"] = f.ListConsents(ctx, "a")
	_, _, out["Opaque"] = f.Opaque(ctx, hash("o"))
	_, out["TokenRevoked"] = f.TokenRevoked(ctx, "a", "")
	_, out["DueDeliveries"] = f.DueDeliveries(ctx, until, 1)
	_, out["ListDeliveries"] = f.ListDeliveries(ctx, "", 1)
	return out
}
