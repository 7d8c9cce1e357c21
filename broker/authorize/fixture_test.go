package authorize

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
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
	"apostille/trust/jose"
)

const (
	issuer    = "https://id.west.hmart.example"
	portalURI = "https://portal.west.hmart.example/cb"
	shopURI   = "https://shop.partner.example/cb?tenant=7"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWZUWnpHZ9mDo" // not secret: of no verifier that counts
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func hmart() trust.Spec {
	code := []string{"authorization_code", "refresh_token"}
	everything := map[string][]string{"warehouse": {"stock.read", "stock.order"}}
	all := []string{"portal", "shop", "phone", "tablet", "lax", "own-phone", "sectored"}
	login := func(iss string) trust.TrustSpec {
		return trust.TrustSpec{
			Name: "The " + iss, Issuer: "https://" + iss + ".example", KeySource: "discovery", Login: &trust.LoginSpec{Protocol: "oidc"},
			Grants: []trust.GrantSpec{{Clients: all, SignIn: true}, {Clients: all, API: "warehouse", Scopes: []string{"stock.read", "stock.order"}}},
		}
	}
	app := func(a trust.AppSpec) trust.ClientSpec {
		return trust.ClientSpec{Grants: code, APIs: everything, App: &a}
	}
	return trust.Spec{
		Issuer: issuer,
		APIs: map[string]trust.APISpec{"warehouse": {
			Audience: "https://warehouse.west.hmart.example", Resources: []string{"https://warehouse.west.hmart.example/v2"},
			Scopes: map[string]string{"stock.read": "See stock levels", "stock.order": "Order stock"},
			Words:  map[string]map[string]string{"stock.read": {"en": "See stock levels", "de": "Lagerbestand <sehen>"}},
		}},
		Clients: map[string]trust.ClientSpec{
			"portal":    app(trust.AppSpec{FirstParty: true, RedirectURIs: []string{portalURI}}),
			"lax":       app(trust.AppSpec{FirstParty: true, RedirectURIs: []string{portalURI}, PKCEOptional: true}),
			"sectored":  app(trust.AppSpec{FirstParty: true, RedirectURIs: []string{portalURI}, Sector: "west"}),
			"shop":      app(trust.AppSpec{RedirectURIs: []string{shopURI, "https://shop.partner.example/other"}}),
			"phone":     app(trust.AppSpec{Public: true, RedirectURIs: []string{"com.example.phone:/cb", "http://127.0.0.1/cb"}}),
			"own-phone": app(trust.AppSpec{Public: true, FirstParty: true, RedirectURIs: []string{"com.example.own:/cb"}}),
			"tablet":    app(trust.AppSpec{Public: true, RedirectURIs: []string{"https://tablet.example/cb"}}),
			"machine":   {Grants: []string{"client_credentials"}},
			"gone":      {Disabled: true, Grants: code, App: &trust.AppSpec{RedirectURIs: []string{portalURI}}},
			"lonely":    app(trust.AppSpec{FirstParty: true, RedirectURIs: []string{portalURI}}),
		},
		Trusts: map[string]trust.TrustSpec{"hq": login("hq"), "west": login("west")},
	}
}

// office is the registry, whose Evaluate a test may replace.
type office struct {
	*trust.Registry
	evaluate func(trust.Request, trust.Standing) trust.Decision
}

func (o office) Evaluate(q trust.Request, st trust.Standing) trust.Decision { return o.evaluate(q, st) }

// bench is an endpoint with fakes around it.
type bench struct {
	*Endpoint
	now      time.Time
	session  *session.Session
	fault    error // of Sessions.Current
	browser  string
	result   *authflow.Result
	resultOf string // the Return that result belongs to
	began    *authflow.Request
	standing trust.Standing
	issued   []family.SignIn
	codeErr  error
	store    *memory.Store
	pages    *recorded
	audit    *trail
	sampled  *trail
	counted  *counts
	reg      office
}

func newBench(t *testing.T) *bench {
	t.Helper()
	spec := hmart()
	reg, problems := trust.Compile(spec)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	renderer, err := page.New(page.Options{Messages: []fs.FS{Messages}})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{now: noon, browser: "browser-1", standing: trust.Standing{Loaded: true}, pages: &recorded{Renderer: renderer},
		audit: &trail{}, sampled: &trail{}, counted: &counts{}}
	b.store = memory.New(memory.Options{Now: func() time.Time { return b.now }})
	b.reg = office{Registry: reg, evaluate: reg.Evaluate}
	b.Endpoint = &Endpoint{
		Policy: func() Policy { return Policy{Registry: b.reg} }, Sessions: b, Logins: b, Standings: b, Consents: b.store,
		Codes: b, Requests: b.store, Box: seal.New(make([]byte, 32)), Pages: b.pages, Keys: noKeys{},
		Pairwise: func(sector, sub string) string { return sector + "/" + sub },
		Audit:    b.audit, Sampled: b.sampled, Remote: func(*http.Request) string { return "192.0.2.1" }, Observer: b.counted,
		Now: func() time.Time { return b.now }, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	return b
}

func (b *bench) Current(*http.Request) (*session.Session, error)   { return b.session, b.fault }
func (b *bench) Browser(http.ResponseWriter, *http.Request) []byte { return []byte(b.browser) }
func (b *bench) SameBrowser(_ *http.Request, mark []byte) bool {
	return b.browser != "" && string(mark) == b.browser
}
func (b *bench) Begin(w http.ResponseWriter, _ *http.Request, q authflow.Request) {
	b.began = &q
	w.WriteHeader(http.StatusSeeOther)
}

func (b *bench) Result(_ *http.Request, handle, ret string) (authflow.Result, bool, error) {
	if handle != "handle" || b.result == nil || ret != b.resultOf {
		return authflow.Result{}, false, nil
	}
	out := *b.result
	b.result = nil
	return out, out.Refused == "", nil
}

func (b *bench) Standing(ctx context.Context, s trust.Subject, client string) trust.Standing {
	st := b.standing
	if c, ok, err := b.store.Consent(ctx, s.Sub, client); err == nil && ok {
		st.Consented = c.Scopes
	}
	return st
}

func (b *bench) IssueCode(_ context.Context, s family.SignIn) (string, error) {
	if b.codeErr != nil {
		return "", b.codeErr
	}
	b.issued = append(b.issued, s)
	return "the-code", nil
}

// signIn puts a person into the session, who authenticated some time ago.
func (b *bench) signIn(t *testing.T, trustID, sub string, ago time.Duration) {
	t.Helper()
	at := b.now.Add(-ago)
	subject := trust.Subject{
		Credential: trust.CredentialLogin, SignedIn: true, Trust: trustID, Origin: trustID, Sub: sub, Issuer: "https://" + trustID + ".example",
		IssuedAt: at, Expires: b.now.Add(time.Hour), AuthTime: at, ACR: "basic",
		Claims: map[string]any{"name": "Ada <b>", "email": sub + "@" + trustID + ".example"},
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

// good is an authorization request that lacks nothing.
func good(client, redirect string) url.Values {
	return url.Values{
		"client_id": {client}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {"openid profile"}, "state": {"s t&te"},
		"nonce": {"n"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
}

func portal(set ...string) url.Values { return with(good("portal", portalURI), set...) }

// with sets parameters; "" takes one out.
func with(v url.Values, set ...string) url.Values {
	for i := 0; i+1 < len(set); i += 2 {
		if v.Del(set[i]); set[i+1] != "" {
			v.Set(set[i], set[i+1])
		}
	}
	return v
}

func (b *bench) get(raw string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest(http.MethodGet, issuer+Path+"?"+raw, http.NoBody))
	return w
}

func post(h http.Handler, target, form string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, issuer+target, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// answered reads the answer that was redirected to a client.
func answered(t *testing.T, w *httptest.ResponseRecorder, to string) url.Values {
	t.Helper()
	location := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(location, to) || w.Body.Len() > 0 {
		t.Fatalf("answered %d to %q with %d bytes, wanted a redirect to %s", w.Code, location, w.Body.Len(), to)
	}
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers %v", w.Header())
	}
	if got := u.Query().Get("iss"); got != issuer { // RFC 9207 §2
		t.Errorf("iss = %q", got)
	}
	return u.Query()
}

// granted reads an answer with a code.
func granted(t *testing.T, w *httptest.ResponseRecorder, to string) url.Values {
	t.Helper()
	q := answered(t, w, to)
	if q.Get("code") != "the-code" || q.Has("error") {
		t.Fatalf("answered %v, wanted a code", q)
	}
	return q
}

// refused reads an error that was redirected to a client.
func refused(t *testing.T, w *httptest.ResponseRecorder, to, code string) url.Values {
	t.Helper()
	q := answered(t, w, to)
	if q.Get("error") != code || q.Has("code") {
		t.Fatalf("answered %v, wanted the error %s", q, code)
	}
	if d := q.Get("error_description"); d == "" || !printable(d) || !strings.Contains(d, w.Header().Get("X-Correlation-Id")) {
		t.Errorf("error_description = %q", d)
	}
	return q
}

// onErrorPage says that nobody was redirected.
func onErrorPage(t *testing.T, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status || w.Header().Get("Location") != "" || !strings.Contains(w.Body.String(), w.Header().Get("X-Correlation-Id")) {
		t.Fatalf("answered %d to %q: %s", w.Code, w.Header().Get("Location"), w.Body)
	}
}

// recorded keeps what was shown.
type recorded struct {
	*page.Renderer
	last page.Page
}

func (p *recorded) Write(w http.ResponseWriter, r *http.Request, shown page.Page) {
	p.last = shown
	p.Renderer.Write(w, r, shown)
}

type trail struct {
	mu     sync.Mutex
	events []audit.Event
	err    error
}

func (a *trail) Record(_ context.Context, e *audit.Event) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return a.err
	}
	a.events = append(a.events, *e)
	return nil
}

type counts struct {
	outcomes []string
	ignored  int
}

func (c *counts) Authorize(outcome string, _ time.Duration) { c.outcomes = append(c.outcomes, outcome) }
func (c *counts) Ignored()                                  { c.ignored++ }

type noKeys struct{}

func (noKeys) Lookup(context.Context, string, string, jose.Alg) ([]jose.Key, uint64, error) {
	return nil, 0, errors.New("no keys")
}
