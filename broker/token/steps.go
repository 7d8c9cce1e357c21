package token

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"apostille/broker/audit"
	"apostille/broker/clientauth"
	"apostille/broker/mint"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/exchange"
	"apostille/trust"
)

// read checks the envelope and reads the form.
func (e *Endpoint) read(c *call, w http.ResponseWriter, r *http.Request) error {
	params, err := oauth.ReadForm(w, r, e.MaxBody)
	if err != nil {
		return &exchange.Refusal{Reason: trust.ReasonRequest, Detail: err.Description, Public: err.Description}
	}
	c.params = params
	params.Names(func(name string) {
		if exchange.Ignored(name) {
			e.Observer.Ignored()
		}
	})
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
	_, public := c.grant.(SignIn) // RFC 6749 §3.2.1: a code or a refresh token is what else an application can show
	id, err := e.Clients.Authenticate(ctx, clientauth.Request{
		Clients: c.policy.Registry, Credentials: c.policy.Credentials,
		Authorization: r.Header.Values("Authorization"), Params: c.params, Public: public,
	})
	if err != nil {
		return refusedClient(c, err)
	}
	if id == "" {
		return nil
	}
	client, ok := c.policy.Registry.Client(id)
	c.client, c.event.Client = id, id
	if !ok || client.Spec.App == nil || !client.Spec.App.Public {
		if err := c.admit(); err != nil {
			return err
		}
	}
	if !ok || !client.MayUse(c.grant.Name()) {
		return &exchange.Refusal{Reason: trust.ReasonGrantNotAllowed, Detail: "the client's grants do not list " + string(c.grant.Name())}
	}
	return nil
}

// admit notes that the client, if there is one, or the credential has proved itself, and counts against the client's limit. Of a public
// application only the credential proves anything: anybody can send its name, and would otherwise use its limit up and fill the trail.
func (c *call) admit() error {
	if c.known {
		return nil
	}
	c.known = true
	if c.client != "" && !c.policy.Limits.allowClient(c.client, c.started) {
		return &exchange.Refusal{Reason: trust.ReasonRateLimited, Detail: "too many requests from this client"}
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
		ev.Client, ev.Audiences, ev.Granted = d.ClientID, d.Audience, granted(d)
	}
}

// claim marks a one-time token as used, durably.
func (e *Endpoint) claim(ctx context.Context, c *call) error {
	s := &c.subject
	if !s.OneTime {
		return nil
	}
	first, err := e.Replay.Claim(ctx, store.KindSubject, s.Issuer, s.TokenID, s.Expires.Add(trust.Skew))
	if err != nil {
		return &exchange.Refusal{Reason: trust.ReasonStore, Trust: s.Trust, Detail: "claiming a one-time token", Cause: err}
	}
	if !first {
		return &exchange.Refusal{Reason: trust.ReasonReplayed, Trust: s.Trust, Detail: "the token was used before"}
	}
	return nil
}

// granted is every scope of a decision: those of the token, and the identity scopes beside them, sorted.
func granted(d *trust.Decision) []string {
	if len(d.Identity) == 0 {
		return d.Scopes
	}
	all := slices.Concat(d.Scopes, d.Identity)
	slices.Sort(all)
	return slices.Compact(all)
}

// issue mints, spends and records. Without a record there is no token.
func (e *Endpoint) issue(ctx context.Context, c *call, d *trust.Decision) (*oauth.TokenResponse, error) {
	issued, err := e.Minter.Mint(e.told(c, d), c.started)
	if err != nil {
		return nil, mintRefusal(d, err)
	}
	if err := e.keepOpaque(ctx, d, issued); err != nil {
		return nil, err
	}
	issuedType, kind := c.grant.IssuedTokenType(c.params), "Bearer"
	if d.Token.Format == trust.FormatSAML2 {
		issuedType, kind = oauth.TokenTypeSAML2, "N_A" // RFC 8693 §2.2.1: not used as an access token
	}
	is, err := e.spend(ctx, c, d, Issue{ID: issued.ID, Expires: issued.Expires, Answer: &oauth.TokenResponse{
		AccessToken: issued.Raw, IssuedTokenType: issuedType, TokenType: kind,
		ExpiresIn: int64(issued.Expires.Sub(issued.Issued) / time.Second), Scope: strings.Join(granted(d), " "),
	}})
	if err != nil {
		return nil, err
	}
	ev := c.event
	ev.Event, ev.Expires = audit.EventIssued, is.Expires.UTC()
	ev.IssuedID, ev.IssuedSHA256 = is.ID, audit.Hash(is.Answer.AccessToken)
	if is.Again {
		ev.Detail = "the answer to the first use of this refresh token, again"
	}
	if err := e.Audit.Record(ctx, &ev); err != nil {
		return nil, &exchange.Refusal{Reason: trust.ReasonAudit, Trust: d.Trust, Detail: "the audit record could not be written", Cause: err}
	}
	e.Observer.Token(ev.Grant, "issued", e.Now().Sub(c.started))
	return is.Answer, nil
}

// told is a decision as its token tells it. One for the broker itself is read by the application and by us, who know the family: it names
// the person as the application knows them, or applications of two sectors could compare their people by it (OpenID Connect Core §8.1).
// An API knows everybody by the public subject.
func (e *Endpoint) told(c *call, d *trust.Decision) *trust.Decision {
	if c.presented == nil || len(d.Audience) != 1 || d.Audience[0] != c.policy.Registry.Issuer() {
		return d
	}
	client, ok := c.policy.Registry.Client(c.client)
	if !ok { // never: it was granted
		return d
	}
	told := *d
	told.Sub = e.Minter.Sub(client.Spec.App, d.Sub)
	return &told
}

func mintRefusal(d *trust.Decision, err error) error {
	reason := trust.ReasonPanic
	switch {
	case errors.Is(err, mint.ErrTooLarge):
		reason = trust.ReasonIssuedTooLarge
	case errors.Is(err, mint.ErrText):
		reason = trust.ReasonClaim
	}
	return &exchange.Refusal{Reason: reason, Trust: d.Trust, Detail: "minting failed", Cause: err}
}
