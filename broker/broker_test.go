package broker_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"apostille/broker"
)

// keySet is a published set.
type keySet struct{ body, etag string }

func (k keySet) JWKS() ([]byte, string) { return []byte(k.body), k.etag }

func deps(issuer string) broker.Deps {
	return broker.Deps{
		Issuer: issuer, Keys: keySet{`{"keys":[]}`, `"v1"`}, Log: slog.New(slog.DiscardHandler),
		Token:  http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "token "+r.Method) }),
		Grants: []string{"client_credentials"}, Scopes: func() []string { return []string{"b", "a", "b"} },
	}
}

func newHandler(t *testing.T, d broker.Deps) http.Handler {
	t.Helper()
	h, err := broker.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func ask(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestMetadataIsAtEveryPlaceWhereClientsLook(t *testing.T) {
	t.Parallel()
	const oidc, oauth = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"
	for issuer, paths := range map[string][]string{
		"https://id.example":          {oidc, oauth},
		"https://id.example/west":     {"/west" + oidc, "/west" + oauth, oidc + "/west", oauth + "/west"},
		"https://id.example/eu/west":  {"/eu/west" + oidc, oidc + "/eu/west", oauth + "/eu/west"},
		"https://id.example:8443/a-b": {"/a-b" + oidc, oauth + "/a-b"},
	} {
		h := newHandler(t, deps(issuer))
		var first string
		for _, path := range paths {
			w := ask(h, "GET", path)
			if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
				t.Errorf("%s at %s: %d", issuer, path, w.Code)
			}
			if first == "" {
				first = w.Body.String()
			}
			if w.Body.String() != first {
				t.Errorf("%s at %s is another document", issuer, path)
			}
		}
		if !strings.Contains(first, `"issuer":"`+issuer+`"`) || !strings.Contains(first, `"token_endpoint":"`+issuer+`/oauth2/token"`) {
			t.Errorf("%s: %s", issuer, first)
		}
	}
	h := newHandler(t, deps("https://id.example/west"))
	for _, path := range []string{oidc, "/oauth2/token", "/east" + oidc, oidc + "/east", "/west", "/", "/west/oauth2/jwks/", "/west/oauth2"} {
		if w := ask(h, "GET", path); w.Code != 404 {
			t.Errorf("%s is not ours and is answered %d", path, w.Code)
		}
	}
}

func TestDiscoveryNamesOnlyWhatIsMounted(t *testing.T) {
	t.Parallel()
	const issuer = "https://id.example/west"
	h := newHandler(t, deps(issuer))
	var doc map[string]any
	if err := json.Unmarshal(ask(h, "GET", "/west/.well-known/openid-configuration").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	for name, value := range doc {
		url, isText := value.(string)
		if !strings.HasSuffix(name, "_endpoint") && !strings.HasSuffix(name, "_uri") {
			continue
		}
		path, ours := strings.CutPrefix(url, "https://id.example")
		if w := ask(h, "GET", path); !isText || !ours || w.Code == 404 {
			t.Errorf("%s = %v is not there: %d", name, value, w.Code)
		}
	}
	want := []string{
		"grant_types_supported", "issuer", "jwks_uri", "response_types_supported", "scopes_supported", "token_endpoint",
		"token_endpoint_auth_methods_supported", "token_endpoint_auth_signing_alg_values_supported",
	}
	got := slices.Sorted(maps.Keys(doc))
	for _, name := range want {
		if !slices.Contains(got, name) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range []string{"authorization_endpoint", "userinfo_endpoint", "introspection_endpoint", "revocation_endpoint", "registration_endpoint"} {
		if doc[name] != nil {
			t.Errorf("%s is named and not mounted", name)
		}
	}
	if s, _ := json.Marshal(doc["scopes_supported"]); string(s) != `["a","b"]` {
		t.Errorf("scopes %s", s)
	}
}

func TestScopesAreThoseOfTheConfigurationThatIsServed(t *testing.T) {
	t.Parallel()
	d := deps("https://id.example")
	served := []string{"a"}
	d.Scopes = func() []string { return slices.Clone(served) }
	h := newHandler(t, d)
	for _, want := range []string{`"scopes_supported":["a"]`, `"scopes_supported":["b"]`} {
		if body := ask(h, "GET", "/.well-known/openid-configuration").Body.String(); !strings.Contains(body, want) {
			t.Errorf("%s lacks %s", body, want)
		}
		served = []string{"b"}
	}
	d.Scopes = func() []string { return nil }
	if body := ask(newHandler(t, d), "GET", "/.well-known/openid-configuration").Body.String(); strings.Contains(body, "scopes_supported") {
		t.Errorf("%s names scopes that are not there", body)
	}
}

func TestTheKeySetIsCacheable(t *testing.T) {
	t.Parallel()
	h := newHandler(t, deps("https://id.example"))
	for _, c := range []struct {
		name, match string
		status      int
	}{
		{"without a tag it is sent", "", 200},
		{"with another tag it is sent", `"v0"`, 200},
		{"with a part of the tag it is sent", `"v"`, 200},
		{"with its tag it is not", `"v1"`, 304},
		{"with its tag made weak it is not", `W/"v1"`, 304},
		{"with its tag among others it is not", `"v0", W/"v1"`, 304},
		{"with any tag it is not", `*`, 304},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var header []string
			if c.match != "" {
				header = []string{"If-None-Match", c.match}
			}
			w := ask(h, "GET", "/oauth2/jwks", header...)
			if w.Code != c.status || w.Header().Get("ETag") != `"v1"` || w.Header().Get("Cache-Control") != "public, max-age=300" ||
				w.Header().Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("status %d, header %v", w.Code, w.Header())
			}
			if (c.status == 304) != (w.Body.Len() == 0) {
				t.Errorf("body %q", w.Body)
			}
		})
	}
	if kind := ask(h, "GET", "/oauth2/jwks").Header().Get("Content-Type"); kind != "application/jwk-set+json" {
		t.Errorf("Content-Type %s", kind)
	}
}

func TestDocumentsAreReadOnly(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newHandler(t, deps("https://id.example")))
	t.Cleanup(server.Close)
	for _, path := range []string{"/oauth2/jwks", "/.well-known/openid-configuration"} {
		for method, want := range map[string]int{"GET": 200, "HEAD": 200, "POST": 405, "PUT": 405, "DELETE": 405, "OPTIONS": 405} {
			r, err := http.NewRequest(method, server.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != want || (want == 405) != (resp.Header.Get("Allow") == "GET, HEAD") {
				t.Errorf("%s %s: %d, Allow %q", method, path, resp.StatusCode, resp.Header.Get("Allow"))
			}
			if method == "HEAD" && (len(body) != 0 || resp.ContentLength <= 0) {
				t.Errorf("HEAD %s: %d bytes, length %d", path, len(body), resp.ContentLength)
			}
		}
	}
}

func TestEveryAnswerHasTheHeadersOfOne(t *testing.T) {
	t.Parallel()
	h := newHandler(t, deps("https://id.example"))
	for _, path := range []string{"/oauth2/token", "/oauth2/jwks", "/.well-known/openid-configuration", "/nothing"} {
		w := ask(h, "GET", path)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Referrer-Policy": "no-referrer",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if path == "/oauth2/token" && w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Error("pages of anybody may read answers of the token endpoint")
		}
	}
}

func TestR15_APanicInAHandlerIsAnswered(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	d := deps("https://id.example")
	d.Log = slog.New(slog.NewTextHandler(&log, nil))
	d.Token = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("token eyJhbGciOiJub25lIn0 was odd") })
	h := newHandler(t, d)
	if w := ask(h, "POST", "/oauth2/token"); w.Code != 500 || strings.Contains(w.Body.String(), "eyJ") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "panic") || strings.Contains(log.String(), "eyJhbGci") {
		t.Errorf("the log says %s", log.String())
	}
	if w := ask(h, "GET", "/oauth2/jwks"); w.Code != 200 {
		t.Errorf("after it: %d", w.Code)
	}
}

func TestIssuersThatCannotBeServedAreRefused(t *testing.T) {
	t.Parallel()
	for _, issuer := range []string{"https://id.example/{tenant}", "https://id.example/a}b", "https://[::1"} {
		if _, err := broker.New(deps(issuer)); err == nil {
			t.Errorf("%s is served", issuer)
		}
	}
}

func TestBrowsersComeBackByTLSOnly(t *testing.T) {
	t.Parallel()
	for issuer, want := range map[string]string{"https://id.example": "max-age=15552000", "http://localhost:8080": ""} {
		w := ask(newHandler(t, deps(issuer)), "GET", "/.well-known/openid-configuration")
		if got := w.Header().Get("Strict-Transport-Security"); got != want {
			t.Errorf("%s: %q, want %q", issuer, got, want)
		}
	}
}

// It used to be a line of text for everybody.
func TestWhatIsMissingHasAPageOfItsOwn(t *testing.T) {
	t.Parallel()
	d := deps("https://id.example/west")
	d.Missing = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "a page", http.StatusNotFound) })
	d.Pages = []broker.Page{{Pattern: "POST /logout", Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "out") })}}
	h := newHandler(t, d)
	for _, c := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/west/nothing", 404, "a page\n"},
		{"GET", "/", 404, "a page\n"},
		{"GET", "/west/logout", 404, "a page\n"}, // of a form's answer that is loaded again
		{"POST", "/west/logout", 200, "out"},
		{"PUT", "/west/logout", 405, "Method Not Allowed\n"},
		{"POST", "/west/nothing", 404, "404 page not found\n"},
		{"GET", "/west/oauth2/token", 200, "token GET"},
	} {
		if w := ask(h, c.method, c.path); w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s %s: %d %q, want %d %q", c.method, c.path, w.Code, w.Body, c.status, c.body)
		}
	}
}
