//go:build e2e

package main_test

import (
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
)

// Every kind of page, in every look, accessible and kept to be looked at.
func TestE2EPages(t *testing.T) {
	w := newWorld(t)
	planner := w.Issuer + "/oauth2/authorize?" + url.Values{
		"client_id": {"planner"}, "redirect_uri": {"http://127.0.0.1:9/callback"}, "response_type": {"code"}, "scope": {"openid profile"},
		"state": {"s"}, "code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"}, // of RFC 7636 appendix B
	}.Encode()

	t.Run("the picker", func(t *testing.T) {
		b := w.person(t)
		b.visit(w.Portal + "/login")
		b.says("Choose your office")
		b.inspect("picker")
		b.do("ask", chromedp.Click(".missing summary"))
		b.search("hmart", "hmart", "north")
		b.inspect("picker-found")
		b.do("type", chromedp.SendKeys(searchBox, "xyzzy"))
		b.says("No office found")
		b.inspect("picker-none")
		b.visit(w.Portal + "/login")
		b.search("head office", "head office", "north")
		b.press(office("north"))
		b.be("ada")
		b.says("Signed in as ada")
		b.visit(w.Portal + "/login?prompt=select_account")
		b.says("Continue with")
		b.inspect("picker-remembered")
		for _, language := range []string{"de", "fr", "es"} {
			b.visit(w.Portal + "/login?prompt=select_account&ui_locales=" + language)
			b.inspect("picker-" + language)
		}
	})
	t.Run("consent", func(t *testing.T) {
		b := w.person(t)
		b.signIn("bo")
		b.visit(w.Orders + "/login?scope=openid profile email address phone offline_access stock.read stock.order")
		b.says("Sign in to DDStore orders")
		b.inspect("consent")
		b.visit(planner)
		b.says("Shift planner runs on this device")
		b.inspect("consent-device")
	})
	t.Run("the answer's form", func(t *testing.T) {
		b := w.person(t)
		b.signIn("cy")
		b.visit(w.Orders + "/login")
		b.scripts(false)
		b.press(allow)
		b.says("Back to DDStore orders")
		b.scripts(true)
		b.inspect("answer")
	})
	t.Run("my sessions", func(t *testing.T) {
		b, c := w.person(t), w.person(t)
		b.visit(w.Issuer)
		b.says("Nobody is signed in")
		b.inspect("account-nobody")
		c.signIn("dot")
		b.signInToBoth("dot")
		b.visit(w.Portal + "/login?prompt=select_account")
		b.search("south", "south", "south")
		b.press(office("south"))
		b.be("eve")
		b.says("Signed in as eve")
		b.visit(w.Issuer + "/account")
		b.says("dot of the head office", "eve of the south")
		b.inspect("account")
	})
	t.Run("signing out", func(t *testing.T) {
		b := w.person(t)
		b.signInToBoth("fay")
		b.visit(w.Portal + "/")
		b.press(signOut)
		b.says("asks to sign you out")
		b.inspect("logout")
		b.press(stay)
		b.inspect("logout-stay")
		b.visit(w.Portal + "/")
		b.press(signOut)
		b.press(leave)
		b.says("You are signed out")
		b.inspect("logout-done")
		b.press(report)
		b.inspect("logout-report")
		b.visit(w.Issuer + "/oauth2/end_session")
		b.inspect("logout-nobody")
		b.visit(w.Issuer + "/oauth2/end_session?id_token_hint=x")
		b.inspect("logout-error")
	})
	t.Run("what goes wrong", func(t *testing.T) {
		b := w.person(t)
		for name, link := range map[string]string{
			"error-redirect": w.Issuer + "/oauth2/authorize?client_id=portal&redirect_uri=https%3A%2F%2Felsewhere.example",
			"error-login":    w.Issuer + "/login?r=x",
			"error-over":     w.Issuer + "/login/callback/north?code=x&state=x",
			"error-away":     w.Portal + "/login?idp_hint=branch-4",
			"error-notfound": w.Issuer + "/nothing",
		} {
			b.visit(link)
			b.inspect(name)
		}
		b.visit(w.Portal + "/login?idp_hint=north")
		b.press(cancel)
		b.says("You were not signed in")
		b.inspect("error-denied")
	})
}
