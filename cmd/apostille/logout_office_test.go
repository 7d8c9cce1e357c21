package main

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"apostille/upstream/fake"
)

// OpenID conformance, RP: oidcc-client-test-rp-init-logout. A person who signs out may sign out at the office as well: by a link of the
// last page, which carries the office's own ID token as a hint (OpenID Connect RP-Initiated Logout 1.0 §2).
func TestSigningOutAtTheOfficeIsOffered(t *testing.T) {
	t.Parallel()
	const login = "client_secret = \"" + officeSecret + "\"\n"
	for name, row := range map[string]struct {
		change  []string
		offered bool
	}{
		"a trust that wants it":       {[]string{login, login + "logout = true\n"}, true},
		"a trust that does not":       {nil, false},
		"an office that cannot do it": {[]string{login, login + "logout = true\n"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newParties(t, "ES256")
			if !row.offered && row.change != nil {
				a.office.Break(withoutEndSession)
			}
			a.begin(t, row.change...)
			b, hint := a.signedIn(t)
			question, err := b.Open(endSession("id_token_hint", hint))
			if err != nil {
				t.Fatal(err)
			}
			page, err := b.Send(question, question.Forms()[0], url.Values{"decision": {"leave"}})
			if err != nil || page.Status != http.StatusOK {
				t.Fatalf("%v %d", err, page.Status)
			}
			link := linkTo(page.Body, a.office.Issuer()+"/end_session")
			if (link != "") != row.offered {
				t.Fatalf("the page offers %q:\n%s", link, page.Body)
			}
			if !row.offered {
				if len(a.office.Sessions("alice")) != 1 {
					t.Error("the office's session ended without a word")
				}
				return
			}
			to, err := url.Parse(link)
			if err != nil || to.Query().Get("client_id") != "west" || strings.Count(to.Query().Get("id_token_hint"), ".") != 2 || to.Query().Get("id_token_hint") == hint {
				t.Errorf("the link is %v", to)
			}
			if out, err := b.Open(link); err != nil || out.Status != http.StatusOK || len(a.office.Sessions("alice")) != 0 {
				t.Errorf("still signed in at the office: %v %d", err, out.Status)
			}
		})
	}
}

// withoutEndSession is an office that names no place to sign out at.
var withoutEndSession = fake.Faults{Discovery: map[string]any{"end_session_endpoint": nil}}

// linkTo finds the link of a page that begins with a prefix; "" = there is none.
func linkTo(body, prefix string) string {
	_, rest, found := strings.Cut(body, `href="`+prefix)
	link, _, _ := strings.Cut(rest, `"`)
	if !found {
		return ""
	}
	return html.UnescapeString(prefix + link)
}
