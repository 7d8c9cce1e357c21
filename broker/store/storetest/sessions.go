package storetest

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"apostille/broker/store"
)

func identity(f *fixture, trust, sub string) store.Identity {
	now := f.clock.Now()
	return store.Identity{
		Trust: trust, Sub: sub, SID: "sid of " + sub, AuthTime: now.Add(-time.Minute), SignedIn: now, Until: now.Add(10 * time.Hour), Value: []byte(sub),
	}
}

// signIn creates a session, found by the cookie of its ID.
func signIn(t *testing.T, f *fixture, id string, who ...store.Identity) store.Session {
	t.Helper()
	now := f.clock.Now()
	s := store.Session{
		ID: id, Created: now, Seen: now, IdleUntil: now.Add(8 * time.Hour), Until: now.Add(12 * time.Hour),
		Agent: "Firefox on Linux", Remote: "192.0.2.7", Identities: who,
	}
	must(t, f.CreateSession(t.Context(), hash(id), s))
	return s
}

func wantSession(t *testing.T, s store.Sessions, cookie string, want *store.Session) {
	t.Helper()
	got, ok, err := s.Session(t.Context(), hash(cookie))
	must(t, err)
	if want == nil {
		if ok {
			t.Errorf("cookie %q finds session %+v", cookie, got)
		}
		return
	}
	if d := cmp.Diff(*want, got); d != "" || !ok {
		t.Errorf("cookie %q: %v, differs (-want +got):\n%s", cookie, ok, d)
	}
}

func wantSessions(t *testing.T, got []store.Session, err error, want ...store.Session) {
	t.Helper()
	must(t, err)
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("sessions differ (-want +got):\n%s", d)
	}
}

func testSessions(t *testing.T, open Open) {
	t.Run("renewal", func(t *testing.T) { testRenewal(t, open) })
	t.Run("logout", func(t *testing.T) { testLogout(t, open) })
	cases(t, open, map[string]func(*testing.T, *fixture){
		"every field comes back, after a restart, by its cookie only": func(t *testing.T, f *fixture) {
			want := signIn(t, f, "s", identity(f, "head-office", "alice"), identity(f, "region", "bob"))
			bare := signIn(t, f, "bare")
			must(t, f.Close())
			again := f.reopen()
			wantSession(t, again, "s", &want)
			wantSession(t, again, "bare", &bare)
			wantSession(t, again, "another", nil)
		},
		"it is gone when its idle time or its whole time is over": func(t *testing.T, f *fixture) {
			idle := signIn(t, f, "idle")
			used := signIn(t, f, "used")
			f.clock.Add(8*time.Hour - time.Microsecond)
			wantSession(t, f, "idle", &idle)
			used.Seen, used.IdleUntil = f.clock.Now(), f.clock.Now().Add(8*time.Hour)
			must(t, f.TouchSession(t.Context(), hash("used"), used.Seen, used.IdleUntil))
			claim(t, f, "a later write", f.clock.Now().Add(time.Minute), true)
			f.clock.Add(time.Microsecond)
			wantSession(t, f, "idle", nil)
			wantSession(t, f, "used", &used)
			f.clock.Add(4*time.Hour - time.Microsecond)
			wantSession(t, f, "used", &used)
			f.clock.Add(time.Microsecond)
			wantSession(t, f, "used", nil)
		},
		"a touch does not wake what is over, and needs nobody": func(t *testing.T, f *fixture) {
			signIn(t, f, "s")
			f.clock.Add(8 * time.Hour)
			for _, cookie := range []string{"s", "unknown"} {
				must(t, f.TouchSession(t.Context(), hash(cookie), f.clock.Now(), f.clock.Now().Add(time.Hour)))
				claim(t, f, "after "+cookie, f.clock.Now().Add(time.Minute), true)
				wantSession(t, f, cookie, nil)
			}
		},
		"an identity whose time is over is left out": func(t *testing.T, f *fixture) {
			short := identity(f, "head-office", "alice")
			short.Until = f.clock.Now().Add(time.Hour)
			want := signIn(t, f, "s", short, identity(f, "region", "bob"))
			f.clock.Add(time.Hour - time.Microsecond)
			wantSession(t, f, "s", &want)
			f.clock.Add(time.Microsecond)
			want.Identities = want.Identities[1:]
			wantSession(t, f, "s", &want)
			got, err := f.ListSessions(t.Context(), store.SessionQuery{Sub: "alice"}, 10)
			wantSessions(t, got, err)
		},
		"what cannot be kept is refused": func(t *testing.T, f *fixture) {
			good := signIn(t, f, "s", identity(f, "head-office", "alice"))
			none, idle, endless, twice, nobody := good, good, good, good, good
			none.ID, idle.IdleUntil, endless.Until = "", time.Time{}, time.Time{}
			twice.Identities = []store.Identity{identity(f, "region", "a"), identity(f, "region", "b")}
			nobody.Identities = []store.Identity{{Trust: "region", Until: good.Until}}
			for name, s := range map[string]store.Session{
				"no ID": none, "no idle time": idle, "no end": endless, "two of one trust": twice, "nobody": nobody, "an ID that exists": good,
			} {
				if err := f.CreateSession(t.Context(), hash("new"), s); !errors.Is(err, store.ErrInvalid) {
					t.Errorf("%s: error %v, want ErrInvalid", name, err)
				}
			}
			good.ID = "another"
			if err := f.CreateSession(t.Context(), hash("s"), good); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("a cookie that exists: error %v, want ErrInvalid", err)
			}
			wantSession(t, f, "new", nil)
		},
		"a long agent is cut": func(t *testing.T, f *fixture) {
			now := f.clock.Now()
			s := store.Session{ID: "s", IdleUntil: now.Add(time.Hour), Until: now.Add(time.Hour), Agent: strings.Repeat("é", 150)}
			must(t, f.CreateSession(t.Context(), hash("s"), s))
			s.Agent = strings.Repeat("é", 100)
			wantSession(t, f, "s", &s)
		},
		"sessions are listed by what they hold, the newest first": func(t *testing.T, f *fixture) {
			a := signIn(t, f, "a", identity(f, "head-office", "alice"))
			f.clock.Add(time.Minute)
			b := signIn(t, f, "b", identity(f, "head-office", "alice"), identity(f, "region", "bob"))
			for _, c := range []struct {
				q    store.SessionQuery
				want []store.Session
			}{
				{store.SessionQuery{Sub: "alice"}, []store.Session{b, a}},
				{store.SessionQuery{ID: "a"}, []store.Session{a}},
				{store.SessionQuery{Trust: "region"}, []store.Session{b}},
				{store.SessionQuery{Trust: "head-office", SID: "sid of alice"}, []store.Session{b, a}},
				{store.SessionQuery{Trust: "region", Sub: "alice"}, nil}, // of one identity, not of two
				{store.SessionQuery{ID: "a", Sub: "bob"}, nil},
				{store.SessionQuery{SID: "sid of nobody"}, nil},
			} {
				got, err := f.ListSessions(t.Context(), c.q, 10)
				wantSessions(t, got, err, c.want...)
			}
			got, err := f.ListSessions(t.Context(), store.SessionQuery{Sub: "alice"}, 1)
			wantSessions(t, got, err, b)
			if _, err := f.ListSessions(t.Context(), store.SessionQuery{}, 10); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("an empty query: error %v, want ErrInvalid", err)
			}
		},
	})
}

func testRenewal(t *testing.T, open Open) {
	cases(t, open, map[string]func(*testing.T, *fixture){
		"the new cookie finds the session, the old one nothing": func(t *testing.T, f *fixture) {
			want := signIn(t, f, "s", identity(f, "head-office", "alice"))
			f.clock.Add(time.Hour)
			now := f.clock.Now()
			bob := identity(f, "region", "bob")
			ok, err := f.RenewSession(t.Context(), hash("s"), hash("new"), bob, now, now.Add(8*time.Hour))
			if err != nil || !ok {
				t.Fatalf("%v, error %v", ok, err)
			}
			want.Seen, want.IdleUntil, want.Identities = now, now.Add(8*time.Hour), append(want.Identities, bob)
			wantSession(t, f, "s", nil)
			wantSession(t, f.reopen(), "new", &want)
			if ok, err := f.RenewSession(t.Context(), hash("s"), hash("third"), bob, now, now.Add(8*time.Hour)); ok || err != nil {
				t.Errorf("the old cookie again: %v, error %v", ok, err)
			}
			wantSession(t, f, "third", nil)
		},
		"an identity of the same trust is replaced": func(t *testing.T, f *fixture) {
			want := signIn(t, f, "s", identity(f, "head-office", "alice"), identity(f, "region", "bob"))
			f.clock.Add(time.Hour)
			carol := identity(f, "head-office", "carol")
			ok, err := f.RenewSession(t.Context(), hash("s"), hash("new"), carol, want.Seen, want.IdleUntil)
			if err != nil || !ok {
				t.Fatalf("%v, error %v", ok, err)
			}
			want.Identities = []store.Identity{want.Identities[1], carol}
			wantSession(t, f, "new", &want)
			got, err := f.ListSessions(t.Context(), store.SessionQuery{Sub: "alice"}, 10)
			wantSessions(t, got, err)
		},
		"a session that is over is not renewed": func(t *testing.T, f *fixture) {
			s := signIn(t, f, "s")
			f.clock.Add(8 * time.Hour)
			ok, err := f.RenewSession(t.Context(), hash("s"), hash("new"), identity(f, "region", "bob"), f.clock.Now(), s.Until)
			if ok || err != nil {
				t.Errorf("%v, error %v", ok, err)
			}
			wantSession(t, f, "new", nil)
		},
		"a cookie that is taken is refused and changes nothing": func(t *testing.T, f *fixture) {
			a, b := signIn(t, f, "a"), signIn(t, f, "b")
			for _, fresh := range []string{"a", "b"} {
				ok, err := f.RenewSession(t.Context(), hash("a"), hash(fresh), identity(f, "region", "bob"), a.Seen, a.IdleUntil)
				if ok || !errors.Is(err, store.ErrInvalid) {
					t.Errorf("%s: %v, error %v; want ErrInvalid", fresh, ok, err)
				}
			}
			wantSession(t, f, "a", &a)
			wantSession(t, f, "b", &b)
		},
		"of 100 parallel renewals, on two handles, one succeeds (A110)": func(t *testing.T, f *fixture) {
			s := signIn(t, f, "s")
			handles := []store.Store{f, f.reopen()}
			var done atomic.Int32
			inParallel(100, func(i int) {
				ok, err := handles[i%2].RenewSession(t.Context(), hash("s"), hash("new"+string(rune('A'+i))), identity(f, "region", "bob"), s.Seen, s.IdleUntil)
				if err != nil {
					t.Error(err)
				} else if ok {
					done.Add(1)
				}
			})
			if n := done.Load(); n != 1 {
				t.Errorf("%d succeeded, want 1", n)
			}
		},
	})
}

func testLogout(t *testing.T, open Open) {
	in := func(t *testing.T, f *fixture, id, session, trust, sub string) store.Family {
		t.Helper()
		fam := family(f, id)
		fam.Session, fam.Trust, fam.Sub, fam.Until = session, trust, sub, f.clock.Now().Add(12*time.Hour)
		begin(t, f, fam)
		return fam
	}
	cases(t, open, map[string]func(*testing.T, *fixture){
		"a session ends with all that began in it": func(t *testing.T, f *fixture) {
			a := signIn(t, f, "a", identity(f, "head-office", "alice"), identity(f, "region", "bob"))
			b := signIn(t, f, "b", identity(f, "head-office", "alice"))
			fa1, fa2 := in(t, f, "fa1", "a", "head-office", "alice"), in(t, f, "fa2", "a", "region", "bob")
			in(t, f, "fb", "b", "head-office", "alice")
			must(t, f.PutCode(t.Context(), store.Code{Hash: hash("open"), Session: "a", Until: f.clock.Now().Add(time.Minute)}))
			sessions, families, err := f.EndSessions(t.Context(), store.SessionQuery{ID: "a"})
			wantSessions(t, sessions, err, a)
			wantFamilies(t, families, err, fa1, fa2)
			wantSession(t, f, "a", nil)
			wantSession(t, f.reopen(), "b", &b)
			wantFamily(t, f, "fa1", store.WhyLogout)
			wantFamily(t, f, "fb", "")
			if first, err := f.RedeemCode(t.Context(), hash("open"), family(f, "late"), nil); first || err != nil {
				t.Errorf("a code of the ended session: first = %v, error %v", first, err)
			}
			sessions, families, err = f.EndSessions(t.Context(), store.SessionQuery{ID: "a"})
			wantSessions(t, sessions, err)
			wantFamilies(t, families, err)
		},
		"an upstream's logout takes one identity out, in every session": func(t *testing.T, f *fixture) {
			a := signIn(t, f, "a", identity(f, "head-office", "alice"), identity(f, "region", "bob"))
			f.clock.Add(-time.Minute)
			b := signIn(t, f, "b", identity(f, "head-office", "alice"))
			f.clock.Add(time.Minute)
			fa1 := in(t, f, "fa1", "a", "head-office", "alice")
			in(t, f, "fa2", "a", "region", "bob")
			fb := in(t, f, "fb", "b", "head-office", "alice")
			fb2 := in(t, f, "fb2", "b", "region", "earlier") // of an identity that the session has no more
			sessions, families, err := f.EndSessions(t.Context(), store.SessionQuery{Trust: "head-office", Sub: "alice"})
			wantSessions(t, sessions, err, a, b)
			wantFamilies(t, families, err, fa1, fb, fb2)
			left := a
			left.Identities = a.Identities[1:]
			wantSession(t, f, "a", &left)
			wantSession(t, f, "b", nil)
			wantFamily(t, f, "fa2", "")
		},
		"by the upstream's session, of that upstream only": func(t *testing.T, f *fixture) {
			alice, other := identity(f, "head-office", "alice"), identity(f, "region", "bob")
			alice.SID, other.SID = "same", "same"
			a, b := signIn(t, f, "a", alice), signIn(t, f, "b", other)
			sessions, _, err := f.EndSessions(t.Context(), store.SessionQuery{Trust: "head-office", SID: "same"})
			wantSessions(t, sessions, err, a)
			wantSession(t, f, "b", &b)
		},
		"a session that idled away still ends its families": func(t *testing.T, f *fixture) {
			signIn(t, f, "a", identity(f, "head-office", "alice"))
			fam := in(t, f, "f", "a", "head-office", "alice")
			f.clock.Add(9 * time.Hour)
			sessions, families, err := f.EndSessions(t.Context(), store.SessionQuery{Trust: "head-office", SID: "sid of alice"})
			wantSessions(t, sessions, err)
			wantFamilies(t, families, err, fam)
			wantFamily(t, f, "f", store.WhyLogout)
		},
		"a session that is over still ends its families, as long as an identity of it is not": func(t *testing.T, f *fixture) {
			// Its row used to be swept, and with it the only place that knows the upstream's sid.
			late := identity(f, "head-office", "alice")
			late.Until = f.clock.Now().Add(24 * time.Hour) // signed in late in the session's life
			signIn(t, f, "a", late, identity(f, "region", "bob"))
			fam := family(f, "f")
			fam.Session, fam.Trust, fam.Sub, fam.Until = "a", late.Trust, late.Sub, late.Until
			begin(t, f, fam)
			f.clock.Add(13 * time.Hour)
			for range 20 { // sweeping rides on writes
				f.clock.Add(time.Minute)
				claim(t, f, f.clock.Now().String(), f.clock.Now().Add(time.Minute), true)
			}
			wantSession(t, f, "a", nil)
			sessions, families, err := f.EndSessions(t.Context(), store.SessionQuery{Trust: "head-office", SID: "sid of alice"})
			wantSessions(t, sessions, err)
			wantFamilies(t, families, err, fam)
			wantFamily(t, f, "f", store.WhyLogout)
		},
		"families that were over without a logout are told of, once": func(t *testing.T, f *fixture) {
			// An application whose family ended early, by a code that came twice for one, never heard of the logout.
			signIn(t, f, "a", identity(f, "head-office", "alice"), identity(f, "region", "bob"))
			begun := map[string]store.Family{}
			for _, id := range []string{"reused", "revoked", "withdrawn", "left"} {
				begun[id] = in(t, f, id, "a", "head-office", "alice")
			}
			short := family(f, "short")
			short.Session, short.Trust, short.Sub, short.Until = "a", "head-office", "alice", f.clock.Now().Add(time.Hour)
			begin(t, f, short)
			for id, why := range map[string]string{"reused": store.WhyReuse, "revoked": "revoked", "withdrawn": store.WhyConsent, "left": store.WhyLogout} {
				_, err := f.EndFamilies(t.Context(), store.FamilyQuery{ID: id}, why)
				must(t, err)
			}
			f.clock.Add(3 * time.Hour)
			for range 20 { // sweeping rides on writes
				f.clock.Add(time.Minute)
				claim(t, f, f.clock.Now().String(), f.clock.Now().Add(time.Minute), true)
			}
			_, families, err := f.EndSessions(t.Context(), store.SessionQuery{Trust: "head-office", Sub: "alice"})
			wantFamilies(t, families, err, begun["reused"], begun["revoked"], short)
			_, families, err = f.EndSessions(t.Context(), store.SessionQuery{ID: "a"})
			wantFamilies(t, families, err)
			for range 20 {
				f.clock.Add(10 * time.Minute)
				claim(t, f, f.clock.Now().String(), f.clock.Now().Add(time.Minute), true)
			}
			if _, ok, err := f.Family(t.Context(), "reused"); ok || err != nil {
				t.Errorf("a family is kept when its session is gone: error %v", err)
			}
		},
		"what does not match stays": func(t *testing.T, f *fixture) {
			a := signIn(t, f, "a", identity(f, "head-office", "alice"), identity(f, "region", "bob"))
			in(t, f, "f", "a", "head-office", "alice")
			for _, q := range []store.SessionQuery{{ID: "x"}, {ID: "a", Trust: "x"}, {Trust: "region", Sub: "alice"}, {Sub: "x"}, {SID: "x"}} {
				sessions, families, err := f.EndSessions(t.Context(), q)
				wantSessions(t, sessions, err)
				wantFamilies(t, families, err)
			}
			if _, _, err := f.EndSessions(t.Context(), store.SessionQuery{}); !errors.Is(err, store.ErrInvalid) {
				t.Errorf("an empty query: error %v, want ErrInvalid", err)
			}
			wantSession(t, f, "a", &a)
			wantFamily(t, f, "f", "")
		},
	})
}
