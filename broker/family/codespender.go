package family

import (
	"context"
	"slices"
	"time"

	"apostille/broker/mint"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/broker/token"
	"apostille/trust"
)

// codeSpender redeems a code.
type codeSpender struct {
	families *Families
	app      *trust.Client
	hash     store.Hash
	session  string
	record   record
	created  time.Time
	subject  trust.Subject
	narrowed bool // the request asks for less than the sign-in
}

// present makes what the endpoint decides for. The family's ID is made here, since the token carries it.
func (s *codeSpender) present(reg *trust.Registry, p oauth.Params) (*token.Presented, error) {
	r := &s.record
	until := s.created.Add(positive(s.app.Spec.App.RefreshLifetime, trust.DefaultRefreshLifetime))
	var err error
	if s.subject, err = r.subject(mint.NewID(), until); err != nil {
		return nil, err
	}
	a, refusal := narrow(reg, s.app, r, p)
	if refusal != nil {
		return nil, refusal
	}
	s.narrowed = a.narrowed
	return &token.Presented{
		Subject: s.subject, Scopes: a.scopes, Resources: a.resources, Nonce: r.Request.Nonce, SID: r.SID, Claims: r.Claims, Spender: s,
	}, nil
}

// Spend redeems the code: it stores the family and, where offline_access was granted, its first refresh token.
func (s *codeSpender) Spend(ctx context.Context, is token.Issue) (token.Issue, error) {
	f, kept := s.families, s.record
	kept.Request = nil
	if !s.narrowed {
		kept.Scopes = slices.Concat(is.Decision.Identity, is.Decision.Scopes)
	}
	value, err := kept.encode()
	if err != nil {
		return is, err
	}
	fam := store.Family{
		ID: s.subject.Family, Session: s.session, Client: s.app.ID, Trust: s.subject.Trust, Sub: s.subject.Sub, SID: kept.SID,
		Subject: value, Created: s.created, Until: s.subject.Expires,
	}
	var first *store.Refresh
	if s.app.MayUse(trust.GrantRefresh) && slices.Contains(is.Decision.Identity, "offline_access") {
		is.Answer.RefreshToken = mint.NewSecret()
		first = f.refreshOf(is.Answer.RefreshToken, s.app, fam)
	}
	won, err := f.Store.RedeemCode(ctx, s.hash, fam, first)
	if err != nil {
		return is, storeFault("redeeming a code", err)
	}
	if !won { // somebody was faster; the store has ended what they got
		return is, refuse(trust.ReasonCodeReused, "the code was redeemed at the same time; its family is ended")
	}
	return is, s.sessionLives(ctx)
}

// sessionLives looks for the session only now: if it ended before the family was stored, its end did not end the family.
func (s *codeSpender) sessionLives(ctx context.Context) error {
	if s.session == "" {
		return nil
	}
	list, err := s.families.Sessions.ListSessions(ctx, store.SessionQuery{ID: s.session}, 1)
	if err != nil {
		return storeFault("reading the session of a code", err)
	}
	for _, session := range list {
		if slices.ContainsFunc(session.Identities, func(i store.Identity) bool { return i.Trust == s.subject.Trust && i.Sub == s.subject.Sub }) {
			return nil
		}
	}
	if _, err := s.families.Store.EndFamilies(ctx, store.FamilyQuery{ID: s.subject.Family}, store.WhyLogout); err != nil {
		return storeFault("ending the family of a session that is over", err)
	}
	return refuse(trust.ReasonRevoked, "the session that the code was issued in is over")
}
