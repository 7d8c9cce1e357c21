package exchange

import (
	"context"
	"time"

	"apostille/broker/oauth"
	"apostille/trust"
	"apostille/upstream/oidc"
)

// Verdict is the answer of Explain in one word or two.
type Verdict string

// Verdicts. The zero value is none of them.
const (
	VerdictGranted Verdict = "granted"
	// VerdictConditional: all is well but the signature, which was not checked for want of keys.
	VerdictConditional Verdict = "would be granted if the signature holds"
	VerdictRefused     Verdict = "refused"
)

// Explanation is what a request would come to, and why. It is a value: nothing is issued, claimed or recorded.
type Explanation struct {
	Verdict          Verdict
	Reason           trust.Reason   // "" unless refused
	Detail           string         // one sentence for the admin, when refused
	Checks           []trust.Check  // of VERIFY, in order; when it refused, the last is what failed
	SignatureChecked bool           // by a key; client credentials have none to check, and count as checked
	Unchecked        string         // why the signature was not checked; "" if it was, or VERIFY did not get that far
	Decision         trust.Decision // of DECIDE, with its steps; the zero value if VERIFY refused
	Subject          trust.Subject  // whom it would be for; the zero value if VERIFY refused
	Remedies         []string       // what would have to change, a sentence each; empty when granted as asked
}

// Query is a token request as its endpoint would have read it. The client counts as authenticated.
type Query struct {
	Grant  trust.Grant
	Client string // "" = no client authentication
	Params oauth.Params
}

// Examiner verifies tokens, and looks at those whose keys cannot be had; *oidc.Verifier implements it.
type Examiner interface {
	Verifier
	ExamineUnverified(ctx context.Context, reg *trust.Registry, raw string, want oidc.Want) (trust.Subject, error)
}

// Explainer says what requests would come to. It runs the grants themselves and trust.Evaluate, in the order of the token
// endpoint.
type Explainer struct {
	Verifier   Examiner
	Assertions Assertions
	// Unsure says whether a refusal for want of a key leaves the signature open, because the keys at hand are not what the
	// server would have. nil: only keys that cannot be had at all leave it open.
	Unsure   func(*Refusal) bool
	Standing func(sub string) trust.Standing
	Now      func() time.Time
}

// Explain explains one request.
func (e *Explainer) Explain(ctx context.Context, reg *trust.Registry, q Query) Explanation {
	if refusal := mayAsk(reg, q); refusal != nil {
		return e.refused(q, reg, refusal)
	}
	x := Explanation{SignatureChecked: true}
	subject, err := e.subjectOf(ctx, e.Verifier, reg, q)
	if err != nil {
		refusal := AsRefusal(err)
		if !e.open(refusal) {
			return e.refused(q, reg, refusal)
		}
		x.SignatureChecked, x.Unchecked = false, refusal.Detail
		if subject, err = e.subjectOf(ctx, unverified{e.Verifier}, reg, q); err != nil {
			return e.refused(q, reg, AsRefusal(err))
		}
	}
	x.Subject, x.Checks = subject, subject.Checks
	x.Decision = reg.Evaluate(trust.Request{
		Grant: q.Grant, Subject: subject, Client: q.Client, Now: e.Now(), Explain: true,
		Audiences: q.Params.List("audience"), Resources: q.Params.List("resource"), Scopes: q.Params.Scopes(),
		Assertion: WantsAssertion(q.Params), Token: WantsToken(q.Params),
	}, e.Standing(subject.Sub))
	switch {
	case !x.Decision.Granted:
		x.Verdict, x.Reason, x.Detail = VerdictRefused, x.Decision.Reason, x.Decision.Detail
	case !x.SignatureChecked:
		x.Verdict = VerdictConditional
	default:
		x.Verdict = VerdictGranted
	}
	x.Remedies = remedies(reg, q, &x)
	return x
}

// mayAsk is what the endpoint checks before it looks at the credential: the client, and that it may use the grant.
func mayAsk(reg *trust.Registry, q Query) *Refusal {
	if q.Client == "" {
		return nil
	}
	client, ok := reg.Client(q.Client)
	switch {
	case !ok:
		return clientRefusal(trust.ReasonClientUnknown, "there is no client "+q.Client)
	case client.Spec.Disabled:
		return clientRefusal(trust.ReasonClientUnknown, "client "+q.Client+" is disabled")
	case !client.MayUse(q.Grant):
		return clientRefusal(trust.ReasonGrantNotAllowed, "the registration of client "+q.Client+" does not list the grant "+string(q.Grant))
	}
	return nil
}

func clientRefusal(reason trust.Reason, detail string) *Refusal {
	return &Refusal{Reason: reason, Detail: detail, Checks: []trust.Check{{Name: "client", Detail: detail}}}
}

// subjectOf runs VERIFY as the grant does.
func (e *Explainer) subjectOf(ctx context.Context, v Verifier, reg *trust.Registry, q Query) (trust.Subject, error) {
	switch q.Grant {
	case trust.GrantTokenExchange:
		return TokenExchange{Verifier: v, Assertions: e.Assertions}.Subject(ctx, reg, q.Client, q.Params)
	case trust.GrantJWTBearer:
		return JWTBearer{Verifier: v}.Subject(ctx, reg, q.Client, q.Params)
	case trust.GrantSAML2Bearer:
		return SAML2Bearer{Assertions: e.Assertions}.Subject(ctx, reg, q.Client, q.Params)
	case trust.GrantClientCredentials:
		return ClientCredentials{}.Subject(ctx, reg, q.Client, q.Params)
	}
	return trust.Subject{}, &Refusal{Reason: trust.ReasonUnsupportedGrant, Detail: "there is no grant " + string(q.Grant)}
}

// unverified is an Examiner as the grants see it. Only Explain may hold one.
type unverified struct{ Examiner }

func (u unverified) Verify(ctx context.Context, reg *trust.Registry, raw string, want oidc.Want) (trust.Subject, error) {
	return u.ExamineUnverified(ctx, reg, raw, want)
}

func (e *Explainer) open(r *Refusal) bool {
	return r.Reason == trust.ReasonKeysUnavailable || e.Unsure != nil && e.Unsure(r)
}

func (e *Explainer) refused(q Query, reg *trust.Registry, r *Refusal) Explanation {
	x := Explanation{Verdict: VerdictRefused, Reason: r.Reason, Detail: r.Detail, Checks: r.Checks}
	if len(x.Checks) == 0 {
		x.Checks = []trust.Check{{Name: "request", Detail: r.Detail}}
	}
	x.Decision.Trust = r.Trust
	x.Remedies = remedies(reg, q, &x)
	return x
}
