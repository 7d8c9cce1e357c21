package oidc

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"apostille/trust"
	"apostille/upstream"
	"apostille/upstream/fake"
	"apostille/upstream/fetch"
)

func (m *meeting) begin(t *testing.T) error {
	t.Helper()
	_, err := m.Begin(t.Context(), m.trust, "s", callback, upstream.Ask{})
	return err
}

func TestDiscoveryIsFetchedOnceForManyCallers(t *testing.T) {
	t.Parallel()
	m := meet(t, arrangement{})
	m.op.Break(fake.Faults{SlowBy: 50 * time.Millisecond})
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			if err := m.begin(t); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := m.op.Requests(fake.PathDiscovery); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// settle waits for a fetch in the background.
func (m *meeting) settle() {
	for {
		m.discoveries.mu.Lock()
		e := m.discoveries.byTrust["hq"]
		var f *flight
		if e != nil {
			f = e.flight
		}
		m.discoveries.mu.Unlock()
		if f == nil {
			return
		}
		<-f.done
	}
}

func TestDiscoveryIsKeptAndAskedForAgain(t *testing.T) {
	t.Parallel()
	m := meet(t, arrangement{})
	for _, step := range []struct {
		name     string
		later    time.Duration
		faults   fake.Faults
		requests int
		reason   trust.Reason
	}{
		{"the first", 0, fake.Faults{}, 1, ""},
		{"from memory", 9 * time.Minute, fake.Faults{}, 1, ""},
		{"in the background", 2 * time.Minute, fake.Faults{}, 2, ""},
		{"past its age, while the upstream answers", 16 * time.Minute, fake.Faults{}, 3, ""},
		{"past its age, while it does not", 16 * time.Minute, fake.Faults{Status500: true}, 4, ""},
		{"not again at once", time.Second, fake.Faults{Status500: true}, 4, ""},
		{"again after a pause", 11 * time.Second, fake.Faults{WrongIssuer: evil}, 5, ""},
		{"stale for a day", 23 * time.Hour, fake.Faults{Down: true}, 6, ""},
		{"and no longer", time.Hour, fake.Faults{Down: true}, 7, trust.ReasonUpstreamDown},
		{"nor asked again within a growing pause", time.Minute, fake.Faults{}, 7, trust.ReasonUpstreamDown},
		{"until it is back", 2 * time.Minute, fake.Faults{}, 8, ""},
	} {
		m.later(step.later)
		m.op.Break(step.faults)
		if err := m.begin(t); why(t, err) != step.reason {
			t.Fatalf("%s: %v", step.name, err)
		}
		m.settle()
		if n := m.op.Requests(fake.PathDiscovery); n != step.requests {
			t.Fatalf("%s: %d requests, want %d", step.name, n, step.requests)
		}
	}
}

func TestAnotherIssuerOrOtherRootsStartAnew(t *testing.T) {
	t.Parallel()
	m := meet(t, arrangement{})
	if err := m.begin(t); err != nil {
		t.Fatal(err)
	}
	m.cfg.Roots = x509.NewCertPool()
	if err := m.begin(t); err != nil || m.op.Requests(fake.PathDiscovery) != 2 {
		t.Errorf("%v, %d requests", err, m.op.Requests(fake.PathDiscovery))
	}
	elsewhere := meet(t, arrangement{})
	m.trust = elsewhere.trust
	if err := m.begin(t); err != nil || elsewhere.op.Requests(fake.PathDiscovery) != 1 {
		t.Errorf("%v, %d requests", err, elsewhere.op.Requests(fake.PathDiscovery))
	}
}

func TestADiscoveryDocumentThatWillNotDo(t *testing.T) {
	t.Parallel()
	doc := func(name string, v any) fake.Faults { return fake.Faults{Discovery: map[string]any{name: v}} }
	for name, f := range map[string]fake.Faults{
		"A66 another issuer":               {WrongIssuer: evil},
		"no authorization endpoint":        doc("authorization_endpoint", nil),
		"no token endpoint":                doc("token_endpoint", nil),
		"a token endpoint of a number":     doc("token_endpoint", 1),
		"a relative token endpoint":        doc("token_endpoint", "/token"),
		"a script as endpoint":             doc("authorization_endpoint", "javascript:alert(1)"),
		"a file as endpoint":               doc("token_endpoint", "file:///etc/passwd"),
		"credentials in an endpoint":       doc("token_endpoint", "https://a:b@idp.example/token"),
		"a fragment in an endpoint":        doc("authorization_endpoint", "https://idp.example/a#b"),
		"a logout place that is a script":  doc("end_session_endpoint", "javascript:alert(1)"),
		"L18 a document that is too large": {Huge: true},
		"half a document":                  {Truncated: true},
		"HTML":                             {HTML: true},
		"A67 a redirect elsewhere":         {RedirectTo: "http://127.0.0.2:1/"},
		"L18 an upstream that is down":     {Down: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := meet(t, arrangement{})
			m.op.Break(f)
			if err := m.begin(t); why(t, err, "Welcome", "padding", evil) != trust.ReasonUpstreamDown {
				t.Errorf("%v", err)
			}
			m.op.Repair()
			m.later(time.Minute)
			if err := m.begin(t); err != nil {
				t.Errorf("the twin: %v", err)
			}
		})
	}
}

func TestPlainHTTPEndpointsAreForADevelopersIssuerOnly(t *testing.T) {
	t.Parallel()
	for issuer, ok := range map[string]bool{"http://hq.localhost": true, "https://hq.example": false} {
		_, err := readMetadata(map[string]any{"authorization_endpoint": "http://hq.localhost/a", "token_endpoint": "http://hq.localhost/t"}, issuer)
		if (err == nil) != ok {
			t.Errorf("%s: %v", issuer, err)
		}
	}
}

// quiet is a server that does not log the handshakes that are meant to fail.
func quiet(handler http.Handler) *httptest.Server {
	srv := httptest.NewUnstartedServer(handler)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	return srv
}

// tlsMeeting is an upstream on a private network with a private certificate authority, allowed in [outbound].
func tlsMeeting(t *testing.T, handler http.Handler, allow bool) (*meeting, *httptest.Server, *[]string) {
	t.Helper()
	m := meet(t, arrangement{})
	srv := quiet(handler)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	var mu sync.Mutex
	dialled := &[]string{}
	o := fetch.Options{OnDial: func(a string) {
		mu.Lock()
		defer mu.Unlock()
		*dialled = append(*dialled, a)
	}}
	if allow {
		o.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	}
	m.RelyingParty.Client = fetch.New(o).Client
	m.cfg.Roots = x509.NewCertPool()
	m.cfg.Roots.AddCert(srv.Certificate())
	m.trust = loginTrust(t, srv.URL, nil)
	return m, srv, dialled
}

func TestA113_LearntEndpointsReachPrivateAddressesOnTheIssuersOriginOnly(t *testing.T) {
	t.Parallel()
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the inner network was reached") }))
	t.Cleanup(inner.Close)
	for name, tc := range map[string]struct {
		allow    bool
		endpoint func(issuer string) string
		reason   trust.Reason // of Finish
	}{
		"its own origin":          {true, func(iss string) string { return iss + "/token" }, trust.ReasonUpstreamError}, // it answers: no such code
		"another port":            {true, func(string) string { return "https" + inner.URL[len("http"):] + "/token" }, trust.ReasonUpstreamDown},
		"another name of ours":    {true, func(string) string { return "https://127.0.0.1/latest/meta-data" }, trust.ReasonUpstreamDown},
		"the cloud's metadata":    {true, func(string) string { return "https://169.254.169.254/latest" }, trust.ReasonUpstreamDown},
		"an IPv6 zone":            {true, func(string) string { return "https://[fe80::1%25eth0]/token" }, trust.ReasonUpstreamDown},
		"its own, if not allowed": {false, func(iss string) string { return iss + "/token" }, trust.ReasonUpstreamDown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var op *fake.Provider
			m, srv, dialled := tlsMeeting(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { op.ServeHTTP(w, r) }), tc.allow)
			op = fake.NewProvider(fake.Options{Issuer: srv.URL, Alg: "ES256", Now: m.clock, Clients: []fake.Client{{ID: clientID, Secret: clientSecret}}})
			op.Break(fake.Faults{Discovery: map[string]any{"token_endpoint": tc.endpoint(srv.URL)}})
			_, err := m.finish(t, upstream.Answer{Secret: make([]byte, 64), Params: url.Values{"code": {"c"}, "iss": {srv.URL}}})
			if why(t, err) != tc.reason {
				t.Errorf("%v", err)
			}
			own := srv.Listener.Addr().String()
			if slices.ContainsFunc(*dialled, func(a string) bool { return a != own }) || !tc.allow && len(*dialled) > 0 {
				t.Errorf("connections to %v", *dialled)
			}
		})
	}
}

func TestA117_TheUpstreamsCertificateIsVerified(t *testing.T) {
	t.Parallel()
	var op *fake.Provider
	m, srv, _ := tlsMeeting(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { op.ServeHTTP(w, r) }), true)
	op = fake.NewProvider(fake.Options{Issuer: srv.URL, Alg: "ES256"})
	if err := m.begin(t); err != nil {
		t.Fatalf("the twin: %v", err)
	}
	m.cfg.Roots = x509.NewCertPool()
	if err := m.begin(t); why(t, err) != trust.ReasonUpstreamDown {
		t.Errorf("an unknown authority: %v", err)
	}
	old := quiet(op)
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	t.Cleanup(old.Close)
	m.cfg.Roots.AddCert(old.Certificate())
	m.trust = loginTrust(t, old.URL, nil)
	if err := m.begin(t); why(t, err) != trust.ReasonUpstreamDown {
		t.Errorf("TLS 1.1: %v", err)
	}
}

func TestPushedRequests(t *testing.T) {
	t.Parallel()
	m := meet(t, arrangement{op: fake.Options{PAR: true}})
	s, err := m.Begin(t.Context(), m.trust, "secret-state", callback, upstream.Ask{LoginHint: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(s.URL)
	if q := u.Query(); len(q) != 2 || q.Get("client_id") != clientID || q.Get("request_uri") == "" {
		t.Errorf("the browser carries %v", q)
	}
	m.cfg.Secret = "wrong"
	_, err = m.Begin(t.Context(), m.trust, "s", callback, upstream.Ask{})
	if why(t, err) != trust.ReasonUpstreamError {
		t.Errorf("a wrong secret: %v", err)
	}
	m.cfg.Secret = clientSecret
	m.op.Break(fake.Faults{Only: fake.PathPAR, Status500: true})
	if err := m.begin(t); why(t, err) != trust.ReasonUpstreamDown {
		t.Errorf("down: %v", err)
	}
	m.op.Break(fake.Faults{Only: fake.PathPAR, HTML: true})
	if err := m.begin(t); why(t, err) != trust.ReasonUpstreamError {
		t.Errorf("HTML: %v", err)
	}
}

func TestClientAssertionsNeedAnAlgorithmThatBothHave(t *testing.T) {
	t.Parallel()
	m := meet(t, arrangement{cfg: func(c *LoginConfig) { c.Auth = AuthPrivateKeyJWT }, op: fake.Options{PAR: true}})
	if err := m.begin(t); why(t, err) != trust.ReasonUpstreamError {
		t.Errorf("nobody signs: %v", err)
	}
	for _, tc := range []struct {
		algs []string
		want string
	}{{nil, "RS256"}, {[]string{"ES256", "RS256"}, "ES256"}, {[]string{"RS256", "PS256"}, "RS256"}, {[]string{"EdDSA"}, "EdDSA"}, {[]string{"HS256"}, ""}, {[]string{}, ""}} {
		got, ok := (&metadata{assertionAlgs: tc.algs}).assertionAlg()
		if string(got) != tc.want || ok != (tc.want != "") {
			t.Errorf("%v: %s, %v", tc.algs, got, ok)
		}
	}
	m.cfg.Auth = "tls_client_auth"
	if err := m.begin(t); why(t, err) != trust.ReasonUpstreamError {
		t.Errorf("a way that is not built: %v", err)
	}
}
