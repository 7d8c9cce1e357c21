package trust

import "time"

// CredentialType says what kind of credential a subject was verified from.
type CredentialType string

// The kinds of credential. The zero value is none of them.
const (
	CredentialJWT      CredentialType = "jwt"       // a foreign JWT (subject_token_type jwt or access_token)
	CredentialIDToken  CredentialType = "id_token"  // a foreign OIDC ID token
	CredentialSAML2    CredentialType = "saml2"     // a foreign SAML 2.0 assertion
	CredentialOwnToken CredentialType = "own_token" // an access token of ours
	CredentialClient   CredentialType = "client"    // the authenticated client itself
	CredentialLogin    CredentialType = "login"     // a sign-in with an upstream, fresh or remembered (session, code, refresh)
)

// Subject is a verified identity: what VERIFY makes of a credential's bytes. The zero value is nobody.
type Subject struct {
	Credential CredentialType
	Trust      string // trust it was verified under; Local for own tokens and clients
	Origin     string // trust the identity first came from: Trust, or an own token's `idp`
	Domain     string // subject domain (issuer, unless the trust sets domain)
	Kind       string // claim that named the subject, e.g. "sub"; of a NameID its format and qualifiers too
	Value      string // its value
	Sub        string // our subject: DeriveSub(Domain, Kind, Value), an own token's sub, or "client:ID"

	Claims    map[string]any // the verified credential's claims, decoded strictly (numbers are json.Number)
	Scopes    []string       // its own scopes; see HasScopes
	HasScopes bool           // it carried `scope` or `scp` (an empty one counts)
	Issuer    string
	TokenID   string    // jti, or an assertion's ID; "" if none
	IssuedAt  time.Time // zero if the credential has none
	Expires   time.Time // bounds whatever is issued from it; zero only for CredentialClient
	OneTime   bool      // the trust wants (Issuer, TokenID) claimed before a token is issued

	// Of own tokens only.
	Audience []string // its `aud`
	ClientID string   // client it was issued to
	Links    int      // exchanges behind it (claim `links`; absent = 0)

	// Of sign-ins, and of own tokens that began with one (then AuthTime is set).
	AuthTime  time.Time // when the upstream authenticated the person, as it said; zero = it did not say, or no sign-in
	ACR       string    // ours, by LoginSpec.ACR; "" = none
	SignedIn  bool      // a CredentialLogin, or an own token that carries auth_time or family
	Family    string    // what the sign-in led to at one application; see broker/family
	SessionID string    // upstream's sid, of CredentialLogin; "" = none
	ClaimsAt  time.Time // when the upstream last vouched for Claims, of CredentialLogin; zero = IssuedAt

	Checks []Check // every check made, in order
}

// Check is one step of a verification, for people: explain prints it.
type Check struct {
	Name   string // e.g. "signature", "issuer", "audience"
	OK     bool
	Detail string // values compared; never a token or a secret
}
