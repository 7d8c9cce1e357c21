package oidc

import (
	"context"
	"net/http"

	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream"
	"apostille/upstream/fetch"
)

// notOfUserInfo are members that userinfo has no say in: what a token is, what may be done with it, how somebody signed in, and claims
// kept elsewhere, which we do not fetch (OpenID Connect Core 1.0 §5.6.2; THREATS L22, A94).
var notOfUserInfo = []string{
	"iss", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "at_hash", "c_hash", "s_hash", "auth_time", "acr", "amr", "sid", "events",
	"cnf", "act", "may_act", "scope", "scp", "client_id", "typ", "_claim_names", "_claim_sources",
}

// vouched are claims and what says whether they were verified. They stay together: a "verified" of one source says nothing about
// the address of another.
var vouched = map[string]string{"email": "email_verified", "phone_number": "phone_number_verified"}

// mergeUserInfo adds what the userinfo endpoint knows beside the ID token, whose claims win.
func (p *party) mergeUserInfo(ctx context.Context, x *examination, access string) error {
	defer onlyTrue(x.claims)
	if !p.cfg.UserInfo || p.meta.userInfo == "" {
		return nil
	}
	info, err := p.userInfo(ctx, access)
	if err != nil {
		return err
	}
	// OpenID Connect Core 1.0 §5.3.2: the sub MUST be that of the ID token, exactly.
	if info["sub"] != x.claims["sub"] {
		return refusal(&fault{trust.ReasonSubject, checkUserInfo, "userinfo is about somebody else", nil})
	}
	merge(x.claims, info)
	x.passed(checkUserInfo, "of the same sub")
	return nil
}

// userInfo asks the endpoint. Signed answers would be another kind of token; they are not asked for, and refused.
func (p *party) userInfo(ctx context.Context, access string) (claims, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.meta.userInfo, nil)
	if err != nil {
		return nil, down(p.meta.userInfo, err)
	}
	r.Header.Set("Authorization", "Bearer "+access)
	a, err := p.send(r)
	if err != nil {
		return nil, err
	}
	switch {
	case a.status >= 500:
		return nil, down(p.meta.userInfo, &fetch.StatusError{Code: a.status})
	case a.status != http.StatusOK:
		return nil, &upstream.Error{Reason: trust.ReasonUpstreamError, Detail: "userinfo " + (&fetch.StatusError{Code: a.status}).Error()}
	case len(a.body) > jose.MaxToken: // what a session keeps of a person has an end, whichever way it came
		return nil, down(p.meta.userInfo, fetch.ErrTooLarge)
	}
	info, err := jose.DecodeObject(a.body)
	if err != nil || a.media != "application/json" {
		return nil, &upstream.Error{Reason: trust.ReasonUpstreamError, Detail: "userinfo did not answer with strict, plain JSON", Cause: err}
	}
	return info, nil
}

// merge adds members that the ID token lacks.
func merge(into, info claims) {
	for _, name := range notOfUserInfo {
		delete(info, name)
	}
	for value, verified := range vouched {
		if into.has(value) || into.has(verified) {
			delete(info, value)
			delete(info, verified)
		}
	}
	for name, v := range info {
		if !into.has(name) {
			into[name] = v
		}
	}
}

// onlyTrue drops a "verified" that is not a boolean: the string "true" is no word of an upstream's, but of a sloppy one's (THREATS A90).
func onlyTrue(c claims) {
	for _, verified := range vouched {
		if _, ok := c[verified].(bool); !ok {
			delete(c, verified)
		}
	}
}
