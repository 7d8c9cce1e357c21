package samlidp

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"runtime/debug"
	"time"

	"apostille/broker/audit"
	"apostille/broker/authflow"
	"apostille/broker/mint"
	"apostille/trust"
)

// waiting is a request that was read and judged, and waits in the browser's address. It names who asked and where the answer goes; both are
// looked up again.
type waiting struct {
	Client  string    `json:"c"`
	ID      string    `json:"id"`
	ACS     string    `json:"to"`
	Relay   string    `json:"r,omitempty"`
	Force   bool      `json:"f,omitempty"`
	Passive bool      `json:"p,omitempty"`
	Classes []string  `json:"k,omitempty"`
	Format  string    `json:"n"`
	Since   time.Time `json:"t"`
}

const (
	requestPurpose = "saml-request"
	requestTTL     = time.Hour // a sign-in, with a picker that lies open
	// maxSelf bounds the address where a request goes on, in bytes: a login keeps it, and the classes in it once more.
	maxSelf = 3 << 10
)

// call is one request on its way.
type call struct {
	reg     Registry
	client  *trust.Client // nil until it is known who asks and where the answer goes
	app     App
	asked   waiting
	event   audit.Event
	known   bool // somebody is signed in: no stranger any more
	started time.Time
}

// next is what the endpoint answers with; exactly one field is set.
type next struct {
	Response string            // signed, for the application
	Login    *authflow.Request // somebody signs in first
	Self     string            // the browser goes on here
	Answer   func()            // answers by itself
}

// SSO is the single sign-on service.
func (e *Endpoint) SSO() http.Handler {
	return e.handler(func(c *call, w http.ResponseWriter, r *http.Request) (next, error) { return e.sso(c, w, r) })
}

// Resume is where a request goes on.
func (e *Endpoint) Resume() http.Handler {
	return e.handler(func(c *call, _ http.ResponseWriter, r *http.Request) (next, error) { return e.resume(c, r) })
}

// sso is the numbered path of an AuthnRequest.
func (e *Endpoint) sso(c *call, w http.ResponseWriter, r *http.Request) (next, error) {
	// 1. A message, of an application that we know.
	if !e.Limit(e.Remote(r)) {
		return next{}, &problem{Status: http.StatusTooManyRequests, Reason: trust.ReasonRateLimited, Detail: "too many messages from this address"}
	}
	m, p := receive(w, r)
	if p != nil {
		return next{}, p
	}
	if m.answer {
		return next{}, unreadable("a SAMLResponse, where requests come in", nil)
	}
	client, app, p := e.sender(c, m)
	if p != nil {
		return next{}, p
	}
	// 2. What it says, as far as the application stands for it.
	root, signed, p := m.verified(app, app.SignedRequests)
	if p != nil {
		return next{}, p
	}
	q, p := readRequest(root)
	if p != nil {
		return next{}, p
	}
	if p := q.fresh(e.Issuer+SSOPath, signed, c.started); p != nil {
		return next{}, p
	}
	// 3. Where the answer goes. From here on errors go there too.
	spec := client.Spec.App.SAML
	acs, p := q.place(spec, app)
	if p != nil {
		return next{}, p
	}
	c.client, c.app = client, app
	c.asked = waiting{
		Client: client.ID, ID: q.ID, ACS: acs, Relay: m.relay, Force: q.Force, Passive: q.Passive, Classes: q.Classes, Since: c.started,
	}
	if c.asked.Format, p = q.answerable(spec, app); p != nil {
		return next{}, p
	}
	// 4. A POST from another site brings no cookies (SameSite=Lax): the browser goes on with GET, and brings them.
	self, err := e.self(c.asked)
	if err != nil || len(self) > maxSelf {
		return next{}, told(statusRequester, "", "the request is larger than this server keeps")
	}
	return next{Self: self}, nil
}

// self is the address where a request goes on.
func (e *Endpoint) self(in waiting) (string, error) {
	plain, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	return e.Base + ResumePath + "?r=" + url.QueryEscape(e.Box.Seal(requestPurpose, plain)), nil
}

// sender finds the application that a message says it comes from.
func (e *Endpoint) sender(c *call, m *message) (*trust.Client, App, *problem) {
	client, ok := c.reg.ByEntity(m.claimedIssuer())
	if ok {
		c.event.Client = client.ID
		if app, ok := e.Apps(client.ID); ok {
			return client, app, nil
		}
	}
	return nil, App{}, &problem{Reason: trust.ReasonClientUnknown, Detail: "no application has this Issuer"}
}

// handler runs one request and is the one writer of what came of it.
func (e *Endpoint) handler(serve func(*call, http.ResponseWriter, *http.Request) (next, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{reg: e.Registry(), started: e.Now()}
		c.event = audit.Event{Time: c.started.UTC(), ID: mint.NewID(), Grant: string(trust.GrantSAMLSSO), Remote: e.Remote(r)}
		h := w.Header()
		h.Set("X-Correlation-Id", c.event.ID)
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		n, err := e.guarded(c, func() (next, error) {
			if r.Method == http.MethodHead { // http.ServeMux serves it by GET's handler
				return next{}, &problem{Status: http.StatusMethodNotAllowed, Reason: trust.ReasonRequest, Detail: "use GET or POST"}
			}
			return serve(c, w, r)
		})
		switch {
		case err != nil:
			e.refuse(w, r, c, asProblem(err))
		case n.Response != "":
			e.observe(c, "response")
			e.send(w, r, c, n.Response)
		case n.Login != nil:
			e.observe(c, "login")
			e.Logins.Begin(w, r, *n.Login)
		case n.Answer != nil:
			n.Answer()
		default:
			h.Set("Location", n.Self)
			w.WriteHeader(http.StatusSeeOther)
		}
	})
}

// guarded turns a panic of a library into a refusal (THREATS A26): nothing was issued, the server lives.
func (e *Endpoint) guarded(c *call, serve func() (next, error)) (n next, err error) {
	defer func() {
		if p := recover(); p != nil {
			what := fmt.Sprintf("a value of type %T", p) // which may hold parts of the request
			if fault, ok := p.(runtime.Error); ok {
				what = fault.Error()
			}
			e.Log.Error("panic in a SAML request", "id", c.event.ID, "panic", what, "stack", string(debug.Stack()))
			n, err = next{}, unavailable(trust.ReasonPanic, "panic", nil)
		}
	}()
	return serve()
}

// asProblem turns any error into a problem. What is not one is our own fault.
func asProblem(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	return unavailable(trust.ReasonPanic, "unexpected error", err)
}

func (e *Endpoint) observe(c *call, outcome string) {
	e.Observer.Authorize(outcome, e.Now().Sub(c.started))
}
