package trust

import (
	"net/url"
	"testing"
)

// THREATS A98: an answer goes to what is registered, byte for byte, or nowhere.
func TestA98_RedirectURIsAreExact(t *testing.T) {
	t.Parallel()
	web := []string{"https://app.example/callback", "https://app.example/other?tenant=1"}
	v4, v6 := []string{"http://127.0.0.1/done"}, []string{"http://[::1]:8400/done?x=1"}
	named, custom := []string{"http://localhost:3000/done"}, []string{"com.example.app:/done"}
	for _, c := range []struct {
		name string
		uris []string
		sent string
		want bool
	}{
		{"what is registered", web, "https://app.example/callback", true},
		{"the second that is registered", web, "https://app.example/other?tenant=1", true},
		{"nothing, when two are registered", web, "", false},
		{"nothing, when one is registered", web[:1], "", true},
		{"user information", web, "https://app.example@evil.example/callback", false},
		{"user information before the host", web, "https://evil.example@app.example/callback", false},
		{"a password before the host", web, "https://app.example:x@evil.example/callback", false},
		{"a path parameter that climbs", web, "https://app.example/callback/..;/evil", false},
		{"a path that climbs", web, "https://app.example/callback/../evil", false},
		{"a path that climbs back", web, "https://app.example/x/../callback", false},
		{"an escaped dot", web, "https://app.example/%2e%2e/callback", false},
		{"an escaped letter", web, "https://app.example/c%61llback", false},
		{"an escaped slash", web, "https://app.example%2fcallback", false},
		{"a backslash", web, `https://app.example\callback`, false},
		{"a backslash before the user", web, `https://evil.example\@app.example/callback`, false},
		{"a fragment", web, "https://app.example/callback#x", false},
		{"an empty fragment", web, "https://app.example/callback#", false},
		{"a host in other case", web, "https://APP.example/callback", false},
		{"a path in other case", web, "https://app.example/Callback", false},
		{"a scheme in other case", web, "HTTPS://app.example/callback", false},
		{"another scheme", web, "http://app.example/callback", false},
		{"an extra query", web, "https://app.example/callback?x=1", false},
		{"an empty query", web, "https://app.example/callback?", false},
		{"a longer query", web, "https://app.example/other?tenant=1&x=1", false},
		{"another query", web, "https://app.example/other?tenant=2", false},
		{"a port", web, "https://app.example:8443/callback", false},
		{"the default port", web, "https://app.example:443/callback", false},
		{"a subdomain", web, "https://x.app.example/callback", false},
		{"a longer host", web, "https://app.example.evil.example/callback", false},
		{"a trailing dot", web, "https://app.example./callback", false},
		{"a trailing slash", web, "https://app.example/callback/", false},
		{"a longer path", web, "https://app.example/callback2", false},
		{"a prefix", web, "https://app.example/", false},
		{"a space", web, "https://app.example/callback ", false},
		{"a line break", web, "https://app.example/callback\n", false},
		{"a null byte", web, "https://app.example/callback\x00", false},
		{"a script", web, "javascript:alert(1)//https://app.example/callback", false},
		{"a look-alike letter", web, "https://аpp.example/callback", false},

		{"loopback with any port", v4, "http://127.0.0.1:49152/done", true},
		{"loopback as registered", v4, "http://127.0.0.1/done", true},
		{"loopback with the highest port", v4, "http://127.0.0.1:65535/done", true},
		{"loopback with a port beyond", v4, "http://127.0.0.1:65536/done", false},
		{"loopback with port 0", v4, "http://127.0.0.1:0/done", false},
		{"loopback with an empty port", v4, "http://127.0.0.1:/done", false},
		{"loopback with a port that begins with 0", v4, "http://127.0.0.1:080/done", false},
		{"loopback with a signed port", v4, "http://127.0.0.1:+80/done", false},
		{"loopback with another path", v4, "http://127.0.0.1:49152/evil", false},
		{"loopback with a query", v4, "http://127.0.0.1:49152/done?x=1", false},
		{"loopback with a fragment", v4, "http://127.0.0.1:49152/done#x", false},
		{"loopback as user information", v4, "http://127.0.0.1:80@evil.example/done", false},
		{"loopback as user name", v4, "http://127.0.0.1@evil.example/done", false},
		{"loopback as the start of a name", v4, "http://127.0.0.1.evil.example/done", false},
		{"another loopback address", v4, "http://127.0.0.2:49152/done", false},
		{"loopback in short", v4, "http://127.1:49152/done", false},
		{"loopback as a number", v4, "http://2130706433/done", false},
		{"loopback over TLS", v4, "https://127.0.0.1:49152/done", false},
		{"localhost for 127.0.0.1", v4, "http://localhost:49152/done", false},
		{"[::1] for 127.0.0.1", v4, "http://[::1]:49152/done", false},
		{"[::1] with another port", v6, "http://[::1]:49152/done?x=1", true},
		{"[::1] without port", v6, "http://[::1]/done?x=1", true},
		{"[::1] with another query", v6, "http://[::1]:8400/done?x=2", false},
		{"[::1] in long", v6, "http://[0:0:0:0:0:0:0:1]:8400/done?x=1", false},
		{"127.0.0.1 for [::1]", v6, "http://127.0.0.1:8400/done?x=1", false},
		{"127.0.0.1 for localhost", named, "http://127.0.0.1:3000/done", false},
		{"localhost with another port: a name is not an address", named, "http://localhost:3001/done", false},
		{"localhost as registered", named, "http://localhost:3000/done", true},

		{"a scheme of the application's own", custom, "com.example.app:/done", true},
		{"its path in other case", custom, "com.example.app:/Done", false},
		{"its path longer", custom, "com.example.app:/done/x", false},
		{"its scheme with a host", custom, "com.example.app://done", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			client := Client{ID: "app", Spec: ClientSpec{App: &AppSpec{RedirectURIs: c.uris}}}
			if got := client.RedirectURI(c.sent); got != c.want {
				t.Errorf("%q with %q registered: %v", c.sent, c.uris, got)
			}
			uri, ok := client.Redirect(c.sent)
			want := ""
			if c.want {
				want = c.sent
			}
			if c.want && c.sent == "" {
				want = c.uris[0]
			}
			if ok != c.want || uri != want {
				t.Errorf("goes to %q, %v; want %q", uri, ok, want)
			}
		})
	}
}

func TestAClientThatIsNoApplicationHasNoRedirectURI(t *testing.T) {
	t.Parallel()
	var c Client
	if c.RedirectURI("") || c.RedirectURI("https://app.example/callback") || c.ThirdParty() || c.Spec.App.SignsIn("hq") {
		t.Error("a client without registration has one")
	}
	c.Spec.App = &AppSpec{RedirectURIs: []string{"https://app.example/callback"}}
	if !c.RedirectURI("") || !c.ThirdParty() || !c.Spec.App.SignsIn("hq") {
		t.Error("twin: an application is none")
	}
}

// What is taken for a registered URI without being it differs in the port of a loopback address, to another parser too.
func FuzzRedirectURI(f *testing.F) {
	f.Add("http://127.0.0.1:1/a", "http://127.0.0.1:2/a")
	f.Add("https://a.example/", "https://a.example/")
	f.Add("http://[::1]", "http://[::1]:9?x")
	f.Fuzz(func(t *testing.T, known, sent string) {
		client := Client{Spec: ClientSpec{App: &AppSpec{RedirectURIs: []string{known, "https://other.example/"}}}}
		if redirectFault(known, true) != nil || sent == known || sent == "https://other.example/" || !client.RedirectURI(sent) {
			return
		}
		a, errA := url.Parse(known)
		b, errB := url.Parse(sent)
		if errA != nil || errB != nil || a.Hostname() != b.Hostname() || !isLoopback(b.Hostname()) || b.User != nil || b.Fragment != "" ||
			a.Scheme != b.Scheme || a.EscapedPath() != b.EscapedPath() || a.RawQuery != b.RawQuery {
			t.Fatalf("%q is registered, and %q is taken for it", known, sent)
		}
	})
}
