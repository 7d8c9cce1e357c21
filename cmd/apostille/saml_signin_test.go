package main

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"apostille/trust"
	"apostille/upstream/fake"
)

// hallSub is our sub of somebody at the hall.
func (h *hall) hallSub(person string) string {
	kind := "NameID urn:oasis:names:tc:SAML:2.0:nameid-format:persistent " + url.PathEscape(h.saml.EntityID)
	return trust.DeriveSub(h.saml.EntityID, kind, h.saml.NameID(person))
}

// The whole way of a person, with a browser that keeps cookies from cross-site POSTs: hop 2 is what makes it possible at all.
func TestPeopleSignInWithSAML(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change []string
		faults fake.SAMLFaults
	}{
		{"request by redirect, assertion signed", nil, fake.SAMLFaults{}},
		{"request by POST", []string{`protocol = "saml"`, "protocol = \"saml\"\nsso_binding = \"post\""}, fake.SAMLFaults{}},
		{"request not signed", []string{`protocol = "saml"`, "protocol = \"saml\"\nrequest_signing = false"}, fake.SAMLFaults{AnyRequest: true}},
		{"an entityID for this office", []string{`protocol = "saml"`, "protocol = \"saml\"\nsp_entity_id = \"urn:campus-sp\""}, fake.SAMLFaults{}},
		{"Response signed", nil, fake.SAMLFaults{Sign: "response"}},
		{"both signed", nil, fake.SAMLFaults{Sign: "both"}},
		{"signed assertion encrypted", nil, fake.SAMLFaults{Encrypt: true}},
		{"signed Response around an encrypted assertion", nil, fake.SAMLFaults{Sign: "response", Encrypt: true}},
		{"everything signed, the assertion encrypted", nil, fake.SAMLFaults{Sign: "both", Encrypt: true}},
		{"an answer larger than strangers may have kept", nil, fake.SAMLFaults{Change: func(a *fake.Assertion) {
			groups := fake.Attribute{Name: "groups"}
			for range 1000 {
				groups.Values = append(groups.Values, rand.Text()) // which no compression makes small
			}
			a.Attributes = append(a.Attributes, groups)
		}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHall(t, c.change...)
			h.saml.Break(c.faults)
			page := h.signInAtHall(t, h.browser(), "alice")
			code := page.URL.Query().Get("code")
			if page.Status != 0 || code == "" {
				t.Fatalf("no code came of it: %v %d\n%s\n%s", page.Hops, page.Status, page.Text(), h.log.String())
			}
			out := h.ask(t, "portal", codeForm(code), nil)
			if out.Status != http.StatusOK {
				t.Fatalf("%d %s", out.Status, out.Body)
			}
			claims := claimsOf(t, out.Token.IDToken)
			if claims["sub"] != h.hallSub("alice") || claims["acr"] != "password" || claims["auth_time"] == nil {
				t.Errorf("ID token: %v", claims)
			}
		})
	}
}

func TestOurMetadataAreSignedAndNameWhatOfficesNeed(t *testing.T) {
	t.Parallel()
	h := newHall(t, `protocol = "saml"`, "protocol = \"saml\"\nsp_entity_id = \"urn:campus-sp\"")
	for path, entity := range map[string]string{"/saml/metadata": ours + "/saml/metadata", "/saml/metadata/hall": "urn:campus-sp"} {
		w := h.fetch(path)
		p, err := fake.ReadSAMLParty(w.Body.Bytes())
		if err != nil {
			t.Fatalf("%s: %v: %s", path, err, w.Body)
		}
		if p.EntityID != entity || p.ACS != ours+"/saml/acs" || p.Logout != ours+"/saml/logout" || p.Encrypt == nil || len(p.Keys) != 1 {
			t.Errorf("%s: %+v", path, p)
		}
		if err := fake.VerifyXML(w.Body.Bytes(), p.Keys); err != nil {
			t.Errorf("%s is not signed with the key in it: %v", path, err)
		}
		if got := w.Header().Get("Content-Type"); got != "application/samlmetadata+xml" {
			t.Errorf("%s: Content-Type %q", path, got)
		}
	}
	if w := h.fetch("/saml/metadata/office"); w.Code != http.StatusBadRequest {
		t.Errorf("metadata for an office that speaks OpenID Connect: %d", w.Code)
	}
}

func TestMetadataHaveBothKeysWhileOneIsRotated(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	before, _ := h.party(ours + "/saml/metadata")
	signing, _, err := h.server.samlKeys.rings()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signing.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, _ := h.party(ours + "/saml/metadata")
	if len(before.Keys) != 1 || len(after.Keys) != 2 {
		t.Errorf("%d keys before, %d while it rotates", len(before.Keys), len(after.Keys))
	}
	if page := h.signInAtHall(t, h.browser(), "alice"); page.Status != 0 {
		t.Errorf("nobody can sign in meanwhile: %s", page.Text())
	}
}

func TestWhatAnApplicationWantsReachesTheOffice(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	b := h.browser()
	if page := h.signInAtHall(t, b, "alice"); page.Status != 0 {
		t.Fatal(page.Text())
	}
	// The office has a session, and is asked again all the same: ForceAuthn.
	if page := h.atHall(t, b, "prompt", "login"); page.Status != http.StatusOK || !strings.Contains(page.Text(), "Who are you?") {
		t.Errorf("prompt=login was answered without asking: %v %s", page.Hops, page.Text())
	}
	// An office that does not care is caught, and the application hears of it.
	h.saml.Break(fake.SAMLFaults{Change: func(a *fake.Assertion) { a.AuthnAt = a.AuthnAt.Add(-2 * trust.Skew) }})
	page := h.signInAtHall(t, h.browser(), "alice", "max_age", "10")
	if got := page.URL.Query().Get("error"); got != "login_required" {
		t.Errorf("an old login came back as %q: %v", got, page.Hops)
	}
	h.saml.Repair()
	// acr_values: the office answers with the class that was asked for.
	page = h.signInAtHall(t, h.browser(), "alice", "acr_values", "mfa password")
	out := h.ask(t, "portal", codeForm(page.URL.Query().Get("code")), nil)
	if claims := claimsOf(t, out.Token.IDToken); claims["acr"] != "mfa" {
		t.Errorf("acr %v, asked for mfa first", claims["acr"])
	}
}

func TestAnOfficeThatSaysNoIsReadable(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	page := h.signInAtHall(t, h.browser(), "") // Cancel
	if page.Status != http.StatusForbidden || !strings.Contains(page.Text(), "City Hall did not sign you in") {
		t.Errorf("%d %s", page.Status, page.Text())
	}
	h.saml.Break(fake.SAMLFaults{Status: "NoAuthnContext"})
	page = h.signInAtHall(t, h.browser(), "alice")
	if page.Status != http.StatusBadGateway || strings.Contains(page.Text(), "NoAuthnContext") {
		t.Errorf("%d %s", page.Status, page.Text())
	}
}

// A34, A108: the Response of one browser in another one signs nobody in there, and leaves the login to its own.
func TestA34_A108_AResponseIsGoodInItsOwnBrowserOnly(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	mine, theirs := h.browser(), h.browser()
	var posted url.Values
	h.saml.Break(fake.SAMLFaults{Form: func(action string, form url.Values) string {
		posted = form
		return "http://nowhere.example/"
	}})
	mine.Stop = func(u *url.URL) bool {
		return u.Host == "nowhere.example" || strings.HasPrefix(u.String(), portalCallback)
	}
	h.signInAtHall(t, mine, "alice")
	if posted == nil {
		t.Fatal("the office posted nothing")
	}
	form := fake.Form{Action: ours + "/saml/acs", Method: http.MethodPost, Fields: posted}
	from := &fake.Page{URL: &url.URL{Scheme: "https", Host: "evil.example", Path: "/"}}
	for _, b := range []*fake.Browser{theirs, h.browser()} {
		page, err := b.Send(from, form, nil)
		if err != nil {
			t.Fatal(err)
		}
		if page.Status != http.StatusForbidden || !strings.Contains(page.Text(), "another browser") {
			t.Errorf("in another browser: %d %s", page.Status, page.Text())
		}
	}
	page, err := mine.Send(from, form, nil)
	if err != nil || page.Status != 0 || page.URL.Query().Get("code") == "" {
		t.Fatalf("in its own: %v %v", err, page)
	}
	// A35: and once.
	if page, err = mine.Send(from, form, nil); err != nil || page.Status != http.StatusBadRequest {
		t.Errorf("a second time: %v %d %s", err, page.Status, page.Text())
	}
}

// A35, L06: an assertion that signed somebody in signs in nobody else, also where the login is another one.
func TestA35_AnAssertionSignsInOnce(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	const id = "_the-same-each-time"
	h.saml.Break(fake.SAMLFaults{Change: func(a *fake.Assertion) { a.ID = id }})
	if page := h.signInAtHall(t, h.browser(), "alice"); page.Status != 0 {
		t.Fatalf("the first: %s", page.Text())
	}
	page := h.signInAtHall(t, h.browser(), "alice")
	if page.Status != http.StatusBadGateway || !strings.Contains(h.trail.String(), `"reason":"replayed"`) {
		t.Errorf("the second: %d %s", page.Status, page.Text())
	}
}

// A87: what is made for one entry is worth nothing at the other.
func TestA87_AnAssertionIsGoodAtOneOfTheTwoEntries(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	var posted string
	h.saml.Break(fake.SAMLFaults{Posted: func(response string) string { posted = response; return response }})
	if page := h.signInAtHall(t, h.browser(), "alice"); page.Status != 0 {
		t.Fatal(page.Text())
	}
	for _, document := range []string{assertionIn(posted), posted} {
		out := h.ask(t, "portal", exchangeForm(base64.RawURLEncoding.EncodeToString([]byte(document)), "saml2"), nil)
		if out.Status == http.StatusOK {
			t.Errorf("a captured answer was exchanged: %s", out.Body)
		}
	}
	// The other way round: what is addressed to the token endpoint signs nobody in.
	h.saml.Break(fake.SAMLFaults{Change: func(a *fake.Assertion) { a.Audience, a.Recipient = ours, ours+trust.TokenPath }})
	if page := h.signInAtHall(t, h.browser(), "alice"); page.Status == 0 {
		t.Error("an assertion for the token endpoint signed somebody in")
	}
	// The twin: the same office's assertion for the token endpoint is exchanged there.
	good := fake.Assertion{
		NameID: "kim", Audience: ours, Recipient: ours + trust.TokenPath,
		Attributes: []fake.Attribute{{Name: "department", Values: []string{"logistics"}}},
	}
	if out := h.ask(t, "portal", exchangeForm(fake.Encode(h.saml.Assertion(good)), "saml2"), nil); out.Status != http.StatusOK {
		t.Errorf("%d %s", out.Status, out.Body)
	}
}

func assertionIn(response string) string {
	from, to := strings.Index(response, "<saml:Assertion"), strings.LastIndex(response, "</saml:Assertion>")
	if from < 0 || to < 0 {
		return ""
	}
	return response[from : to+len("</saml:Assertion>")]
}

// A38: SessionNotOnOrAfter bounds what rests on the login.
func TestA38_ASessionEndsWithThatOfTheOffice(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	h.saml.Break(fake.SAMLFaults{Change: func(a *fake.Assertion) { a.SessionEnd = a.Now.Add(3 * trust.Skew) }})
	page := h.signInAtHall(t, h.browser(), "alice")
	out := h.ask(t, "portal", codeForm(page.URL.Query().Get("code")), nil)
	if out.Status != http.StatusOK || out.Token.ExpiresIn > 180 || out.Token.ExpiresIn < 150 {
		t.Errorf("%d, a token of %d s from a session of 180 s: %s", out.Status, out.Token.ExpiresIn, out.Body)
	}
}

// A34, A35, A109, L06: an office may send its people unasked only where its trust says so, each answer counts once, and where it says that they go
// does not count.
func TestA34_A109_L06_NobodyIsSignedInUnasked(t *testing.T) {
	t.Parallel()
	from := &fake.Page{URL: &url.URL{Scheme: "https", Host: "hall.example", Path: "/"}}
	send := func(h *hall, b *fake.Browser, form url.Values) *fake.Page {
		page, err := b.Send(from, fake.Form{Action: ours + "/saml/acs", Method: http.MethodPost, Fields: form}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	h := newHall(t)
	us, _ := h.party(ours + "/saml/metadata")
	b := h.browser()
	if page := send(h, b, h.saml.Unsolicited("alice", us)); page.Status != http.StatusBadRequest {
		t.Errorf("without idp_initiated: %d %s", page.Status, page.Text())
	}
	h = newHall(t, `protocol = "saml"`, "protocol = \"saml\"\nidp_initiated = true")
	us, _ = h.party(ours + "/saml/metadata")
	b = h.browser()
	form := h.saml.Unsolicited("alice", us)
	if page := send(h, b, form); page.Status != http.StatusOK || page.URL.String() != ours+"/account" || !strings.Contains(page.Text(), "City Hall") {
		t.Fatalf("with it: %d at %v\n%s", page.Status, page.Hops, page.Text())
	}
	if page := h.atHall(t, b); page.Status != 0 || page.URL.Query().Get("code") == "" {
		t.Errorf("the session is no session: %v", page.Hops)
	}
	// The trail says why; once it said that a login had expired, whatever was wrong.
	for name, bad := range map[string]struct {
		form url.Values
		why  string
	}{
		"the same again": {form, "used before"}, "an old one": {oldOne(h, us), "are accepted"}, "a solicited one": {solicited(t, h), "answers another request"},
	} {
		trail := len(h.trail.String())
		if page := send(h, h.browser(), bad.form); page.Status < 400 || !strings.Contains(h.trail.since(trail), bad.why) {
			t.Errorf("%s: %d at %v\n%s", name, page.Status, page.Hops, h.trail.since(trail))
		}
	}
}

// oldOne was written an hour ago.
func oldOne(h *hall, us fake.SAMLParty) url.Values {
	h.saml.Break(fake.SAMLFaults{Change: func(a *fake.Assertion) { a.Now = a.Now.Add(-time.Hour); a.Lifetime = 2 * time.Hour }})
	defer h.saml.Repair()
	return h.saml.Unsolicited("alice", us)
}

// solicited is an answer to a login that somebody else began.
func solicited(t *testing.T, h *hall) (form url.Values) {
	t.Helper()
	h.saml.Break(fake.SAMLFaults{Form: func(_ string, f url.Values) string { form = f; return "http://nowhere.example/" }})
	defer h.saml.Repair()
	b := h.browser()
	b.Stop = func(u *url.URL) bool { return u.Host == "nowhere.example" }
	h.signInAtHall(t, b, "alice")
	form.Del("RelayState")
	return form
}
