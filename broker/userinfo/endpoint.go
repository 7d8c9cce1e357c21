package userinfo

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"apostille/broker/family"
	"apostille/broker/mint"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/broker/token"
	"apostille/exchange"
	"apostille/trust"
	"apostille/upstream/oidc"
)

// Families finds what a sign-in led to; broker/store implements it.
type Families interface {
	Family(ctx context.Context, id string) (store.Family, bool, error)
}

// Endpoint is GET and POST /oauth2/userinfo. Every field is required.
type Endpoint struct {
	Policy    func() *token.Policy
	Verifier  exchange.Verifier
	Standings token.Standings // asks for revocation of the token and its family
	Families  Families
	Minter    *mint.Minter // knows what an application calls a person
	Gate      token.Gate
	Now       func() time.Time
	Log       *slog.Logger
	MaxBody   int64 // bytes

	origins oauth.Origins
}

// ServeHTTP answers with the claims, or with a challenge.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reg := e.Policy().Registry
	if e.origins.Preflight(w, r, reg, "GET, POST") {
		return
	}
	claims, client, refusal := e.serve(w, r, reg)
	if client == "" {
		e.origins.AllowAny(w, r, reg)
	} else {
		oauth.Allow(w, r, reg, client)
	}
	if refusal != nil {
		e.refuse(w, reg, refusal)
		return
	}
	body, err := json.Marshal(claims)
	if err != nil {
		e.refuse(w, reg, unavailable("writing claims", err))
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // the application went away: nothing is left to tell it
}

// serve is the numbered path of a request. client is the application as soon as it is known.
func (e *Endpoint) serve(w http.ResponseWriter, r *http.Request, reg *trust.Registry) (claims map[string]any, client string, refusal *refused) {
	ctx := r.Context()
	// 1. Read the token.
	raw, refusal := e.presented(w, r)
	if refusal != nil {
		return nil, "", refusal
	}
	leave, err := e.Gate.Enter(ctx)
	if err != nil {
		return nil, "", &refused{code: oauth.CodeUnavailable, status: http.StatusServiceUnavailable, text: "the server is busy; try again", cause: err}
	}
	defer leave()
	// 2. VERIFY: one of ours, for this endpoint.
	own, err := e.Verifier.Verify(ctx, reg, raw, oidc.Want{Type: trust.CredentialOwnToken})
	if err != nil {
		return nil, "", unverified(err)
	}
	client = own.ClientID
	if !slices.Equal(own.Audience, []string{reg.Issuer()}) || own.Family == "" {
		return nil, client, invalid("the token is not for this endpoint")
	}
	if !slices.Contains(own.Scopes, "openid") {
		return nil, client, insufficient()
	}
	// 3. The sign-in behind the token, and what is known of both: the token itself may name the person as the application does.
	app, _ := reg.Client(client)
	signIn, refusal := e.signIn(ctx, own, app)
	if refusal != nil {
		return nil, client, refusal
	}
	own.Sub = signIn.Sub
	standing := e.Standings.Standing(ctx, own, client)
	if standing.Revoked {
		return nil, client, invalid("the token was revoked")
	}
	// 4. DECIDE: what may be told now.
	d := reg.Evaluate(trust.Request{Grant: trust.GrantCode, Subject: signIn, Client: client, Scopes: own.Scopes, Now: e.Now()}, standing)
	switch {
	case !d.Granted:
		return nil, client, undecided(&d)
	case !slices.Contains(d.Identity, "openid"):
		return nil, client, insufficient()
	}
	claims = mint.PersonClaims(signIn.Claims, d.Identity, d.IdentityClaims)
	claims["sub"] = e.Minter.Sub(app.Spec.App, d.Sub) // granted: the application exists
	return claims, client, nil
}

// signIn reads the sign-in that the token began with. app is nil if there is no such application any more.
func (e *Endpoint) signIn(ctx context.Context, own trust.Subject, app *trust.Client) (trust.Subject, *refused) {
	fam, ok, err := e.Families.Family(ctx, own.Family)
	if err != nil {
		return trust.Subject{}, unavailable("reading a family", err)
	}
	theirs := fam.Sub == own.Sub || app != nil && e.Minter.Sub(app.Spec.App, fam.Sub) == own.Sub
	if !ok || !fam.Ended.IsZero() || fam.Client != own.ClientID || !theirs {
		return trust.Subject{}, invalid("the sign-in of the token is over")
	}
	kept, err := family.Read(fam)
	if err != nil {
		return trust.Subject{}, unavailable("reading a family", err)
	}
	return kept.Subject, nil
}
