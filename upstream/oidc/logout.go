package oidc

import (
	"context"
	"net/url"
	"slices"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"apostille/trust"
	"apostille/upstream"
)

// logoutEvent is the member of `events` that makes a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4).
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutMaxAge bounds now − iat: a logout is sent when it happens, and its ID need not be remembered for longer than its exp.
const logoutMaxAge = 5 * time.Minute

// Logout implements upstream.LogoutReceiver (OpenID Connect Back-Channel Logout 1.0 §2.6). It asks nothing of the upstream but keys.
func (rp *RelyingParty) Logout(ctx context.Context, t *trust.Trust, raw string) (_ upstream.LoggedOut, err error) {
	defer rp.guarded(&err)
	p, err := rp.known(t)
	if err != nil {
		return upstream.LoggedOut{}, err
	}
	x := p.examine(raw)
	var out upstream.LoggedOut
	for _, step := range []func() *fault{
		x.openTheirs,
		x.checkLogoutType,
		x.checkLogoutAudience,
		func() *fault { return x.readTimes(logoutMaxAge) },
		x.readLogoutID,
		func() *fault { return x.readLoggedOut(&out) },
		func() *fault { return x.verifyLogout(ctx) },
	} {
		if f := step(); f != nil {
			return upstream.LoggedOut{}, refusal(f)
		}
	}
	s := x.subject
	out.Issuer, out.TokenID, out.Expires, out.IssuedAt = s.Issuer, s.TokenID, s.Expires, s.IssuedAt
	return out, nil
}

// checkLogoutType wants what only a logout token has, and nothing that only an ID token has. `typ` SHOULD be logout+jwt; products leave it
// out or write JWT.
func (x *examination) checkLogoutType() *fault {
	if typ := x.token.Header.Typ; typ != "logout+jwt" && typ != "jwt" && typ != "" {
		return &fault{trust.ReasonType, checkLogout, quote("a logout token has no typ ", typ), nil}
	}
	if f := x.forbid(idTokenOnly, "is an ID token, not a logout token"); f != nil {
		return f
	}
	events, _ := x.claims["events"].(map[string]any)
	if _, ok := events[logoutEvent].(map[string]any); !ok {
		return &fault{trust.ReasonType, checkLogout, "events does not say that a session ended", nil}
	}
	return x.passed(checkType, "logout token")
}

// checkLogoutAudience wants our client ID and nobody else's.
func (x *examination) checkLogoutAudience() *fault {
	aud, f := x.claims.texts("aud", checkAudience)
	if f != nil {
		return f
	}
	id := x.party.cfg.ClientID
	if len(aud) == 0 || slices.ContainsFunc(aud, func(a string) bool { return a != id }) {
		return &fault{trust.ReasonAudience, checkAudience, "aud is not our client ID alone", nil}
	}
	return x.passed(checkAudience, id)
}

func (x *examination) readLogoutID() *fault {
	jti, f := x.claims.text("jti", checkTokenID)
	if f != nil {
		return f
	}
	if wrong := identifier(jti, maxTokenID); wrong != "" {
		return &fault{trust.ReasonTokenID, checkTokenID, "jti " + wrong, nil}
	}
	x.subject.TokenID = jti
	return x.passed(checkTokenID, jti)
}

// readLoggedOut reads whose session, or which one, ended. Where another claim than sub names subjects and the token lacks it, only sid can
// tell.
func (x *examination) readLoggedOut(out *upstream.LoggedOut) *fault {
	sid, f := x.claims.text("sid", checkSession)
	if f != nil {
		return f
	}
	if wrong := identifier(sid, maxSessionID); x.claims.has("sid") && wrong != "" {
		return &fault{trust.ReasonClaim, checkSession, "sid " + wrong, nil}
	}
	if _, f := x.claims.text("sub", checkSubject); f != nil {
		return f
	}
	out.SID = sid
	t := x.party.trust
	if _, named := t.SubjectClaim(x.claims); !named {
		if sid == "" {
			return &fault{trust.ReasonSubject, checkSubject, "the logout token names neither a subject nor a session", nil}
		}
		return x.passed(checkSession, "by sid")
	}
	if f := x.readSubject(t); f != nil {
		return f
	}
	out.Sub = t.SubOf(x.subject.Value)
	return nil
}

// verifyLogout has go-oidc verify the token as well, over our keys: both have to agree. Our own rules have held before.
func (x *examination) verifyLogout(ctx context.Context) *fault {
	set := &keySet{x: x}
	v := gooidc.NewVerifier(x.subject.Issuer, set, &gooidc.Config{
		ClientID:             x.party.cfg.ClientID,
		SupportedSigningAlgs: []string{string(x.token.Header.Alg)},
		Now:                  func() time.Time { return x.now.Add(-trust.Skew) }, // go-oidc allows no skew on exp
	})
	t, err := v.VerifyLogout(ctx, x.raw)
	switch {
	case set.fault != nil:
		return set.fault
	case err != nil:
		return &fault{trust.ReasonClaim, checkLogout, "go-oidc refuses the logout token", err}
	case t.TokenID != x.subject.TokenID:
		return &fault{trust.ReasonClaim, checkLogout, "go-oidc reads the logout token differently", nil}
	}
	return x.passed(checkLogout, "go-oidc agrees")
}

// LogoutURL is where the browser ends its session at the upstream (OpenID Connect RP-Initiated Logout 1.0 §2); "" if the upstream has no
// such place or the trust does not want it. idTokenHint may be "".
func (rp *RelyingParty) LogoutURL(ctx context.Context, t *trust.Trust, idTokenHint, returnTo, state string) (_ string, err error) {
	defer rp.guarded(&err)
	p, err := rp.known(t)
	if err != nil || !p.cfg.Logout {
		return "", err
	}
	if p, err = rp.reached(ctx, t); err != nil || p.meta.endSession == "" {
		return "", err
	}
	q := url.Values{"client_id": {p.cfg.ClientID}}
	for name, value := range map[string]string{"id_token_hint": idTokenHint, "post_logout_redirect_uri": returnTo, "state": state} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return withQuery(p.meta.endSession, q), nil
}
