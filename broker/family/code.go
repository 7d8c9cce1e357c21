package family

import (
	"context"
	"time"

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

// reused ends what was issued for a code that comes a second time (RFC 6749 §4.1.2).
func (f *Families) reused(ctx context.Context, family string) *exchange.Refusal {
	if _, err := f.Store.EndFamilies(ctx, store.FamilyQuery{ID: family}, store.WhyReuse); err != nil {
		return storeFault("ending the family of a code that was used again", err)
	}
	return refuse(trust.ReasonCodeReused, "the code was redeemed before; its family is ended")
}
