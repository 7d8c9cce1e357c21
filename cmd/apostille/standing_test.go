package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"apostille/broker/store"
	"apostille/upstream/fake"
)

// held is all that alice's sign-in at the portal has led to.
type held struct {
	browser                          *fake.Browser
	code, refresh, access, forBroker string
}

func (a *arena) held(t testing.TB) held {
	t.Helper()
	h := held{browser: a.browser()}
	out := a.ask(t, "portal", codeForm(a.signIn(t, h.browser, "alice")), nil)
	h.access, h.refresh = out.Token.AccessToken, out.Token.RefreshToken
	h.forBroker = a.ask(t, "portal", codeForm(a.signIn(t, h.browser, "alice", "scope", "openid profile")), nil).Token.AccessToken
	h.code = a.signIn(t, h.browser, "alice")
	if h.access == "" || h.refresh == "" || h.forBroker == "" {
		t.Fatalf("%+v", h)
	}
	return h
}

// serves tries each of it, what uses nothing up first.
func (a *arena) serves(t testing.TB, h held) map[string]bool {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, ours+"/oauth2/userinfo", nil)
	r.Header.Set("Authorization", "Bearer "+h.forBroker)
	w := httptest.NewRecorder()
	a.step(t)
	a.handler.ServeHTTP(w, r)
	active := a.form(t, "/oauth2/introspect", "gateway", map[string][]string{"token": {h.access}}, nil)
	page, err := h.browser.Open(authorizeURL("prompt", "none"))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]bool{
		"userinfo": w.Code == http.StatusOK, "introspection": active.Code == http.StatusOK && len(active.Body.String()) > len(`{"active":false}`),
		"the session": page.URL.Query().Get("code") != "",
		"the code":    a.ask(t, "portal", codeForm(h.code), nil).Status == http.StatusOK,
		"a refresh":   a.ask(t, "portal", refreshForm(h.refresh), nil).Status == http.StatusOK,
	}
}

// TestA69_A79_A80_ASignInIsWorthNoMoreThanItsStanding: whatever ends a person's welcome ends it at every way in that a sign-in opens, and
// not only where a token is asked for.
func TestA69_A79_A80_ASignInIsWorthNoMoreThanItsStanding(t *testing.T) {
	t.Parallel()
	toml := func(change ...string) func(*testing.T, *arena) {
		return func(t *testing.T, a *arena) {
			a.configure(t, change...)
			a.reload(t)
		}
	}
	mark := func(m store.SubjectMark) func(*testing.T, *arena) {
		return func(t *testing.T, a *arena) {
			m.Sub = a.aliceSub()
			if err := a.store.SetSubject(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
	}
	// A locally verified token is its API's until exp, and introspection says the same: rules are asked when tokens are made.
	untilExp := map[string]bool{"introspection": true}
	for _, c := range []struct {
		name  string
		event func(*testing.T, *arena)
		stays map[string]bool
	}{
		{"A80 the subject is blocked", mark(store.SubjectMark{Blocked: true}), nil},
		{"A79 the subject has a cut-off", mark(store.SubjectMark{NotBefore: time.Now().Add(time.Hour)}), nil},
		{"A69 the trust is disabled", toml(trustTable("office"), trustTable("office")+"disabled = true\n"), nil},
		{"A69 the client is disabled", toml(clientTable("portal"), clientTable("portal")+"disabled = true\n"), nil},
		{"A81 the trust requires what she is not", toml(`require = { department = ["logistics"] }`, `require = { department = ["sales"] }`), untilExp},
		{"A96 the sign-in rule is gone", toml("[[trust.office.grant]]\nclients = [\"portal\"]\nsign_in = true\n", ""), untilExp},
		{"A79 every session of hers is ended", func(t *testing.T, a *arena) {
			if _, _, err := a.store.EndSessions(t.Context(), store.SessionQuery{Sub: a.aliceSub()}); err != nil {
				t.Fatal(err)
			}
		}, nil},
		{"nothing: the twin", func(*testing.T, *arena) {}, map[string]bool{
			"userinfo": true, "introspection": true, "the session": true, "the code": true, "a refresh": true,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newArena(t)
			h := a.held(t)
			c.event(t, a)
			for what, works := range a.serves(t, h) {
				if works != c.stays[what] {
					t.Errorf("%s works: %v", what, works)
				}
			}
		})
	}
}
