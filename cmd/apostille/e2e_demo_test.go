//go:build e2e

package main_test

import (
	"os/exec"
	"strings"
	"testing"
)

// The demo is on plain http, with names under .localhost and cookies that have neither prefix nor Secure.
func TestE2ETheDemoIsAsItSays(t *testing.T) {
	t.Parallel()
	binary, err := build()
	if err != nil {
		t.Fatalf("apostille does not build: %v", err)
	}
	at := map[string]string{} // by the first word of who it is
	startServer(t, exec.Command(binary, "demo", "--port-base", "0"), func(line string) bool {
		who, rest, found := strings.Cut(line, "http://")
		if words := strings.Fields(who); found && len(words) > 0 && len(words) < 3 {
			at[words[0]] = "http://" + strings.Fields(rest)[0]
		}
		return strings.HasPrefix(line, "In a browser:")
	})
	b := (&world{chrome: startChrome(t, newAuthority(t, t.TempDir()))}).person(t)
	b.visit(at["portal"] + "/login")
	b.press(office("head-office"))
	b.press(`button[name="person"][value="alice"]`)
	b.says("Signed in as Alice Martin")
	b.press(`form[action="/stock"] button`)
	b.says("kimchi")
	b.visit(at["orders"] + "/login")
	b.press(allow)
	b.says("Signed in as Alice Martin")
	b.visit(at["broker"] + "/account")
	b.says("Warehouse portal", "DDStore orders")
	b.visit(at["portal"])
	b.press(signOut)
	b.press(leave)
	b.says("Nobody is signed in")
	b.shows(at["orders"], "Nobody is signed in")
}
