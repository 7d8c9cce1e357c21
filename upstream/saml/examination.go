package saml

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"apostille/trust"
	"apostille/trust/xmlsec"
)

// examination is one verification under way.
type examination struct {
	verifier *Verifier
	reg      *trust.Registry
	client   string
	now      time.Time

	trustID string // "" until one is chosen
	subject trust.Subject
	checks  []trust.Check
}

// want is whom an assertion must be for.
type want struct {
	audiences, recipients []string
	maxAge                time.Duration
	login                 bool   // the confirmation must be for this very request:
	request               string // its ID, "" = none was made
}

func (w *want) receives(recipient string) bool { return slices.Contains(w.recipients, recipient) }

func (x *examination) refusal(f *fault) *Error {
	return &Error{Reason: f.reason, Trust: x.trustID, Detail: f.detail, Cause: f.cause,
		Checks: append(x.checks, trust.Check{Name: f.check, Detail: f.detail})}
}

// passed notes a check that held; it returns nil so that a step can end with it.
func (x *examination) passed(check, detail string) *fault {
	x.checks = append(x.checks, trust.Check{Name: check, OK: true, Detail: detail})
	return nil
}

// run makes every check.
func (x *examination) run(ctx context.Context, b []byte) *fault {
	root, f := parseAssertion(b)
	if f != nil {
		return f
	}
	x.passed(checkFormat, "one SAML 2.0 assertion of "+strconv.Itoa(len(b))+" bytes")
	issuer, f := claimedIssuer(root)
	if f != nil {
		return f
	}
	trusts, f := x.candidates(issuer)
	if f != nil {
		return f
	}
	x.passed(checkIssuer, issuer)
	begun := x.checks
	var furthest []trust.Check
	var best *fault
	var bestTrust string
	for _, t := range trusts {
		x.checks, x.trustID = begun, t.ID
		f := x.under(ctx, t, root)
		if f == nil {
			return nil
		}
		if best == nil || len(x.checks) > len(furthest) {
			best, furthest, bestTrust = f, slices.Clone(x.checks), t.ID
		}
	}
	x.checks, x.trustID = furthest, bestTrust
	return best
}

// candidates are the live trusts of an issuer that take assertions and have a rule for the client. Where there are several, they share their
// keys or differ in audiences (trust.Compile sees to it); the first that all checks hold for is taken.
func (x *examination) candidates(issuer string) ([]*trust.Trust, *fault) {
	if issuer == x.reg.Issuer() {
		return nil, faulty(trust.ReasonType, checkIssuer, "the assertion is of our own issuer; only an access token of ours can be exchanged")
	}
	all := x.reg.ByIssuer(issuer)
	if len(all) == 0 {
		return nil, faulty(trust.ReasonIssuerUnknown, checkIssuer, quote("no live trust has the issuer ", issuer))
	}
	var out []*trust.Trust
	taking := ""
	for _, t := range all {
		switch {
		case t.Spec.SAML2 == nil:
		case x.reg.Admits(t.ID, x.client):
			out = append(out, t)
		default:
			taking = t.ID
		}
	}
	switch {
	case len(out) > 0:
		return out, nil
	case taking == "":
		return nil, faulty(trust.ReasonType, checkTrust, "no trust of this issuer accepts the type "+string(trust.CredentialSAML2))
	case x.client == "":
		x.trustID = taking
		return nil, faulty(trust.ReasonClientRequired, checkTrust, "no grant rule of "+taking+" is unauthenticated")
	}
	x.trustID = taking
	return nil, faulty(trust.ReasonNoRule, checkTrust, quote("no grant rule of "+taking+" names the client ", x.client))
}

// under makes the checks of one trust: the signature, then what was signed.
func (x *examination) under(ctx context.Context, t *trust.Trust, root *xmlsec.Element) *fault {
	x.subject = trust.Subject{}
	x.passed(checkTrust, t.ID)
	signed, f := x.verifier.verify(ctx, t, root)
	if f != nil {
		return f
	}
	x.passed(checkSignature, "by a key of the trust")
	a, err := readAssertion(signed.Element())
	if err != nil {
		return &fault{trust.ReasonMalformed, checkShape, err.Error(), err}
	}
	x.passed(checkShape, "as the schema has it, and nothing unknown")
	if a.issuer != t.Spec.Issuer {
		return faulty(trust.ReasonIssuerUnknown, checkIssuer, quote("what is signed names another issuer: ", a.issuer))
	}
	return x.judge(t, a, &want{audiences: t.Spec.SAML2.Audiences, recipients: t.Spec.SAML2.Recipients, maxAge: t.Spec.SAML2.MaxAge})
}

// judge decides whether the assertion is for us, now, and who it is about.
func (x *examination) judge(t *trust.Trust, a *assertion, w *want) *fault {
	for _, step := range []func() *fault{
		func() *fault { return x.checkAudience(a, w) },
		func() *fault { return x.checkConditions(a) },
		func() *fault { return x.checkTimes(a, w) },
		func() *fault { return x.checkConfirmations(a, w) },
		func() *fault { return x.readID(a) },
		func() *fault { return x.readSubject(t, a) },
	} {
		if f := step(); f != nil {
			return f
		}
	}
	return nil
}

func (x *examination) checkAudience(a *assertion, w *want) *fault {
	if f := a.conditions.audienceFault(w.audiences); f != nil {
		return f
	}
	return x.passed(checkAudience, strings.Join(a.conditions.audiences[0], " "))
}

func (x *examination) checkConditions(a *assertion) *fault {
	if f := a.conditions.restrictionFault(); f != nil {
		return f
	}
	return x.passed(checkCondition, "all known")
}

func (x *examination) checkTimes(a *assertion, w *want) *fault {
	t := times{issued: a.issued, notBefore: a.conditions.notBefore, expires: a.conditions.notOnOrAfter, maxAge: w.maxAge}
	if a.authn != nil {
		t.authn, t.session = a.authn.at, a.authn.sessionEnd
	}
	if f := t.check(x.now); f != nil {
		return f
	}
	s := &x.subject
	s.IssuedAt, s.Expires = t.issued, t.end()
	return x.passed(checkTimes, "valid until "+s.Expires.UTC().Format(time.RFC3339))
}

// checkConfirmations wants one that holds: they are alternatives (SAML Core 2.0 §2.4.1).
func (x *examination) checkConfirmations(a *assertion, w *want) *fault {
	if len(a.confirmations) == 0 {
		return faulty(trust.ReasonRecipient, checkConfirm, "the assertion has no SubjectConfirmation")
	}
	var first *fault
	for i := range a.confirmations {
		f := a.confirmations[i].fault(w, x.now)
		if f == nil {
			return x.passed(checkConfirm, "bearer, at "+a.confirmations[i].recipient)
		}
		if first == nil || first.reason == trust.ReasonBound {
			first = f
		}
	}
	return first
}

// readID reads what makes the assertion one of its kind.
func (x *examination) readID(a *assertion) *fault {
	if wrong := identifier(a.id, maxID); wrong != "" {
		return faulty(trust.ReasonTokenID, checkTokenID, "ID "+wrong)
	}
	x.subject.TokenID, x.subject.OneTime = a.id, true
	return x.passed(checkTokenID, strconv.Quote(a.id))
}
