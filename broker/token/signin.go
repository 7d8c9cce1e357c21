package token

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"apostille/broker/mint"
	"apostille/broker/oauth"
	"apostille/trust"
)

// SignIn is a Grant whose credential is of our own making and began with a sign-in: a code, or a refresh token. It is spent once a
// token has been made for it, and not before: a request that is refused uses nothing up. Its Subject is never called here.
type SignIn interface {
	Grant
	// Present is VERIFY: it MUST return what it was given only if every check passed, and MUST NOT spend it.
	Present(ctx context.Context, reg *trust.Registry, client string, p oauth.Params) (*Presented, error)
}

// Presented is a verified code or refresh token.
type Presented struct {
	Subject   trust.Subject
	Scopes    []string // to decide for: what the request asks for, within what the sign-in was granted
	Resources []string
	Nonce     string // for the ID token; "" = none
	SID       string // of the application's session, for the ID token; "" = none
	Claims    []byte // the authorization request's `claims` (OpenID Connect Core §5.5); nil = none
	Spender   Spender
}

// Spender spends a presented credential.
type Spender interface {
	// Spend durably uses the credential up for what was issued, adds the refresh token to the answer, and returns what is to be answered:
	// the same, or what was answered before to the same credential, where that may be fetched again (Again). Any error means that nothing
	// may be answered.
	Spend(ctx context.Context, is Issue) (Issue, error)
}

// Issue is a token that was made, and the answer that is to carry it.
type Issue struct {
	Decision *trust.Decision
	ID       string // jti of the access token
	Expires  time.Time
	Answer   *oauth.TokenResponse
	Again    bool // answered before
}

// verify finds out whose credential it is, and what is asked for.
func (e *Endpoint) verify(ctx context.Context, c *call) (err error) {
	reg := c.policy.Registry
	grant, ok := c.grant.(SignIn)
	if !ok {
		c.scopes, c.resources = c.params.Scopes(), c.params.List("resource")
		c.subject, err = c.grant.Subject(ctx, reg, c.client, c.params)
		return err
	}
	if c.presented, err = grant.Present(ctx, reg, c.client, c.params); err != nil {
		return err
	}
	c.subject, c.scopes, c.resources = c.presented.Subject, c.presented.Scopes, c.presented.Resources
	c.event.Requested = c.scopes
	return nil
}

// spend adds the ID token and uses the credential up. Without a credential to spend it returns what it was given.
func (e *Endpoint) spend(ctx context.Context, c *call, d *trust.Decision, is Issue) (Issue, error) {
	if c.presented == nil {
		return is, nil
	}
	decision := *d // a copy: an exchange, which gets no further than the line above, keeps its own off the heap
	is.Decision = &decision
	raw, err := e.idToken(c, is)
	if err != nil {
		return is, mintRefusal(d, err)
	}
	is.Answer.IDToken = raw
	return c.presented.Spender.Spend(ctx, is)
}

// idToken makes the ID token of a sign-in; "" if openid was not granted.
func (e *Endpoint) idToken(c *call, is Issue) (string, error) {
	d := is.Decision
	client, ok := c.policy.Registry.Client(c.client)
	if !ok || !slices.Contains(d.Identity, "openid") {
		return "", nil
	}
	t, err := e.Minter.IDToken(mint.IDToken{
		Client: c.client, App: client.Spec.App, Sub: d.Sub, AuthTime: d.AuthTime, ACR: d.ACR, Nonce: c.presented.Nonce,
		SID: c.presented.SID, AccessToken: is.Answer.AccessToken, Expires: is.Expires, Claims: c.personClaims(d),
	}, c.started)
	return t.Raw, err
}

// personClaims are what the ID token tells of the person. Whoever holds a token for userinfo fetches the claims of scopes there (OpenID
// Connect Core §5.4); what rules mapped and what `claims` asks for stands in the ID token all the same. `claims` says where a claim is
// told and never adds one: scopes are what people consent to.
func (c *call) personClaims(d *trust.Decision) map[string]any {
	all := mint.PersonClaims(c.subject.Claims, d.Identity, d.IdentityClaims)
	if !slices.Contains(d.Audience, c.policy.Registry.Issuer()) {
		return all
	}
	var asked struct {
		IDToken map[string]json.RawMessage `json:"id_token"`
	}
	_ = json.Unmarshal(c.presented.Claims, &asked) // the authorization endpoint has checked it; unreadable asks for nothing
	for name := range all {
		_, mapped := d.IdentityClaims[name]
		if _, wanted := asked.IDToken[name]; !mapped && !wanted {
			delete(all, name)
		}
	}
	return all
}
