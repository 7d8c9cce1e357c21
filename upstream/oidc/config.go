package oidc

import (
	"crypto/x509"

	"apostille/trust/jose"
)

// How we authenticate to an upstream's token endpoint; the names are those of OpenID Connect Core 1.0 §9.
const (
	AuthBasic         = "client_secret_basic"
	AuthPost          = "client_secret_post"
	AuthPrivateKeyJWT = "private_key_jwt"
	AuthNone          = "none"
)

// Response modes we may ask for.
const (
	ModeQuery    = "query"
	ModeFormPost = "form_post"
)

// LoginConfig is how one upstream is talked to for logins: `[trust.ID.login]` without what policy and the picker know of it.
type LoginConfig struct {
	ClientID string
	Secret   string // of AuthBasic and AuthPost
	Auth     string // "" = AuthBasic with a Secret, else AuthNone
	// AssertionAudience is the aud of client assertions (AuthPrivateKeyJWT); "" = the issuer, which is what
	// draft-ietf-oauth-rfc7523bis asks for. Older products want their token endpoint.
	AssertionAudience string
	Scopes            []string       // openid is always sent; empty = openid profile email
	UserInfo          bool           // ask the userinfo endpoint, if the upstream has one
	ResponseMode      string         // "" = ModeQuery
	RefreshClaims     bool           // ask for, and return, a refresh token
	Logout            bool           // end the session there too: return the ID token, and LogoutURL
	Algs              []jose.Alg     // of ID and logout tokens; empty = what the keys of the trust allow
	Roots             *x509.CertPool // private TLS roots; nil = the system's
}

func (c LoginConfig) auth() string {
	switch {
	case c.Auth != "":
		return c.Auth
	case c.Secret != "":
		return AuthBasic
	}
	return AuthNone
}
