package authorize

import (
	"context"
	"slices"
	"strings"

	"apostille/broker/audit"
	"apostille/broker/family"
	"apostille/trust"
)

// question is what a person is asked before the application gets a code.
type question struct {
	Who     *identity
	Offered map[string][]string // API ID → scopes that the rules give and that need consent; may be empty
	Given   map[string][]string // what was allowed before
}

// decide asks trust.Evaluate what the sign-in is worth at this application, and finds out whether the person must be asked first.
func (e *Endpoint) decide(ctx context.Context, c *call, who *identity) (*trust.Decision, *question, error) {
	q := c.request
	standing := e.Standings.Standing(ctx, who.Subject, q.client.ID)
	d := c.evaluate(who, standing)
	if !d.Granted && (d.Reason != trust.ReasonConsent || !q.client.ThirdParty()) {
		return nil, nil, refusedBy(d)
	}
	if !q.client.ThirdParty() {
		if q.assured() || who.Fresh && q.anew() {
			return d, nil, nil
		}
		if q.prompt.none {
			return nil, nil, quiet(codeInteraction, "the application cannot be told from others of this device")
		}
		return nil, &question{Who: who}, nil
	}
	given, known, err := e.Consents.Consent(ctx, who.Subject.Sub, q.client.ID)
	switch {
	case err != nil:
		return nil, nil, unavailable("the consent could not be read", err)
	case d.Granted && known && len(d.Unconsented) == 0 && q.assured() && !q.prompt.consent:
		return d, nil, nil
	case q.prompt.none:
		return nil, nil, quiet(codeConsent, "the person has to be asked")
	}
	standing.Consented = nil
	return nil, &question{Who: who, Offered: c.evaluate(who, standing).Unconsented, Given: given.Scopes}, nil
}

// evaluate is DECIDE for a sign-in.
func (c *call) evaluate(who *identity, standing trust.Standing) *trust.Decision {
	d := c.policy.Registry.Evaluate(trust.Request{
		Grant: trust.GrantCode, Subject: who.Subject, Client: c.request.client.ID,
		Scopes: c.request.Scopes, Resources: c.request.Resources, Now: c.started,
	}, standing)
	return &d
}

// assured says that whoever gets the answer is the application that was registered. It is not where anybody may use the client_id: a
// public application without an https address of its own shares its redirect URI with whatever else runs on the device. Then an
// answer without a word from the person is not given (RFC 8252 §8.6, THREATS A121). A sign-in is such a word only if the office had to ask
// them anew: where they are signed in already it sends them straight back.
func (q *request) assured() bool {
	return !q.client.Spec.App.Public || strings.HasPrefix(q.Redirect, "https://")
}

// grant is what a code is made of.
type grant struct {
	Who      *identity
	Decision *trust.Decision
	Once     bool // a pushed request that was used already refuses
}

// issue makes the code: recorded first, answered then. What the sign-in was granted bounds all that comes of it.
func (e *Endpoint) issue(ctx context.Context, c *call, g grant) (next, error) {
	if err := e.usePushed(ctx, c.request, g.Once); err != nil {
		return next{}, err
	}
	scopes := slices.Concat(g.Decision.Identity, g.Decision.Scopes)
	slices.Sort(scopes)
	scopes = slices.Compact(scopes)
	signIn := c.signIn(g.Who)
	signIn.Scopes, signIn.Resources = scopes, c.targets(g.Decision)
	code, err := e.Codes.IssueCode(ctx, signIn)
	if err != nil {
		return next{}, unavailable("the code could not be stored", err)
	}
	ev := c.event
	ev.Event, ev.IssuedSHA256 = audit.EventCode, audit.Hash(code)
	ev.Rules, ev.Audiences, ev.Granted = g.Decision.Rules, g.Decision.Audience, scopes
	if err := e.Audit.Record(ctx, &ev); err != nil {
		return next{}, unrecorded(err)
	}
	e.observe(c, "code")
	return next{Code: code}, nil
}

func (c *call) signIn(who *identity) family.SignIn {
	q := c.request
	return family.SignIn{
		Subject: who.Subject, Client: q.client.ID, RedirectURI: q.Redirect, RedirectSent: q.Sent,
		Challenge: q.Challenge, Nonce: q.Nonce,
		Session: who.Session, SID: trust.SID(who.Session, q.client.ID),
		ClaimsParam: q.claims.encode(),
		Upstream:    who.Upstream,
	}
}

// targets lists the resources named of which something was granted. One of which the person allowed nothing is left out: to name it
// later would refuse what they did allow.
func (c *call) targets(d *trust.Decision) []string {
	var out []string
	for _, resource := range c.request.Resources {
		if slices.ContainsFunc(d.APIs, func(id string) bool { return c.isResource(id, resource) }) {
			out = append(out, resource)
		}
	}
	return out
}

func (c *call) isResource(id, resource string) bool {
	if id == trust.UserInfo {
		return resource == c.policy.Registry.Issuer()
	}
	api, ok := c.policy.Registry.API(id)
	return ok && (api.Spec.Audience == resource || contains(api.Spec.Resources, resource))
}
