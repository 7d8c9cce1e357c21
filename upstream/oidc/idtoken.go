package oidc

import (
	"context"
	"crypto/subtle"
	"slices"

	"apostille/trust"
	"apostille/trust/jose"
)

// maxSessionID bounds `sid`, in bytes.
const maxSessionID = 256

// expected is what an ID token of a login must agree with.
type expected struct {
	nonce, code, state, access string
}

// examine begins the examination of a token that this upstream gave us or posted to us.
func (p *party) examine(raw string) *examination {
	return &examination{
		verifier: &Verifier{Keys: p.rp.Keys, Now: p.rp.Now},
		want:     Want{Type: trust.CredentialIDToken},
		raw:      raw, now: p.now, trustID: p.trust.ID,
		spec:   &trust.UseSpec{Audiences: []string{p.cfg.ClientID}},
		checks: make([]trust.Check, 0, 16),
		party:  p,
	}
}

// login examines the ID token of a login (OpenID Connect Core 1.0 §3.1.3.7), the signature last. Without e it is one of a refresh, which
// has no nonce of ours (§12.2).
func (x *examination) login(ctx context.Context, e *expected) *fault {
	for _, step := range []func() *fault{
		x.openTheirs,
		x.checkLoginAudience,
		x.checkLoginType,
		func() *fault { return x.readTimes(trust.DefaultMaxAge) },
		x.readLoginSubject,
		x.readTokenID,
		func() *fault { return x.checkBound(e) },
		x.readAuthentication,
		func() *fault { return x.verifyIDToken(ctx) },
	} {
		if f := step(); f != nil {
			return f
		}
	}
	x.dropSingleUse()
	return nil
}

// openTheirs wants the exact issuer of the trust and an algorithm that it is configured with.
func (x *examination) openTheirs() *fault {
	if f := x.open(); f != nil {
		return f
	}
	p := x.party
	if x.subject.Issuer != p.trust.Spec.Issuer {
		return &fault{trust.ReasonIssuerUnknown, checkIssuer, quote("the token is of another issuer, ", x.subject.Issuer), nil}
	}
	alg := x.token.Header.Alg
	if len(p.cfg.Algs) > 0 && !slices.Contains(p.cfg.Algs, alg) {
		return &fault{trust.ReasonAlgorithm, checkFormat, "the login does not list " + string(alg), nil}
	}
	return x.passed(checkIssuer, x.subject.Issuer)
}

// checkLoginAudience wants aud to hold our client ID. Others beside it refuse unless azp says that the token is ours all the same, and an
// azp is always ours (THREATS A64).
func (x *examination) checkLoginAudience() *fault {
	id := x.party.cfg.ClientID
	aud, f := x.claims.texts("aud", checkAudience)
	if f != nil {
		return f
	}
	if !slices.Contains(aud, id) {
		return &fault{trust.ReasonAudience, checkAudience, "aud does not name our client ID", nil}
	}
	azp, f := x.claims.text("azp", checkParty)
	if f != nil {
		return f
	}
	others := slices.ContainsFunc(aud, func(a string) bool { return a != id })
	switch {
	case x.claims.has("azp") && azp != id:
		return &fault{trust.ReasonParty, checkParty, quote("azp is not our client ID but ", azp), nil}
	case others && azp != id:
		return &fault{trust.ReasonAudience, checkAudience, "aud names others beside us, and azp does not say that the token is ours", nil}
	}
	x.aud = aud
	return x.passed(checkAudience, id)
}

// checkLoginType refuses tokens of other kinds. That an access token is none of them is the nonce's to show: unlike in an exchange, products
// may put scopes into an ID token.
func (x *examination) checkLoginType() *fault {
	if f := x.forbid(neverSubject, "is no ID token"); f != nil {
		return f
	}
	if typ := x.token.Header.Typ; typ != "" && typ != "jwt" {
		return &fault{trust.ReasonType, checkType, quote("an ID token has no typ ", typ), nil}
	}
	return x.passed(checkType, string(x.want.Type))
}

// readLoginSubject wants `sub` whatever names the subject: userinfo is matched by it.
func (x *examination) readLoginSubject() *fault {
	sub, ok := x.claims["sub"].(string)
	if wrong := identifier(sub, maxSubject); !ok || wrong != "" {
		return &fault{trust.ReasonSubject, checkSubject, "an ID token needs sub, a string that is neither empty nor long nor odd", nil}
	}
	return x.readSubject(x.party.trust)
}

// checkBound ties the token to this very login.
func (x *examination) checkBound(e *expected) *fault {
	if e == nil {
		return nil
	}
	nonce, f := x.claims.text("nonce", checkNonce)
	if f != nil {
		return f
	}
	if subtle.ConstantTimeCompare([]byte(nonce), []byte(e.nonce)) != 1 {
		return &fault{trust.ReasonLoginState, checkNonce, "the ID token is not of this login", nil}
	}
	x.passed(checkNonce, "ours")
	for _, h := range []struct{ claim, of string }{{"at_hash", e.access}, {"c_hash", e.code}, {"s_hash", e.state}} {
		if f := x.checkHash(h.claim, h.of); f != nil {
			return f
		}
	}
	return nil
}

// readAuthentication reads auth_time, acr and sid. An auth_time of 0 is what products send that do not know: it counts as absent.
func (x *examination) readAuthentication() *fault {
	s := &x.subject
	if v, ok := x.claims["auth_time"]; ok {
		at, ok := jose.NumericDate(v)
		switch {
		case !ok:
			return &fault{trust.ReasonTime, checkTimes, "auth_time is not a number of seconds between 1970 and 2200", nil}
		case at.After(x.now.Add(trust.Skew)):
			return &fault{trust.ReasonNotYetValid, checkTimes, "auth_time is in the future", nil}
		case at.Unix() != 0:
			s.AuthTime = at
		}
	}
	acr, f := x.claims.text("acr", checkSession)
	if f != nil {
		return f
	}
	s.ACR = x.party.trust.Spec.Login.ACR[acr]
	if s.SessionID, f = x.claims.text("sid", checkSession); f != nil {
		return f
	}
	if wrong := identifier(s.SessionID, maxSessionID); wrong != "" && x.claims.has("sid") {
		return &fault{trust.ReasonClaim, checkSession, "sid " + wrong, nil}
	}
	return x.passed(checkSession, quote("acr ", s.ACR))
}

// dropSingleUse takes out what says nothing about the person once it was checked.
func (x *examination) dropSingleUse() {
	for _, name := range idTokenOnly {
		delete(x.claims, name)
	}
}
