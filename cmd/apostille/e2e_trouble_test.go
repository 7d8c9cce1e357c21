//go:build e2e

package main_test

import (
	"database/sql"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
	_ "modernc.org/sqlite" // to move the end of a login forward: nobody waits for a quarter of an hour
)

func TestE2EWhenItDoesNotGoSmoothly(t *testing.T) {
	w := newWorld(t)

	t.Run("the person cancels at the office, and takes another", func(t *testing.T) {
		b := w.person(t)
		b.visit(w.Portal + "/login?idp_hint=north")
		b.press(cancel)
		b.says("You were not signed in", "HMart Head Office", "Back to Warehouse portal")
		b.press(`a[href*="/login?r="]`)
		b.says("Choose your office")
		b.search("south", "south", "south")
		b.press(office("south"))
		b.be("ada")
		b.says("Signed in as ada of the south")
	})
	t.Run("the person goes back to the application instead", func(t *testing.T) {
		b := w.person(t)
		b.visit(w.Portal + "/login")
		b.press(".foot > a")
		b.says("The broker said access_denied")
	})
	t.Run("an office does not answer", func(t *testing.T) {
		b := w.person(t)
		b.visit(w.Portal + "/login?idp_hint=branch-3")
		b.says("Your office does not answer", "Branch Dublin")
		b.press(`button[name="trust"], form[action="/login"] button`)
		b.says("Your office does not answer")
		b.press(`a[href*="/login?r="]`)
		b.search("south", "south", "south")
		b.press(office("south"))
		b.be("bo")
		b.says("Signed in as bo of the south")
	})
	t.Run("the back button leads to the picker, which works again", func(t *testing.T) {
		b := w.person(t)
		b.visit(w.Portal + "/login")
		b.search("head office", "head office", "north")
		b.press(office("north"))
		b.be("cy")
		b.says("Signed in as cy")
		b.back("/interaction/")
		b.back("/login?r=")
		b.says("Choose your office")
		b.press(office("north"))
		b.says("This sign-in is over.") // the application's word: its request was answered before
		b.visit(w.Portal + "/")
		b.says("Signed in as cy")
	})
	t.Run("an answer that is fetched again is over, and says where to begin anew", func(t *testing.T) {
		b := w.person(t)
		b.signIn("dot")
		b.visit(b.passed(w.Issuer + "/login/callback/north"))
		b.says("This sign-in is over")
		b.press(".actions .primary")
		b.says("Warehouse portal")
	})
	t.Run("two tabs, one after the other", func(t *testing.T) {
		b := w.person(t)
		c := b.another()
		b.visit(w.Portal + "/login")
		c.visit(w.Orders + "/login")
		b.search("head office", "head office", "north")
		b.press(office("north"))
		c.search("head office", "head office", "north")
		c.press(office("north"))
		c.be("eve")
		c.press(allow)
		c.says("DDStore orders", "Signed in as eve")
		b.be("eve")
		b.says("Warehouse portal", "Signed in as eve")
		c.visit(w.Orders + "/login?prompt=none") // the second answer signed the same person in once more
		c.says("Signed in as eve")
	})
	t.Run("double clicks", func(t *testing.T) {
		b := w.person(t)
		b.visit(w.Orders + "/login")
		b.search("head office", "head office", "north")
		b.pressTwice(office("north"))
		b.be("fay")
		b.says("Sign in to DDStore orders")
		b.pressTwice(allow)
		b.says("Signed in as fay")
		b.visit(w.Issuer + "/oauth2/end_session")
		b.pressTwice(leave)
		b.says("You are signed out")
	})
	t.Run("a login that took too long", func(t *testing.T) {
		b := w.person(t)
		b.visit(w.Portal + "/login?idp_hint=north")
		w.endLogins(t)
		b.be("gus")
		b.says("This sign-in is over", "Start again")
		b.press(".actions .primary")
		b.says("Signed in as gus of the head office") // the office knows him by now
	})
	t.Run("an answer that somebody else's browser brings", func(t *testing.T) {
		b, c := w.person(t), w.person(t)
		b.visit(w.Portal + "/login?idp_hint=south")
		b.do("wait", chromedp.WaitVisible(enter))
		at, err := url.Parse(b.passed(w.South + "/auth"))
		if err != nil || at.Query().Get("state") == "" {
			t.Fatalf("%v: no state at %s", err, at)
		}
		c.visit(w.Issuer + "/login/callback/south?code=x&state=" + at.Query().Get("state"))
		c.says("begun in another browser")
		b.be("hal") // whose own browser goes on
		b.says("Signed in as hal of the south")
	})
	t.Run("an office that goes away takes only new sign-ins with it, and comes back", func(t *testing.T) {
		b, c := w.person(t), w.person(t)
		b.signIn("ivy")
		c.visit(w.Portal + "/login")
		c.search("head office", "head office", "north")
		w.north.stop()
		b.visit(w.Portal + "/login?prompt=none")
		b.says("Signed in as ivy")
		b.press(refresh)
		b.says("refreshed 1 times")
		c.press(office("north"))
		c.says("Your office does not answer", "HMart Head Office")
		w.north = w.office(t, "north", w.North, "NAME=the head office")
		c.press(".actions form button")
		c.be("jo")
		c.says("Signed in as jo of the head office")
	})
}

// back goes back, to a page whose URL has this in it.
func (b *tab) back(to string) {
	b.t.Helper()
	eval[any](b, "setTimeout(() => history.back())")
	b.says(to)
}

// endLogins makes all logins that are under way take too long.
func (w *world) endLogins(t *testing.T) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.file("apostille.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	done, err := db.ExecContext(t.Context(), "UPDATE pendings SET until = 1 WHERE kind = 'login'")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("%d logins were under way, error %v", n, err)
	}
}
