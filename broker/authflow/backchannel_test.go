package authflow

import (
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"apostille/broker/audit"
	"apostille/broker/mint"
	"apostille/broker/store"
	"apostille/trust"
	"apostille/upstream"
)

// tell posts a logout token of an office.
func (f *fixture) tell(office, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "https://id.west.example/broker/login/backchannel/"+office,
		strings.NewReader(url.Values{"logout_token": {token}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	return w
}

// signedIn is a browser whose person is signed in with an office.
func (f *fixture) signedIn(office, person string) *browser {
	f.t.Helper()
	b := f.browser()
	state, _ := b.open("portal", "&hint="+office)
	b.callback(office, state, person).outcome(f.t)
	return b
}

// subOf is what a person of an office is here.
func subOf(office, person string) string {
	return trust.DeriveSub("https://"+office+".example", "sub", person)
}

// loggedOut is a logout token that is new.
func (f *fixture) loggedOut(sub, sid string) upstream.LoggedOut {
	now := f.Now()
	return upstream.LoggedOut{Sub: sub, SID: sid, TokenID: mint.NewSecret(), IssuedAt: now, Expires: now.Add(2 * time.Minute)}
}

// family lets an application hold tokens that began in a session; session "" = one that is over.
func (f *fixture) family(id, session, office, person string) {
	f.t.Helper()
	now := f.Now()
	code := sha256.Sum256([]byte(id))
	if err := f.store.PutCode(f.t.Context(), store.Code{Hash: code, Value: []byte("x"), Session: session, Until: now.Add(time.Minute)}); err != nil {
		f.t.Fatal(err)
	}
	first, err := f.store.RedeemCode(f.t.Context(), code, store.Family{
		ID: id, Session: session, Client: "portal", Trust: office, Sub: subOf(office, person), Subject: []byte("x"),
		Created: now, Until: now.Add(24 * time.Hour),
	}, nil)
	if err != nil || !first {
		f.t.Fatalf("redeemed %v, error %v", first, err)
	}
}

// living lists the families that live, sorted.
func (f *fixture) living(ids ...string) (list []string) {
	f.t.Helper()
	for _, id := range ids {
		family, ok, err := f.store.Family(f.t.Context(), id)
		if err != nil {
			f.t.Fatal(err)
		}
		if ok && family.Ended.IsZero() {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}

// sessionOf is the ID of a person's newest session.
func (f *fixture) sessionOf(office, person string) string {
	f.t.Helper()
	list, err := f.store.ListSessions(f.t.Context(), store.SessionQuery{Trust: office, Sub: subOf(office, person)}, 1)
	if err != nil || len(list) != 1 {
		f.t.Fatalf("sessions of %s: %v, error %v", person, list, err)
	}
	return list[0].ID
}

func TestALogoutTokenEndsWhatItNames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sub, sid string
		out      string // who is signed out: a, A (the same person, other browser), b (another person)
		living   string
	}{
		"the person":             {sub: subOf("hq", "ada"), out: "ada ada", living: "ben's"},
		"the session":            {sid: "sid-ada", out: "ada ada", living: "ben's orphan"},
		"both":                   {sub: subOf("hq", "ada"), sid: "sid-ada", out: "ada ada", living: "ben's orphan"},
		"another person":         {sub: subOf("hq", "ben"), out: "ben", living: "ada's orphan"},
		"a session of another":   {sub: subOf("hq", "ben"), sid: "sid-ada", out: "", living: "ada's ben's orphan"},
		"a session that is gone": {sub: subOf("hq", "ada"), sid: "sid-of-yesterday", out: "", living: "ada's ben's"},
		"a person of elsewhere":  {sub: subOf("west", "ada"), out: "", living: "ada's ben's orphan"},
		"somebody never seen":    {sub: "nobody", out: "", living: "ada's ben's orphan"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			ada, again, ben := f.signedIn("hq", "ada"), f.signedIn("hq", "ada"), f.signedIn("hq", "ben")
			f.family("ada's", f.sessionOf("hq", "ada"), "hq", "ada")
			f.family("ben's", f.sessionOf("hq", "ben"), "hq", "ben")
			f.family("orphan", "a session that idled away", "hq", "ada")
			f.provider.loggedOut = f.loggedOut(c.sub, c.sid)
			w := f.tell("hq", "good")
			if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" || w.Body.Len() != 0 {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			var out []string
			for _, b := range []struct {
				b    *browser
				name string
			}{{ada, "ada"}, {again, "ada"}, {ben, "ben"}} {
				if b.b.who("hq") == "" {
					out = append(out, b.name)
				}
			}
			if got := strings.Join(out, " "); got != c.out {
				t.Errorf("signed out: %q, not %q", got, c.out)
			}
			if got := strings.Join(f.living("ada's", "ben's", "orphan"), " "); got != c.living {
				t.Errorf("living: %q, not %q", got, c.living)
			}
			if len(f.ended) != len(out) {
				t.Errorf("told of %d sessions, %d families", len(f.ended), len(f.families))
			}
		})
	}
}

func TestA118_ALogoutTokenEndsOnlyItsOwnTrust(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.signedIn("hq", "ada")
	state, _ := b.open("portal", "&hint=west")
	b.callback("west", state, "ada").outcome(t)
	f.provider.loggedOut = f.loggedOut("", "sid-ada") // both offices call their session so
	if w := f.tell("west", "good"); w.Code != http.StatusOK {
		t.Fatal(w.Code, w.Body)
	}
	if b.who("hq") != "ada" || b.who("west") != "" {
		t.Errorf("hq %q, west %q", b.who("hq"), b.who("west"))
	}
}

func TestA118_ALogoutTokenTakesEffectOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.signedIn("hq", "ada")
	f.provider.loggedOut = f.loggedOut(subOf("hq", "ada"), "")
	if w := f.tell("hq", "good"); w.Code != http.StatusOK {
		t.Fatal(w.Code, w.Body)
	}
	if e := f.trail.last(); e.Event != audit.EventSessionEnded || e.Trust != "hq" || e.Subject != subOf("hq", "ada") || e.Issuer != "https://hq.example" {
		t.Errorf("recorded %+v", e)
	}
	b := f.signedIn("hq", "ada")
	w := f.tell("hq", "good")
	if w.Code != http.StatusBadRequest || b.who("hq") != "ada" {
		t.Errorf("replayed: %d, signed in %q", w.Code, b.who("hq"))
	}
	if e := f.sampled.last(); e.Reason != string(trust.ReasonReplayed) {
		t.Errorf("recorded %+v", e)
	}
}

// The token was claimed before it took effect: when the store failed in between, the upstream's next attempt was refused as a replay,
// and the person stayed signed in.
func TestALogoutTokenCountsWhenItComesAgainAfterAFault(t *testing.T) {
	t.Parallel()
	for _, broken := range []string{"claimed", "session", "families", "claim"} {
		t.Run(broken, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			b := f.signedIn("hq", "ada")
			f.family("ada's", f.sessionOf("hq", "ada"), "hq", "ada")
			f.family("orphan", "a session that idled away", "hq", "ada")
			f.provider.loggedOut = f.loggedOut(subOf("hq", "ada"), "")
			f.store.down.Store(broken)
			if w := f.tell("hq", "good"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
				t.Fatalf("while the store is away: %d %s", w.Code, w.Body)
			}
			f.store.down.Store("")
			if w := f.tell("hq", "good"); w.Code != http.StatusOK {
				t.Fatalf("when it is back: %d %s", w.Code, w.Body)
			}
			if b.who("hq") != "" || len(f.living("ada's", "orphan")) != 0 {
				t.Errorf("still in: %q, %v", b.who("hq"), f.living("ada's", "orphan"))
			}
			if len(f.ended) != 1 || len(f.families) != 2 { // nobody is left out, or told twice
				t.Errorf("told of %d sessions, %d families", len(f.ended), len(f.families))
			}
			if w := f.tell("hq", "good"); w.Code != http.StatusBadRequest {
				t.Errorf("a third time: %d", w.Code)
			}
		})
	}
}

func TestA118_AnUnacceptableLogoutTokenEndsNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		office, token string
		change        func(*fixture)
		status        int
	}{
		"not verified":            {"hq", "forged", nil, 400},
		"of no office":            {"nowhere", "good", nil, 400},
		"of a disabled office":    {"hq", "good", func(f *fixture) { f.registry.trusts["hq"].Spec.Disabled = true }, 400},
		"empty":                   {"hq", "", nil, 400},
		"too long":                {"hq", strings.Repeat("x", maxForm), nil, 400},
		"names nobody":            {"hq", "good", func(f *fixture) { f.provider.loggedOut.Sub = "" }, 400},
		"without ID":              {"hq", "good", func(f *fixture) { f.provider.loggedOut.TokenID = "" }, 400},
		"over":                    {"hq", "good", func(f *fixture) { f.provider.loggedOut.Expires = f.Now().Add(-time.Hour) }, 400},
		"a panic":                 {"hq", "good", func(f *fixture) { f.provider.panics = "x" }, 400},
		"no receiver":             {"hq", "good", func(f *fixture) { f.Flow.Logout = nil }, 400},
		"its keys cannot be had":  {"hq", "good", func(f *fixture) { f.provider.logoutErr = &upstream.Error{Reason: trust.ReasonKeysUnavailable} }, 503},
		"the store does not work": {"hq", "good", func(f *fixture) { f.store.down.Store("session") }, 503},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			b := f.signedIn("hq", "ada")
			f.provider.loggedOut = f.loggedOut(subOf("hq", "ada"), "")
			if c.change != nil {
				c.change(f)
			}
			w := f.tell(c.office, c.token)
			var body struct{ Error, Reference string }
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != c.status || body.Error == "" || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%d %s %s", w.Code, w.Header(), w.Body)
			}
			if c.office == "nowhere" && f.sampled.last().Trust != "" {
				t.Error("a made-up name is recorded as a trust")
			}
			if f.store.down.Store(""); b.who("hq") != "ada" || len(f.ended) != 0 {
				t.Error("signed out")
			}
		})
	}
}

func TestALogoutTokenComesAsAForm(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.provider.loggedOut = f.loggedOut(subOf("hq", "ada"), "")
	const path = "https://id.west.example/broker/login/backchannel/hq"
	for name, r := range map[string]*http.Request{
		"in the query": httptest.NewRequest(http.MethodPost, path+"?logout_token=good", nil),
		"as JSON":      httptest.NewRequest(http.MethodPost, path, strings.NewReader(`{"logout_token":"good"}`)),
		"twice":        httptest.NewRequest(http.MethodPost, path, strings.NewReader("logout_token=good&logout_token=good")),
	} {
		r.Header.Set("Content-Type", map[bool]string{true: "application/json", false: "application/x-www-form-urlencoded"}[name == "as JSON"])
		w := httptest.NewRecorder()
		if f.handler.ServeHTTP(w, r); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	w := httptest.NewRecorder()
	if f.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path+"?logout_token=good", nil)); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("by GET: %d", w.Code)
	}
	if w := f.tell("hq", "good"); w.Code != http.StatusOK {
		t.Errorf("as it should: %d %s", w.Code, w.Body)
	}
}
