package token

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"apostille/broker/audit"
	"apostille/broker/clientauth"
	"apostille/broker/mint"
	"apostille/broker/oauth"
	"apostille/exchange"
	"apostille/trust"
)

// Grant is one way to ask for a token.
type Grant interface {
	Name() trust.Grant
	// Subject is VERIFY: it MUST return a subject only if every check passed. Errors that are not *exchange.Refusal or *oidc.Error
	// are answered as server errors. client is the authenticated client_id, "" if the request brought no authentication.
	Subject(ctx context.Context, reg *trust.Registry, client string, p oauth.Params) (trust.Subject, error)
	// Credential is the foreign credential as sent, for its SHA-256 in the audit trail; "" if there is none.
	Credential(p oauth.Params) string
	// IssuedTokenType is the answer's issued_token_type; "" leaves it out.
	IssuedTokenType(p oauth.Params) string
}

// Policy is one generation of the configuration. A request uses one from start to end.
type Policy struct {
	Registry    *trust.Registry
	Credentials map[string]clientauth.Credential
	Limits      *Limits // nil: no rate limits
}

// Standings says what is known of a subject besides its credential. It MUST refuse (zero value) what it cannot know.
type Standings interface {
	Standing(sub string) trust.Standing
}

// Replay claims one-time tokens; broker/store implements it.
type Replay interface {
	Claim(ctx context.Context, kind, issuer, id string, until time.Time) (first bool, err error)
}

// Observer counts what happened; broker/metrics implements it. outcome is "issued" or a trust.Reason.
type Observer interface {
	Token(grant, outcome string, took time.Duration)
}

// Endpoint is POST /oauth2/token. Every field is required.
type Endpoint struct {
	Policy    func() *Policy
	Grants    map[trust.Grant]Grant
	Clients   *clientauth.Authenticator
	Standings Standings
	Replay    Replay
	Minter    *mint.Minter
	Audit     audit.Recorder // every decision
	Sampled   audit.Recorder // refusals of strangers: a flood must not fill the disk
	Gate      Gate
	Remote    func(*http.Request) string // the client's IP address
	Observer  Observer
	Now       func() time.Time
	Log       *slog.Logger
	MaxBody   int64 // bytes
}

// call is one request on its way through the steps.
type call struct {
	policy  *Policy
	params  oauth.Params
	grant   Grant
	client  string // authenticated
	subject trust.Subject
	known   bool // client authenticated or credential verified: no stranger any more
	event   audit.Event
	started time.Time
}

// ServeHTTP answers a token request.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{policy: e.Policy(), started: e.Now()}
	c.event = audit.Event{Time: c.started.UTC(), ID: mint.NewID(), Remote: e.Remote(r)}
	w.Header().Set("X-Correlation-Id", c.event.ID)
	answer, refusal := e.guarded(c, w, r)
	if refusal != nil {
		oauth.WriteError(w, e.refuse(r.Context(), c, refusal), c.event.ID)
		return
	}
	oauth.WriteToken(w, answer)
}

// guarded turns a panic of a library into a refusal: nothing was issued, the server lives.
func (e *Endpoint) guarded(c *call, w http.ResponseWriter, r *http.Request) (answer *oauth.TokenResponse, refusal *exchange.Refusal) {
	defer func() {
		if p := recover(); p != nil {
			e.Log.Error("panic in a token request", "id", c.event.ID, "panic", p)
			answer, refusal = nil, &exchange.Refusal{Reason: trust.ReasonPanic, Detail: "panic"}
		}
	}()
	answer, err := e.serve(c, w, r)
	if err != nil {
		return nil, exchange.AsRefusal(err)
	}
	return answer, nil
}

// serve is the numbered path of every grant.
func (e *Endpoint) serve(c *call, w http.ResponseWriter, r *http.Request) (*oauth.TokenResponse, error) {
	ctx := r.Context()
	// 1. Limits that need no reading.
	if !c.policy.Limits.allowIP(c.event.Remote, c.started) {
		return nil, &exchange.Refusal{Reason: trust.ReasonRateLimited, Detail: "too many requests from this address"}
	}
	// 2. Read the request once.
	if err := e.read(c, w, r); err != nil {
		return nil, err
	}
	// 3. Work ahead costs cryptography: wait for a place.
	leave, err := e.Gate.Enter(ctx)
	if err != nil {
		return nil, &exchange.Refusal{Reason: trust.ReasonStandingUnknown, Detail: "no place for another request", Cause: err}
	}
	defer leave()
	// 4. Who asks, and may it use this grant.
	if err := e.authenticate(ctx, c, r); err != nil {
		return nil, err
	}
	// 5. VERIFY: whose credential is it.
	reg := c.policy.Registry
	if c.subject, err = c.grant.Subject(ctx, reg, c.client, c.params); err != nil {
		return nil, err
	}
	c.known = true
	// 6. DECIDE: what is it worth here.
	decision := reg.Evaluate(trust.Request{
		Grant: c.grant.Name(), Subject: c.subject, Client: c.client,
		Audiences: c.params.List("audience"), Resources: c.params.List("resource"), Scopes: c.params.Scopes(), Now: c.started,
	}, e.Standings.Standing(c.subject.Sub))
	c.decided(&decision)
	if !decision.Granted {
		return nil, &exchange.Refusal{Reason: decision.Reason, Trust: decision.Trust, Detail: decision.Detail}
	}
	// 7. Claim what may be used once; only now, so that a refused request does not use it up.
	if err := e.claim(ctx, c); err != nil {
		return nil, err
	}
	// 8. ISSUE, record, and only then answer.
	return e.issue(ctx, c, &decision)
}

// read checks the envelope and reads the form.
func (e *Endpoint) read(c *call, w http.ResponseWriter, r *http.Request) error {
	params, err := oauth.ReadForm(w, r, e.MaxBody)
	if err != nil {
		return &exchange.Refusal{Reason: trust.ReasonRequest, Detail: err.Description, Public: err.Description}
	}
	c.params = params
	name := params.Get("grant_type")
	if name == "" {
		return &exchange.Refusal{Reason: trust.ReasonRequest, Detail: "grant_type is missing", Public: "parameter grant_type is missing"}
	}
	c.event.Requested = params.Scopes()
	c.event.Audiences = append(append([]string(nil), params.List("audience")...), params.List("resource")...)
	c.grant = e.Grants[oauth.GrantOf(name)]
	if c.grant == nil {
		return &exchange.Refusal{Reason: trust.ReasonUnsupportedGrant, Detail: "grant_type is not supported"}
	}
	c.event.Grant = string(c.grant.Name())
	if credential := c.grant.Credential(params); credential != "" {
		c.event.SubjectSHA256 = audit.Hash(credential)
	}
	return nil
}

// authenticate finds out the client and that it may use the grant at all.
func (e *Endpoint) authenticate(ctx context.Context, c *call, r *http.Request) error {
	id, err := e.Clients.Authenticate(ctx, clientauth.Request{
		Clients: c.policy.Registry, Credentials: c.policy.Credentials,
		Authorization: r.Header.Values("Authorization"), Params: c.params,
	})
	if err != nil {
		return refusedClient(c, err)
	}
	if id == "" {
		return nil
	}
	c.client, c.event.Client, c.known = id, id, true
	if !c.policy.Limits.allowClient(id, c.started) {
		return &exchange.Refusal{Reason: trust.ReasonRateLimited, Detail: "too many requests from this client"}
	}
	if client, ok := c.policy.Registry.Client(id); !ok || !client.MayUse(c.grant.Name()) {
		return &exchange.Refusal{Reason: trust.ReasonGrantNotAllowed, Detail: "the client's grants do not list " + string(c.grant.Name())}
	}
	return nil
}

func refusedClient(c *call, err error) error {
	var auth *clientauth.Error
	if !errors.As(err, &auth) {
		return err
	}
	c.event.Client = auth.Client
	return &exchange.Refusal{Reason: auth.Reason, Detail: auth.Detail, Public: auth.Public, Cause: err}
}

// decided puts a decision into the audit event.
func (c *call) decided(d *trust.Decision) {
	ev := &c.event
	ev.Trust, ev.Issuer, ev.Subject, ev.Rules = c.subject.Trust, c.subject.Issuer, c.subject.Sub, d.Rules
	if d.Granted {
		ev.Client, ev.Audiences, ev.Granted = d.ClientID, d.Audience, d.Scopes
	}
}

// claim marks a one-time token as used, durably.
func (e *Endpoint) claim(ctx context.Context, c *call) error {
	s := &c.subject
	if !s.OneTime {
		return nil
	}
	first, err := e.Replay.Claim(ctx, "subject_token", s.Issuer, s.TokenID, s.Expires.Add(trust.Skew))
	if err != nil {
		return &exchange.Refusal{Reason: trust.ReasonStore, Trust: s.Trust, Detail: "claiming a one-time token", Cause: err}
	}
	if !first {
		return &exchange.Refusal{Reason: trust.ReasonReplayed, Trust: s.Trust, Detail: "jti was used before"}
	}
	return nil
}

// issue mints and records. Without a record there is no token.
func (e *Endpoint) issue(ctx context.Context, c *call, d *trust.Decision) (*oauth.TokenResponse, error) {
	issued, err := e.Minter.Mint(d, c.started)
	if err != nil {
		reason := trust.ReasonPanic
		if errors.Is(err, mint.ErrTooLarge) {
			reason = trust.ReasonIssuedTooLarge
		}
		return nil, &exchange.Refusal{Reason: reason, Trust: d.Trust, Detail: "minting failed", Cause: err}
	}
	ev := c.event
	ev.Event, ev.Expires = audit.EventIssued, issued.Expires.UTC()
	ev.IssuedID, ev.IssuedSHA256 = issued.ID, audit.Hash(issued.Raw)
	if err := e.Audit.Record(ctx, &ev); err != nil {
		return nil, &exchange.Refusal{Reason: trust.ReasonAudit, Trust: d.Trust, Detail: "the audit record could not be written", Cause: err}
	}
	e.Observer.Token(ev.Grant, "issued", e.Now().Sub(c.started))
	return &oauth.TokenResponse{
		AccessToken: issued.Raw, IssuedTokenType: c.grant.IssuedTokenType(c.params), TokenType: "Bearer",
		ExpiresIn: int64(issued.Expires.Sub(issued.Issued) / time.Second), Scope: joined(d.Scopes),
	}, nil
}

// refuse records a refusal and spells it for the client. A refusal is answered even if it cannot be recorded.
func (e *Endpoint) refuse(ctx context.Context, c *call, r *exchange.Refusal) *oauth.Error {
	ev := c.event
	ev.Event, ev.Reason, ev.Detail = audit.EventRefused, string(r.Reason), r.Detail
	if ev.Trust == "" {
		ev.Trust = r.Trust
	}
	recorder := e.Sampled
	if c.known {
		recorder = e.Audit
	}
	if err := recorder.Record(ctx, &ev); err != nil {
		e.Log.Error("audit record of a refusal", "id", ev.ID, "error", err)
	}
	e.Observer.Token(ev.Grant, string(r.Reason), e.Now().Sub(c.started))
	out := oauth.ErrorFor(trust.Grant(ev.Grant), r.Reason, r)
	if r.Public != "" {
		out.Description = oauth.Printable(r.Public)
	}
	if r.Code != "" {
		out.Code = r.Code
	}
	var auth *clientauth.Error
	if errors.As(r.Cause, &auth) && auth.Basic && out.Status == http.StatusUnauthorized {
		out.Challenge = `Basic realm="` + oauth.Printable(c.policy.Registry.Issuer()) + `"`
	}
	if out.Status >= http.StatusInternalServerError {
		e.Log.Error("token request failed", "id", ev.ID, "reason", ev.Reason, "error", out)
	}
	return out
}
