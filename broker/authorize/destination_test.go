package authorize

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Whatever is wrong with client or redirect URI is told on a page: nobody is sent anywhere. OpenID conformance:
// oidcc-ensure-registered-redirect-uri, oidcc-redirect-uri-query-mismatch, oidcc-redirect-uri-query-added,
// oidcc-ensure-redirect-uri-in-authorization-request.
func TestA98_AFaultOfClientOrRedirectURIIsToldOnAPage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		params url.Values
		ok     bool
	}{
		{"the registered URI", portal(), true},
		{"a loopback URI with a port (RFC 8252 §7.3)", good("phone", "http://127.0.0.1:51004/cb"), true},
		{"a registered URI with a query", good("shop", shopURI), true},
		{"no client_id", portal("client_id", ""), false},
		{"an unknown client", portal("client_id", "stranger"), false},
		{"a disabled client", portal("client_id", "gone"), false},
		{"a client that signs nobody in", portal("client_id", "machine"), false},
		{"no redirect_uri with openid", portal("redirect_uri", ""), false},
		{"user information before another host", portal("redirect_uri", "https://portal.west.hmart.example@evil.example/cb"), false},
		{"a subdomain", portal("redirect_uri", "https://a.portal.west.hmart.example/cb"), false},
		{"a longer host", portal("redirect_uri", "https://portal.west.hmart.example.evil.example/cb"), false},
		{"another port", portal("redirect_uri", "https://portal.west.hmart.example:444/cb"), false},
		{"another scheme", portal("redirect_uri", "http://portal.west.hmart.example/cb"), false},
		{"another case", portal("redirect_uri", "https://portal.west.hmart.example/CB"), false},
		{"a dot segment", portal("redirect_uri", "https://portal.west.hmart.example/x/../cb"), false},
		{"a semicolon segment", portal("redirect_uri", "https://portal.west.hmart.example/..;/cb"), false},
		{"an encoded dot", portal("redirect_uri", "https://portal.west.hmart.example/%2e%2e/cb"), false},
		{"a backslash", portal("redirect_uri", `https://evil.example\portal.west.hmart.example/cb`), false},
		{"a fragment", portal("redirect_uri", portalURI+"#x"), false},
		{"a query added", portal("redirect_uri", portalURI+"?x=1"), false},
		{"a query changed", good("shop", "https://shop.partner.example/cb?tenant=8"), false},
		{"a path added", portal("redirect_uri", portalURI+"/"), false},
		{"a space behind it", portal("redirect_uri", portalURI+" "), false},
		{"javascript", portal("redirect_uri", "javascript:alert(1)"), false},
		{"a loopback name", good("phone", "http://localhost:51004/cb"), false},
		{"a loopback port with user information", good("phone", "http://127.0.0.1:1@evil.example/cb"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			w := b.get(with(c.params, "prompt", "none").Encode())
			if c.ok {
				refused(t, w, c.params.Get("redirect_uri"), codeLogin)
				return
			}
			onErrorPage(t, w, http.StatusBadRequest)
			if len(b.sampled.events) != 1 || len(b.audit.events) != 0 {
				t.Errorf("recorded %v and %v", b.sampled.events, b.audit.events)
			}
		})
	}
}

func TestA98_RepeatedClientOrRedirectURIIsToldOnAPage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, name := range []string{"client_id", "redirect_uri"} {
		onErrorPage(t, b.get(portal().Encode()+"&"+name+"="+url.QueryEscape(portal().Get(name))), http.StatusBadRequest)
	}
	refused(t, b.get(portal().Encode()+"&scope=openid"), portalURI, "invalid_request")
}

func TestWhatCannotBeReadIsToldOnAPage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	onErrorPage(t, b.get(portal().Encode()+"&x=%zz"), http.StatusBadRequest)
	onErrorPage(t, b.get(portal().Encode()+"&x="+strings.Repeat("x", maxQuery)), http.StatusBadRequest)
	onErrorPage(t, b.get(portal().Encode()+strings.Repeat("&", 3)+strings.Repeat("x&", maxParams)), http.StatusBadRequest)
	onErrorPage(t, post(b, Path+"?x=1", portal().Encode()), http.StatusBadRequest)
	onErrorPage(t, post(b, Path, portal().Encode(), "Content-Type", "text/plain"), http.StatusBadRequest)
}

// HEAD would use things up for an answer that nobody reads.
func TestOnlyGETAndPOSTAreAnswered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "ada", 0)
	for _, method := range []string{http.MethodHead, http.MethodPut, http.MethodOptions} {
		w := send(b, method, Path+"?"+portal().Encode())
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, POST" || len(b.issued) > 0 {
			t.Errorf("%s answers %d, %d codes", method, w.Code, len(b.issued))
		}
	}
}
