package oidc

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"apostille/trust"
)

// foreign examines a token of another domain.
func (x *examination) foreign(ctx context.Context) *fault {
	t, f := x.choose()
	if f != nil {
		return f
	}
	for _, step := range []func() *fault{
		x.checkContent,
		x.checkParty,
		x.checkBinding,
		func() *fault { return x.readTimes(x.spec.MaxAge) },
		func() *fault { return x.readSubject(t) },
		x.readTokenID,
		x.readScopes,
	} {
		if f := step(); f != nil {
			return f
		}
	}
	if x.want.Type == trust.CredentialIDToken {
		f = x.verifyIDToken(ctx)
	} else {
		f = x.verifySignature(ctx)
	}
	if f != nil {
		return f
	}
	x.identify(t)
	return nil
}

// choose finds the one trust the token is verified under: of exactly this issuer, with a use for this type, that names
// every entry of aud, and with a rule for the client. Where several qualify they share one key source (trust.Compile sees
// to it) and the first by ID is taken. Each failure names the furthest that any trust of the issuer got.
func (x *examination) choose() (*trust.Trust, *fault) {
	issuer := x.subject.Issuer
	trusts := x.reg.ByIssuer(issuer)
	if len(trusts) == 0 {
		return nil, &fault{trust.ReasonIssuerUnknown, checkIssuer, quote("no live trust has the issuer ", issuer), nil}
	}
	x.passed(checkIssuer, issuer)
	aud, f := x.claims.texts("aud", checkAudience)
	if f != nil {
		return nil, f
	}
	x.aud = aud
	var best *fault
	for _, t := range trusts {
		use := useOf(t, x.want.Type)
		if use == nil {
			continue
		}
		if f := audienceFault(aud, use.Audiences); f != nil {
			if best == nil {
				best, x.trustID = f, t.ID
			}
			continue
		}
		if !x.reg.Admits(t.ID, x.want.Client) {
			best, x.trustID = noRule(t.ID, x.want.Client), t.ID
			continue
		}
		x.trustID, x.spec = t.ID, use
		x.passed(checkAudience, strings.Join(aud, " "))
		x.passed(checkTrust, t.ID)
		return t, nil
	}
	if best == nil {
		best = &fault{trust.ReasonType, checkTrust, "no trust of this issuer accepts the type " + string(x.want.Type), nil}
	}
	return nil, best
}

func useOf(t *trust.Trust, typ trust.CredentialType) *trust.UseSpec {
	switch typ {
	case trust.CredentialJWT:
		return t.Spec.JWT
	case trust.CredentialIDToken:
		return t.Spec.IDToken
	}
	return nil
}

// audienceFault wants every entry listed: a token that is also meant for somebody else can be replayed by them.
func audienceFault(aud, allowed []string) *fault {
	if len(aud) == 0 {
		return &fault{trust.ReasonAudience, checkAudience, "the token has no aud", nil}
	}
	for _, a := range aud {
		if !slices.Contains(allowed, a) {
			return &fault{trust.ReasonAudience, checkAudience, quote("the trust's audiences do not list ", a), nil}
		}
	}
	return nil
}

func noRule(trustID, client string) *fault {
	if client == "" {
		return &fault{trust.ReasonClientRequired, checkTrust, "no grant rule of " + trustID + " is unauthenticated", nil}
	}
	return &fault{trust.ReasonNoRule, checkTrust, quote("no grant rule of "+trustID+" names the client ", client), nil}
}

// checkParty holds azp, and client_id where parties are listed, to who may present tokens. OpenID Connect Core 1.0
// §3.1.3.7: with several audiences an ID token needs azp.
func (x *examination) checkParty() *fault {
	azp, f := x.claims.text("azp", checkParty)
	if f != nil {
		return f
	}
	id, f := x.claims.text("client_id", checkParty)
	if f != nil {
		return f
	}
	isID := x.want.Type == trust.CredentialIDToken
	allowed, listed := x.spec.Audiences, len(x.spec.Parties) > 0
	if listed {
		allowed = x.spec.Parties
	}
	switch {
	case x.claims.has("azp") && !slices.Contains(allowed, azp):
		return &fault{trust.ReasonParty, checkParty, quote("the trust does not list azp ", azp), nil}
	case listed && x.claims.has("client_id") && !slices.Contains(allowed, id):
		return &fault{trust.ReasonParty, checkParty, quote("the trust does not list client_id ", id), nil}
	case isID && len(x.aud) > 1 && !x.claims.has("azp"):
		return &fault{trust.ReasonParty, checkParty, "an ID token with several audiences needs azp", nil}
	case !isID && listed && azp == "" && id == "":
		return &fault{trust.ReasonParty, checkParty, "the trust lists parties, and the token has neither azp nor client_id", nil}
	}
	if azp == "" {
		azp = id
	}
	return x.passed(checkParty, azp)
}

// checkBinding refuses what would be lost: a token we issue is not bound, and carries no right to delegate.
func (x *examination) checkBinding() *fault {
	for _, name := range []string{"cnf", "may_act"} {
		if x.claims.has(name) {
			return &fault{trust.ReasonBound, checkBinding, "the token has " + name + ", which an exchange would drop", nil}
		}
	}
	return x.passed(checkBinding, "none")
}

func (x *examination) readSubject(t *trust.Trust) *fault {
	path := t.Spec.Subject
	v, ok := t.SubjectClaim(x.claims)
	if !ok {
		return &fault{trust.ReasonSubject, checkSubject, "the token has no " + path, nil}
	}
	value, ok := v.(string)
	if !ok {
		return &fault{trust.ReasonSubject, checkSubject, path + " is not a string", nil}
	}
	if wrong := identifier(value, maxSubject); wrong != "" {
		return &fault{trust.ReasonSubject, checkSubject, path + " " + wrong, nil}
	}
	x.subject.Kind, x.subject.Value = path, value
	return x.passed(checkSubject, path)
}

func (x *examination) readTokenID() *fault {
	jti, f := x.claims.text("jti", checkTokenID)
	if f != nil {
		return f
	}
	x.subject.OneTime = x.spec != nil && x.spec.OneTime
	if !x.claims.has("jti") && !x.subject.OneTime {
		return nil
	}
	if wrong := identifier(jti, maxTokenID); wrong != "" && (jti != "" || x.subject.OneTime) {
		return &fault{trust.ReasonTokenID, checkTokenID, "jti " + wrong, nil}
	}
	x.subject.TokenID = jti
	return x.passed(checkTokenID, strconv.Quote(jti))
}

// identify fills in who the subject is; the signature has held.
func (x *examination) identify(t *trust.Trust) {
	s := &x.subject
	s.Credential, s.Trust, s.Origin = x.want.Type, t.ID, t.ID
	s.Domain, s.Sub = t.Spec.Domain, t.SubOf(s.Value)
	s.Claims = x.claims
}
