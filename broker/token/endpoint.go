package token

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
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

// Policy is one generation of the configuration. A request is judged by one: that in force when it has been read.
type Policy struct {
	Registry    *trust.Registry
	Credentials map[string]clientauth.Credential
	Limits      *Limits // nil: no rate limits
}

// Standings says what is known of a subject besides its credential; *Known implements it. It MUST refuse (zero value) what it cannot
// know. client is the authenticated one, "" if there is none.
type Standings interface {
	Standing(ctx context.Context, s trust.Subject, client string) trust.Standing
}

// Replay claims one-time tokens; broker/store implements it.
type Replay interface {
	Claim(ctx context.Context, kind, issuer, id string, until time.Time) (first bool, err error)
}

// Observer counts what happened; broker/metrics implements it. outcome is "issued" or a trust.Reason.
type Observer interface {
	Token(grant, outcome string, took time.Duration)
	Ignored() // a parameter that nobody here knows
}

// Endpoint is POST /oauth2/token. Every field is required.
type Endpoint struct {
	Policy    func() *Policy
	Grants    map[trust.Grant]Grant
	Clients   *clientauth.Authenticator
	Standings Standings
	Replay    Replay
	Minter    *mint.Minter
	Opaques   Opaques        // needed only where an API wants opaque tokens
	Audit     audit.Recorder // every decision
	Sampled   audit.Recorder // refusals of strangers: a flood must not fill the disk
	Gate      Gate
	Remote    func(*http.Request) string // the client's IP address
	Observer  Observer
	Now       func() time.Time
	Log       *slog.Logger
	MaxBody   int64 // bytes

	origins oauth.Origins
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

	scopes, resources []string   // to decide for
	presented         *Presented // of a SignIn; else nil
}

// ServeHTTP answers a token request.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{policy: e.Policy(), started: e.Now()}
	if e.origins.Preflight(w, r, c.policy.Registry, http.MethodPost) {
		return
	}
	c.event = audit.Event{Time: c.started.UTC(), ID: mint.NewID(), Remote: e.Remote(r)}
	w.Header().Set("X-Correlation-Id", c.event.ID)
	answer, refusal := e.guarded(c, w, r)
	if c.client == "" && refusal != nil {
		e.origins.AllowAny(w, r, c.policy.Registry)
	} else {
		oauth.Allow(w, r, c.policy.Registry, c.client)
	}
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
			e.Log.Error("panic in a token request", "id", c.event.ID, "panic", panicText(p), "stack", string(debug.Stack()))
			answer, refusal = nil, &exchange.Refusal{Reason: trust.ReasonPanic, Detail: "panic"}
		}
	}()
	answer, err := e.serve(c, w, r)
	if err != nil {
		return nil, exchange.AsRefusal(err)
	}
	return answer, nil
}

// panicText is what of a panic may be logged: a runtime error's text is safe; any other value may hold parts of a token.
func panicText(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("a value of type %T", p)
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
	// The sender decides how long reading takes: what counts is what holds now, and not when the first byte came.
	c.policy, c.started = e.Policy(), e.Now()
	// 3. Work ahead costs cryptography: wait for a place.
	leave, err := e.Gate.Enter(ctx)
	if err != nil {
		return nil, &exchange.Refusal{Reason: trust.ReasonOverloaded, Detail: "no place for another request", Cause: err}
	}
	defer leave()
	// 4. Who asks, and may it use this grant.
	if err := e.authenticate(ctx, c, r); err != nil {
		return nil, err
	}
	// 5. VERIFY: whose credential is it.
	if err := e.verify(ctx, c); err != nil {
		return nil, err
	}
	if err := c.admit(); err != nil {
		return nil, err
	}
	// 6. DECIDE: what is it worth here.
	decision := c.policy.Registry.Evaluate(trust.Request{
		Grant: c.grant.Name(), Subject: c.subject, Client: c.client,
		Audiences: c.params.List("audience"), Resources: c.resources, Scopes: c.scopes, Now: c.started,
		Assertion: exchange.WantsAssertion(c.params), Token: exchange.WantsToken(c.params),
	}, e.Standings.Standing(ctx, c.subject, c.client))
	c.decided(&decision)
	if !decision.Granted {
		return nil, &exchange.Refusal{Reason: decision.Reason, Trust: decision.Trust, Detail: decision.Detail}
	}
	// 7. Claim what may be used once; only now, so that a refused request does not use it up.
	if err := e.claim(ctx, c); err != nil {
		return nil, err
	}
	// 8. ISSUE, spend the code or refresh token, record, and only then answer.
	return e.issue(ctx, c, &decision)
}
