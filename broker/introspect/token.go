package introspect

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
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
	if strings.Count(raw, ".") == 2 {
		return e.findJWT(ctx, reg, raw)
	}
	h := sha256.Sum256([]byte(raw))
	o, ok, err := e.Store.Opaque(ctx, h)
	if err != nil {
		return nil, err
	}
	if ok {
		return e.findOpaque(o)
	}
	row, family, ok, err := e.Store.Refresh(ctx, h)
	if err != nil || !ok {
		return nil, err
	}
	return e.findRefresh(row, family), nil
}

func (e *Endpoint) findJWT(ctx context.Context, reg *trust.Registry, raw string) (*found, error) {
	leave, err := e.Gate.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	s, err := e.Verifier.Verify(ctx, reg, raw, oidc.Want{Type: trust.CredentialOwnToken})
	var refused *oidc.Error
	switch {
	case errors.As(err, &refused) && refused.Reason.Class() != trust.ClassUnavailable && refused.Reason.Class() != trust.ClassInternal:
		return nil, nil // not ours, or not any more: nobody is told which
	case err != nil:
		return nil, err
	}
	return &found{kind: accessToken, subject: s, claims: s.Claims, expires: s.Expires}, nil
}

// findOpaque reads what stands for an opaque token: the claims that a JWT would carry.
func (e *Endpoint) findOpaque(o store.Opaque) (*found, error) {
	if !e.Now().Before(o.Until) {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(o.Claims))
	d.UseNumber()
	var claims map[string]any
	if err := d.Decode(&claims); err != nil {
		return nil, err
	}
	text := func(name string) string { s, _ := claims[name].(string); return s }
	s := trust.Subject{
		Credential: trust.CredentialOwnToken, Trust: trust.Local, Origin: text("idp"), Sub: text("sub"), ClientID: text("client_id"),
		TokenID: text("jti"), Family: o.Family, SignedIn: o.Family != "", Expires: o.Until, Claims: claims,
	}
	switch aud := claims["aud"].(type) {
	case string:
		s.Audience = []string{aud}
	case []any:
		for _, a := range aud {
			if one, ok := a.(string); ok {
				s.Audience = append(s.Audience, one)
			}
		}
	}
	if n, ok := claims["iat"].(json.Number); ok {
		if seconds, err := n.Int64(); err == nil {
			s.IssuedAt = time.Unix(seconds, 0)
		}
	}
	return &found{kind: accessToken, subject: s, claims: claims, expires: o.Until}, nil
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
	if f.subject.ClientID == client {
		return true
	}
	if f.kind != accessToken {
		return false
	}
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
