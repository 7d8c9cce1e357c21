package main

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"apostille/broker/oauth"
	"apostille/trust"
	"apostille/upstream/fake"
)

// signedIn is somebody at the hall with a refresh token of the portal.
func (h *hall) signedIn(t *testing.T) (b *fake.Browser, refresh string) {
	t.Helper()
	b = h.browser()
	page := h.signInAtHall(t, b, "alice")
	out := h.ask(t, "portal", codeForm(page.URL.Query().Get("code")), nil)
	if out.Status != http.StatusOK || out.Token.RefreshToken == "" {
		t.Fatalf("%d %s", out.Status, out.Body)
	}
	return b, out.Token.RefreshToken
}

// in says whether the portal still gets tokens for the person.
func (h *hall) in(t *testing.T, refresh *string) bool {
	t.Helper()
	out := h.ask(t, "portal", url.Values{"grant_type": {oauth.GrantTypeRefresh}, "refresh_token": {*refresh}}, nil)
	if out.Status == http.StatusOK {
		*refresh = out.Token.RefreshToken
	}
	return out.Status == http.StatusOK
}

func TestALogoutAtTheOfficeEndsWhatRestsOnIt(t *testing.T) {
	t.Parallel()
	for _, binding := range []string{"redirect", "post"} {
		t.Run(binding, func(t *testing.T) {
			t.Parallel()
			h := newHall(t)
			b, refresh := h.signedIn(t)
			if !h.in(t, &refresh) {
				t.Fatal("not signed in")
			}
			us, _ := h.party(ours + "/saml/metadata")
			requests := h.saml.SignOut("alice", us)
			if len(requests) != 1 {
				t.Fatalf("%d logout requests", len(requests))
			}
			page := h.bring(t, b, binding, requests[0])
			if !strings.Contains(page.Text(), "You are signed out at Fake SAML office") {
				t.Errorf("our answer did not arrive: %v %d %s", page.Hops, page.Status, page.Text())
			}
			if h.in(t, &refresh) {
				t.Error("the family lives on")
			}
			if page := h.atHall(t, b); page.Status == 0 {
				t.Error("the session lives on")
			}
			// A118: once only; and the answer says that it did not take place.
			h.bring(t, b, binding, requests[0])
			if !strings.Contains(h.trail.String(), `"reason":"replayed"`) {
				t.Error("the same LogoutRequest took effect twice")
			}
		})
	}
}

// bring takes a message from the office to our logout service.
func (h *hall) bring(t *testing.T, b *fake.Browser, binding, request string) *fake.Page {
	t.Helper()
	var page *fake.Page
	var err error
	if binding == "post" {
		form := fake.Form{Action: ours + "/saml/logout", Method: http.MethodPost, Fields: url.Values{
			"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(h.saml.SignXML(request)))}, "RelayState": {"r & s"},
		}}
		page, err = b.Send(&fake.Page{URL: &url.URL{Scheme: "http", Host: "hall.example", Path: "/"}}, form, nil)
	} else {
		page, err = b.Open(h.saml.Redirect("SAMLRequest", request, ours+"/saml/logout", "r & s"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// A40, A118, L10: who cannot sign for the office ends nothing, and what is signed ends only what it names.
func TestA24_A27_A40_L10_ALogoutIsTheOfficesOwnWord(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	b, refresh := h.signedIn(t)
	place, now := ours+"/saml/logout", time.Now()
	good := func(person, index, at string, when time.Time) string {
		return h.saml.LogoutRequest(person, index, at, when)
	}
	stranger := fake.NewSAMLProvider(fake.SAMLOptions{URL: strings.TrimSuffix(h.saml.EntityID, "/entity")})
	signed := func(request string) string { return h.saml.Redirect("SAMLRequest", request, place, "") }
	for name, link := range map[string]string{
		"not signed":                         fake.UnsignedRedirect("SAMLRequest", good("alice", "", place, now), place),
		"signed by somebody else":            stranger.Redirect("SAMLRequest", good("alice", "", place, now), place, ""),
		"A24 RelayState added":               signed(good("alice", "", place, now)) + "&RelayState=x",
		"A24 a signature for another method": strings.Replace(signed(good("alice", "", place, now)), "rsa-sha256", "rsa-sha512", 1),
		"A24 a request and an answer":        signed(good("alice", "", place, now)) + "&SAMLResponse=AAAA",
		"A24 the message twice":              signed(good("alice", "", place, now)) + "&SAMLRequest=AAAA",
		"another message put in":             withMessageOf(signed(good("bob", "", place, now)), signed(good("alice", "", place, now))),
		"for another place":                  signed(good("alice", "", "https://east.example/saml/logout", now)),
		"for no place":                       signed(strings.Replace(good("alice", "", place, now), ` Destination="`+place+`"`, "", 1)),
		"old":                                signed(good("alice", "", place, now.Add(-time.Hour))),
		"of tomorrow":                        signed(good("alice", "", place, now.Add(24*time.Hour))),
		"of another issuer":                  signed(strings.Replace(good("alice", "", place, now), h.saml.EntityID, "https://other.example", 1)),
		"an AuthnRequest":                    signed(strings.ReplaceAll(good("alice", "", place, now), "LogoutRequest", "AuthnRequest")),
		"A27 more than 64 KB once inflated":  signed(good("alice", "", place, now) + strings.Repeat(" ", 1_000_000)),
		"of somebody else":                   signed(good("bob", "", place, now)),
		"of a session that is not here":      signed(good("alice", "_another", place, now)),
		"nothing at all":                     place,
	} {
		t.Run(name, func(t *testing.T) { h.mustEndNothing(t, b, link, &refresh, name) })
	}
	// The twin.
	if _, err := b.Open(signed(good("alice", "", place, now))); err != nil {
		t.Fatal(err)
	}
	if h.in(t, &refresh) {
		t.Error("a good LogoutRequest ended nothing")
	}
}

// mustEndNothing brings a message that ends no session of the person with the refresh token.
func (h *hall) mustEndNothing(t *testing.T, b *fake.Browser, link string, refresh *string, name string) {
	t.Helper()
	page, err := b.Open(link)
	if err != nil {
		t.Fatal(err)
	}
	good := strings.HasPrefix(name, "of somebody") || strings.HasPrefix(name, "of a session") // messages, but about others
	if got := page.Status; !good && (got < 400 || got >= 500) {
		t.Errorf("status %d at %v", got, page.Hops)
	}
	if !h.in(t, refresh) {
		t.Fatal("it ended the session")
	}
}

// withMessageOf is a URL with the message of another one under its own signature.
func withMessageOf(link, other string) string {
	u, v := mustURL(link), mustURL(other)
	q := u.Query()
	q.Set("SAMLRequest", v.Query().Get("SAMLRequest"))
	u.RawQuery = q.Encode()
	return u.String()
}

func mustURL(link string) *url.URL {
	u, err := url.Parse(link)
	if err != nil {
		panic(err)
	}
	return u
}

func TestLoggingOutHereOffersToLogOutAtTheOffice(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	b, refresh := h.signedIn(t)
	question, err := b.Open(ours + "/oauth2/end_session")
	if err != nil {
		t.Fatal(err)
	}
	done := press(t, b, question, "decision", "leave")
	if !strings.Contains(done.Text(), "City Hall") || h.in(t, &refresh) {
		t.Fatalf("not signed out, or the office is not named: %s", done.Text())
	}
	link := ""
	for _, part := range strings.Split(done.Body, `href="`) {
		if end := strings.IndexByte(part, '"'); end > 0 && strings.Contains(part[:end], "/slo?SAMLRequest=") {
			link = strings.ReplaceAll(part[:end], "&amp;", "&")
		}
	}
	if link == "" || h.saml.Sessions("alice") != 1 {
		t.Fatalf("no way to the office's logout:\n%s", done.Body)
	}
	page, err := b.Follow(done, link)
	if err != nil {
		t.Fatal(err)
	}
	if h.saml.Sessions("alice") != 0 || !strings.Contains(page.Text(), "Your session at City Hall is over as well") {
		t.Errorf("still signed in there, or its answer is not shown: %v %d %s", page.Hops, page.Status, page.Text())
	}
}

// Where an attribute names people, a LogoutRequest counts by its session only.
func TestALogoutByNameIDNeedsASessionWhereAnAttributeNamesPeople(t *testing.T) {
	t.Parallel()
	h := newHall(t, "attribute_scopes", "subject = \"uid\"\nattribute_scopes")
	b, refresh := h.signedIn(t)
	if claims := h.trail.String(); !strings.Contains(claims, trust.DeriveSub(h.saml.EntityID, "uid", "alice")) {
		t.Error("the account is not that of the attribute")
	}
	place := ours + "/saml/logout"
	if _, err := b.Open(h.saml.Redirect("SAMLRequest", h.saml.LogoutRequest("alice", "", place, time.Now()), place, "")); err != nil {
		t.Fatal(err)
	}
	if !h.in(t, &refresh) {
		t.Error("a NameID that names nobody ended a session")
	}
	us, _ := h.party(ours + "/saml/metadata")
	h.bring(t, b, "redirect", h.saml.SignOut("alice", us)[0])
	if h.in(t, &refresh) {
		t.Error("the session lives on")
	}
}
