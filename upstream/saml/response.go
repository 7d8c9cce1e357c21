package saml

import (
	"context"
	"crypto"
	"time"

	"apostille/trust"
	"apostille/trust/xmlsec"
)

// maxLoginAge is how long ago a Response or its assertion may have been issued: a person has just come with it.
const maxLoginAge = 10 * time.Minute

// Answer is a Response that a browser brought, and what it must answer.
type Answer struct {
	Document  []byte       // XML, at most xmlsec.MaxBytes
	Trust     *trust.Trust // whose office was asked
	Audience  string       // our entityID as a service provider
	Recipient string       // our assertion consumer URL, where it was brought
	Request   string       // ID of our request; "" = none was made: whoever calls has allowed that
	Keys      []crypto.Decrypter
	CBC       bool // AES-CBC too, inside a Response that is signed
}

// SignIn is what a good Response says.
type SignIn struct {
	Subject trust.Subject // CredentialLogin; Expires is the end of what may rest on it
	// The assertion's (Subject.Issuer, ID) MUST be claimed until then, as subject tokens are: it is then worth nothing anywhere else.
	ID    string
	Until time.Time
	// Handle names the session at the office, for a LogoutRequest; "" without a NameID.
	Handle string
}

// Response verifies the answer to a sign-in: Status first, the envelope, the signature of Response or assertion, decryption in between, and
// then the assertion, as for an exchange. Errors are *Error.
func (v *Verifier) Response(ctx context.Context, a Answer) (_ SignIn, err error) {
	defer recovered(&err)
	x := &examination{verifier: v, now: v.Now(), trustID: a.Trust.ID, checks: make([]trust.Check, 0, 16)}
	said, f := x.response(ctx, &a)
	if f != nil {
		return SignIn{}, x.refusal(f)
	}
	return x.signedIn(a.Trust, said), nil
}

func (x *examination) response(ctx context.Context, a *Answer) (*assertion, *fault) {
	if a.Trust.Spec.Login == nil {
		return nil, faulty(trust.ReasonTrustNotLive, checkTrust, "nobody signs in with this trust")
	}
	root, f := parseResponse(a.Document)
	if f != nil {
		return nil, f
	}
	x.passed(checkFormat, "a SAML 2.0 Response")
	env, err := readEnvelope(root)
	if err != nil {
		return nil, &fault{trust.ReasonMalformed, checkShape, err.Error(), err}
	}
	if f := env.statusFault(); f != nil {
		return nil, f
	}
	signed, f := x.signedEnvelope(ctx, a.Trust, root, env)
	if f != nil {
		return nil, f
	}
	if f := x.envelopeAgrees(a, env, signed); f != nil {
		return nil, f
	}
	said, f := x.contained(ctx, a, env, signed)
	if f != nil {
		return nil, f
	}
	if said.issuer != a.Trust.Spec.Issuer {
		return nil, faulty(trust.ReasonIssuerUnknown, checkIssuer, quote("the assertion names another issuer: ", said.issuer))
	}
	if said.authn == nil {
		return nil, faulty(trust.ReasonMalformed, checkShape, "the assertion does not say that anybody authenticated")
	}
	return said, x.judge(a.Trust, said, &want{
		audiences: []string{a.Audience}, recipients: []string{a.Recipient}, maxAge: maxLoginAge, login: true, request: a.Request,
	})
}

// signedEnvelope verifies the signature of the Response, if it has one; the zero value says that it has none.
func (x *examination) signedEnvelope(ctx context.Context, t *trust.Trust, root *xmlsec.Element, env *envelope) (xmlsec.Verified, *fault) {
	if !env.signed {
		return xmlsec.Verified{}, nil
	}
	v, f := x.verifier.verify(ctx, t, root)
	if f == nil {
		x.passed(checkSignature, "of the Response, by a key of the trust")
	}
	return v, f
}

// envelopeAgrees compares what stands around the assertion, as it was signed, or else as it came: it must agree all the same.
func (x *examination) envelopeAgrees(a *Answer, env *envelope, signed xmlsec.Verified) *fault {
	if root := signed.Element(); root != nil {
		again, err := readEnvelope(root)
		if err != nil {
			return &fault{trust.ReasonMalformed, checkShape, err.Error(), err}
		}
		if f := again.statusFault(); f != nil {
			return f
		}
		again.came = env.assertion
		*env = *again
	} else {
		env.came = env.assertion
	}
	switch {
	case env.issuer != a.Trust.Spec.Issuer:
		return faulty(trust.ReasonIssuerUnknown, checkIssuer, quote("the Response is of another issuer: ", env.issuer))
	case env.destination != a.Recipient:
		return faulty(trust.ReasonRecipient, checkEnvelope, quote("the Response is for another place: ", env.destination))
	case env.inResponseTo != a.Request:
		return faulty(trust.ReasonLoginState, checkEnvelope, quote("the Response answers another request: ", env.inResponseTo))
	case env.issued.After(x.now.Add(trust.Skew)):
		return timeFault(trust.ReasonNotYetValid, env.issued, "the Response was issued in the future, at ")
	case x.now.Sub(env.issued) > maxLoginAge:
		return timeFault(trust.ReasonTooOld, env.issued, "the Response was issued at ")
	}
	x.passed(checkIssuer, env.issuer)
	return x.passed(checkEnvelope, "at "+env.destination)
}

// contained opens the assertion, if it is encrypted, has its signature verified, if it has one, and reads it. One of both signatures there
// must be: an encrypted assertion is no exception.
func (x *examination) contained(ctx context.Context, a *Answer, env *envelope, signed xmlsec.Verified) (*assertion, *fault) {
	plain, vouched, f := x.opened(a, env, signed)
	if f != nil {
		return nil, f
	}
	if xmlsec.HasSignature(plain) || vouched.Element() == nil {
		v, f := x.verifier.verify(ctx, a.Trust, plain)
		if f != nil {
			return nil, f
		}
		x.passed(checkSignature, "of the assertion, by a key of the trust")
		vouched = v
	}
	said, err := readAssertion(vouched.Element())
	if err != nil {
		return nil, &fault{trust.ReasonMalformed, checkShape, err.Error(), err}
	}
	x.passed(checkShape, "as the schema has it, and nothing unknown")
	return said, nil
}

// opened returns the assertion as it is to be verified, and, if the Response is signed, as that signature vouches for it.
func (x *examination) opened(a *Answer, env *envelope, signed xmlsec.Verified) (*xmlsec.Element, xmlsec.Verified, *fault) {
	if !env.encrypted {
		part, _ := signed.Part(env.assertion)
		return env.came, part, nil
	}
	if signed.Element() != nil {
		inner, err := signed.Decrypt(env.assertion, a.Keys, a.CBC)
		if err != nil {
			return nil, xmlsec.Verified{}, xmlFault(checkDecrypt, err)
		}
		return inner.Element(), inner, x.decrypted(inner.Element())
	}
	inner, err := xmlsec.Decrypt(env.assertion, a.Keys)
	if err != nil {
		return nil, xmlsec.Verified{}, xmlFault(checkDecrypt, err)
	}
	return inner, xmlsec.Verified{}, x.decrypted(inner)
}

// decrypted looks at what was inside as parseAssertion does at a document.
func (x *examination) decrypted(e *xmlsec.Element) *fault {
	if f := oneAssertion(e); f != nil {
		return f
	}
	return x.passed(checkDecrypt, "with a key of ours")
}

// signedIn is the outcome; every check has held.
func (x *examination) signedIn(t *trust.Trust, said *assertion) SignIn {
	s := x.subject
	out := SignIn{ID: said.id, Handle: said.handle(), Until: s.Expires.Add(trust.Skew)}
	if end := said.conditions.notOnOrAfter.Add(trust.Skew); end.After(out.Until) {
		out.Until = end
	}
	s.Credential, s.SignedIn, s.OneTime, s.Checks = trust.CredentialLogin, true, false, x.checks
	s.IssuedAt, s.Expires = x.now, x.now.Add(t.Spec.Login.SessionMax)
	if end := said.authn.sessionEnd; !end.IsZero() && end.Before(s.Expires) {
		s.Expires = end
	}
	s.AuthTime, s.ACR, s.SessionID = said.authn.at, t.Spec.Login.ACR[said.authn.class], said.authn.session
	out.Subject = s
	return out
}
