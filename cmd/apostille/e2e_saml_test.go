//go:build e2e

package main_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"apostille/trust/xmlsec"

	"github.com/chromedp/chromedp"
)

// atCampus signs somebody in at simplesamlphp's page.
func (b *tab) atCampus(name string) {
	b.t.Helper()
	b.do("say who", chromedp.WaitVisible("#username"), chromedp.SendKeys("#username", name), chromedp.SendKeys("#password", name))
	b.led("sign in", chromedp.Submit("#password"))
}

// signInWithSAML signs ada in to the portal.
func (b *tab) signInWithSAML() {
	b.t.Helper()
	b.visit(b.Portal + "/login")
	b.atCampus("ada")
	b.says("Signed in as Ada of the campus")
}

func TestE2ESigningInWithSimpleSAMLphp(t *testing.T) {
	w := newCampus(t)

	t.Run("one sign-in opens both applications", func(t *testing.T) {
		b := w.person(t)
		b.signInWithSAML()
		b.visit(w.Orders + "/login")
		b.says("DDStore orders", "Signed in as Ada of the campus")
		b.visit(w.Issuer + "/account")
		b.says("Ada of the campus", "Campus")
	})
	t.Run("a name in other letters, with what XML and HTML escape", func(t *testing.T) {
		b := w.person(t)
		b.visit(w.Portal + "/login")
		b.atCampus("bo")
		b.says(`Signed in as Bo Jürgens <b&b> "q"`)
	})
	t.Run("without JavaScript", func(t *testing.T) {
		b := w.person(t)
		b.scripts(false)
		b.visit(w.Portal + "/login")
		b.atCampus("ada")
		b.press("noscript button") // simplesamlphp's page cannot post by itself
		b.says("Signed in as Ada of the campus")
	})
	t.Run("prompt=login has the office ask again", func(t *testing.T) {
		b := w.person(t)
		b.signInWithSAML()
		b.visit(w.Portal + "/login?prompt=login")
		b.atCampus("ada")
		b.says("Signed in as Ada of the campus")
	})
	t.Run("whoever signs out here may sign out at the office", func(t *testing.T) {
		b := w.person(t)
		b.signInWithSAML()
		b.press(signOut)
		b.press(leave)
		b.says("You are signed out", "You may still be signed in at your office")
		b.press(`a[href^="` + w.Campus + `"]`)
		b.says("Your session at Campus is over as well")
		b.visit(w.Portal + "/login")
		b.atCampus("ada") // it asks who it is
		b.says("Signed in as Ada of the campus")
	})
	t.Run("but need not", func(t *testing.T) {
		b := w.person(t)
		b.signInWithSAML()
		b.press(signOut)
		b.press(leave)
		b.says("You are signed out")
		b.visit(w.Portal + "/login")
		b.says("Signed in as Ada of the campus")
	})
	t.Run("whoever signs out at the office is signed out here, and nobody else is", func(t *testing.T) {
		b, c := w.person(t), w.person(t)
		b.signInWithSAML()
		c.signInWithSAML()
		b.visit(w.Campus + "/saml2/idp/initSLO.php?RelayState=" + url.QueryEscape(w.Portal+"/?left=campus"))
		b.says("Warehouse portal") // our answer satisfied the office, which goes on to where it was told to
		if !strings.Contains(b.text(), "left=campus") {
			t.Errorf("the office ends at %s", b.text())
		}
		b.shows(w.Portal+"/", told)
		b.visit(w.Portal + "/login?prompt=none")
		b.says("The broker said login_required")
		c.visit(w.Portal + "/")
		c.press(refresh)
		c.says("refreshed 1 times")
	})
}

// posted is the Response that a page of simplesamlphp is about to post, and to where. Scripts are off, so it waits.
func (b *tab) posted() (response, to string) {
	b.t.Helper()
	b.do("look for the form", chromedp.WaitReady(`input[name="SAMLResponse"]`))
	encoded := eval[string](b, `document.querySelector('input[name="SAMLResponse"]').value`)
	document, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(document), eval[string](b, "document.forms[0].action")
}

// assertionOf takes the signed assertion out of a Response, as whoever exchanges it does.
func assertionOf(t *testing.T, response string) string {
	t.Helper()
	root, err := xmlsec.Parse([]byte(response))
	if err != nil {
		t.Fatal(err)
	}
	for e := range root.Children() {
		if e.Name().Local == "Assertion" {
			return base64.RawURLEncoding.EncodeToString(e.Canonical("xs"))
		}
	}
	t.Fatalf("no assertion in %s", response)
	return ""
}

// exchanged exchanges an assertion by RFC 8693, or with bearer by RFC 7522, as the portal.
func (w *world) exchanged(t *testing.T, assertion string, bearer bool) (status int, answer struct {
	Token       string `json:"access_token"`
	Scope       string
	Error       string
	Description string `json:"error_description"`
}) {
	t.Helper()
	form := url.Values{"grant_type": {exchangeGrant}, "subject_token": {assertion}, "subject_token_type": {tokenTypePrefix + "saml2"}, "audience": {"warehouse"}}
	if bearer {
		form = url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:saml2-bearer"}, "assertion": {assertion}, "audience": {"warehouse"}}
	}
	form.Set("scope", "stock.read")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Issuer+"/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("portal", interopSecret)
	resp, err := w.client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}

// A87, with an office that knows the broker twice: what it makes for the token endpoint is exchanged and signs nobody in, what it makes for a
// sign-in signs in and is exchanged nowhere.
func TestE2EAssertionsOfSimpleSAMLphpAreForOnePlace(t *testing.T) {
	w := newCampus(t)
	for name, bearer := range map[string]bool{"RFC 8693": false, "RFC 7522": true} {
		t.Run("made for the token endpoint, by "+name, func(t *testing.T) {
			b := w.person(t)
			b.scripts(false)
			b.visit(w.Campus + "/saml2/idp/SSOService.php?spentityid=" + url.QueryEscape(w.Issuer))
			b.atCampus("ada")
			response, to := b.posted()
			if to != w.Issuer+"/oauth2/token" {
				t.Errorf("it is for %s", to)
			}
			eval[any](b, `document.forms[0].action = "`+w.Issuer+`/saml/acs"`)
			b.press("noscript button")
			b.visit(w.Portal + "/login?prompt=none")
			b.says("The broker said login_required")
			assertion := assertionOf(t, response)
			status, answer := w.exchanged(t, assertion, bearer)
			if status != http.StatusOK || answer.Scope != "stock.read" || subOf(t, answer.Token) != w.adaHere(t) {
				t.Errorf("%d %+v", status, answer)
			}
			if status, answer = w.exchanged(t, assertion, bearer); status != http.StatusBadRequest {
				t.Errorf("again: %d %+v", status, answer)
			}
		})
	}
	t.Run("made for a sign-in", func(t *testing.T) {
		b := w.person(t)
		b.scripts(false)
		b.visit(w.Portal + "/login")
		b.atCampus("ada")
		response, to := b.posted()
		if to != w.Issuer+"/saml/acs" {
			t.Errorf("it is for %s", to)
		}
		for bearer, want := range map[bool]string{false: "invalid_request", true: "invalid_grant"} {
			if status, answer := w.exchanged(t, assertionOf(t, response), bearer); status != http.StatusBadRequest || answer.Error != want || answer.Token != "" {
				t.Errorf("%d %+v", status, answer)
			}
		}
		b.press("noscript button") // its twin
		b.says("Signed in as Ada of the campus")
	})
}

// adaHere is ada's sub here, as an application hears it.
func (w *world) adaHere(t *testing.T) string {
	t.Helper()
	b := w.person(t)
	b.signInWithSAML()
	return strings.TrimPrefix(b.line("sub "), "sub ")
}

// subOf is the sub of an access token that is not looked at any closer.
func subOf(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("no JWT: %q", token)
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ Sub string }
	if err := json.Unmarshal(text, &claims); err != nil {
		t.Fatal(err)
	}
	return claims.Sub
}
