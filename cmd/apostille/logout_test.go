package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"apostille/broker/account"
	"apostille/broker/audit"
	"apostille/broker/logout"
	"apostille/upstream/fake"
)

// signedIn is alice in a browser, and the ID token that the portal has of her.
func (a *arena) signedIn(t testing.TB) (*fake.Browser, string) {
	t.Helper()
	b := a.browser()
	out := a.ask(t, "portal", codeForm(a.signIn(t, b, "alice")), nil)
	if out.Token.IDToken == "" {
		t.Fatalf("no ID token: %s", out.Body)
	}
	return b, out.Token.IDToken
}

// in says whether the browser is still signed in: a request that must show no page is answered with a code.
func in(t testing.TB, b *fake.Browser) bool {
	t.Helper()
	page, err := b.Open(authorizeURL("prompt", "none"))
	if err != nil {
		t.Fatal(err)
	}
	return page.URL.Query().Get("code") != ""
}

func endSession(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Add(pairs[i], pairs[i+1])
	}
	return ours + logout.Path + "?" + q.Encode()
}

const portalHome = "https://portal.west.example/"

// newLogoutArena is an arena whose portal has a place to return to.
func newLogoutArena(t testing.TB) *arena {
	return newArena(t, "first_party = true\n", "first_party = true\npost_logout_redirect_uris = [\""+portalHome+"\"]\n")
}

func TestA109_LogoutReturnsToRegisteredPlacesOnly(t *testing.T) {
	t.Parallel()
	a := newLogoutArena(t)
	_, hint := a.signedIn(t)
	for _, c := range []struct {
		name   string
		params []string
		good   bool
	}{
		{"a registered place, by hint", []string{"id_token_hint", hint, "post_logout_redirect_uri", portalHome}, true},
		{"a registered place, by client_id", []string{"client_id", "portal", "post_logout_redirect_uri", portalHome}, true},
		{"both, of one application", []string{"id_token_hint", hint, "client_id", "portal", "post_logout_redirect_uri", portalHome}, true},
		{"another place", []string{"client_id", "portal", "post_logout_redirect_uri", "https://evil.example/"}, false},
		{"nearly the place", []string{"client_id", "portal", "post_logout_redirect_uri", portalHome + "?x"}, false},
		{"a place of nobody", []string{"post_logout_redirect_uri", portalHome}, false},
		{"a hint of another application", []string{"id_token_hint", hint, "client_id", "robot", "post_logout_redirect_uri", portalHome}, false},
		{"a hint that is none", []string{"id_token_hint", hint[:len(hint)-4] + "AAAA", "post_logout_redirect_uri", portalHome}, false},
		{"an unknown application", []string{"client_id", "nobody"}, false},
		{"a client that nobody signs in to", []string{"client_id", "robot"}, false},
		{"a parameter twice", []string{"client_id", "portal", "client_id", "portal"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := a.browser()
			b.Stop = func(u *url.URL) bool { return u.Host != "id.west.example" }
			page, err := b.Open(endSession(append(c.params, "state", "x y")...)) // nobody is signed in: there is nothing to ask
			if err != nil {
				t.Fatal(err)
			}
			if c.good && page.URL.String() != portalHome+"?state=x+y" {
				t.Errorf("went to %v (%d)", page.Hops, page.Status)
			}
			if !c.good && (page.Status != http.StatusBadRequest || page.URL.Host != "id.west.example") {
				t.Errorf("%d at %v", page.Status, page.Hops)
			}
		})
	}
}

// An application posts its hint so that it stands in no address; it used to be put into one, with all that it says of the person.
func TestA119_APostedHintStandsInNoAddress(t *testing.T) {
	t.Parallel()
	a := newLogoutArena(t)
	b, hint := a.signedIn(t)
	b.Stop = func(u *url.URL) bool { return strings.HasPrefix(u.String(), portalHome) }
	from := &fake.Page{URL: must(url.Parse(portalHome))}
	form := fake.Form{Action: ours + logout.Path, Method: http.MethodPost, Fields: url.Values{
		"id_token_hint": {hint}, "post_logout_redirect_uri": {portalHome}, "state": {"x y"}, "ui_locales": {"de fr"},
	}}
	page, err := b.Send(from, form, nil)
	if err != nil || page.Status != http.StatusOK || len(page.Hops) != 2 || strings.Contains(strings.Join(page.Hops, " "), hint) {
		t.Fatalf("%v: %d at %v", err, page.Status, page.Hops)
	}
	if !strings.Contains(page.Body, `lang="de"`) {
		t.Error("the language of the request got lost")
	}
	if page, err = b.Send(page, page.Forms()[0], url.Values{"decision": {"leave"}}); err != nil || page.URL.String() != portalHome+"?state=x+y" {
		t.Errorf("%v: went to %v", err, page.Hops)
	}
	for name, bad := range map[string]url.Values{
		"a hint that is none": {"id_token_hint": {hint[:len(hint)-4] + "AAAA"}}, "another place": {"id_token_hint": {hint}, "post_logout_redirect_uri": {"https://evil.example/"}},
		"a parameter twice": {"state": {"a", "b"}}, "too much": {"x": {strings.Repeat("x", 20<<10)}},
	} {
		form.Fields = bad
		if page, err := b.Send(from, form, nil); err != nil || page.Status != http.StatusBadRequest || page.URL.Host != "id.west.example" {
			t.Errorf("%s: %v %d", name, err, page.Status)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestA118_NobodyIsSignedOutWithoutTheirWord(t *testing.T) {
	t.Parallel()
	a := newLogoutArena(t)
	b, hint := a.signedIn(t)
	b.Stop = func(u *url.URL) bool { return strings.HasPrefix(u.String(), portalHome) }
	link := endSession("id_token_hint", hint, "post_logout_redirect_uri", portalHome)
	question, err := b.Open(link) // as an image tag would
	if err != nil || !in(t, b) {
		t.Fatalf("a GET signed somebody out: %v %d", err, question.Status)
	}
	form := question.Forms()[0]
	for name, header := range map[string]http.Header{
		"a form of another site":   {"Sec-Fetch-Site": {"cross-site"}},
		"a form of a sibling":      {"Sec-Fetch-Site": {"same-site"}},
		"a form of another origin": {"Origin": {"https://evil.example"}},
		"a form from no origin":    {"Origin": {"null"}},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, ours+logout.ConfirmPath, strings.NewReader(with(form.Fields, "decision", "leave").Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header.Clone()
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := (inside{a}).RoundTrip(r)
		if err != nil || res.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %v", name, res.Status)
		}
	}
	// A form that was shown to somebody else does nothing here.
	other, _ := a.signedIn(t)
	page, err := other.Send(question, form, url.Values{"decision": {"leave"}})
	if err != nil || page.Status != http.StatusBadRequest || !in(t, other) || !in(t, b) {
		t.Errorf("somebody else's form: %v %d", err, page.Status)
	}
	if page, err := b.Send(question, form, url.Values{"decision": {"stay"}}); err != nil || page.Status != http.StatusOK || !in(t, b) {
		t.Errorf("staying: %v %d", err, page.Status)
	}
	// The twin: their own word, in their own browser.
	trail := len(a.trail.String())
	page, err = b.Send(question, form, url.Values{"decision": {"leave"}})
	if err != nil || page.URL.String() != portalHome {
		t.Fatalf("%v: %v", err, page.Hops)
	}
	b.Stop = func(u *url.URL) bool { return strings.HasPrefix(u.String(), portalCallback) }
	if in(t, b) || !in(t, other) {
		t.Error("it is not that session that ended")
	}
	if !strings.Contains(a.trail.since(trail), `"event":"`+audit.EventSessionEnded+`"`) || strings.Contains(a.trail.since(trail), hint) {
		t.Errorf("the trail: %s", a.trail.since(trail))
	}
}

func TestA111_LogoutEndsTheRefreshTokensOfTheSession(t *testing.T) {
	t.Parallel()
	a := newLogoutArena(t)
	b := a.browser()
	out := a.ask(t, "portal", codeForm(a.signIn(t, b, "alice")), nil)
	elsewhere := a.refreshToken(t)
	question, err := b.Open(endSession())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Send(question, question.Forms()[0], url.Values{"decision": {"leave"}}); err != nil {
		t.Fatal(err)
	}
	if out := a.ask(t, "portal", refreshForm(out.Token.RefreshToken), nil); out.Error != "invalid_grant" || out.Audit[0].Event != audit.EventRefused {
		t.Errorf("a refresh after logout: %d %s", out.Status, out.Body)
	}
	if out := a.ask(t, "portal", refreshForm(elsewhere), nil); out.Status != http.StatusOK {
		t.Errorf("another session's refresh: %d %s", out.Status, out.Body)
	}
}

// Whoever was not signed in used to be told that a session had ended.
func TestWhereNobodyIsSignedInNothingIsSaidToHaveEnded(t *testing.T) {
	t.Parallel()
	a := newLogoutArena(t)
	page, err := a.browser().Open(endSession())
	if err != nil || page.Status != http.StatusOK || !strings.Contains(page.Text(), "Nobody is signed in") || strings.Contains(page.Text(), "has ended") {
		t.Errorf("%v %d: %s", err, page.Status, page.Text())
	}
	b, _ := a.signedIn(t)
	question, err := b.Open(endSession())
	if err != nil {
		t.Fatal(err)
	}
	if page, err = b.Send(question, question.Forms()[0], url.Values{"decision": {"leave"}}); err != nil || !strings.Contains(page.Text(), "has ended") {
		t.Errorf("%v: %s", err, page.Text())
	}
}

func TestA108_NobodyEndsWhatIsSomebodyElses(t *testing.T) {
	t.Parallel()
	a := newLogoutArena(t)
	alice, _ := a.signedIn(t)
	mine, err := alice.Open(ours + account.Path)
	if err != nil || mine.Status != http.StatusOK {
		t.Fatalf("%v %d", err, mine.Status)
	}
	var end fake.Form
	for _, f := range mine.Forms() {
		if len(f.Buttons) == 1 && f.Buttons[0].Name == "session" {
			end = f
		}
	}
	bob := a.browser()
	a.signIn(t, bob, "alice", "prompt", "login") // another browser of hers
	carol := fake.NewBrowser(inside{a})
	if page, err := carol.Open(ours + account.Path); err != nil || page.Status != http.StatusUnauthorized {
		t.Fatalf("%v %d", err, page.Status)
	}
	if page, err := carol.Send(mine, end, url.Values{"session": {end.Buttons[0].Value}}); err != nil || page.Status != http.StatusUnauthorized || !in(t, alice) {
		t.Errorf("a stranger ended it: %v %d", err, page.Status)
	}
	if _, err := bob.Send(mine, end, url.Values{"session": {end.Buttons[0].Value}}); err != nil || in(t, alice) || !in(t, bob) {
		t.Errorf("she could not end her session in another browser: %v", err)
	}
}

// Front-channel logout is a frame of the page, from that origin only, with iss and sid; the page says asked.
func TestFramesAskTheApplicationsThatWantIt(t *testing.T) {
	t.Parallel()
	const uri = "https://portal.west.example/frontchannel?keep=1"
	a := newArena(t, "first_party = true\n", "first_party = true\nfrontchannel_logout_uri = \""+uri+"\"\n")
	b, hint := a.signedIn(t)
	question, err := b.Open(endSession("id_token_hint", hint))
	if err != nil {
		t.Fatal(err)
	}
	page, err := b.Send(question, question.Forms()[0], url.Values{"decision": {"leave"}})
	if err != nil || page.Status != http.StatusOK {
		t.Fatalf("%v %d", err, page.Status)
	}
	for _, want := range []string{"https://portal.west.example/frontchannel?", "keep=1", "iss=https%3A%2F%2Fid.west.example", "sid=", "was asked to sign you out"} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("the page has no %q:\n%s", want, page.Body)
		}
	}
	if !strings.Contains(page.Body, `sandbox="allow-scripts allow-same-origin allow-forms"`) { // it could take the whole page elsewhere
		t.Errorf("the frame may navigate the page:\n%s", page.Body)
	}
	if policy := page.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-src https://portal.west.example") || strings.Contains(policy, "frame-src *") {
		t.Errorf("the policy is %q", policy)
	}
	// The twin: an application that does not want to hear of it is in no frame.
	a = newArena(t)
	b, hint = a.signedIn(t)
	if question, err = b.Open(endSession("id_token_hint", hint)); err != nil {
		t.Fatal(err)
	}
	if page, err = b.Send(question, question.Forms()[0], url.Values{"decision": {"leave"}}); err != nil || strings.Contains(page.Body, "<iframe") {
		t.Errorf("%v: a frame for nobody:\n%s", err, page.Body)
	}
}
