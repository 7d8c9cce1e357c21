package authorize

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"apostille/broker/audit"
	"apostille/broker/authflow"
	"apostille/broker/mint"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/trust"
)

// Paths below the issuer's.
const (
	Path        = "/oauth2/authorize" // GET and POST
	PushedPath  = "/oauth2/par"       // POST
	ConsentPath = "/consent"          // POST
)

// Endpoint answers authorization requests, in three handlers: Endpoint itself at Path, Pushed and Consent. Every field is required.
type Endpoint struct {
	Policy    func() Policy
	Base      string // the issuer's path, without trailing slash
	Sessions  Sessions
	Logins    Logins
	Standings Standings
	Consents  store.Consents
	Codes     Codes
	Requests  store.Pendings // pushed requests
	Box       Box
	Pages     Pages
	Keys      Keys
	// Pairwise is trust.PairwiseSub with the broker's salt.
	Pairwise func(sector, sub string) string
	Audit    audit.Recorder // codes, consents, and refusals of people who are signed in
	Sampled  audit.Recorder // refusals of strangers: a flood must not fill the disk
	Remote   func(*http.Request) string
	Observer Observer
	Now      func() time.Time
	Log      *slog.Logger
}

// call is one request on its way.
type call struct {
	policy  Policy
	params  values   // of the request, also if they were pushed or waited on the consent page
	request *request // nil until client and redirect URI are known
	event   audit.Event
	known   bool // somebody is signed in: no stranger any more
	started time.Time
}

// next is what the endpoint answers with; exactly one field is set.
type next struct {
	Code  string            // the client gets it
	Login *authflow.Request // somebody signs in first
	Ask   *question         // the person is asked first
	Self  string            // the browser comes again with GET
}

// ServeHTTP answers an authorization request.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.answer(w, r, func(c *call) (next, error) { return e.serve(c, w, r) })
}

// answer runs one request and is the one writer of what came of it.
func (e *Endpoint) answer(w http.ResponseWriter, r *http.Request, serve func(*call) (next, error)) {
	c := &call{policy: e.Policy(), started: e.Now()}
	c.event = audit.Event{Time: c.started.UTC(), ID: mint.NewID(), Grant: string(trust.GrantCode), Remote: e.Remote(r)}
	h := w.Header()
	h.Set("X-Correlation-Id", c.event.ID)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	n, err := e.guarded(c, serve)
	if err == nil && n.Ask != nil {
		err = e.ask(w, r, c, n.Ask)
	}
	switch {
	case err != nil:
		e.refuse(w, r, c, asProblem(err))
	case n.Code != "":
		e.send(w, r, c, c.request.success(n.Code, c.policy.Registry.Issuer()))
	case n.Login != nil:
		e.observe(c, "login")
		e.Logins.Begin(w, r, *n.Login)
	case n.Self != "":
		seeOther(w, n.Self)
	}
}

// guarded turns a panic of a library into a refusal: nothing was issued, the server lives.
func (e *Endpoint) guarded(c *call, serve func(*call) (next, error)) (n next, err error) {
	defer func() {
		if p := recover(); p != nil {
			what := fmt.Sprintf("a value of type %T", p) // which may hold parts of the request
			if fault, ok := p.(runtime.Error); ok {
				what = fault.Error()
			}
			e.Log.Error("panic in an authorization request", "id", c.event.ID, "panic", what, "stack", string(debug.Stack()))
			n, err = next{}, fault("panic", nil)
		}
	}()
	return serve(c)
}

// serve is the numbered path of every authorization request.
func (e *Endpoint) serve(c *call, w http.ResponseWriter, r *http.Request) (next, error) {
	// 1. Read the request once.
	v, err := e.read(w, r)
	if err != nil {
		return next{}, err
	}
	// 2. Where it comes from, where the answer goes, and what it asks.
	if err := e.understand(r.Context(), c, v); err != nil {
		return next{}, err
	}
	q := c.request
	if len(q.selfReturn) > authflow.MaxReturn {
		return next{}, redirected(oauth.CodeInvalidRequest, "the request is larger than this server reads")
	}
	// 3. A POST from another site brings no cookies (SameSite=Lax): the browser comes again with GET, and brings them.
	if r.Method == http.MethodPost {
		return next{Self: q.selfReturn}, nil
	}
	if v.get(result) == cancelled {
		return next{}, denied("the person cancelled the sign-in")
	}
	// 4. Whose sign-in answers.
	who, login, err := e.who(c, r, v.get(result))
	if err != nil || login != nil {
		return next{Login: login}, err
	}
	c.signedIn(who)
	// 5. What it is worth, and what the person has to be asked.
	d, ask, err := e.decide(r.Context(), c, who)
	if err != nil || ask != nil {
		return next{Ask: ask}, err
	}
	// 6. The code.
	return e.issue(r.Context(), c, grant{Who: who, Decision: d, Once: true})
}

// who finds the identity that answers, or the login that is needed first.
func (e *Endpoint) who(c *call, r *http.Request, handle string) (*identity, *authflow.Request, error) {
	q, s := c.request, scene{Logins: c.policy.Registry.Logins(c.request.client.ID), SubFor: e.subFor(c.request.client), Now: c.started}
	var err error
	if s.Session, err = e.Sessions.Current(r); err != nil {
		return nil, nil, unavailable("the session could not be read", err)
	}
	if handle != "" {
		out, ok, err := e.Logins.Result(r, handle, q.selfReturn)
		if err != nil {
			return nil, nil, unavailable("the login's result could not be read", err)
		}
		if !ok && out.Refused != "" { // asking again would go in circles
			p := quiet(codeLogin, "the office did not authenticate the person anew")
			p.Quiet, p.Reason, p.Trust = false, out.Refused, out.Trust
			return nil, nil, p
		}
		if ok {
			s.Result = &out
		}
	}
	who, p := q.choose(s)
	switch {
	case p != nil:
		return nil, nil, p
	case who == nil:
		login := q.login(s.Logins)
		return nil, &login, nil
	}
	return who, nil, nil
}

// subFor is what an application knows a subject as.
func (e *Endpoint) subFor(client *trust.Client) func(string) string {
	sector := client.Spec.App.Sector
	if sector == "" {
		return func(sub string) string { return sub }
	}
	return func(sub string) string { return e.Pairwise(sector, sub) }
}

// signedIn puts an identity into the audit event.
func (c *call) signedIn(who *identity) {
	c.known = true
	c.event.Trust, c.event.Issuer, c.event.Subject = who.Subject.Trust, who.Subject.Issuer, who.Subject.Sub
}

func (e *Endpoint) observe(c *call, outcome string) {
	e.Observer.Authorize(outcome, e.Now().Sub(c.started))
}
