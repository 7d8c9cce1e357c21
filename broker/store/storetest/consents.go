package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"apostille/broker/store"
)

func wantConsents(t *testing.T, s store.Consents, sub string, want ...store.Consent) {
	t.Helper()
	got, err := s.ListConsents(t.Context(), sub)
	must(t, err)
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("consents differ (-want +got):\n%s", d)
	}
}

func testConsents(t *testing.T, open Open) {
	now := NewClock().Now()
	portal := store.Consent{Sub: "alice", Client: "portal", Scopes: map[string][]string{"warehouse": {"stock.read", "stock.order"}, "userinfo": {"profile"}}, Given: now}
	another := store.Consent{Sub: "alice", Client: "another", Scopes: map[string][]string{"userinfo": {"email"}}, Given: now}
	bob := store.Consent{Sub: "bob", Client: "portal", Given: now}
	cases(t, open, map[string]func(*testing.T, *fixture){
		"consents come back ordered by client, after a restart": func(t *testing.T, f *fixture) {
			for _, c := range []store.Consent{portal, another, bob} {
				must(t, f.PutConsent(t.Context(), c))
			}
			must(t, f.Close())
			again := f.reopen()
			wantConsents(t, again, "alice", another, portal)
			wantConsents(t, again, "bob", bob)
			wantConsents(t, again, "nobody")
			got, ok, err := again.Consent(t.Context(), "alice", "portal")
			if d := cmp.Diff(portal, got); d != "" || !ok || err != nil {
				t.Errorf("%v, error %v, differs:\n%s", ok, err, d)
			}
			if got, ok, err := again.Consent(t.Context(), "bob", "another"); ok || err != nil || got.Sub != "" {
				t.Errorf("none: %+v, %v, error %v", got, ok, err)
			}
		},
		"a consent is replaced as a whole, and the clock fills Given in": func(t *testing.T, f *fixture) {
			must(t, f.PutConsent(t.Context(), portal))
			next := portal
			f.clock.Add(time.Hour)
			next.Scopes, next.Given = map[string][]string{"userinfo": {"email"}}, f.clock.Now()
			must(t, f.PutConsent(t.Context(), store.Consent{Sub: next.Sub, Client: next.Client, Scopes: next.Scopes}))
			wantConsents(t, f, "alice", next)
		},
		"scopes belong to their caller": func(t *testing.T, f *fixture) {
			mine := store.Consent{Sub: "alice", Client: "portal", Scopes: map[string][]string{"userinfo": {"email"}}}
			must(t, f.PutConsent(t.Context(), mine))
			mine.Scopes["userinfo"][0], mine.Scopes["warehouse"] = "everything", []string{"stock.order"}
			for range 2 {
				got, _, err := f.Consent(t.Context(), "alice", "portal")
				must(t, err)
				if d := cmp.Diff(map[string][]string{"userinfo": {"email"}}, got.Scopes); d != "" {
					t.Errorf("scopes differ:\n%s", d)
				}
				got.Scopes["userinfo"][0] = "everything"
			}
		},
		"one that is withdrawn is gone, and its families end": func(t *testing.T, f *fixture) {
			for _, c := range []store.Consent{portal, another, bob} {
				must(t, f.PutConsent(t.Context(), c))
			}
			ours, others := family(f, "ours"), family(f, "others")
			others.Client = "another"
			begin(t, f, ours)
			begin(t, f, others)
			got, err := f.WithdrawConsent(t.Context(), "alice", "portal")
			wantFamilies(t, got, err, ours)
			wantConsents(t, f.reopen(), "alice", another)
			wantConsents(t, f, "bob", bob)
			wantFamily(t, f, "ours", store.WhyConsent)
			wantFamily(t, f, "others", "")
			got, err = f.WithdrawConsent(t.Context(), "alice", "portal")
			wantFamilies(t, got, err)
		},
		"a code that nobody has redeemed goes with it, whatever session it is of": func(t *testing.T, f *fixture) {
			// It used to stay, so that an application got tokens after the person had said no to it.
			signIn(t, f, "a", identity(f, "head-office", "alice"))
			signIn(t, f, "b", identity(f, "head-office", "bob"))
			for _, session := range []string{"a", "b"} {
				must(t, f.PutConsent(t.Context(), portal))
				must(t, f.PutCode(t.Context(), store.Code{Hash: hash("code " + session), Session: session, Until: f.clock.Now().Add(time.Minute)}))
			}
			_, err := f.WithdrawConsent(t.Context(), "alice", "portal")
			must(t, err)
			for session, want := range map[string]bool{"a": false, "b": true} {
				if first, err := f.RedeemCode(t.Context(), hash("code "+session), family(f, "of "+session), nil); first != want || err != nil {
					t.Errorf("the code of session %s: first = %v, error %v; want %v", session, first, err, want)
				}
			}
		},
		"without a subject or a client it is refused": func(t *testing.T, f *fixture) {
			for _, c := range []store.Consent{{Sub: "alice"}, {Client: "portal"}} {
				if err := f.PutConsent(t.Context(), c); !errors.Is(err, store.ErrInvalid) {
					t.Errorf("put %+v: error %v, want ErrInvalid", c, err)
				}
				if _, err := f.WithdrawConsent(t.Context(), c.Sub, c.Client); !errors.Is(err, store.ErrInvalid) {
					t.Errorf("withdraw %+v: error %v, want ErrInvalid", c, err)
				}
			}
		},
	})
}
