package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"apostille/broker/audit"
	"apostille/broker/clientauth"
	"apostille/broker/introspect"
	"apostille/broker/store"
	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/fake"
)

// form posts a form to a path as a client ("" = without authentication).
func (a *arena) form(t testing.TB, path, client string, form url.Values, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	a.step(t)
	r := httptest.NewRequest(http.MethodPost, ours+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if client != "" {
		r.SetBasicAuth(client, clientSecret)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	return w
}

// introspected is what a client is told of a token.
func (a *arena) introspected(t testing.TB, client, token string) map[string]any {
	t.Helper()
	w := a.form(t, introspect.Path, client, url.Values{"token": {token}}, nil)
	var out map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if out["active"] != true && len(out) != 1 {
		t.Errorf("an inactive token is told of: %v", out)
	}
	return out
}

// tokens are alice's at the portal, for the warehouse.
func (a *arena) tokens(t testing.TB) (access, refresh string) {
	t.Helper()
	out := a.ask(t, "portal", codeForm(a.signIn(t, a.browser(), "alice")), nil)
	if out.Token.AccessToken == "" || out.Token.RefreshToken == "" {
		t.Fatalf("%d %s", out.Status, out.Body)
	}
	return out.Token.AccessToken, out.Token.RefreshToken
}

// formats are what the warehouse's tokens may be: edits of the configuration.
var formats = map[string][]string{
	"a JWT":           nil,
	"an opaque token": {"client = \"gateway\"\n", "client = \"gateway\"\ntoken = { format = \"opaque\" }\n"},
}

func TestA105_ATokenIsToldOfToItsAPIAndItsClientOnly(t *testing.T) {
	t.Parallel()
	for name, change := range formats {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newArena(t, change...)
			access, refresh := a.tokens(t)
			if opaque := change != nil; opaque != (strings.Count(access, ".") == 0) {
				t.Fatalf("the token is %q", access)
			}
			for _, c := range []struct {
				who, token string
				active     bool
			}{
				{"gateway", access, true}, {"portal", access, true}, {"stranger", access, false}, {"idle", access, false},
				{"portal", refresh, true}, {"gateway", refresh, false}, {"stranger", refresh, false},
				{"gateway", access + "x", false}, {"gateway", "x", false}, {"gateway", a.goodToken(t, atJWT), false},
			} {
				got := a.introspected(t, c.who, c.token)
				if got["active"] != c.active {
					t.Errorf("%s asks of %.8s: %v", c.who, c.token, got)
				}
				if c.active && (got["client_id"] != "portal" || got["sub"] != a.aliceSub() || got["exp"] == nil || got["iss"] != ours || got["family"] != nil) {
					t.Errorf("%s is told %v", c.who, got)
				}
			}
			if got := a.introspected(t, "gateway", access); got["scope"] != "stock.read" || got["aud"] != warehouseAud || got["token_type"] != "Bearer" || got["idp"] != "office" {
				t.Errorf("%v", got)
			}
		})
	}
}

// An application of a sector that is to know people by subjects of its own used to be told the public one: in the token for userinfo, and
// by introspection of its refresh and opaque tokens.
func TestAnApplicationOfASectorLearnsNoPublicSubject(t *testing.T) {
	t.Parallel()
	a := newArena(t, "first_party = true\n", "first_party = true\nsector = \"portals\"\n",
		"client = \"gateway\"\n", "client = \"gateway\"\ntoken = { format = \"opaque\" }\n")
	theirs := a.server.pairwise("portals", a.aliceSub())
	opaque, refresh := a.tokens(t)
	home := a.ask(t, "portal", codeForm(a.signIn(t, a.browser(), "alice", "scope", "openid profile")), nil).Token.AccessToken
	if parsed, err := jose.Parse(home); err != nil || parsed.Claims["sub"] != theirs {
		t.Errorf("the token for userinfo: %v %v", err, parsed.Claims)
	}
	for name, token := range map[string]string{"opaque": opaque, "refresh": refresh, "for userinfo": home} {
		if got := a.introspected(t, "portal", token); got["active"] != true || got["sub"] != theirs {
			t.Errorf("%s: the application is told %v", name, got)
		}
	}
	if got := a.introspected(t, "gateway", opaque); got["sub"] != a.aliceSub() { // the twin: an API knows everybody by one name
		t.Errorf("the API is told %v", got)
	}
	if err := a.store.SetSubject(t.Context(), store.SubjectMark{Sub: a.aliceSub(), Blocked: true}); err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"opaque": opaque, "refresh": refresh, "for userinfo": home} {
		if got := a.introspected(t, "portal", token); got["active"] != false { // whatever the token calls her
			t.Errorf("%s of a blocked subject: %v", name, got)
		}
	}
}

func TestIntrospectionWantsAClient(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	access, _ := a.tokens(t)
	good := url.Values{"token": {access}}
	for _, c := range []struct {
		name   string
		client string
		form   url.Values
		status int
	}{
		{"the twin", "gateway", good, http.StatusOK},
		{"nobody", "", good, http.StatusUnauthorized},
		{"a client_id alone", "", url.Values{"token": {access}, "client_id": {"gateway"}}, http.StatusUnauthorized},
		{"no token", "gateway", url.Values{}, http.StatusBadRequest},
		{"a token twice", "gateway", url.Values{"token": {access, access}}, http.StatusBadRequest},
		{"an unknown client", "nobody", good, http.StatusUnauthorized},
	} {
		if w := a.form(t, introspect.Path, c.client, c.form, nil); w.Code != c.status {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
	r := httptest.NewRequest(http.MethodGet, ours+introspect.Path+"?token="+access, nil)
	r.SetBasicAuth("gateway", clientSecret)
	w := httptest.NewRecorder()
	if a.handler.ServeHTTP(w, r); w.Code == http.StatusOK || strings.Contains(w.Body.String(), "active") {
		t.Errorf("GET: %d %s", w.Code, w.Body)
	}
}

func TestA79_WhatEndedIsNotActive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		end  func(t *testing.T, a *arena, access, refresh string)
	}{
		{"nothing happened: the twin", func(*testing.T, *arena, string, string) {}},
		{"the access token was revoked", func(t *testing.T, a *arena, access, _ string) { a.revoked(t, access) }},
		{"the refresh token was revoked, and its family ended", func(t *testing.T, a *arena, _, refresh string) { a.revoked(t, refresh) }},
		{"the subject is blocked", func(t *testing.T, a *arena, _, _ string) {
			if err := a.store.SetSubject(t.Context(), store.SubjectMark{Sub: a.aliceSub(), Blocked: true}); err != nil {
				t.Fatal(err)
			}
		}},
		{"the subject has a cut-off", func(t *testing.T, a *arena, _, _ string) {
			if err := a.store.SetSubject(t.Context(), store.SubjectMark{Sub: a.aliceSub(), NotBefore: time.Now().Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
		}},
		{"the trust is disabled", func(t *testing.T, a *arena, _, _ string) {
			a.configure(t, trustTable("office"), trustTable("office")+"disabled = true\n")
			a.reload(t)
		}},
		{"the session ended", func(t *testing.T, a *arena, _, _ string) {
			if _, _, err := a.store.EndSessions(t.Context(), store.SessionQuery{Sub: a.aliceSub()}); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		for format, change := range formats {
			t.Run(c.name+", "+format, func(t *testing.T) {
				t.Parallel()
				a := newArena(t, change...)
				access, refresh := a.tokens(t)
				if a.introspected(t, "gateway", access)["active"] != true {
					t.Fatal("the token was not active before")
				}
				c.end(t, a, access, refresh)
				twin := strings.HasSuffix(c.name, "twin")
				if got := a.introspected(t, "gateway", access); got["active"] != twin {
					t.Errorf("introspection says %v", got)
				}
				form := with(with(exchangeForm(access, "access_token"), "audience", "inventory"), "scope", "items.read")
				if out := a.ask(t, "gateway", form, nil); (out.Status == http.StatusOK) != twin {
					t.Errorf("an exchange of it: %d %s", out.Status, out.Body)
				}
			})
		}
	}
}

// revoked has the portal give a token back.
func (a *arena) revoked(t testing.TB, token string) {
	t.Helper()
	if w := a.form(t, introspect.RevokePath, "portal", url.Values{"token": {token}}, nil); w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
}

func TestATokenIsRevokedByItsClientOnly(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	access, refresh := a.tokens(t)
	for _, token := range []string{access, refresh} {
		w := a.form(t, introspect.RevokePath, "gateway", url.Values{"token": {token}}, nil)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "invalid_grant") || strings.Contains(w.Body.String(), token) {
			t.Errorf("another client: %d %s", w.Code, w.Body)
		}
		if a.introspected(t, "portal", token)["active"] != true {
			t.Error("it was revoked all the same")
		}
	}
	a.revoked(t, "no token of ours") // RFC 7009 §2.2
	trail := len(a.trail.String())
	a.revoked(t, access)
	a.revoked(t, access) // again, as a client that lost the answer does
	if !strings.Contains(a.trail.since(trail), audit.EventRevoked) || strings.Contains(a.trail.since(trail), access) {
		t.Errorf("the trail: %s", a.trail.since(trail))
	}
	if a.introspected(t, "portal", refresh)["active"] != true {
		t.Error("the refresh token went with the access token")
	}
	a.revoked(t, refresh)
	if out := a.ask(t, "portal", refreshForm(refresh), nil); out.Error != "invalid_grant" {
		t.Errorf("a refresh after that: %d %s", out.Status, out.Body)
	}
	if w := a.form(t, introspect.RevokePath, "", url.Values{"token": {refresh}}, nil); w.Code != http.StatusUnauthorized {
		t.Errorf("nobody: %d", w.Code)
	}
}

// stubborn is a store that revokes nothing.
type stubborn struct{ store.Store }

func (stubborn) RevokeToken(context.Context, string, time.Time) error { return errors.New("disk gone") }
func (stubborn) EndFamilies(context.Context, store.FamilyQuery, string) ([]store.Family, error) {
	return nil, errors.New("disk gone")
}

func TestA104_ARevocationThatFailsSaysSo(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	access, refresh := a.tokens(t)
	good := a.store.Store
	for name, token := range map[string]string{"access": access, "refresh": refresh} {
		e := &introspect.Endpoint{
			Policy: a.server.policy.Load, Clients: &clientauth.Authenticator{Replay: good, Now: time.Now}, Verifier: a.server.verifier, Standings: a.server.signIn.standings,
			Store: stubborn{good}, Minter: a.server.signIn.minter, Gate: make(chan struct{}, 1), Audit: a.server.audit,
			Remote: func(*http.Request) string { return "192.0.2.7" }, Now: time.Now, Log: a.server.log, MaxBody: 1 << 16,
		}
		r := httptest.NewRequest(http.MethodPost, ours+introspect.RevokePath, strings.NewReader(url.Values{"token": {token}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth("portal", clientSecret)
		w := httptest.NewRecorder()
		if e.Revoke().ServeHTTP(w, r); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		a.revoked(t, token) // the twin: with a store that answers
	}
}

func TestAnIntrospectionAnswerAsJWT(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	access, _ := a.tokens(t)
	w := a.form(t, introspect.Path, "gateway", url.Values{"token": {access}}, http.Header{"Accept": {"application/token-introspection+jwt"}})
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/token-introspection+jwt" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	token, err := jose.Parse(w.Body.String())
	if err != nil {
		t.Fatal(err)
	}
	keys, _, err := a.server.ring.Lookup(t.Context(), "", token.Header.Kid, token.Header.Alg)
	if err != nil || len(keys) != 1 || token.Verify(keys[0]) != nil {
		t.Fatalf("it does not verify: %d keys, %v", len(keys), err)
	}
	inner, _ := token.Claims["token_introspection"].(map[string]any)
	if token.Header.Typ != "token-introspection+jwt" || token.Claims["aud"] != "gateway" || token.Claims["iss"] != ours || inner["active"] != true || inner["sub"] != a.aliceSub() {
		t.Errorf("%+v %v", token.Header, token.Claims)
	}
	// It is no access token, whoever shows it.
	if got := a.introspected(t, "gateway", w.Body.String()); got["active"] != false {
		t.Errorf("the answer itself is a token: %v", got)
	}
}

// With refresh_claims the office is asked again: what it says now counts, and its refresh token is in no file in the clear.
func TestA96_WhatTheOfficeSaysNowCountsAtTheNextRefresh(t *testing.T) {
	t.Parallel()
	a := newArena(t, "client_secret = \""+officeSecret+"\"\n", "client_secret = \""+officeSecret+"\"\nrefresh_claims = true\n")
	refresh := a.refreshToken(t)
	a.server.signIn.families.Now = func() time.Time { return time.Now().Add(2 * time.Minute) } // long enough ago to ask again
	before := a.office.Requests(fake.PathToken)
	out := a.ask(t, "portal", refreshForm(refresh), nil)
	if out.Status != http.StatusOK || a.office.Requests(fake.PathToken) != before+1 {
		t.Fatalf("the twin: %d %s, %d requests", out.Status, out.Body, a.office.Requests(fake.PathToken)-before)
	}
	a.office.Break(fake.Faults{Login: fake.LoginFaults{IDToken: map[string]any{"department": "sales"}, UserInfo: map[string]any{"department": "sales"}}})
	a.server.signIn.families.Now = func() time.Time { return time.Now().Add(4 * time.Minute) }
	out = a.ask(t, "portal", refreshForm(out.Token.RefreshToken), nil)
	if out.Error != "invalid_grant" || out.Audit[0].Reason != string(trust.ReasonRequire) {
		t.Errorf("she has moved to another department: %d %s %+v", out.Status, out.Body, out.Audit)
	}
}

// The office takes each refresh token once: what one family was given in its place must reach the other families of the session.
func TestTwoFamiliesOfOneSessionAskTheOfficeInTurn(t *testing.T) {
	t.Parallel()
	a := newArena(t, "client_secret = \""+officeSecret+"\"\n", "client_secret = \""+officeSecret+"\"\nrefresh_claims = true\n")
	b := a.browser()
	var tokens [2]string
	for i := range tokens {
		out := a.ask(t, "portal", codeForm(a.signIn(t, b, "alice")), nil) // the second asks nobody
		if tokens[i] = out.Token.RefreshToken; tokens[i] == "" {
			t.Fatalf("%d %s", out.Status, out.Body)
		}
	}
	before := a.office.Requests(fake.PathToken)
	for round := range 3 {
		for i := range tokens {
			later := time.Duration(2*(2*round+i)+2) * time.Minute // each finds the claims too old to go on with
			a.server.signIn.families.Now = func() time.Time { return time.Now().Add(later) }
			out := a.ask(t, "portal", refreshForm(tokens[i]), nil)
			if out.Status != http.StatusOK {
				t.Fatalf("round %d, family %d: %d %s %+v", round, i, out.Status, out.Body, out.Audit)
			}
			tokens[i] = out.Token.RefreshToken
		}
	}
	if n := a.office.Requests(fake.PathToken) - before; n != 6 {
		t.Errorf("the office was asked %d times", n)
	}
}

// A gateway asks for a whole site from one address; somebody who guesses secrets does not get far.
func TestIntrospectionLimitsThoseWhoFail(t *testing.T) {
	t.Parallel()
	a := newArena(t, "per_ip = { rate = 0 }", "per_ip = { rate = 0.01, burst = 2 }")
	for range 10 {
		if w := a.form(t, introspect.Path, "gateway", url.Values{"token": {"x"}}, nil); w.Code != http.StatusOK {
			t.Fatalf("the gateway: %d %s", w.Code, w.Body)
		}
	}
	for attempt, want := range []int{http.StatusUnauthorized, http.StatusUnauthorized, http.StatusTooManyRequests} {
		if w := a.form(t, introspect.Path, "nobody", url.Values{"token": {"x"}}, nil); w.Code != want {
			t.Errorf("attempt %d: %d, want %d", attempt, w.Code, want)
		}
	}
}
