package main

import (
	"crypto"
	"encoding/base64"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"apostille/upstream/fake"
)

// wikiTOML is an application that speaks SAML, for the people of the hall.
const wikiTOML = `
[client.wiki]
name = "The Wiki"
first_party = true
saml = { entity_id = "https://wiki.example/sp", acs = ["https://wiki.example/acs"], certificates = ["wiki.pem"], slo_url = "https://wiki.example/slo", signed_requests = true }

[[trust.hall.grant]]
clients = ["wiki"]
sign_in = true
claims = { "urn:oid:0.9.2342.19200300.100.1.3" = "email" }

[limits]
`

// wiki is a hall with a SAML application.
type wiki struct {
	*hall
	key *fake.IdP // the application's; it signs as anybody does
}

func newWiki(t *testing.T, change ...string) *wiki {
	t.Helper()
	w := &wiki{hall: &hall{}, key: fake.NewIdP("https://wiki.example/sp", "RS256")}
	w.hall = newHallWith(t, func(dir string) { writeFile(t, filepath.Join(dir, "wiki.pem"), w.key.PEM()) }, append([]string{"[limits]\n", wikiTOML}, change...)...)
	return w
}

// reader is a person's browser; the application has no server.
func (w *wiki) reader() *fake.Browser {
	b := w.browser()
	b.Stop = func(u *url.URL) bool { return u.Host == "wiki.example" }
	return b
}

// send posts a signed message of the application from a page of its own.
func (w *wiki) send(t *testing.T, b *fake.Browser, path, message string) *fake.Page {
	t.Helper()
	form := fake.Form{Action: ours + path, Method: http.MethodPost, Fields: url.Values{
		"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(w.key.SignXML(message)))}, "RelayState": {"/page?a=1&b=<2>"},
	}}
	page, err := b.Send(&fake.Page{URL: &url.URL{Scheme: "https", Host: "wiki.example", Path: "/"}}, form, nil)
	if err == nil {
		page, err = b.Settle(page)
	}
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func (w *wiki) message(kind, id, path, inside string) string {
	return `<samlp:` + kind + ` xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="` + id + `" Version="2.0" IssueInstant="` +
		time.Now().UTC().Format(time.RFC3339) + `" Destination="` + ours + path + `"><saml:Issuer>https://wiki.example/sp</saml:Issuer>` + inside + `</samlp:` + kind + `>`
}

// response is what arrived at the application, whose signature holds.
func (w *wiki) response(t *testing.T, page *fake.Page) string {
	t.Helper()
	document, err := base64.StdEncoding.DecodeString(page.Posted.Get("SAMLResponse"))
	if page.Status != 0 || page.URL.String() != "https://wiki.example/acs" || err != nil || page.Posted.Get("RelayState") != "/page?a=1&b=<2>" {
		t.Fatalf("no Response came: %v %d\n%s\n%s", page.Hops, page.Status, page.Text(), w.log.String())
	}
	own, err := w.server.samlKeys.signers()
	if err != nil {
		t.Fatal(err)
	}
	if err := fake.VerifyXML(document, []crypto.PublicKey{own[0].Key.Public()}); err != nil {
		t.Fatal(err)
	}
	return string(document)
}

var sessionIndex = regexp.MustCompile(`SessionIndex="([^"]+)"`)

// The whole way: an application that speaks SAML sends a person, who signs in at an office that speaks SAML; the broker stands between.
func TestPeopleSignInToASAMLApplication(t *testing.T) {
	t.Parallel()
	w := newWiki(t)
	b := w.reader()
	ask := func(id, attrs string) *fake.Page {
		return w.send(t, b, "/saml/idp/sso", strings.Replace(w.message("AuthnRequest", id, "/saml/idp/sso", ""), " Version", attrs+" Version", 1))
	}
	page := ask("_one", "")
	if page.Status != http.StatusOK {
		t.Fatalf("not at the office: %v %s\n%s", page.Hops, page.Text(), w.log.String())
	}
	page, err := b.SignIn(page, "alice")
	if err != nil {
		t.Fatal(err)
	}
	first := w.response(t, page)
	for _, want := range []string{`InResponseTo="_one"`, ">" + w.hallSub("alice") + "</saml:NameID>", `Name="urn:oid:0.9.2342.19200300.100.1.3"`, "alice@", ":status:Success"} {
		if !strings.Contains(first, want) {
			t.Errorf("no %s in %s", want, first)
		}
	}
	// Again: nobody is asked. Quietly too, and a new sign-in is one.
	if again := w.response(t, ask("_two", "")); sessionIndex.FindStringSubmatch(again)[1] != sessionIndex.FindStringSubmatch(first)[1] {
		t.Error("another session")
	}
	if quiet := w.response(t, ask("_three", ` IsPassive="true"`)); !strings.Contains(quiet, ":status:Success") {
		t.Error(quiet)
	}
	if page := ask("_four", ` ForceAuthn="true"`); page.Status != http.StatusOK {
		t.Errorf("not asked anew: %v", page.Hops)
	}
	if got := strings.Count(w.trail.String(), `"grant":"saml_sso"`); got != 3 {
		t.Errorf("%d records: %s", got, w.trail.String())
	}
}

func TestWhoMayNotSignInToASAMLApplicationIsAStatusThere(t *testing.T) {
	t.Parallel()
	w := newWiki(t, `require = { department = ["logistics"] }`, `require = { department = ["board"] }`)
	b := w.reader()
	page := w.send(t, b, "/saml/idp/sso", w.message("AuthnRequest", "_one", "/saml/idp/sso", ""))
	page, err := b.SignIn(page, "alice")
	if err != nil {
		t.Fatal(err)
	}
	if got := w.response(t, page); !strings.Contains(got, ":status:RequestDenied") || strings.Contains(got, "Assertion ") {
		t.Error(got)
	}
}

// Both ways: the application ends the session, and is asked when the person ends it here.
func TestSAMLApplicationsTakePartInLogout(t *testing.T) {
	t.Parallel()
	w := newWiki(t)
	enter := func(b *fake.Browser, id string) string {
		page := w.send(t, b, "/saml/idp/sso", w.message("AuthnRequest", id, "/saml/idp/sso", ""))
		if page.Status != 0 { // else the office knew them still
			var err error
			if page, err = b.SignIn(page, "alice"); err != nil {
				t.Fatal(err)
			}
		}
		return sessionIndex.FindStringSubmatch(w.response(t, page))[1]
	}
	b := w.reader()
	index := enter(b, "_one")
	signedIn := func(id string) bool {
		return strings.Contains(w.response(t, w.send(t, b, "/saml/idp/sso", strings.Replace(w.message("AuthnRequest", id, "/saml/idp/sso", ""), " Version", ` IsPassive="true" Version`, 1))), ":status:Success")
	}
	leave := func(id, index string) *fake.Page {
		return w.send(t, b, "/saml/idp/logout", w.message("LogoutRequest", id, "/saml/idp/logout", "<saml:NameID>x</saml:NameID><samlp:SessionIndex>"+index+"</samlp:SessionIndex>"))
	}
	if page := leave("_l1", "foreign"); page.URL.Host != "wiki.example" || !signedIn("_two") {
		t.Fatalf("an index of somebody else ended the session, or was not answered: %v", page.Hops)
	}
	page := leave("_l2", index)
	if signedIn("_three") {
		t.Error("the session lives on")
	}
	if page.Status != http.StatusOK && page.URL.Host != "wiki.example" {
		t.Errorf("nothing came of it: %v %s", page.Hops, page.Text())
	}
	// The other way: a page of ours asks the application, in a frame.
	enter(b, "_four")
	page, err := b.Open(ours + "/oauth2/end_session")
	if err != nil {
		t.Fatal(err)
	}
	page, err = b.Send(page, page.Forms()[0], url.Values{"decision": {"leave"}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.Body, `src="https://wiki.example/slo?SAMLRequest=`) || !strings.Contains(page.Header.Get("Content-Security-Policy"), "https://wiki.example") || !strings.Contains(page.Text(), "The Wiki") {
		t.Errorf("the application is not asked: %s\n%v", page.Body, page.Header)
	}
}
