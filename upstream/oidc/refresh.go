package oidc

import (
	"context"
	"net/url"

	"apostille/trust"
	"apostille/upstream"
)

// Refresh fetches the claims of a person again, with the refresh token of a login (OpenID Connect Core 1.0 §12). The caller MUST compare
// Subject.Sub with that of the sign-in: another person's claims are nobody's. Refresh is the token for the next time.
//
// Without an ID token in the answer the claims are those of userinfo; AuthTime, ACR and SessionID are then unset, as the sign-in said them.
// An error with the Code invalid_grant says that the upstream has ended it.
func (rp *RelyingParty) Refresh(ctx context.Context, t *trust.Trust, upstreamRefreshToken string) (_ upstream.Login, err error) {
	defer rp.guarded(&err)
	p, err := rp.reached(ctx, t)
	if err != nil {
		return upstream.Login{}, err
	}
	got, err := p.redeem(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {upstreamRefreshToken}})
	if err != nil {
		return upstream.Login{}, err
	}
	if got.refresh == "" {
		got.refresh = upstreamRefreshToken // RFC 6749 §6: it stays unless another one came
	}
	x := p.examine(got.id)
	if got.id == "" {
		if err := p.fromUserInfo(ctx, x, got.access); err != nil {
			return upstream.Login{}, err
		}
		return p.login(x, got), nil
	}
	if f := x.login(ctx, nil); f != nil {
		return upstream.Login{}, refusal(f)
	}
	if err := p.mergeUserInfo(ctx, x, got.access); err != nil {
		return upstream.Login{}, err
	}
	return p.login(x, got), nil
}

// fromUserInfo takes the subject from userinfo alone.
func (p *party) fromUserInfo(ctx context.Context, x *examination, access string) error {
	if p.meta.userInfo == "" {
		return &upstream.Error{Reason: trust.ReasonUpstreamError, Detail: "the refresh gave no ID token, and the upstream has no userinfo"}
	}
	info, err := p.userInfo(ctx, access)
	if err != nil {
		return err
	}
	x.claims = claims{}
	merge(x.claims, info)
	onlyTrue(x.claims)
	x.subject.Issuer = p.trust.Spec.Issuer
	if f := x.readLoginSubject(); f != nil {
		return refusal(f)
	}
	x.passed(checkUserInfo, "no ID token came")
	return nil
}
