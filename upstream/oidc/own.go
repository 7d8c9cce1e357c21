package oidc

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"apostille/trust"
	"apostille/trust/jose"
)

// own examines an access token of ours (RFC 9068 §2.2, with idp, links and family). Who may exchange it is Evaluate's question.
func (x *examination) own(ctx context.Context) *fault {
	x.trustID = trust.Local
	if typ := x.token.Header.Typ; typ != "at+jwt" && typ != "jwt" {
		return &fault{trust.ReasonType, checkType, quote("an access token of ours has no typ ", typ), nil}
	}
	if f := x.readOwn(); f != nil {
		return f
	}
	return x.verifySignature(ctx)
}

// readOwn reads the claims of an access token of ours, a JWT's or those that an opaque one stands for.
func (x *examination) readOwn() *fault {
	x.trustID = trust.Local
	x.passed(checkIssuer, "our own")
	for _, step := range []func() *fault{
		x.checkOwnMembers,
		x.readOwnAudience,
		x.checkBinding,
		func() *fault { return x.readTimes(0) },
		x.readOwnClaims,
		x.readTokenID,
		x.readScopes,
	} {
		if f := step(); f != nil {
			return f
		}
	}
	s := &x.subject
	s.Credential, s.Trust, s.Domain = trust.CredentialOwnToken, trust.Local, s.Issuer
	s.Audience, s.Claims = x.aud, x.claims
	return nil
}

func (x *examination) checkOwnMembers() *fault {
	for _, never := range [][]string{neverSubject, idTokenOnly} {
		if f := x.forbid(never, "is no access token"); f != nil {
			return f
		}
	}
	for _, name := range []string{"client_id", "scope", "jti", "idp"} {
		if !x.claims.has(name) {
			return &fault{trust.ReasonType, checkType, "an access token of ours has " + name, nil}
		}
	}
	return x.passed(checkType, string(trust.CredentialOwnToken))
}

func (x *examination) readOwnAudience() *fault {
	aud, f := x.claims.texts("aud", checkAudience)
	if f != nil {
		return f
	}
	if len(aud) == 0 {
		return &fault{trust.ReasonAudience, checkAudience, "the token has no aud", nil}
	}
	for _, a := range aud {
		if _, ok := x.reg.ByAudience(a); !ok && a != x.reg.Issuer() { // our issuer: a token for userinfo
			return &fault{trust.ReasonAudience, checkAudience, quote("no API has the audience ", a), nil}
		}
	}
	x.aud = aud
	return x.passed(checkAudience, strings.Join(aud, " "))
}

func (x *examination) readOwnClaims() *fault {
	s := &x.subject
	for _, c := range []struct {
		name   string
		into   *string
		reason trust.Reason
	}{
		{"sub", &s.Sub, trust.ReasonSubject},
		{"client_id", &s.ClientID, trust.ReasonClaim},
		{"idp", &s.Origin, trust.ReasonClaim},
		{"jti", &s.TokenID, trust.ReasonTokenID},
	} {
		v, f := x.claims.text(c.name, checkSubject)
		if f != nil {
			return f
		}
		if wrong := identifier(v, maxSubject); wrong != "" {
			return &fault{c.reason, checkSubject, c.name + " " + wrong, nil}
		}
		*c.into = v
	}
	if v, ok := x.claims["links"]; ok {
		n, _ := v.(json.Number)
		links, err := strconv.ParseUint(string(n), 10, 16)
		if err != nil {
			return &fault{trust.ReasonClaim, checkSubject, "links is not a small number", nil}
		}
		s.Links = int(links)
	}
	if f := x.readSignIn(); f != nil {
		return f
	}
	return x.passed(checkSubject, "through "+s.Origin)
}

// readSignIn reads what a token says of the sign-in it began with, if it did (RFC 9068 §2.2.1).
func (x *examination) readSignIn() *fault {
	s := &x.subject
	if v, ok := x.claims["auth_time"]; ok {
		at, ok := jose.NumericDate(v)
		if !ok {
			return &fault{trust.ReasonClaim, checkSubject, "auth_time is not a number of seconds", nil}
		}
		s.AuthTime = at
	}
	for _, c := range []struct {
		name string
		into *string
	}{{"acr", &s.ACR}, {"family", &s.Family}} {
		if !x.claims.has(c.name) {
			continue
		}
		v, f := x.claims.text(c.name, checkSubject)
		if f != nil {
			return f
		}
		if wrong := identifier(v, maxTokenID); wrong != "" {
			return &fault{trust.ReasonClaim, checkSubject, c.name + " " + wrong, nil}
		}
		*c.into = v
	}
	s.SignedIn = s.Family != "" || !s.AuthTime.IsZero()
	return nil
}
