package authflow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"apostille/broker/audit"
	"apostille/broker/chooser"
	"apostille/broker/seal"
	"apostille/broker/session"
	"apostille/broker/store"
	"apostille/broker/store/memory"
	"apostille/trust"
	"apostille/upstream"
)

const issuer = "https://id.west.example/broker"

// fixture is a flow with everything it needs, in memory.
type fixture struct {
	*Flow
	t        testing.TB
	clock    *atomic.Int64
	store    *flaky
	provider *provider
	registry *registry
	trail    *trail // what is recorded for sure
	sampled  *trail
	log      *bytes.Buffer
	handler  http.Handler
	ended    []store.Session
	families []store.Family
	limited  atomic.Bool
	places   places
}

// places counts who is in, and can be full.
type places struct {
	full atomic.Bool
	in   atomic.Int32
}

func (p *places) Enter(context.Context) (leave func(), err error) {
	if p.full.Load() {
		return nil, context.DeadlineExceeded
	}
	p.in.Add(1)
	return func() { p.in.Add(-1) }, nil
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: new(atomic.Int64), trail: &trail{}, sampled: &trail{}, log: &bytes.Buffer{}}
	f.clock.Store(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC).UnixNano())
	now := func() time.Time { return time.Unix(0, f.clock.Load()).UTC() }
	f.store = &flaky{Store: memory.New(memory.Options{Now: now})}
	f.provider = &provider{now: now}
	f.registry = &registry{trusts: map[string]*trust.Trust{}, of: map[string][]string{}}
	for _, id := range []string{"hq", "west", "other"} {
		f.registry.trusts[id] = &trust.Trust{ID: id, Spec: trust.TrustSpec{
			Name: "Office of " + id, Issuer: "https://" + id + ".example", Login: &trust.LoginSpec{Protocol: "oidc"},
		}}
	}
	f.registry.of["portal"], f.registry.of["hq-only"] = []string{"hq", "west"}, []string{"hq"}
	cookies := session.Cookies{Secure: true}
	remote := func(*http.Request) string { return "192.0.2.7" }
	log := slog.New(slog.NewTextHandler(&locked{w: f.log}, nil))
	f.Flow = &Flow{
		Issuer: issuer, Registry: func() Registry { return f.registry }, Provider: f.provider, Logout: f.provider,
		Sessions: &session.Manager{Store: f.store, Cookies: cookies, Idle: 8 * time.Hour, Max: 12 * time.Hour, Now: now, Remote: remote, Log: log},
		Pending:  f.store, Replay: f.store, Ender: f.store, Chooser: func() Chooser { return picker{} }, Pages: pages{},
		Box: seal.New(make([]byte, 32)), Cookies: cookies, Remember: 24 * time.Hour, Audit: f.trail, Sampled: f.sampled, Remote: remote,
		Messages: &f.places, Limit: func(string) bool { return !f.limited.Load() }, Now: now, Log: log,
		Ended: func(_ context.Context, s []store.Session, fam []store.Family) {
			f.ended, f.families = append(f.ended, s...), append(f.families, fam...)
		},
	}
	f.handler = f.mount()
	return f
}

// mount serves the flow's routes, and an application's endpoint in front of them.
func (f *fixture) mount() http.Handler {
	mux := http.NewServeMux()
	for _, r := range f.Routes() {
		method, path, _ := strings.Cut(r.Pattern, " ")
		mux.Handle(method+" /broker"+path, r.Handler)
	}
	mux.HandleFunc("GET /broker/oauth2/authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		ret := "/broker/oauth2/authorize?app=" + q.Get("app")
		if handle := q.Get("login"); handle != "" {
			out, ok, err := f.Result(r, handle, ret)
			_ = json.NewEncoder(w).Encode(map[string]any{"ok": ok, "result": out, "failed": err != nil})
			return
		}
		f.Begin(w, r, Request{
			Client: q.Get("app"), ClientName: "The Portal", Hint: q.Get("hint"), Return: ret, Cancel: ret + "&cancelled=1",
			Ask: upstream.Ask{Force: q.Get("force") != "", LoginHint: q.Get("login_hint")}, LoginHint: q.Get("login_hint"),
		})
	})
	return mux
}

func (f *fixture) wait(by time.Duration) { f.clock.Add(int64(by)) }

// locked makes a buffer fit for a log of several goroutines.
type locked struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

type registry struct {
	mu     sync.Mutex
	trusts map[string]*trust.Trust
	of     map[string][]string // client → offices
}

func (g *registry) Trust(id string) (*trust.Trust, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, ok := g.trusts[id]
	return t, ok
}

func (g *registry) ByIssuer(issuer string) (list []*trust.Trust) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.trusts {
		if t.Spec.Issuer == issuer && !t.Spec.Disabled {
			list = append(list, t)
		}
	}
	return list
}

func (g *registry) Logins(client string) (list []*trust.Trust) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, id := range g.of[client] {
		if t := g.trusts[id]; t != nil && !t.Spec.Disabled {
			list = append(list, t)
		}
	}
	return list
}

// provider is an office that believes `code=code-NAME` to be NAME, and knows its own secrets.
type provider struct {
	now       func() time.Time
	mu        sync.Mutex
	asked     []upstream.Ask
	beginErr  error
	finishErr error
	panics    any
	start     *upstream.Start // what Begin answers; nil = a good one
	foreign   bool            // answers with a subject of another trust
	logoutErr error
	loggedOut upstream.LoggedOut
	screenErr error
	once      time.Time // OnceUntil of logins
}

// Screen takes the first characters of an answer for the ID of the credential in it.
func (p *provider) Screen(_ context.Context, _ *trust.Trust, _ string, a upstream.Answer) (string, error) {
	return a.Params.Get("SAMLResponse")[:6], p.screenErr
}

func (p *provider) Begin(_ context.Context, t *trust.Trust, state, redirect string, ask upstream.Ask) (upstream.Start, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, ask)
	if p.panics != nil {
		panic(p.panics)
	}
	if p.beginErr != nil {
		return upstream.Start{}, p.beginErr
	}
	if p.start != nil {
		return *p.start, nil
	}
	q := url.Values{"state": {state}, "redirect_uri": {redirect}}
	return upstream.Start{URL: t.Spec.Issuer + "/authorize?" + q.Encode(), Secret: []byte(t.ID + state)}, nil
}

func (p *provider) Finish(_ context.Context, t *trust.Trust, redirect string, a upstream.Answer) (upstream.Login, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.panics != nil {
		panic(p.panics)
	}
	if p.finishErr != nil {
		return upstream.Login{}, p.finishErr
	}
	if code := a.Params.Get("error"); code != "" {
		return upstream.Login{}, &upstream.Error{Reason: trust.ReasonUpstreamError, Code: code, Detail: "the office said " + code}
	}
	person, ok := strings.CutPrefix(a.Params.Get("code"), "code-")
	if t.Spec.Login.Protocol == trust.ProtocolSAML {
		redirect, a.Params = issuer+"/login/callback/"+t.ID, url.Values{"state": {strings.TrimPrefix(string(a.Secret), t.ID)}}
	}
	if !ok || string(a.Secret) != t.ID+a.Params.Get("state") || redirect != issuer+"/login/callback/"+t.ID || a.Begun.IsZero() {
		return upstream.Login{}, &upstream.Error{Reason: trust.ReasonSignature, Detail: "not my code, secret or callback"}
	}
	of := t.ID
	if p.foreign {
		of = "other"
	}
	now := p.now()
	return upstream.Login{Subject: trust.Subject{
		Credential: trust.CredentialLogin, Trust: of, Origin: of, Domain: t.Spec.Issuer, Kind: "sub", Value: person, SignedIn: true,
		Sub: trust.DeriveSub(t.Spec.Issuer, "sub", person), Issuer: t.Spec.Issuer, IssuedAt: now, AuthTime: now, Expires: now.Add(12 * time.Hour),
		SessionID: "sid-" + person, TokenID: "the-only-one",
	}, OnceUntil: p.once}, nil
}

func (p *provider) Logout(_ context.Context, t *trust.Trust, raw string) (upstream.LoggedOut, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.panics != nil {
		panic(p.panics)
	}
	if p.logoutErr != nil || raw != "good" {
		return upstream.LoggedOut{}, errors.Join(p.logoutErr, &upstream.Error{Reason: trust.ReasonSignature, Detail: "not mine"})
	}
	out := p.loggedOut
	out.Issuer = t.Spec.Issuer
	return out, nil
}

// flaky is a store that can be switched off by kind of pending.
type flaky struct {
	*memory.Store
	down    atomic.Value // string: kind that fails
	pending atomic.Int64 // how many were put
}

var errDown = errors.New("the store is down")

func (s *flaky) fails(kind string) bool { d, _ := s.down.Load().(string); return d == kind }

func (s *flaky) PutPending(ctx context.Context, kind, handle string, p store.Pending) error {
	if s.fails(kind) {
		return errDown
	}
	s.pending.Add(1)
	return s.Store.PutPending(ctx, kind, handle, p)
}

func (s *flaky) PeekPending(ctx context.Context, kind, handle string) (store.Pending, bool, error) {
	if s.fails("peek " + kind) {
		return store.Pending{}, false, errDown
	}
	return s.Store.PeekPending(ctx, kind, handle)
}

func (s *flaky) TakePending(ctx context.Context, kind, handle string) (store.Pending, bool, error) {
	if s.fails("take " + kind) {
		return store.Pending{}, false, errDown
	}
	return s.Store.TakePending(ctx, kind, handle)
}

func (s *flaky) CreateSession(ctx context.Context, cookie store.Hash, v store.Session) error {
	if s.fails("session") {
		return errDown
	}
	return s.Store.CreateSession(ctx, cookie, v)
}

func (s *flaky) EndSessions(ctx context.Context, q store.SessionQuery) ([]store.Session, []store.Family, error) {
	if s.fails("session") {
		return nil, nil, errDown
	}
	return s.Store.EndSessions(ctx, q)
}

func (s *flaky) EndFamilies(ctx context.Context, q store.FamilyQuery, why string) ([]store.Family, error) {
	if s.fails("families") {
		return nil, errDown
	}
	return s.Store.EndFamilies(ctx, q, why)
}

func (s *flaky) Claim(ctx context.Context, kind, issuer, id string, until time.Time) (bool, error) {
	if s.fails("claim") {
		return false, errDown
	}
	return s.Store.Claim(ctx, kind, issuer, id, until)
}

func (s *flaky) Claimed(ctx context.Context, kind, issuer, id string) (bool, error) {
	if s.fails("claimed") {
		return false, errDown
	}
	return s.Store.Claimed(ctx, kind, issuer, id)
}

// trail keeps what is recorded.
type trail struct {
	mu     sync.Mutex
	events []audit.Event
	fails  bool
}

func (t *trail) Record(_ context.Context, e *audit.Event) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fails {
		return audit.ErrUnavailable
	}
	t.events = append(t.events, *e)
	return nil
}

// last is the newest event; the zero value if there is none.
func (t *trail) last() audit.Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.events) == 0 {
		return audit.Event{}
	}
	return t.events[len(t.events)-1]
}

func (t *trail) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.events)
}

// picker shows what it is given as JSON; one allowed office, or a hint, goes straight through.
type picker struct{}

func (picker) Rank(q chooser.Query) chooser.Ranking {
	out := chooser.Ranking{}
	for _, id := range q.Allowed {
		out.Results = append(out.Results, chooser.Office{ID: id})
		if !q.Select && (len(q.Allowed) == 1 || q.Hint == id) {
			out.Direct = id
		}
	}
	for _, id := range q.Remembered {
		if slices.Contains(q.Allowed, id) {
			out.Continue = append(out.Continue, chooser.Office{ID: id})
		}
	}
	return out
}

func (picker) Write(w http.ResponseWriter, _ *http.Request, v chooser.View) {
	w.Header().Set("X-Page", "picker")
	_ = json.NewEncoder(w).Encode(v)
}

func (picker) Fragment(w http.ResponseWriter, _ *http.Request, v chooser.View) {
	w.Header().Set("X-Page", "fragment")
	_ = json.NewEncoder(w).Encode(v)
}

// pages shows failures as JSON.
type pages struct{}

func (pages) Send(w http.ResponseWriter, _ *http.Request, s Sending) {
	w.Header().Set("X-Page", "send")
	_ = json.NewEncoder(w).Encode(s)
}

func (pages) Left(w http.ResponseWriter, _ *http.Request, l Left) {
	w.Header().Set("X-Page", "left")
	_ = json.NewEncoder(w).Encode(l)
}

func (pages) Failure(w http.ResponseWriter, _ *http.Request, f Failure) {
	w.Header().Set("X-Page", "failure")
	w.WriteHeader(f.Status)
	_ = json.NewEncoder(w).Encode(f)
}

// browser sends and keeps cookies as a browser does: by host, __Host- rules checked, and no Lax cookie with a POST from another site.
type browser struct {
	f       *fixture
	cookies map[string]string
}

func (f *fixture) browser() *browser { return &browser{f: f, cookies: map[string]string{}} }

// answer is what a browser was shown at last, after redirects of our host.
type answer struct {
	status   int
	body     string
	page     string
	location string // of another host, if the browser was sent there
	path     string // of ours, last fetched
	header   http.Header
}

func (b *browser) get(path string) answer { return b.do(http.MethodGet, path, nil, "none") }

// post submits a form of our own page.
func (b *browser) post(path string, form url.Values) answer {
	return b.do(http.MethodPost, path, form, "same-origin")
}

// postFrom submits a form of another site's page.
func (b *browser) postFrom(path string, form url.Values) answer {
	return b.do(http.MethodPost, path, form, "cross-site")
}

func (b *browser) do(method, path string, form url.Values, site string) answer {
	b.f.t.Helper()
	for range 10 {
		w := b.once(method, path, form, site)
		to := w.Header().Get("Location")
		if to == "" || w.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/") {
			return answer{w.Code, w.Body.String(), w.Header().Get("X-Page"), to, path, w.Header()}
		}
		method, path, form = http.MethodGet, to, nil
	}
	b.f.t.Fatal("redirected in circles")
	return answer{}
}

func (b *browser) once(method, path string, form url.Values, site string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "https://id.west.example"+path, strings.NewReader(form.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", site)
	if site != "cross-site" || method == http.MethodGet { // SameSite=Lax
		for name, value := range b.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
	}
	w := httptest.NewRecorder()
	b.f.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		switch {
		case !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode:
			b.f.t.Errorf("a cookie outside the policy: %s", c.Raw)
		case c.MaxAge < 0:
			delete(b.cookies, c.Name)
		default:
			b.cookies[c.Name] = c.Value
		}
	}
	return w
}

// open goes to an application and returns what the office gets: the state.
func (b *browser) open(app, query string) (state string, a answer) {
	b.f.t.Helper()
	a = b.get("/broker/oauth2/authorize?app=" + app + query)
	return stateOf(a), a
}

func stateOf(a answer) string {
	u, err := url.Parse(a.location)
	if err != nil {
		return ""
	}
	return u.Query().Get("state")
}

// callback is the browser's way back from an office.
func (b *browser) callback(office, state, person string) answer {
	b.f.t.Helper()
	return b.get("/broker/login/callback/" + office + "?" + url.Values{"state": {state}, "code": {"code-" + person}}.Encode())
}

// outcome is what the application's endpoint found.
type outcome struct {
	OK     bool   `json:"ok"`
	Result Result `json:"result"`
}

func (a answer) outcome(t testing.TB) outcome {
	t.Helper()
	var o outcome
	if err := json.Unmarshal([]byte(a.body), &o); err != nil || a.status != http.StatusOK || a.page != "" {
		t.Fatalf("not back at the application: %d %s %s", a.status, a.page, a.body)
	}
	return o
}

func (a answer) failure(t testing.TB) Failure {
	t.Helper()
	var x Failure
	if err := json.Unmarshal([]byte(a.body), &x); err != nil || a.page != "failure" {
		t.Fatalf("not a failure: %d %s %s → %s", a.status, a.page, a.body, a.location)
	}
	return x
}

func (a answer) view(t testing.TB) chooser.View {
	t.Helper()
	var v chooser.View
	if err := json.Unmarshal([]byte(a.body), &v); err != nil || a.page != "picker" && a.page != "fragment" {
		t.Fatalf("not the picker: %d %s %s", a.status, a.page, a.body)
	}
	return v
}

// who is signed in with an office in this browser; "" = nobody.
func (b *browser) who(office string) string {
	b.f.t.Helper()
	r := httptest.NewRequest(http.MethodGet, "https://id.west.example/", nil)
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	s, err := b.f.Sessions.(*session.Manager).Current(r)
	if err != nil {
		b.f.t.Fatal(err)
	}
	if s == nil {
		return ""
	}
	i, _ := s.Identity(office)
	return i.Subject.Value
}
