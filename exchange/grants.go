package exchange

import (
	"context"

	"apostille/broker/oauth"
	"apostille/trust"
	"apostille/upstream/oidc"
)

// Verifier turns a JWT into a subject; *oidc.Verifier implements it. Its errors are *oidc.Error.
type Verifier interface {
	Verify(ctx context.Context, reg *trust.Registry, raw string, want oidc.Want) (trust.Subject, error)
}

// Assertions turns a SAML assertion, base64url, into a subject; *saml.Verifier implements it. Its errors are *saml.Error.
type Assertions interface {
	Assertion(ctx context.Context, reg *trust.Registry, encoded, client string) (trust.Subject, error)
}

// TokenExchange is RFC 8693 for JWTs and SAML assertions.
type TokenExchange struct {
	Verifier   Verifier
	Assertions Assertions
}

// Name of the grant.
func (TokenExchange) Name() trust.Grant { return trust.GrantTokenExchange }

// Credential is the subject token as sent.
func (TokenExchange) Credential(p oauth.Params) string { return p.Get("subject_token") }

// IssuedTokenType is the type as asked for: access_token, or jwt for the same token (RFC 8693 §2.2.1).
func (TokenExchange) IssuedTokenType(p oauth.Params) string {
	if p.Get("requested_token_type") == oauth.TokenTypeJWT {
		return oauth.TokenTypeJWT
	}
	return oauth.TokenTypeAccessToken
}

// WantsAssertion says whether a request asks for a SAML assertion (RFC 8693 §2.1).
func WantsAssertion(p oauth.Params) bool {
	return p.Get("requested_token_type") == oauth.TokenTypeSAML2
}

// WantsToken says whether a request asks for a token and no assertion.
func WantsToken(p oauth.Params) bool {
	t := p.Get("requested_token_type")
	return t == oauth.TokenTypeAccessToken || t == oauth.TokenTypeJWT
}

// Subject verifies the subject token.
func (g TokenExchange) Subject(ctx context.Context, reg *trust.Registry, client string, p oauth.Params) (trust.Subject, error) {
	if err := CheckParameters(p, "subject_token"); err != nil {
		return trust.Subject{}, err
	}
	if !p.Has("subject_token") {
		return trust.Subject{}, missing("subject_token")
	}
	if !p.Has("subject_token_type") {
		return trust.Subject{}, missing("subject_token_type")
	}
	if p.Has("requested_token_type") && !WantsAssertion(p) && !WantsToken(p) {
		return trust.Subject{}, &Refusal{Reason: trust.ReasonUnsupportedType, Detail: "requested_token_type is not supported",
			Public: "requested_token_type must be " + oauth.TokenTypeAccessToken + ", " + oauth.TokenTypeJWT + " or " + oauth.TokenTypeSAML2}
	}
	if p.Get("subject_token_type") == oauth.TokenTypeSAML2 {
		return g.Assertions.Assertion(ctx, reg, p.Get("subject_token"), client)
	}
	want, err := wanted(p.Get("subject_token_type"))
	if err != nil {
		return trust.Subject{}, err
	}
	want.Client = client
	return g.Verifier.Verify(ctx, reg, p.Get("subject_token"), want)
}

// wanted says what a declared subject_token_type means here. A foreign JWT under access_token is an alias of jwt; our own
// tokens are access tokens, and JWTs unless they are opaque.
func wanted(declared string) (oidc.Want, error) {
	switch declared {
	case oauth.TokenTypeAccessToken:
		return oidc.Want{Type: trust.CredentialJWT, OrOwn: true, Handle: true}, nil
	case oauth.TokenTypeJWT:
		return oidc.Want{Type: trust.CredentialJWT, OrOwn: true}, nil
	case oauth.TokenTypeIDToken:
		return oidc.Want{Type: trust.CredentialIDToken}, nil
	}
	return oidc.Want{}, &Refusal{Reason: trust.ReasonUnsupportedType, Detail: "subject_token_type is not supported",
		Public: "subject_token_type must be one of " + oauth.TokenTypeJWT + ", " + oauth.TokenTypeIDToken + ", " + oauth.TokenTypeAccessToken + ", " + oauth.TokenTypeSAML2}
}

// JWTBearer is the JWT bearer grant (RFC 7523 §2.1): a foreign JWT as the authorization grant.
type JWTBearer struct{ Verifier Verifier }

// Name of the grant.
func (JWTBearer) Name() trust.Grant { return trust.GrantJWTBearer }

// Credential is the assertion as sent.
func (JWTBearer) Credential(p oauth.Params) string { return p.Get("assertion") }

// IssuedTokenType is RFC 8693's, so not in this grant's answer.
func (JWTBearer) IssuedTokenType(oauth.Params) string { return "" }

// Subject verifies the assertion.
func (g JWTBearer) Subject(ctx context.Context, reg *trust.Registry, client string, p oauth.Params) (trust.Subject, error) {
	if err := CheckParameters(p, "assertion"); err != nil {
		return trust.Subject{}, err
	}
	if !p.Has("assertion") {
		return trust.Subject{}, missing("assertion")
	}
	return g.Verifier.Verify(ctx, reg, p.Get("assertion"), oidc.Want{Type: trust.CredentialJWT, Client: client})
}

// SAML2Bearer is the SAML 2.0 bearer grant (RFC 7522 §2.1): a foreign assertion as the authorization grant.
type SAML2Bearer struct{ Assertions Assertions }

// Name of the grant.
func (SAML2Bearer) Name() trust.Grant { return trust.GrantSAML2Bearer }

// Credential is the assertion as sent.
func (SAML2Bearer) Credential(p oauth.Params) string { return p.Get("assertion") }

// IssuedTokenType is RFC 8693's, so not in this grant's answer.
func (SAML2Bearer) IssuedTokenType(oauth.Params) string { return "" }

// Subject verifies the assertion.
func (g SAML2Bearer) Subject(ctx context.Context, reg *trust.Registry, client string, p oauth.Params) (trust.Subject, error) {
	if err := CheckParameters(p, "assertion"); err != nil {
		return trust.Subject{}, err
	}
	if !p.Has("assertion") {
		return trust.Subject{}, missing("assertion")
	}
	return g.Assertions.Assertion(ctx, reg, p.Get("assertion"), client)
}

// ClientCredentials is RFC 6749 §4.4: the client is the subject.
type ClientCredentials struct{}

// Name of the grant.
func (ClientCredentials) Name() trust.Grant { return trust.GrantClientCredentials }

// Credential is the client itself: nothing is sent.
func (ClientCredentials) Credential(oauth.Params) string { return "" }

// IssuedTokenType is RFC 8693's, so not in this grant's answer.
func (ClientCredentials) IssuedTokenType(oauth.Params) string { return "" }

// Subject is the authenticated client.
func (ClientCredentials) Subject(_ context.Context, reg *trust.Registry, client string, p oauth.Params) (trust.Subject, error) {
	if err := CheckParameters(p); err != nil {
		return trust.Subject{}, err
	}
	if client == "" { // RFC 6749 §4.4: confidential clients only
		return trust.Subject{}, &Refusal{Reason: trust.ReasonClientAuth, Detail: "client_credentials without client authentication"}
	}
	sub := trust.ClientSub(client)
	return trust.Subject{
		Credential: trust.CredentialClient, Trust: trust.Local, Origin: trust.Local,
		Domain: reg.Issuer(), Kind: "client", Value: client, Sub: sub, Issuer: reg.Issuer(), ClientID: client,
		Claims: map[string]any{"sub": sub, "client_id": client},
		Checks: []trust.Check{{Name: "client", OK: true, Detail: client}},
	}, nil
}
