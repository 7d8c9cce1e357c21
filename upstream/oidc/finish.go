package oidc

import (
	"context"
	"net/url"
	"strings"
	"time"

	"apostille/trust"
	"apostille/upstream"
)

// Finish implements upstream.Provider: code, ID token, freshness, userinfo, subject, in this order.
func (rp *RelyingParty) Finish(ctx context.Context, t *trust.Trust, redirect string, a upstream.Answer) (_ upstream.Login, err error) {
	defer rp.guarded(&err)
	p, err := rp.reached(ctx, t)
	if err != nil {
		return upstream.Login{}, err
	}
	m, err := readMemo(a.Secret)
	if err != nil {
		return upstream.Login{}, err
	}
	code, err := p.readAnswer(a.Params)
	if err != nil {
		return upstream.Login{}, err
	}
	tokens, err := p.redeem(ctx, url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}, "code_verifier": {m.verifier()},
	})
	if err != nil {
		return upstream.Login{}, err
	}
	x := p.examine(tokens.id)
	if f := x.login(ctx, &expected{nonce: m.nonce(), code: code, state: a.Params.Get("state"), access: tokens.access}); f != nil {
		return upstream.Login{}, refusal(f)
	}
	if f := x.fresh(a); f != nil {
		return upstream.Login{}, refusal(f)
	}
	if err := p.mergeUserInfo(ctx, x, tokens.access); err != nil {
		return upstream.Login{}, err
	}
	return p.login(x, tokens), nil
}

// tokens is a token answer (OpenID Connect Core 1.0 §3.1.3.3).
type tokens struct {
	access, id, refresh string // "" = none
}

// redeem asks the token endpoint.
func (p *party) redeem(ctx context.Context, form url.Values) (tokens, error) {
	doc, err := p.post(ctx, p.meta.token, form)
	if err != nil {
		return tokens{}, err
	}
	var out tokens
	for member, into := range map[string]*string{"access_token": &out.access, "id_token": &out.id, "refresh_token": &out.refresh} {
		v, ok := doc[member]
		if *into, _ = v.(string); ok && *into == "" && v != nil {
			return tokens{}, &upstream.Error{Reason: trust.ReasonUpstreamError, Detail: "the token answer's " + member + " is not a string"}
		}
	}
	if typ, _ := doc["token_type"].(string); !strings.EqualFold(typ, "Bearer") || out.access == "" {
		return tokens{}, &upstream.Error{Reason: trust.ReasonUpstreamError, Detail: "the token answer holds no Bearer token"}
	}
	return out, nil
}

// login is the outcome; every check has held.
func (p *party) login(x *examination, got tokens) upstream.Login {
	s := x.subject
	s.Credential, s.Trust, s.Origin, s.SignedIn = trust.CredentialLogin, p.trust.ID, p.trust.ID, true
	s.Domain, s.Sub = p.trust.Spec.Domain, p.trust.SubOf(s.Value)
	s.Claims = x.claims
	s.IssuedAt, s.Expires = p.now, p.now.Add(p.sessionMax())
	s.Checks = x.checks
	l := upstream.Login{Subject: s}
	if p.cfg.Logout {
		l.IDToken = got.id
	}
	if p.cfg.RefreshClaims {
		l.Refresh = got.refresh
	}
	return l
}

func (p *party) sessionMax() time.Duration {
	if d := p.trust.Spec.Login.SessionMax; d > 0 {
		return d
	}
	return trust.DefaultSessionMax
}
