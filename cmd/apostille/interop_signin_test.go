//go:build interop

package main_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"apostille/upstream/fake"
)

const interopCallback = "http://127.0.0.1/app/callback"

// signingIn makes the broker one that people of the head office sign in to the portal with.
func (b *broker) signingIn(t *testing.T, office string) {
	t.Helper()
	b.write(t, "secret.txt", []byte(interopSecret))
	text := b.toml(office, "")
	text = strings.Replace(text, "[client.portal]\ngrants = [\"token_exchange\", \"client_credentials\"]\n", "[client.portal]\nfirst_party = true\n"+
		"grants = [\"token_exchange\", \"client_credentials\", \"authorization_code\", \"refresh_token\"]\nredirect_uris = [\""+interopCallback+"\"]\n", 1)
	text += fmt.Sprintf(`
[trust.head-office.login]
protocol = "oidc"
client_id = %q
client_secret = { file = "secret.txt" }

[[trust.head-office.grant]]
clients = ["portal"]
sign_in = true
claims = { office_name = "name" }
`, interopApp)
	b.write(t, "interop.toml", []byte(text))
	b.restart(t)
}

// A person signs in at npm's oidc-provider, through the broker, to an application on npm's openid-client: all by discovery.
func TestInteropAPersonSignsInThroughTheBroker(t *testing.T) {
	t.Parallel()
	for name, pushed := range map[string]bool{"by a plain request": false, "by a pushed request": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			office := newHeadOffice(t)
			b := newBroker(t, office.issuer, "")
			office.server.stop()
			office.start(t, "CALLBACK="+b.issuer+"/login/callback/head-office")
			b.signingIn(t, office.issuer)

			settings := map[string]any{
				"issuer": b.issuer, "client": "portal", "secret": interopSecret, "redirect": interopCallback,
				"scope": "openid profile email offline_access", "par": pushed,
			}
			var begun struct{ URL, Verifier, State, Nonce string }
			node(t, &begun, "app.mjs", "start", settings)
			if pushed != strings.Contains(begun.URL, "request_uri=") {
				t.Errorf("the browser is sent to %s", begun.URL)
			}
			browser := fake.NewBrowser(http.DefaultTransport)
			browser.Stop = func(u *url.URL) bool { return strings.HasPrefix(u.String(), interopCallback) }
			page, err := browser.Open(begun.URL) // one office: it goes straight there
			if err != nil || len(page.Forms()) == 0 {
				t.Fatalf("%v at %v: %s", err, page.Hops, page.Body)
			}
			page, err = browser.Send(page, page.Forms()[0], url.Values{"login": {"alice"}})
			if err != nil || page.Status != 0 {
				t.Fatalf("%v at %v: %s", err, page.Hops, page.Body)
			}
			for k, v := range map[string]any{"callback": page.URL.String(), "verifier": begun.Verifier, "state": begun.State, "nonce": begun.Nonce} {
				settings[k] = v
			}
			var done struct {
				Claims, Userinfo, Before, After map[string]any
				Refreshed, Again                string
			}
			node(t, &done, "app.mjs", "finish", settings)
			sub := done.Claims["sub"]
			if done.Claims["iss"] != b.issuer || sub == "alice" || done.Claims["sid"] == nil || done.Userinfo["sub"] != sub || done.Refreshed != sub {
				t.Errorf("claims %v, userinfo %v, refreshed for %v", done.Claims, done.Userinfo, done.Refreshed)
			}
			if done.Userinfo["name"] != "alice of the head office" || done.Userinfo["email_verified"] != true || done.Claims["office_name"] != "alice of the head office" {
				t.Errorf("userinfo %v, claims %v", done.Userinfo, done.Claims)
			}
			if done.Before["active"] != true || done.Before["sub"] != sub || done.After["active"] != false || done.Again != "invalid_grant" {
				t.Errorf("introspected %v, after revocation %v, a refresh then: %s", done.Before, done.After, done.Again)
			}
		})
	}
}
