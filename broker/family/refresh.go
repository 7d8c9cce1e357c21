package family

import (
	"context"
	"time"

	"apostille/broker/mint"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/broker/token"
	"apostille/trust"
)

// RefreshGrant is RFC 6749 §6 with rotation (RFC 9700 §4.14.2).
type RefreshGrant struct{ Families *Families }

// Name of the grant.
func (RefreshGrant) Name() trust.Grant { return trust.GrantRefresh }

// Credential is the refresh token as sent.
func (RefreshGrant) Credential(p oauth.Params) string { return p.Get("refresh_token") }

// IssuedTokenType is RFC 8693's, so not in this grant's answer.
func (RefreshGrant) IssuedTokenType(oauth.Params) string { return "" }

// Subject verifies the refresh token and says whose it is.
func (g RefreshGrant) Subject(ctx context.Context, reg *trust.Registry, client string, p oauth.Params) (trust.Subject, error) {
	presented, err := g.Present(ctx, reg, client, p)
	if err != nil {
		return trust.Subject{}, err
	}
	return presented.Subject, nil
}

// Present verifies the refresh token. Whether it has been used before is seen when it is spent, in one transaction with that.
func (g RefreshGrant) Present(ctx context.Context, reg *trust.Registry, client string, p oauth.Params) (*token.Presented, error) {
	app, err := prepared(reg, client, p, "refresh_token")
	if err != nil {
		return nil, err
	}
	f, secret := g.Families, p.Get("refresh_token")
	row, fam, ok, err := f.Store.Refresh(ctx, hash(secret))
	if err != nil {
		return nil, storeFault("reading a refresh token", err)
	}
	switch now := f.Now(); {
	case !ok:
		return nil, refuse(trust.ReasonRefresh, "no such refresh token")
	case fam.Client != app.ID: // THREATS A100; its own client may still use it
		return nil, refuse(trust.ReasonRefresh, "the refresh token was issued to another client")
	case !fam.Ended.IsZero() && fam.Why == store.WhyReuse:
		return nil, refuse(trust.ReasonRefreshReused, "the family was ended: a token of it had been used twice")
	case !fam.Ended.IsZero():
		return nil, refuse(trust.ReasonRevoked, "the family was ended: "+fam.Why)
	case !now.Before(row.Until), !now.Before(fam.Until):
		return nil, refuse(trust.ReasonRefresh, "the refresh token expired at "+earlier(row.Until, fam.Until).UTC().Format(time.RFC3339))
	}
	r, err := f.fresh(ctx, reg, fam)
	if err != nil {
		return nil, err
	}
	s := &refreshSpender{families: f, app: app, secret: secret, family: fam, scopes: r.Scopes}
	return s.present(reg, &r, p)
}

// refreshSpender rotates a refresh token.
type refreshSpender struct {
	families *Families
	app      *trust.Client
	secret   string
	family   store.Family
	scopes   []string
}

func (s *refreshSpender) present(reg *trust.Registry, r *record, p oauth.Params) (*token.Presented, error) {
	subject, err := r.subject(s.family.ID, s.family.Until)
	if err != nil {
		return nil, err
	}
	a, refusal := narrow(reg, s.app, r, p)
	if refusal != nil {
		return nil, refusal
	}
	// OpenID Connect Core §12.2: an ID token of a refresh should have no nonce.
	return &token.Presented{Subject: subject, Scopes: a.scopes, Resources: a.resources, SID: r.SID, Claims: r.Claims, Spender: s}, nil
}

// Spend rotates the refresh token. Who comes again within the grace gets the first answer.
func (s *refreshSpender) Spend(ctx context.Context, is token.Issue) (token.Issue, error) {
	if more := beyond(is.Decision, s.scopes); more != "" {
		return is, refuse(trust.ReasonScopeEmpty, "the rules now give "+more+" by default, which the sign-in was not granted")
	}
	f, grace := s.families, trust.DefaultRefreshGrace
	if own := s.app.Spec.App.RefreshGrace; own != nil {
		grace = *own
	}
	is.Answer.RefreshToken = mint.NewSecret()
	rotation := store.Rotation{
		Old: hash(s.secret), Client: s.app.ID, Next: *f.refreshOf(is.Answer.RefreshToken, s.app, s.family), Grace: grace,
	}
	if grace > 0 {
		var err error
		if rotation.Answer, err = sealAnswer(s.secret, is); err != nil {
			return is, err
		}
	}
	out, kept, err := f.Store.Rotate(ctx, rotation)
	if err != nil {
		return is, storeFault("rotating a refresh token", err)
	}
	switch out {
	case store.RotationDone:
		return is, nil
	case store.RotationRepeat:
		return openAnswer(s.secret, is, kept)
	case store.RotationReused:
		return is, refuse(trust.ReasonRefreshReused, "the refresh token was used before; its family is ended")
	}
	return is, refuse(trust.ReasonRefresh, "the refresh token ended while it was being used")
}
