package session

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"apostille/broker/store"
	"apostille/trust"
	"apostille/upstream"
)

func TestASignInIsRemembered(t *testing.T) {
	t.Parallel()
	f, b := newFixture(t, true), browser{}
	if s := f.current(t, b); s != nil {
		t.Fatalf("somebody is signed in: %+v", s)
	}
	l := f.login("hq", "ada")
	f.signIn(t, b, l)
	s := f.current(t, b)
	if s == nil || s.Agent != "Firefox on Linux" || s.Remote != "192.0.2.7" || !s.Until.Equal(f.clock.now().Add(12*time.Hour)) {
		t.Fatalf("session %+v", s)
	}
	i, ok := s.Identity("hq")
	if !ok || i.Subject.Sub != l.Subject.Sub || i.Sub != l.Subject.Sub || i.SID != "sid-ada" || i.Subject.Claims["name"] != "Name of ada" ||
		!i.AuthTime.Equal(l.Subject.AuthTime) || !i.SignedIn.Equal(f.clock.now()) || !i.Until.Equal(l.Subject.Expires) {
		t.Errorf("identity %+v", i)
	}
	if _, ok := s.Identity("west"); ok {
		t.Error("the session has an identity of an office where nobody signed in")
	}
}

func TestASessionHasOneIdentityPerTrust(t *testing.T) {
	t.Parallel()
	f, b := newFixture(t, true), browser{}
	first := f.signIn(t, b, f.login("hq", "ada"))
	second := f.signIn(t, b, f.login("west", "ben"))
	f.clock.add(time.Minute)
	third := f.signIn(t, b, f.login("hq", "ada")) // again
	if first.ID != second.ID || second.ID != third.ID {
		t.Errorf("sessions %s, %s, %s", first.ID, second.ID, third.ID)
	}
	for name, s := range map[string]*Session{"the answer": third, "the next request": f.current(t, b)} {
		hq, ok1 := s.Identity("hq")
		_, ok2 := s.Identity("west")
		if len(s.Identities) != 2 || !ok1 || !ok2 || !hq.SignedIn.Equal(f.clock.now()) {
			t.Errorf("%s: %+v", name, s.Identities)
		}
	}
}

func TestA110_TheCookieChangesAtEachLogin(t *testing.T) {
	t.Parallel()
	f, b := newFixture(t, true), browser{}
	fixed := strings.Repeat("A", 43)
	b["__Host-apostille"] = fixed // an attacker's, set before the login
	seen := map[string]bool{fixed: true}
	for _, office := range []string{"hq", "west", "hq"} {
		f.signIn(t, b, f.login(office, "ada"))
		value := b["__Host-apostille"]
		if seen[value] {
			t.Fatalf("the login at %s kept a cookie", office)
		}
		for old := range seen {
			if s := f.current(t, browser{"__Host-apostille": old}); s != nil {
				t.Errorf("an earlier cookie is signed in after the login at %s", office)
			}
		}
		if s := f.current(t, b); s == nil {
			t.Errorf("the new cookie is not signed in after the login at %s", office)
		}
		seen[value] = true
	}
}

func TestA111_AnEndedSessionIsOverForEveryCopyOfItsCookie(t *testing.T) {
	t.Parallel()
	f, b := newFixture(t, true), browser{}
	other := browser{}
	f.signIn(t, other, f.login("hq", "ada"))
	s := f.signIn(t, b, f.login("hq", "ada"))
	saved := browser{"__Host-apostille": b["__Host-apostille"]}

	w := httptest.NewRecorder()
	ended, err := f.End(w, b.request())
	b.take(w)
	if err != nil || ended == nil || len(ended.Sessions) != 1 || ended.Sessions[0].ID != s.ID {
		t.Fatalf("ended %+v, error %v", ended, err)
	}
	if f.current(t, saved) != nil || len(b) != 0 {
		t.Error("the session lives on")
	}
	if f.current(t, other) == nil {
		t.Error("another browser's session ended as well")
	}
	if ended, err = f.End(httptest.NewRecorder(), saved.request()); ended != nil || err != nil {
		t.Errorf("ended again: %+v, error %v", ended, err)
	}
}

func TestTheFamiliesOfASessionEndWithIt(t *testing.T) {
	t.Parallel()
	f, b := newFixture(t, true), browser{}
	s := f.signIn(t, b, f.login("hq", "ada"))
	f.family(t, "family-1", s)
	ended, err := f.End(httptest.NewRecorder(), b.request())
	if err != nil || len(ended.Families) != 1 || ended.Families[0].ID != "family-1" {
		t.Errorf("ended %+v, error %v", ended, err)
	}
}

// family lets an application have tokens of the first identity of a session.
func (f *fixture) family(t testing.TB, id string, s *Session) {
	t.Helper()
	families := f.store.Sessions.(store.Families)
	now := f.clock.now()
	code := sha256.Sum256([]byte(id))
	if err := families.PutCode(t.Context(), store.Code{Hash: code, Value: []byte("x"), Session: s.ID, Until: now.Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	first, err := families.RedeemCode(t.Context(), code, store.Family{
		ID: id, Session: s.ID, Client: "portal", Trust: s.Identities[0].Trust, Sub: s.Identities[0].Sub, Subject: []byte("x"),
		Created: now, Until: now.Add(time.Hour),
	}, nil)
	if err != nil || !first {
		t.Fatalf("redeemed %v, error %v", first, err)
	}
}

func TestAnotherPersonOfAnOfficeTakesTheFirstOnesPlace(t *testing.T) {
	t.Parallel()
	f, b := newFixture(t, true), browser{}
	var replaced []Ended
	f.Replaced = func(_ context.Context, e Ended) { replaced = append(replaced, e) }
	s := f.signIn(t, b, f.login("hq", "ada"))
	f.family(t, "ada's", s)
	f.signIn(t, b, f.login("west", "ada"))
	if f.signIn(t, b, f.login("hq", "ada")); len(replaced) != 0 {
		t.Fatalf("the same person again ended %+v", replaced)
	}
	ben := f.login("hq", "ben")
	f.signIn(t, b, ben)
	s = f.current(t, b)
	if i, ok := s.Identity("hq"); !ok || i.Subject.Sub != ben.Subject.Sub || len(s.Identities) != 2 {
		t.Errorf("identities %+v", s.Identities)
	}
	if len(replaced) != 1 || len(replaced[0].Families) != 1 || replaced[0].Families[0].ID != "ada's" {
		t.Errorf("ended %+v", replaced)
	}
	alone := browser{}
	f.signIn(t, alone, f.login("hq", "ada"))
	f.signIn(t, alone, ben)
	if i, ok := f.current(t, alone).Identity("hq"); !ok || i.Sub != ben.Subject.Sub {
		t.Error("the only identity of a session cannot be replaced")
	}
}

func TestL30_ASessionEndsByIdlenessAndByAge(t *testing.T) {
	t.Parallel()
	f, idle, busy := newFixture(t, true), browser{}, browser{}
	f.Manager.Idle, f.Manager.Max = time.Hour, 3*time.Hour
	f.signIn(t, idle, f.login("hq", "ada"))
	f.signIn(t, busy, f.login("hq", "ben"))
	for range 5 {
		f.clock.add(35 * time.Minute)
		if f.current(t, busy) == nil {
			t.Fatal("a session in use is over before its time")
		}
	}
	if s := f.current(t, busy); s == nil || s.IdleUntil.After(s.Until) {
		t.Errorf("idle until after its end: %+v", s)
	}
	if f.current(t, idle) != nil {
		t.Error("a session that was not used lives on")
	}
	if f.clock.add(5 * time.Minute); f.current(t, busy) != nil { // three hours
		t.Error("a session lives on beyond its age because it is in use")
	}
}

func TestAnIdentityEndsBeforeItsSession(t *testing.T) {
	t.Parallel()
	f, b := newFixture(t, true), browser{}
	short := f.login("hq", "ada")
	short.Subject.Expires = f.clock.now().Add(10 * time.Minute)
	f.signIn(t, b, short)
	f.signIn(t, b, f.login("west", "ada"))
	f.clock.add(9 * time.Minute)
	if _, ok := f.current(t, b).Identity("hq"); !ok {
		t.Error("over before its time")
	}
	f.clock.add(time.Minute)
	s := f.current(t, b)
	if _, ok := s.Identity("hq"); ok {
		t.Error("not over at its time")
	}
	if _, ok := s.Identity("west"); !ok {
		t.Error("the other identity went as well")
	}
}

func TestASessionIsTouchedAtMostOnceAMinute(t *testing.T) {
	t.Parallel()
	f, b := newFixture(t, true), browser{}
	f.signIn(t, b, f.login("hq", "ada"))
	for range 12 { // four minutes
		f.clock.add(20 * time.Second)
		f.current(t, b)
	}
	if n := f.store.touches.Load(); n != 4 {
		t.Errorf("touched %d times in four minutes", n)
	}
}

func TestARequestReadsItsSessionOnce(t *testing.T) {
	t.Parallel()
	f, b := newFixture(t, true), browser{}
	f.signIn(t, b, f.login("hq", "ada"))
	before := f.store.reads.Load()
	r := b.request()
	for range 3 {
		if s, err := f.Current(r); s == nil || err != nil {
			t.Fatal(s, err)
		}
	}
	if n := f.store.reads.Load() - before; n != 1 {
		t.Errorf("read %d times", n)
	}
}

func TestWhoSignedInIsCurrentForTheSameRequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, true)
	r, w := browser{}.request(), httptest.NewRecorder()
	if s, err := f.Current(r); s != nil || err != nil {
		t.Fatal(s, err)
	}
	if _, err := f.SignIn(w, r, f.login("hq", "ada")); err != nil {
		t.Fatal(err)
	}
	if s, err := f.Current(r); s == nil || err != nil {
		t.Errorf("after signing in: %v, %v", s, err)
	}
	if _, err := f.End(w, r); err != nil {
		t.Fatal(err)
	}
	if s, err := f.Current(r); s != nil || err != nil {
		t.Errorf("after the end: %v, %v", s, err)
	}
}

func TestL32_ACookieHoldsNothingButRandomBits(t *testing.T) {
	t.Parallel()
	f := newFixture(t, true)
	seen := map[string]bool{}
	for range 100 {
		b := browser{}
		s := f.signIn(t, b, f.login("hq", "ada"))
		f.Browser(httptest.NewRecorder(), b.request())
		value := b["__Host-apostille"]
		if raw, err := base64.RawURLEncoding.DecodeString(value); err != nil || len(raw) != 32 || seen[value] || strings.Contains(value, s.ID) {
			t.Fatalf("cookie %q, error %v", value, err)
		}
		if s.ID == value {
			t.Fatal("the session's ID, which is shown, is the cookie")
		}
		seen[value] = true
	}
}

func TestL31_ABadCookieIsLoggedOut(t *testing.T) {
	t.Parallel()
	f, b := newFixture(t, true), browser{}
	f.signIn(t, b, f.login("hq", "ada"))
	good := b["__Host-apostille"]
	if f.current(t, browser{"__Host-apostille": good}) == nil {
		t.Fatal("the good cookie is not taken")
	}
	for name, value := range map[string]string{
		"empty": "", "short": good[:42], "long": good + "A", "other letters": "=" + good[1:], "unknown": strings.Repeat("A", 43),
		"gorilla's own form": "MTcwMDAwMDAwMHxEWDhFQVFMX2dBQUJFQUVRQUFBZ180QUFBUT09fA==",
	} {
		bad := browser{"__Host-apostille": value}
		if s := f.current(t, bad); s != nil {
			t.Errorf("%s: signed in", name)
		}
		f.signIn(t, bad, f.login("hq", "ben"))
		if s := f.current(t, bad); s == nil {
			t.Errorf("%s: nobody can sign in after it", name)
		}
	}
}

func TestAStoreThatDoesNotAnswerIsAnError(t *testing.T) {
	t.Parallel()
	f, b := newFixture(t, true), browser{}
	f.signIn(t, b, f.login("hq", "ada"))
	f.store.down.Store(true)
	if s, err := f.Current(b.request()); s != nil || !errors.Is(err, errDown) {
		t.Errorf("current: %v, %v", s, err)
	}
	for name, who := range map[string]browser{"signed in": b, "nobody": {}} {
		w := httptest.NewRecorder()
		if s, err := f.SignIn(w, who.request(), f.login("hq", "ada")); s != nil || !errors.Is(err, errDown) || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s signs in: %v, %v", name, s, err)
		}
	}
	w := httptest.NewRecorder()
	if _, err := f.End(w, b.request()); !errors.Is(err, errDown) || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("end: %v, cookie %q", err, w.Header().Get("Set-Cookie"))
	}
	f.store.down.Store(false)
	if f.current(t, b) == nil {
		t.Error("signed out by an outage")
	}
}

func TestWhatIsNoLoginSignsNobodyIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t, true)
	for name, change := range map[string]func(*trust.Subject){
		"an own token":       func(s *trust.Subject) { s.Credential = trust.CredentialOwnToken },
		"an ID token":        func(s *trust.Subject) { s.Credential = trust.CredentialIDToken },
		"no trust":           func(s *trust.Subject) { s.Trust = "" },
		"another origin":     func(s *trust.Subject) { s.Origin = "west" },
		"no subject":         func(s *trust.Subject) { s.Sub = "" },
		"no end":             func(s *trust.Subject) { s.Expires = time.Time{} },
		"an end in the past": func(s *trust.Subject) { s.Expires = f.clock.now() },
	} {
		l := f.login("hq", "ada")
		change(&l.Subject)
		w := httptest.NewRecorder()
		if s, err := f.SignIn(w, browser{}.request(), l); err == nil || s != nil || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: %+v, error %v", name, s, err)
		}
	}
	if _, err := f.SignIn(httptest.NewRecorder(), browser{}.request(), upstream.Login{}); err == nil {
		t.Error("the zero value signs in")
	}
}

func TestAnIdentityThatCannotBeReadIsNone(t *testing.T) {
	t.Parallel()
	f, b := newFixture(t, true), browser{}
	f.signIn(t, b, f.login("hq", "ada"))
	s := f.current(t, b)
	if _, ok := s.Identity("hq"); !ok {
		t.Fatal("the good one cannot be read")
	}
	for name, change := range map[string]func(*store.Identity){
		"another version":    func(i *store.Identity) { i.Value = []byte(`{"v":2}`) },
		"another's value":    func(i *store.Identity) { i.Sub = "somebody" },
		"cut":                func(i *store.Identity) { i.Value = i.Value[:20] },
		"nothing":            func(i *store.Identity) { i.Value = nil },
		"another trust's":    func(i *store.Identity) { i.Value = []byte(strings.Replace(string(i.Value), `"hq"`, `"west"`, 1)) },
		"over by this clock": func(i *store.Identity) { i.Until = f.clock.now() },
	} {
		bad := *s
		bad.Identities = []store.Identity{s.Identities[0]}
		change(&bad.Identities[0])
		if i, ok := bad.Identity("hq"); ok {
			t.Errorf("%s: %+v", name, i)
		}
	}
}

// R12: a clock that steps by five minutes neither signs everybody out nor keeps anybody in beyond their time.
func TestR12_AClockThatStepsSignsNobodyOut(t *testing.T) {
	t.Parallel()
	f, b := newFixture(t, true), browser{}
	f.signIn(t, b, f.login("hq", "ada"))
	for _, step := range []time.Duration{5 * time.Minute, -10 * time.Minute, 5 * time.Minute} {
		f.clock.add(step)
		if s := f.current(t, b); s == nil {
			t.Fatalf("signed out by a step of %v", step)
		} else if _, ok := s.Identity("hq"); !ok {
			t.Fatalf("the identity went by a step of %v", step)
		}
	}
	f.clock.add(12 * time.Hour)
	if f.current(t, b) != nil {
		t.Error("still in after twelve hours")
	}
}

func TestABrowserIsKnownByItsCookie(t *testing.T) {
	t.Parallel()
	f, b := newFixture(t, true), browser{}
	r, w := b.request(), httptest.NewRecorder()
	if f.SameBrowser(r, nil) || f.SameBrowser(r, mark("")) {
		t.Fatal("a browser without cookie is somebody")
	}
	id := f.Browser(w, r)
	if again := f.Browser(w, r); !bytes.Equal(again, id) || len(w.Header().Values("Set-Cookie")) != 1 {
		t.Errorf("the same request: %x, then %x", id, again)
	}
	if !f.SameBrowser(r, id) {
		t.Error("the request does not know what it was given")
	}
	b.take(w)
	r, w = b.request(), httptest.NewRecorder()
	if !f.SameBrowser(r, id) || !bytes.Equal(f.Browser(w, r), id) || w.Header().Get("Set-Cookie") != "" {
		t.Error("the next request is another browser")
	}
	if f.SameBrowser(r, mark("x")) || f.SameBrowser(r, nil) {
		t.Error("it is every browser")
	}
	f.signIn(t, b, f.login("hq", "ada"))
	if !f.SameBrowser(b.request(), id) {
		t.Error("signing in makes another browser of it")
	}
}

func TestACookieThatIsMadeUpIsNoBrowser(t *testing.T) {
	t.Parallel()
	f, good := newFixture(t, true), "aaaaaa"+strings.Repeat("A", 37)
	if !f.SameBrowser(browser{"__Host-apostille_browser_aaaaaa": good}.request(), mark(good)) {
		t.Fatal("a cookie of the right form is not taken")
	}
	for name, value := range map[string]string{
		"__Host-apostille_browser_aaaaaa":  strings.Repeat("*", 43),
		"__Host-apostille_browser_aaaaab":  good, // not its name
		"__Host-apostille_browser":         good,
		"__Host-apostille_browser_aaaaaaa": good,
		"apostille_browser_aaaaaa":         good, // which a sibling host can set
	} {
		if f.SameBrowser(browser{name: value}.request(), mark(value)) {
			t.Errorf("%s=%s is taken for a browser", name, value)
		}
	}
}

// Under one cookie name the answer that came later took the first tab's ID away, and its login had to begin again.
func TestTwoTabsOfANewBrowserKeepWhatEachBegan(t *testing.T) {
	t.Parallel()
	f, b := newFixture(t, true), browser{}
	first, second := httptest.NewRecorder(), httptest.NewRecorder()
	one, two := f.Browser(first, b.request()), f.Browser(second, b.request()) // neither has seen the other's answer
	b.take(first)
	b.take(second)
	if bytes.Equal(one, two) || !f.SameBrowser(b.request(), one) || !f.SameBrowser(b.request(), two) {
		t.Errorf("of %x and %x the browser keeps %v", one, two, b)
	}
	w := httptest.NewRecorder()
	if third := f.Browser(w, b.request()); w.Header().Get("Set-Cookie") != "" || !bytes.Equal(third, one) && !bytes.Equal(third, two) {
		t.Error("a third is made although the browser has one")
	}
	if f.SameBrowser(browser{}.request(), one) {
		t.Error("another browser has it")
	}
}

func TestA97_TwoLoginsAtOnceNeverCross(t *testing.T) {
	t.Parallel()
	f := newFixture(t, true)
	type outcome struct {
		person string
		sub    string
		s      *Session
	}
	done := make(chan outcome)
	for n := range 32 {
		go func() {
			person := string(rune('a' + n))
			l, b := f.login("hq", person), browser{}
			w := httptest.NewRecorder()
			if _, err := f.SignIn(w, b.request(), l); err != nil {
				t.Error(err)
			}
			b.take(w)
			s, err := f.Current(b.request())
			if err != nil {
				t.Error(err)
			}
			done <- outcome{person, l.Subject.Sub, s}
		}()
	}
	for range 32 {
		o := <-done
		if o.s == nil {
			t.Errorf("%s is not signed in", o.person)
		} else if i, ok := o.s.Identity("hq"); !ok || i.Subject.Sub != o.sub || i.Subject.Value != o.person {
			t.Errorf("%s is signed in as %+v", o.person, i.Subject)
		}
	}
}

func TestAgentsInAFewWords(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0":           "Edge on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36":                         "Chrome on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":                   "Safari on macOS",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36":     "Samsung Internet on Android",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                  "Firefox on Linux",
		"curl/8.16.0": "", "": "", "<script>alert(1)</script>": "",
	} {
		if got := Agent(agent); got != want {
			t.Errorf("%q: %q, not %q", agent, got, want)
		}
	}
}

func BenchmarkCurrent(b *testing.B) {
	f, who := newFixture(b, true), browser{}
	f.signIn(b, who, f.login("hq", "ada"))
	r := who.request()
	for b.Loop() {
		if s, err := f.Current(r.WithContext(context.Background())); s == nil || err != nil {
			b.Fatal(s, err)
		}
	}
}
