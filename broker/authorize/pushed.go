package authorize

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"apostille/broker/clientauth"
	"apostille/broker/mint"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/trust"
)

// How long and where pushed requests wait (RFC 9126 §2.2 recommends a short life).
const (
	kindPushed = "par"
	pushedTTL  = 10 * time.Minute
	maxPush    = 16 << 10 // bytes of the request, with what authenticates the client
)

// pushed is a request as it waits.
type pushed struct {
	Client string `json:"c"`
	Params string `json:"p"`
}

// Clients authenticates clients; *clientauth.Authenticator implements it.
type Clients interface {
	Authenticate(ctx context.Context, q clientauth.Request) (string, error)
}

// Pushed takes pushed authorization requests (RFC 9126): POST below the issuer at PushedPath. Limit says whether an address may push
// another one.
func (e *Endpoint) Pushed(clients Clients, limit func(ip string) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{policy: e.Policy(), started: e.Now()}
		c.event.Time, c.event.ID, c.event.Remote = c.started.UTC(), mint.NewID(), e.Remote(r)
		c.event.Grant = string(trust.GrantCode)
		h := w.Header()
		h.Set("X-Correlation-Id", c.event.ID)
		h.Set("Cache-Control", "no-store")
		var uri string
		_, err := e.guarded(c, func(c *call) (n next, err error) {
			if !limit(c.event.Remote) {
				return n, &problem{Reason: trust.ReasonRateLimited, Detail: "too many requests from this address"}
			}
			uri, err = e.push(c, w, r, clients)
			return n, err
		})
		if err != nil {
			e.refusePushed(w, r, c, err)
			return
		}
		e.observe(c, "pushed")
		h.Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]any{"request_uri": uri, "expires_in": int(pushedTTL / time.Second)}) // the client went away
	})
}

// push checks a request as an authorization request is checked, and keeps it.
func (e *Endpoint) push(c *call, w http.ResponseWriter, r *http.Request, clients Clients) (string, error) {
	params, bad := oauth.ReadForm(w, r, maxPush)
	if bad != nil {
		return "", bad
	}
	c.event.Client = params.Get("client_id")
	id, err := clients.Authenticate(r.Context(), clientauth.Request{
		Clients: c.policy.Registry, Credentials: c.policy.Credentials, Authorization: r.Header.Values("Authorization"), Params: params,
		Public: true, // RFC 9126 §2: as at the token endpoint; a code that comes of it is bound to the verifier
	})
	switch {
	case err != nil:
		return "", err
	case id == "":
		return "", &clientauth.Error{Reason: trust.ReasonClientAuth, Detail: "no client authentication"}
	case params.Has("request_uri"): // RFC 9126 §2.1
		return "", oauth.BadRequest("request_uri cannot be pushed")
	case params.Has("client_id") && params.Get("client_id") != id:
		return "", oauth.BadRequest("client_id is not the client that authenticated")
	}
	c.event.Client = id
	v := values{all: map[string][]string{}}
	params.Names(func(name string) { v.all[name] = params.List(name) })
	v.all["client_id"] = []string{id}
	if err := e.judge(r.Context(), c, v, ""); err != nil {
		return "", err
	}
	return e.keep(r.Context(), pushed{Client: id, Params: v.encode(read)})
}

func (e *Endpoint) keep(ctx context.Context, in pushed) (string, error) {
	if len(in.Params) > maxPushed {
		return "", oauth.BadRequest("the request is larger than this server keeps")
	}
	value, err := json.Marshal(in)
	if err != nil {
		return "", fault("the request could not be written", err)
	}
	handle := mint.NewSecret()
	if err := e.Requests.PutPending(ctx, kindPushed, handle, store.Pending{Value: value, Until: e.Now().Add(pushedTTL)}); err != nil {
		return "", unavailable("the request could not be stored", err)
	}
	return pushedPrefix + handle, nil
}

// refusePushed records a refusal and answers as the token endpoint does (RFC 9126 §2.3).
func (e *Endpoint) refusePushed(w http.ResponseWriter, r *http.Request, c *call, err error) {
	p, out := &problem{}, &oauth.Error{}
	var auth *clientauth.Error
	switch {
	case errors.As(err, &auth):
		p = &problem{Reason: auth.Reason, Detail: auth.Detail, Cause: err}
		out = oauth.ErrorFor(trust.GrantCode, auth.Reason, err)
		if auth.Public != "" {
			out.Description = oauth.Printable(auth.Public)
		}
		if out.Status == http.StatusUnauthorized { // RFC 9110 §15.5.2: a 401 carries a challenge
			out.Challenge = `Basic realm="` + oauth.Printable(c.policy.Registry.Issuer()) + `"`
		}
	case errors.As(err, &out):
		p = &problem{Reason: trust.ReasonRequest, Detail: out.Description}
	default:
		p = asProblem(err)
		out = p.inJSON()
	}
	e.record(r, c, p)
	e.observe(c, string(p.Reason))
	oauth.WriteError(w, out, c.event.ID)
}

// inJSON is a problem as an answer of an endpoint that no browser comes to.
func (p *problem) inJSON() *oauth.Error {
	if p.Reason == trust.ReasonRateLimited {
		return oauth.ErrorFor(trust.GrantCode, p.Reason, nil)
	}
	out := &oauth.Error{Code: p.Code, Description: p.Text, Status: p.Status, Cause: p.Cause}
	if out.Code == "" { // a browser would be shown a page
		out.Code = oauth.CodeInvalidRequest
	}
	if out.Status == 0 {
		out.Status = http.StatusBadRequest
	}
	return out
}

// unpush replaces a pushed request's URI by its parameters; whatever else the browser brought is not looked at (RFC 9126 §4, RFC
// 9101 §5). handle is "" if nothing was pushed.
func (e *Endpoint) unpush(ctx context.Context, v values) (handle string, out values, err error) {
	handle, ok := strings.CutPrefix(v.get("request_uri"), pushedPrefix)
	if !ok || contains(v.repeated, "request_uri") || contains(v.repeated, "client_id") {
		return "", v, nil
	}
	gone := expired("no such pushed request of this client")
	if !mint.IsSecret(handle) {
		return "", values{}, gone
	}
	kept, found, err := e.Requests.PeekPending(ctx, kindPushed, handle)
	if err != nil {
		return "", values{}, unavailable("the pushed request could not be read", err)
	}
	var in pushed
	if !found || json.Unmarshal(kept.Value, &in) != nil || in.Client != v.get("client_id") { // RFC 9126 §2.2: bound to the client
		return "", values{}, gone
	}
	out, p := readValues(in.Params, maxPushed, "resource")
	if p != nil {
		return "", values{}, p
	}
	return handle, out, nil
}

// usePushed uses a pushed request up. With once, one that was used already refuses (RFC 9126 §7.3).
func (e *Endpoint) usePushed(ctx context.Context, q *request, once bool) error {
	if q.pushed == "" {
		return nil
	}
	_, ok, err := e.Requests.TakePending(ctx, kindPushed, q.pushed)
	switch {
	case err != nil:
		return unavailable("the pushed request could not be used up", err)
	case !ok && once:
		return &problem{Code: codeInvalidURI, Text: "the request was answered already", Reason: trust.ReasonReplayed,
			Detail: "the pushed request was used before"}
	}
	return nil
}
