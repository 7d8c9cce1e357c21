package introspect

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"time"

	"apostille/broker/store"
	"apostille/trust"
	"apostille/upstream/oidc"
)

// Kinds of token, as token_type_hint names them (RFC 7009 §2.1).
const (
	accessToken  = "access_token"
	refreshToken = "refresh_token"
)

// found is a token of ours.
type found struct {
	kind    string
	subject trust.Subject  // as VERIFY makes of our own tokens; of a refresh token what its family says
	claims  map[string]any // of an access token
	expires time.Time
	ended   bool // a refresh token that was used or whose family is over
}

// find looks a token up. nil is none of ours, or none any more; an error says that the store or a key could not answer.
func (e *Endpoint) find(ctx context.Context, reg *trust.Registry, raw string) (*found, error) {
	f, err := e.findAccess(ctx, reg, raw)
	if f != nil || err != nil || strings.Contains(raw, ".") {
		return f, err
	}
	row, family, ok, err := e.Store.Refresh(ctx, sha256.Sum256([]byte(raw)))
	if err != nil || !ok {
		return nil, err
	}
	return e.findRefresh(row, family), nil
}

func (e *Endpoint) findAccess(ctx context.Context, reg *trust.Registry, raw string) (*found, error) {
	leave, err := e.Gate.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	s, err := e.Verifier.Verify(ctx, reg, raw, oidc.Want{Type: trust.CredentialOwnToken, Handle: true})
	var refused *oidc.Error
	switch {
	case errors.As(err, &refused) && refused.Reason.Class() != trust.ClassUnavailable && refused.Reason.Class() != trust.ClassInternal:
		return nil, nil // not ours, or not any more: nobody is told which
	case err != nil:
		return nil, err
	}
	if slices.Equal(s.Audience, []string{reg.Issuer()}) && s.Family != "" { // for userinfo: it names the person as its application does
		f, ok, err := e.Store.Family(ctx, s.Family)
		if err != nil || !ok {
			return nil, err
		}
		s.Sub = f.Sub
	}
	return &found{kind: accessToken, subject: s, claims: s.Claims, expires: s.Expires}, nil
}

func (e *Endpoint) findRefresh(row store.Refresh, f store.Family) *found {
	now := e.Now()
	until := row.Until
	if f.Until.Before(until) {
		until = f.Until
	}
	return &found{
		kind: refreshToken, expires: until, ended: !f.Ended.IsZero() || row.Used || !now.Before(until),
		subject: trust.Subject{
			Credential: trust.CredentialOwnToken, Trust: trust.Local, Origin: f.Trust, Sub: f.Sub, ClientID: f.Client, Family: f.ID, SignedIn: true,
			IssuedAt: f.Created, Expires: until,
		},
	}
}

// mayKnow says whether a client is told of the token (THREATS A105): an API in its audience, by its owner, or whom it was issued to.
func (f *found) mayKnow(reg *trust.Registry, client string) bool {
	return f.subject.ClientID == client || f.kind == accessToken && f.isFor(reg, client)
}

// isFor says whether the client owns an API in the audience.
func (f *found) isFor(reg *trust.Registry, client string) bool {
	for _, aud := range f.subject.Audience {
		if api, ok := reg.ByAudience(aud); ok && api.Spec.Client == client {
			return true
		}
	}
	return false
}

// active says whether the token counts at this moment. An error says that it cannot be known.
func (e *Endpoint) active(ctx context.Context, reg *trust.Registry, f *found) (bool, error) {
	if f.ended || !e.Now().Before(f.expires) {
		return false, nil
	}
	s := &f.subject
	if t, ok := reg.Trust(s.Origin); !ok || t.Spec.Disabled {
		return false, nil
	}
	if c, ok := reg.Client(s.ClientID); !strings.HasPrefix(s.ClientID, "trust:") && (!ok || c.Spec.Disabled) {
		return false, nil
	}
	st := e.Standings.Standing(ctx, *s, "")
	if !st.Loaded {
		return false, errStanding
	}
	return !st.Revoked && !st.Blocked && !s.IssuedAt.Before(st.NotBefore), nil
}

var errStanding = errors.New("what is known of the subject could not be loaded")
