//go:build e2e

package main_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// Buttons of the broker's pages and of the peers'.
const (
	searchBox = `input[type="search"]`
	enter     = "#enter"
	cancel    = "#cancel"
	allow     = `button[name="decision"][value="allow"]`
	deny      = `button[name="decision"][value="deny"]`
	leave     = `button[name="decision"][value="leave"]`
	stay      = `button[name="decision"][value="stay"]`
	refresh   = `form[action="/refresh"] button`
	again     = `form[action="/again"] button`
	report    = `a[href*="/logout/report?"]`
	signOut   = `form[action="/logout"] button`
)

// office is the picker's button of an office.
func office(id string) string { return `button[name="trust"][value="` + id + `"]` }

// search types into the picker, and expects an office as the first hit of what is sent of it.
func (b *tab) search(words, sent, id string) {
	b.t.Helper()
	eval[any](b, "document.querySelector(`"+searchBox+"`).select()")
	b.do("type "+words, chromedp.SendKeys(searchBox, words))
	b.settles(fmt.Sprintf("new URLSearchParams(location.search).get('q') === %q && document.querySelector('#results button').value === %q", sent, id))
}

// be signs in at the page of an office.
func (b *tab) be(name string) {
	b.t.Helper()
	b.do("say who", chromedp.WaitVisible("#login"), chromedp.SendKeys("#login", name))
	b.press(enter)
}

// signIn signs somebody of the head office in to the portal.
func (b *tab) signIn(name string) {
	b.t.Helper()
	b.visit(b.Portal + "/login?idp_hint=north")
	b.be(name)
	b.says("Signed in as " + name + " of the head office")
}

func TestE2EPickingAnOffice(t *testing.T) {
	w := newWorld(t)

	t.Run("not in a browser that does not know the authority: nothing here overlooks a certificate", func(t *testing.T) {
		stranger := startChrome(t, newAuthority(t, t.TempDir()))
		if err := chromedp.Do(stranger.ctx, chromedp.Navigate(w.Issuer)); err == nil || !strings.Contains(err.Error(), "ERR_CERT_AUTHORITY_INVALID") {
			t.Errorf("opened with %v", err)
		}
	})
	t.Run("by search, with a typo and without accents", func(t *testing.T) {
		b := w.person(t)
		b.visit(w.Portal + "/login")
		b.says("Choose your office", "Warehouse portal")
		b.search("gotebrg", "gotebrg", "branch-6")
		b.search("head ofice", "head ofice", "north")
		b.press(office("north"))
		b.be("ada")
		b.says("Signed in as ada of the head office")
	})
	t.Run("by the domain of an e-mail address", func(t *testing.T) {
		b := w.person(t)
		b.visit(w.Portal + "/login")
		b.search("bo@south.hmart.example", "@south.hmart.example", "south") // who he is stays in the browser
		b.press(office("south"))
		b.be("bo")
		b.says("Signed in as bo of the south") // by form_post, and the hop
	})
	t.Run("by login_hint, straight through", func(t *testing.T) {
		b := w.person(t)
		b.visit(w.Portal + "/login?login_hint=cy@south.hmart.example")
		b.be("cy")
		b.says("Signed in as cy of the south")
	})
	t.Run("with the keyboard alone", func(t *testing.T) {
		b := w.person(t)
		b.visit(w.Portal + "/login")
		b.search("head office", "head office", "north")
		b.do("to the first hit", chromedp.KeyEvent("\r"))
		b.settles(`document.activeElement.value === "north"`)
		b.led("choose it", chromedp.KeyEvent("\r"))
		b.be("dot")
		b.says("Signed in as dot of the head office")
	})
	t.Run("remembered, and forgotten", func(t *testing.T) {
		b := w.person(t)
		b.visit(w.Portal + "/login")
		b.search("head office", "head office", "north")
		b.press(office("north"))
		b.be("eve")
		b.says("Signed in as eve")
		b.visit(w.Portal + "/login?prompt=select_account")
		b.says("Continue with HMart Head Office")
		b.press(`form[action$="/login/forget"] button`)
		b.says("Choose your office")
		b.never("Continue with")
		b.do("do not remember", chromedp.Click("#remember"))
		b.search("head office", "head office", "north")
		b.press(office("north"))
		b.says("Signed in as eve") // the office knows her
		b.visit(w.Portal + "/login?prompt=select_account")
		b.says("Choose your office")
		b.never("Continue with")
	})
	t.Run("another person of another office, beside the first", func(t *testing.T) {
		b := w.person(t)
		b.signIn("fay")
		b.visit(w.Portal + "/login?prompt=select_account")
		b.search("south", "south", "south")
		b.press(office("south"))
		b.be("gus")
		b.says("Signed in as gus of the south")
		b.visit(w.Issuer + "/account")
		b.says("fay of the head office", "gus of the south")
	})
	t.Run("without JavaScript", func(t *testing.T) {
		b := w.person(t)
		b.scripts(false)
		b.visit(w.Portal + "/login")
		b.press(`a[rel="next"]`)
		b.says("Page 2 of")
		b.do("type", chromedp.SendKeys(searchBox, "south"))
		b.led("search", chromedp.Submit(searchBox))
		b.press(office("south"))
		b.be("hal")
		b.press("noscript button") // the office's page cannot post its answer by itself
		b.says("Signed in as hal of the south")
		b.visit(w.Orders + "/login")
		b.press(allow)
		b.says("Back to DDStore orders")
		b.press("#answer button") // and neither can ours
		b.says("Signed in as hal of the south")
	})
}

func TestE2EOneSignInOpensBothApplications(t *testing.T) {
	w := newWorld(t)

	t.Run("the second application asks for no office and no name, and gets its answer by form_post", func(t *testing.T) {
		b := w.person(t)
		b.signIn("ada")
		b.visit(w.Orders + "/login")
		b.says("Sign in to DDStore orders", "ada of the head office")
		b.press(allow)
		b.says("DDStore orders", "Signed in as ada of the head office")
		b.visit(w.Orders + "/login") // what was allowed is not asked again
		b.says("Signed in as ada of the head office")
	})
	t.Run("prompt=none, with a session and without", func(t *testing.T) {
		b := w.person(t)
		b.visit(w.Portal + "/login?prompt=none")
		b.says("The broker said login_required")
		b.signIn("bo")
		b.visit(w.Portal + "/login?prompt=none")
		b.says("Signed in as bo")
		b.visit(w.Orders + "/login?prompt=none")
		b.says("The broker said consent_required")
	})
	t.Run("max_age, old enough and not", func(t *testing.T) {
		b := w.person(t)
		b.signIn("cy")
		before := b.line("auth_time")
		b.visit(w.Portal + "/login?max_age=3600")
		b.says("Signed in as cy", before)
		eval[any](b, "new Promise(r => setTimeout(r, 1100))", chromedp.EvalAwaitPromise) // auth_time is in seconds
		b.visit(w.Portal + "/login?max_age=0&idp_hint=north")
		b.be("cy")
		b.says("Signed in as cy")
		b.never(before)
	})
	t.Run("prompt=login wants a name again, and another person's replaces the first", func(t *testing.T) {
		b := w.person(t)
		b.signIn("dot")
		b.visit(w.Portal + "/login?prompt=login&idp_hint=north")
		b.be("dan")
		b.says("Signed in as dan of the head office")
		b.visit(w.Issuer + "/account")
		b.says("dan of the head office")
		b.never("dot of the head office")
	})
	t.Run("consent is refused, given, and taken back", func(t *testing.T) {
		b := w.person(t)
		b.signIn("eve")
		b.visit(w.Orders + "/login")
		b.press(deny)
		b.says("The broker said access_denied")
		b.visit(w.Orders + "/login")
		b.press(allow)
		b.says("Signed in as eve")
		b.visit(w.Issuer + "/account")
		b.says("DDStore orders", "See your e-mail address")
		b.press(`button[name="client"][value="orders"]`)
		b.says("My sessions")
		b.visit(w.Orders + "/login?prompt=none")
		b.says("The broker said consent_required")
	})
	t.Run("refresh, and a refresh token that is used twice ends its family", func(t *testing.T) {
		b := w.person(t)
		b.signIn("fay")
		b.press(refresh)
		b.says("refreshed 1 times", "stock.read")
		b.press(refresh)
		b.says("refreshed 2 times")
		b.press(again)
		b.says("the broker said invalid_grant")
		b.press(refresh) // the newest one, which nobody used
		b.says("refreshed 2 times", "the broker said invalid_grant")
		b.visit(w.Portal + "/login?prompt=none") // the session stays, and begins another family
		b.says("Signed in as fay", "refreshed 0 times")
		b.press(refresh)
		b.says("refreshed 1 times")
	})
}
