//go:build e2e

package main_test

import (
	"strings"
	"testing"
)

// line is the line of the page that begins so.
func (b *tab) line(start string) string {
	b.t.Helper()
	for line := range strings.SplitSeq(b.text(), "\n") {
		if strings.HasPrefix(line, start) {
			return line
		}
	}
	b.t.Fatalf("no line begins with %q:\n%s", start, b.text())
	return ""
}

// signInToBoth signs somebody of the head office in to both applications.
func (b *tab) signInToBoth(name string) {
	b.t.Helper()
	b.signIn(name)
	b.visit(b.Orders + "/login")
	b.press(allow)
	b.says("DDStore orders", "Signed in as "+name)
}

// out expects that somebody is signed out of the broker and of both applications.
func (b *tab) out(portal, orders string) {
	b.t.Helper()
	b.shows(b.Portal+"/", portal)
	b.shows(b.Orders+"/", orders)
	b.visit(b.Portal + "/login?prompt=none")
	b.says("The broker said login_required")
	b.visit(b.Orders + "/login?prompt=none")
	b.says("The broker said login_required")
}

// What the applications' pages say of how they heard of a logout.
const (
	told  = "Nobody is signed in: told by back-channel"
	asked = "Nobody is signed in: asked by front-channel"
)

func TestE2ESigningOut(t *testing.T) {
	w := newWorld(t)

	t.Run("at an application's request, after a question, of both applications", func(t *testing.T) {
		b := w.person(t)
		b.signInToBoth("ada")
		b.visit(w.Portal + "/")
		b.press(signOut)
		b.says("Warehouse portal asks to sign you out", "HMart Head Office")
		b.press(stay)
		b.says("You are still signed in")
		b.visit(w.Portal + "/login?prompt=none")
		b.says("Signed in as ada")
		b.press(signOut)
		b.press(leave)
		b.says("You are signed out", "DDStore orders", "was asked to sign you out")
		b.press(report)
		b.shows(eval[string](b, "location.href"), "has confirmed that you are signed out there")
		b.says("was asked to sign you out")
		b.press(`a[href="` + w.Portal + `/?state=bye"]`)
		b.says("Warehouse portal")
		b.out(told, asked)
	})
	t.Run("at the office as well, when that is wanted", func(t *testing.T) {
		b := w.person(t)
		b.signIn("bo")
		b.press(signOut)
		b.press(leave)
		b.says("You may still be signed in at your office")
		at := `a[href^="` + w.North + `"]`
		b.press(at)
		b.says("Do you want to sign-out from")
		b.press(`button[name="logout"]`)
		b.says("Sign-out Success")
		b.visit(w.Portal + "/login?idp_hint=north")
		b.be("bea") // the office asks who it is
		b.says("Signed in as bea")
	})
	t.Run("but not at the office, when it is not", func(t *testing.T) {
		b := w.person(t)
		b.signIn("cy")
		b.press(signOut)
		b.press(leave)
		b.says("You are signed out")
		b.visit(w.Portal + "/login?idp_hint=north")
		b.says("Signed in as cy")
	})
	t.Run("at the office, whose logout token ends it here and at both applications", func(t *testing.T) {
		b, c := w.person(t), w.person(t)
		b.signInToBoth("dot")
		c.signIn("dot") // in another browser, which is another session at the office
		b.visit(w.North + "/session/end")
		b.press(`button[name="logout"]`)
		b.says("Sign-out Success")
		b.shows(w.Portal+"/", told)
		b.visit(w.Portal + "/login?prompt=none")
		b.says("The broker said login_required")
		b.visit(w.Orders + "/login?prompt=none")
		b.says("The broker said login_required")
		c.visit(w.Portal + "/")
		c.says("Signed in as dot")
		c.press(refresh)
		c.says("refreshed 1 times")
	})
	t.Run("a refresh after the session is over is refused", func(t *testing.T) {
		b := w.person(t)
		b.signIn("eve")
		second := b.another()
		second.visit(w.Issuer + "/oauth2/end_session")
		second.press(leave)
		second.says("You are signed out")
		b.press(refresh)
		b.says("invalid_grant")
	})
	t.Run("on My sessions, of one browser", func(t *testing.T) {
		b, c := w.person(t), w.person(t)
		b.signIn("fay")
		c.signIn("fay")
		b.visit(w.Issuer + "/account")
		b.says("this one", "fay of the head office")
		b.press(`li:not(:has(.tag)) button[name="session"]`) // the other one
		b.says("My sessions")
		c.shows(w.Portal+"/", told)
		c.visit(w.Portal + "/login?prompt=none")
		c.says("login_required")
		b.visit(w.Portal + "/login?prompt=none")
		b.says("Signed in as fay")
	})
	t.Run("on My sessions, of all of them", func(t *testing.T) {
		b, c := w.person(t), w.person(t)
		b.signInToBoth("gus")
		c.signIn("gus")
		other := w.person(t)
		other.signIn("hal")
		b.visit(w.Issuer + "/account")
		b.press(`button[name="all"]`)
		b.says("Nobody is signed in")
		for _, one := range []*tab{b, c} {
			one.shows(w.Portal+"/", told)
			one.visit(w.Portal + "/login?prompt=none")
			one.says("login_required")
		}
		other.visit(w.Portal + "/login?prompt=none")
		other.says("Signed in as hal")
	})
}
