package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// origin is a TLS server on loopback that counts connections.
type origin struct {
	*httptest.Server
	connections atomic.Int64
	roots       *x509.CertPool
}

func newOrigin(t *testing.T, h http.HandlerFunc, configure ...func(*httptest.Server)) *origin {
	t.Helper()
	o := &origin{Server: httptest.NewUnstartedServer(h), roots: x509.NewCertPool()}
	o.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			o.connections.Add(1)
		}
	}
	o.Config.ErrorLog = quiet()
	for _, c := range configure {
		c(o.Server)
	}
	o.StartTLS()
	t.Cleanup(o.Close)
	o.roots.AddCert(o.Certificate())
	return o
}

func answer(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }
}

func TestGetReturnsTheDocument(t *testing.T) {
	t.Parallel()
	var seen http.Header
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		seen = r.Header.Clone()
		answer("{}")(w, r)
	})
	var dialled []string
	g := New(Options{Allow: loopback, OnDial: func(a string) { dialled = append(dialled, a) }})
	body, header, err := Get(t.Context(), g.Client(o.roots, true), o.URL+"/keys", "application/json", "text/json")
	if err != nil {
		t.Fatal(err)
	}
	if string(body) != "{}" || header.Get("Content-Length") != "2" {
		t.Errorf("body %q, header %v", body, header)
	}
	if seen.Get("User-Agent") != "apostille" || seen.Get("Accept") != "application/json, text/json" || seen.Get("Accept-Encoding") != "" {
		t.Errorf("request header %v", seen)
	}
	if len(dialled) != 1 || dialled[0] != strings.TrimPrefix(o.URL, "https://") {
		t.Errorf("dialled %v", dialled)
	}
}

func TestA113_APrivateAddressIsNeverConnectedTo(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		opts       Options
		configured bool
		ok         bool
	}{
		"configured and allowed":    {Options{Allow: loopback}, true, true},
		"learnt, in dev":            {Options{Dev: true}, false, true},
		"configured, not allowed":   {Options{}, true, false},
		"learnt, though allowed":    {Options{Allow: loopback}, false, false},
		"learnt, nothing is listed": {Options{}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrigin(t, answer("secret"))
			var dials atomic.Int64
			tc.opts.OnDial = func(string) { dials.Add(1) }
			_, _, err := Get(t.Context(), New(tc.opts).Client(o.roots, tc.configured), o.URL)
			if tc.ok {
				if err != nil || dials.Load() != 1 {
					t.Fatalf("err %v, %d dials", err, dials.Load())
				}
				return
			}
			var refused *AddressError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), "loopback") {
				t.Errorf("err = %v, want a refused address", err)
			}
			if dials.Load() != 0 || o.connections.Load() != 0 {
				t.Errorf("%d dials, %d connections, want none", dials.Load(), o.connections.Load())
			}
		})
	}
}

// A name is checked by what it resolves to at the moment of the dial, not by what it looked like before.
func TestA113_ANameThatResolvesToLoopbackIsRefused(t *testing.T) {
	t.Parallel()
	o := newOrigin(t, answer("secret"))
	u := strings.Replace(o.URL, "127.0.0.1", "localhost", 1)
	var refused *AddressError
	if _, _, err := Get(t.Context(), New(Options{}).Client(o.roots, true), u); !errors.As(err, &refused) {
		t.Errorf("err = %v, want a refused address", err)
	}
	if n := o.connections.Load(); n != 0 {
		t.Errorf("%d connections, want none", n)
	}
}

func TestA67_RedirectsStayOnTheOrigin(t *testing.T) {
	t.Parallel()
	other := newOrigin(t, answer("other host"))
	plain := httptest.NewServer(answer("plain"))
	t.Cleanup(plain.Close)
	t.Cleanup(func() { // after the subtests
		if n := other.connections.Load(); n != 0 {
			t.Errorf("%d connections to the other host, want none", n)
		}
	})
	for name, tc := range map[string]struct {
		to  func(self string) string
		ok  bool
		dev bool
	}{
		"to another path":           {func(self string) string { return self + "/end" }, true, false},
		"to a relative path":        {func(string) string { return "/end" }, true, false},
		"to another port":           {func(string) string { return other.URL + "/end" }, false, false},
		"to another port, in dev":   {func(string) string { return other.URL + "/end" }, false, true},
		"to another name":           {func(self string) string { return strings.Replace(self, "127.0.0.1", "localhost", 1) + "/end" }, false, false},
		"to http on another server": {func(string) string { return plain.URL }, false, true},
		"to http on the same port":  {func(self string) string { return "http" + strings.TrimPrefix(self, "https") + "/end" }, false, true},
		"to another scheme":         {func(string) string { return "file:///etc/passwd" }, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var self string
			o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/end" {
					answer("end")(w, r)
					return
				}
				w.Header().Set("Location", tc.to(self))
				w.WriteHeader(http.StatusFound)
			})
			self = o.URL
			body, _, err := Get(t.Context(), New(Options{Allow: loopback, Dev: tc.dev}).Client(o.roots, true), o.URL+"/start")
			if tc.ok {
				if err != nil || string(body) != "end" {
					t.Fatalf("body %q, err %v", body, err)
				}
				return
			}
			if !errors.Is(err, ErrRedirect) || strings.Contains(err.Error(), "/end") || strings.Contains(err.Error(), "passwd") {
				t.Errorf("err = %v, want a refused redirect that does not quote the target", err)
			}
		})
	}
}

func TestA67_AtMostThreeRedirectsAreFollowed(t *testing.T) {
	t.Parallel()
	for hops, ok := range map[int]bool{3: true, 4: false} {
		o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			var n int
			_, _ = fmt.Sscanf(r.URL.Path, "/%d", &n)
			if n > 0 {
				http.Redirect(w, r, fmt.Sprintf("/%d", n-1), http.StatusFound)
			}
		})
		_, _, err := Get(t.Context(), New(Options{Allow: loopback}).Client(o.roots, true), fmt.Sprintf("%s/%d", o.URL, hops))
		if (err == nil) != ok || err != nil && !errors.Is(err, ErrRedirect) {
			t.Errorf("%d redirects: %v, want ok %v", hops, err, ok)
		}
	}
}

func TestA117_OnlyVerifiedModernTLSIsSpoken(t *testing.T) {
	t.Parallel()
	old := func(s *httptest.Server) {
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11} //nolint:gosec // the server under test is old
	}
	modern := func(s *httptest.Server) {
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12}
	}
	for name, tc := range map[string]struct {
		configure func(*httptest.Server)
		noRoots   bool
		want      string // in the error; "" = success
	}{
		"TLS 1.2 and a root that is ours": {configure: modern},
		"TLS 1.3 and a root that is ours": {configure: func(*httptest.Server) {}},
		"TLS 1.1":                         {configure: old, want: "protocol version"},
		"a self-signed certificate":       {configure: modern, noRoots: true, want: "certificate does not verify"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrigin(t, answer("ok"), tc.configure)
			roots := o.roots
			if tc.noRoots {
				roots = x509.NewCertPool()
			}
			_, _, err := Get(t.Context(), New(Options{Allow: loopback}).Client(roots, true), o.URL)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("err = %v, want %q", err, tc.want)
			}
		})
	}
}

func TestHTTPIsForDevOnly(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(answer("ok"))
	t.Cleanup(s.Close)
	if _, _, err := Get(t.Context(), New(Options{Allow: loopback}).Client(nil, true), s.URL); !errors.Is(err, ErrScheme) {
		t.Errorf("http: %v, want ErrScheme", err)
	}
	if body, _, err := Get(t.Context(), New(Options{Dev: true}).Client(nil, true), s.URL); err != nil || string(body) != "ok" {
		t.Errorf("http in dev: %q, %v", body, err)
	}
}

func TestL18_BadAnswersAreErrorsThatDoNotQuoteThem(t *testing.T) {
	t.Parallel()
	const secret = "SECRET-OF-THE-ANSWER"
	big := strings.Repeat("x", 2000)
	raw := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = conn.Write([]byte(text))
				_ = conn.Close()
			}
		}
	}
	for name, tc := range map[string]struct {
		handler http.HandlerFunc
		want    string // in the error; "" = success
	}{
		"exactly the cap": {answer(big[:1000]), ""},
		"one byte more":   {answer(big[:1001]), "too large"},
		"one byte more, chunked": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(big[:500]))
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write([]byte(big[:501]))
		}, "too large"},
		"a gzip bomb": {func(w http.ResponseWriter, _ *http.Request) {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write(make([]byte, 1<<20))
			_ = z.Close()
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(b.Bytes()[:500])
		}, "compressed"},
		"a status":             {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, secret, 500) }, "answered 500"},
		"an empty 204":         {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, "answered 204"},
		"a truncated body":     {raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + secret), "cut short"},
		"no HTTP":              {raw(secret + "\r\n\r\n"), "no valid HTTP answer"},
		"a huge header":        {raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat(secret, 10000) + "\r\n\r\n"), "no valid HTTP answer"},
		"a malformed redirect": {raw("HTTP/1.1 302 Found\r\nLocation: :" + secret + "\r\n\r\n"), "no valid HTTP answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOrigin(t, tc.handler)
			_, _, err := Get(t.Context(), New(Options{Allow: loopback, MaxBody: 1000}).Client(o.roots, true), o.URL+"/p?q="+secret)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("err = %v, want %q", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the error quotes the answer or the query: %v", err)
			}
		})
	}
}

func TestSlowAnswersTimeOut(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]string{"before the header": "", "in the body": "{"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
				if first != "" {
					_, _ = w.Write([]byte(first))
					_ = http.NewResponseController(w).Flush()
				}
				select {
				case <-release:
				case <-r.Context().Done():
					panic(http.ErrAbortHandler) // a clean end could reach the client before it notices its own timeout
				}
			})
			defer close(release)
			_, _, err := Get(t.Context(), New(Options{Allow: loopback, Timeout: 100 * time.Millisecond}).Client(o.roots, true), o.URL)
			if err == nil || !strings.Contains(err.Error(), "in time") {
				t.Errorf("err = %v, want a timeout", err)
			}
		})
	}
}

func TestGetRefusesWhatIsNoPlainURL(t *testing.T) {
	t.Parallel()
	client := New(Options{Dev: true}).Client(nil, true)
	for _, u := range []string{"://", "ftp://127.0.0.1/", "https://user:hunter2@127.0.0.1/", "file:///etc/passwd"} {
		if _, _, err := Get(t.Context(), client, u); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want a refusal without the password", u, err)
		}
	}
}

func TestCancelledRequestsSaySo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Get(ctx, New(Options{Dev: true}).Client(nil, true), "http://127.0.0.1:1/"); !errors.Is(err, context.Canceled) || !strings.HasSuffix(err.Error(), "cancelled") {
		t.Errorf("err = %v", err)
	}
}

func TestTheEnvironmentsProxyIsIgnored(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:9")
	tr := New(Options{}).Client(nil, true).Transport.(*transport).next.(*http.Transport)
	if tr.Proxy != nil {
		t.Error("a proxy function is set")
	}
	if tr.MaxResponseHeaderBytes != 64<<10 || !tr.DisableKeepAlives || New(Options{}).Client(nil, true).Jar != nil {
		t.Error("header cap, keep-alive or cookie jar are not as documented")
	}
}

func TestSameOriginComparesSchemeHostAndPort(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b string
		want bool
	}{
		{"https://a.example", "https://a.example:443/keys", true},
		{"https://A.example/x", "https://a.example/y", true},
		{"https://a.example", "http://a.example", false},
		{"https://a.example", "https://a.example:8443", false},
		{"https://a.example", "https://b.example", false},
		{"https://a.example", "https://a.example.evil", false},
		{"https://a.example", "https://a.example@evil.example", false},
		{"/keys", "/keys", false},
		{"", "", false},
	} {
		if got := SameOrigin(tc.a, tc.b); got != tc.want {
			t.Errorf("SameOrigin(%q, %q) = %v", tc.a, tc.b, got)
		}
	}
	if _, err := url.Parse("https://a.example@evil.example"); err != nil {
		t.Error("the userinfo row tests nothing:", err)
	}
}
