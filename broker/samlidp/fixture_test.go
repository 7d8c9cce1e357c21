package samlidp

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"html"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"apostille/broker/audit"
	"apostille/broker/authflow"
	"apostille/broker/family"
	"apostille/broker/page"
	"apostille/broker/seal"
	"apostille/broker/session"
	"apostille/broker/store"
	"apostille/broker/store/memory"
	"apostille/trust"
	"apostille/trust/xmlsec"
)

const (
	issuer = "https://id.west.hmart.example"
	wikiID = "https://wiki.example/sp"
	acs    = "https://wiki.example/acs"
	slo    = "https://wiki.example/slo?tenant=7"
)

var (
	noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

	ourKey  = sync.OnceValue(newRSA)
	wikiKey = sync.OnceValue(newRSA)
	evilKey = sync.OnceValue(func() crypto.Signer {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		return k
	})
)

func newRSA() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
}

// bench is an endpoint with fakes around it.
type bench struct {
	*Endpoint
	now      time.Time
	app      App
	spec     trust.Spec
	reg      *trust.Registry
	session  *session.Session
	result   *authflow.Result
	began    *authflow.Request
	standing trust.Standing
	attended []family.SignIn
	left     []string
	audit    trail
	sampled  trail
	outcomes []string
	limited  bool
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{now: noon, standing: trust.Standing{Loaded: true}}
	b.app = App{
		Indexed: map[string]string{"0": acs, "9": "https://elsewhere.example/acs"}, LogoutURL: slo, Signers: []crypto.PublicKey{wikiKey().Public()},
		Recipient: &wikiKey().PublicKey, SignedRequests: true, NameIDFormat: "persistent",
	}
	login := func(iss string) trust.TrustSpec {
		return trust.TrustSpec{Issuer: "https://" + iss + ".example", KeySource: "discovery", Login: &trust.LoginSpec{Protocol: "oidc"},
			Grants: []trust.GrantSpec{{Clients: []string{"wiki"}, SignIn: true, Claims: map[string]string{"mail": "email", "groups": "groups"}}}}
	}
	b.spec = trust.Spec{
		Issuer: issuer,
		Clients: map[string]trust.ClientSpec{"wiki": {Name: "The <Wiki>", Grants: []string{"saml_sso"},
			App: &trust.AppSpec{FirstParty: true, SAML: &trust.SAMLSpec{EntityID: wikiID, ACS: []string{acs, "https://wiki.example/acs2"}}}}},
		Trusts: map[string]trust.TrustSpec{"hq": login("hq"), "west": login("west")},
	}
	b.compile(t)
	renderer, err := page.New(page.Options{Messages: []fs.FS{Messages}})
	if err != nil {
		t.Fatal(err)
	}
	kept := memory.New(memory.Options{Now: func() time.Time { return b.now }})
	b.Endpoint = &Endpoint{
		Issuer: issuer, Registry: func() Registry { return b.reg }, Apps: func(id string) (App, bool) { return b.app, id == "wiki" },
		Own:      func() ([]OwnKey, error) { return []OwnKey{{Key: ourKey(), Certificate: []byte("certificate")}}, nil },
		Sessions: b, Logins: b, Standings: b, Families: b, Leaver: b, Replay: kept, Box: seal.New(make([]byte, 32)), Pages: renderer,
		Pairwise: func(sector, sub string) string { return sector + "/" + sub }, Audit: &b.audit, Sampled: &b.sampled,
		Remote: func(*http.Request) string { return "192.0.2.1" }, Limit: func(string) bool { return !b.limited }, Observer: b,
		Now: func() time.Time { return b.now }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	return b
}

func (b *bench) compile(t *testing.T) {
	t.Helper()
	reg, problems := trust.Compile(b.spec)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	b.reg = reg
}

func (b *bench) Current(*http.Request) (*session.Session, error) { return b.session, nil }
func (b *bench) Begin(w http.ResponseWriter, _ *http.Request, q authflow.Request) {
	b.began = &q
	w.WriteHeader(http.StatusSeeOther)
}
func (b *bench) Result(_ *http.Request, handle, ret string) (authflow.Result, bool, error) {
	if handle != "handle" || b.result == nil || b.began == nil || ret != b.began.Return {
		return authflow.Result{}, false, nil
	}
	out := *b.result
	b.result = nil
	return out, out.Refused == "", nil
}
func (b *bench) Standing(context.Context, trust.Subject, string) trust.Standing { return b.standing }
func (b *bench) Attend(_ context.Context, s family.SignIn) error {
	b.attended = append(b.attended, s)
	return nil
}
func (b *bench) Leave(w http.ResponseWriter, _ *http.Request, client, back string) {
	b.left = append(b.left, client+" "+back)
	b.session = nil
	w.WriteHeader(http.StatusOK)
}
func (b *bench) Authorize(outcome string, _ time.Duration) { b.outcomes = append(b.outcomes, outcome) }

type trail struct {
	events []audit.Event
	err    error
}

func (a *trail) Record(_ context.Context, e *audit.Event) error {
	if a.err != nil {
		return a.err
	}
	a.events = append(a.events, *e)
	return nil
}

// signIn puts a person into the session.
func (b *bench) signIn(t *testing.T, trustID, sub string) {
	t.Helper()
	at := b.now.Add(-time.Minute)
	subject := trust.Subject{
		Credential: trust.CredentialLogin, SignedIn: true, Trust: trustID, Origin: trustID, Sub: sub, Issuer: "https://" + trustID + ".example",
		IssuedAt: at, Expires: b.now.Add(time.Hour), AuthTime: at, ACR: "urn:basic",
		Claims: map[string]any{"name": "Ada", "email": "ada@hq.example", "groups": []any{"a&b", "<c>"}},
	}
	value, err := trust.EncodeLogin(subject)
	if err != nil {
		t.Fatal(err)
	}
	if b.session == nil {
		b.session = &session.Session{Session: store.Session{ID: "session-1"}}
	}
	b.session.Identities = append(b.session.Identities, store.Identity{
		Trust: trustID, Sub: sub, AuthTime: at, SignedIn: at, Until: b.now.Add(time.Hour), Value: value,
	})
}

// authn is an AuthnRequest; attrs replaces or adds attributes, inner stands behind the Issuer.
func authn(at time.Time, attrs, inner string) string {
	if attrs == "" {
		attrs = `AssertionConsumerServiceURL="` + acs + `"`
	}
	return fmt.Sprintf(`<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_q1" Version="2.0" IssueInstant="%s" Destination="%s" %s>`+
		`<saml:Issuer>%s</saml:Issuer>%s</samlp:AuthnRequest>`, when(at), issuer+SSOPath, attrs, wikiID, inner)
}

func logoutOf(at time.Time, id, destination, index string) string {
	return fmt.Sprintf(`<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="%s" Version="2.0" IssueInstant="%s" Destination="%s">`+
		`<saml:Issuer>%s</saml:Issuer><saml:NameID>x</saml:NameID>%s</samlp:LogoutRequest>`, id, when(at), destination, wikiID, index)
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func deflated(document string) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, 9)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write([]byte(document)) // a Buffer does not fail
	_ = w.Close()
	return b.Bytes()
}

// signedQuery is the query of a message by redirect.
func signedQuery(t *testing.T, document, relay string, key crypto.Signer) string {
	t.Helper()
	q, err := xmlsec.SignQuery("SAMLRequest", deflated(document), relay, key)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func signedForm(t *testing.T, document, relay string, key crypto.Signer) string {
	t.Helper()
	signed, err := xmlsec.Sign([]byte(document), key, nil)
	if err != nil {
		t.Fatal(err)
	}
	return url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString(signed)}, "RelayState": {relay}}.Encode()
}

func get(h http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, issuer+target, http.NoBody))
	return w
}

func post(h http.Handler, target, form string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, issuer+target, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// ask sends an AuthnRequest by redirect and goes where it is sent.
func (b *bench) ask(t *testing.T, document string) *httptest.ResponseRecorder {
	t.Helper()
	return b.follow(get(b.SSO(), SSOPath+"?"+signedQuery(t, document, "deep/link?a=1&b=<2>", wikiKey())))
}

func (b *bench) follow(w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	if w.Code == http.StatusSeeOther && strings.HasPrefix(w.Header().Get("Location"), ResumePath) {
		return get(b.Resume(), w.Header().Get("Location"))
	}
	return w
}

var field = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// answered reads the Response that a page takes to the application: its signature holds, and it goes to the registered place only.
func answered(t *testing.T, w *httptest.ResponseRecorder) *xmlsec.Element {
	t.Helper()
	body := w.Body.String()
	if w.Code != http.StatusOK || !strings.Contains(body, `action="`+acs+`"`) {
		t.Fatalf("no Response for the application: %d %q %s", w.Code, w.Header().Get("Location"), body)
	}
	if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://wiki.example") && !strings.Contains(csp, "https://wiki.example") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	fields := map[string]string{}
	for _, m := range field.FindAllStringSubmatch(body, -1) {
		fields[m[1]] = html.UnescapeString(m[2])
	}
	document, err := base64.StdEncoding.DecodeString(fields["SAMLResponse"])
	if err != nil {
		t.Fatal(err)
	}
	root, err := xmlsec.Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	v, err := xmlsec.Verify(root, []crypto.PublicKey{ourKey().Public()})
	if err != nil {
		t.Fatalf("the Response is not signed by us: %v", err)
	}
	if to, _ := root.Attr("Destination"); to != acs {
		t.Errorf("Destination %q", to)
	}
	if id, _ := root.Attr("InResponseTo"); id != "_q1" {
		t.Errorf("InResponseTo %q", id)
	}
	return v.Element()
}

// statusOf lists the codes of a Response.
func statusOf(root *xmlsec.Element) string {
	var codes []string
	for e := range root.Walk() {
		if e.Is(samlp("StatusCode")) {
			v, _ := e.Attr("Value")
			codes = append(codes, strings.TrimPrefix(v, statusSpace))
		}
	}
	return strings.Join(codes, " ")
}

// find returns the first element of a name; nil if there is none.
func find(root *xmlsec.Element, local string) *xmlsec.Element {
	for e := range root.Walk() {
		if e.Is(saml(local)) {
			return e
		}
	}
	return nil
}

// onPage says that nobody was sent anywhere.
func onPage(t *testing.T, name string, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status || w.Header().Get("Location") != "" || strings.Contains(w.Body.String(), "SAMLResponse") || !strings.Contains(w.Body.String(), w.Header().Get("X-Correlation-Id")) {
		t.Errorf("%s: %d to %q: %s", name, w.Code, w.Header().Get("Location"), w.Body)
	}
}
