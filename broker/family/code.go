package family

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"apostille/broker/mint"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/broker/token"
	"apostille/exchange"
	"apostille/trust"
)

// CodeGrant is RFC 6749 §4.1.3 with RFC 7636: a code for tokens.
type CodeGrant struct{ Families *Families }

// Name of the grant.
func (CodeGrant) Name() trust.Grant { return trust.GrantCode }

// Credential is the code as sent.
func (CodeGrant) Credential(p oauth.Params) string { return p.Get("code") }

// IssuedTokenType is RFC 8693's, so not in this grant's answer.
func (CodeGrant) IssuedTokenType(oauth.Params) string { return "" }

// Subject verifies the code and says whose it is.
func (g CodeGrant) Subject(ctx context.Context, reg *trust.Registry, client string, p oauth.Params) (trust.Subject, error) {
	presented, err := g.Present(ctx, reg, client, p)
	if err != nil {
		return trust.Subject{}, err
	}
	return presented.Subject, nil
}

// Present verifies the code.
func (g CodeGrant) Present(ctx context.Context, reg *trust.Registry, client string, p oauth.Params) (*token.Presented, error) {
	app, err := prepared(reg, client, p, "code")
	if err != nil {
		return nil, err
	}
	f, h := g.Families, hash(p.Get("code"))
	code, ok, err := f.Store.Code(ctx, h)
	if err != nil {
		return nil, storeFault("reading a code", err)
	}
	if !ok {
		return nil, refuse(trust.ReasonCode, "no such code")
	}
	r, err := decode(code.Value)
	if err != nil {
		return nil, err
	}
	if wrong := r.unbound(app, p); wrong != "" {
		return nil, refuse(trust.ReasonCode, wrong)
	}
	if code.Family != "" {
		return nil, f.reused(ctx, code.Family)
	}
	now := f.Now()
	if !now.Before(code.Until) {
		return nil, refuse(trust.ReasonCode, "the code expired at "+code.Until.UTC().Format(time.RFC3339))
	}
	s := &codeSpender{families: f, app: app, hash: h, session: code.Session, record: r, created: now}
	return s.present(reg, p)
}

// prepared checks the parameters that codes and refresh tokens share, and finds the application.
func prepared(reg *trust.Registry, client string, p oauth.Params, credential string) (*trust.Client, error) {
	if err := exchange.CheckParameters(p, credential); err != nil {
		return nil, err
	}
	if !p.Has(credential) {
		return nil, &exchange.Refusal{Reason: trust.ReasonRequest, Detail: credential + " is missing", Public: "parameter " + credential + " is missing"}
	}
	if p.Has("audience") { // RFC 8693's; here it would be a second way to say what RFC 8707 has `resource` for
		return nil, &exchange.Refusal{Reason: trust.ReasonUnsupportedParam, Detail: "audience with " + credential,
			Public: "parameter audience does not belong to this grant type; use resource"}
	}
	app, ok := reg.Client(client)
	if client == "" || !ok {
		return nil, refuse(trust.ReasonClientAuth, "neither client authentication nor client_id")
	}
	if app.Spec.App == nil {
		return nil, refuse(trust.ReasonGrantNotAllowed, "the client signs nobody in: it has no redirect_uris")
	}
	return app, nil
}

// unbound says why the code is not this request's; "" if it is.
func (r *record) unbound(app *trust.Client, p oauth.Params) string {
	if r.Request == nil || r.Client != app.ID { // THREATS A100; its own client may still redeem it
		return "the code was issued to another client"
	}
	redirect := p.Get("redirect_uri")
	if redirect != r.Request.RedirectURI && (redirect != "" || r.Request.RedirectSent) {
		return "redirect_uri is not the one of the authorization request"
	}
	return unproven(r.Request.Challenge, p.Get("code_verifier"), app.Spec.App)
}

// unproven checks PKCE (RFC 7636 §4.6, S256 only); "" if it holds.
func unproven(challenge, verifier string, app *trust.AppSpec) string {
	switch {
	case challenge == "" && verifier != "": // RFC 9700 §2.1.1: else a challenge could be stripped from the request
		return "code_verifier for a code without code_challenge"
	case challenge == "" && (app.Public || !app.PKCEOptional):
		return "the code has no code_challenge and the client needs one"
	case challenge == "":
		return ""
	case verifier == "":
		return "code_verifier is missing"
	case !verifierSyntax(verifier):
		return "code_verifier is not 43 to 128 characters of RFC 7636 §4.1"
	}
	sum := sha256.Sum256([]byte(verifier))
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare([]byte(want), []byte(challenge)) != 1 {
		return "code_verifier does not fit code_challenge"
	}
	return ""
}

// verifierSyntax is RFC 7636 §4.1: 43 to 128 unreserved characters.
func verifierSyntax(v string) bool {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	return len(v) >= 43 && len(v) <= 128 && strings.Trim(v, unreserved) == ""
}

// reused ends what was issued for a code that comes a second time (RFC 6749 §4.1.2).
func (f *Families) reused(ctx context.Context, family string) *exchange.Refusal {
	if _, err := f.Store.EndFamilies(ctx, store.FamilyQuery{ID: family}, store.WhyReuse); err != nil {
		return storeFault("ending the family of a code that was used again", err)
	}
	return refuse(trust.ReasonCodeReused, "the code was redeemed before; its family is ended")
}

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

// refreshOf is the row of a refresh token.
func (f *Families) refreshOf(secret string, app *trust.Client, fam store.Family) *store.Refresh {
	idle := positive(app.Spec.App.RefreshIdle, trust.DefaultRefreshIdle)
	return &store.Refresh{Hash: hash(secret), Family: fam.ID, Until: earlier(f.Now().Add(idle), fam.Until)}
}

func positive(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}
