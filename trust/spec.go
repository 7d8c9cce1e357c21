package trust

import "time"

// TokenPath is where the token endpoint is, below our issuer. Policy knows it, because assertions name their recipient.
const TokenPath = "/oauth2/token"

// Local is the ID of the built-in trust: our own tokens and clients.
const Local = "local"

// UserInfo is the built-in API: the broker itself (audience = issuer). Its scopes are granted to people at sign-in only, by rules
// with SignIn.
const UserInfo = "userinfo"

// IdentityScopes are the scopes of UserInfo (OpenID Connect Core §5.4, §11), sorted.
var IdentityScopes = []string{"address", "email", "offline_access", "openid", "phone", "profile"}

// Spec is the policy as configuration states it: plain data, not yet checked. Compile checks it.
type Spec struct {
	// Issuer is our own issuer identifier: https (http only with Dev), no query, fragment or trailing slash.
	Issuer string
	// Dev relaxes what only a developer's machine needs: http issuers, loopback upstreams.
	Dev     bool
	APIs    map[string]APISpec    // by API ID
	Clients map[string]ClientSpec // by client_id
	Trusts  map[string]TrustSpec  // by trust ID; Local holds the grant rules for own tokens and clients
	// Federations are trusts of many issuers at once, by federation ID: what a Directory knows of each completes them. They state no Issuer,
	// Domain, KeySource and AttributeScopes, and speak SAML.
	Federations map[string]TrustSpec
}

// APISpec is one `[api.ID]`: a resource server that accepts our tokens.
type APISpec struct {
	Audience  string                       // `aud` of tokens for it; an absolute URI or a plain name; unique
	Resources []string                     // further URIs that `resource` may name it by (RFC 8707)
	Client    string                       // client that owns it: may exchange tokens addressed to it; "" = nobody
	Scopes    map[string]string            // scope → what it means, in words for people
	Words     map[string]map[string]string // scope → language → what it means there; Scopes has it for the other languages
	// Reserved are scopes of Scopes that only first-party applications may be registered for: consent cannot give them away.
	Reserved []string
	Token    TokenSpec
	Lifetime time.Duration // upper bound of its tokens; 0 = DefaultLifetime
}

// TokenSpec says how tokens for an API look, because verifiers differ.
type TokenSpec struct {
	Alg string // one of TokenAlgs; "" = ES256
	Typ string // one of TokenTyps: "at+jwt" (RFC 9068 §2.1) or "JWT"; "" = "at+jwt"
	// Format is one of TokenFormats: "jwt"; "opaque": a random handle whose claims only introspection tells; or FormatSAML2: a signed
	// assertion, for services that speak SAML; "" = "jwt".
	Format string
	// Recipient is where an assertion may be brought (SAML Core 2.0 §2.4.1.2); only with FormatSAML2, and then required.
	Recipient string
}

// ClientSpec is one `[client.ID]`, without its credentials (those are broker/clientauth's).
type ClientSpec struct {
	Name     string
	Disabled bool
	Grants   []string            // grants it may use: see Grant; empty = none
	APIs     map[string][]string // its registration: API ID → scopes it may ever be given
	Lifetime time.Duration       // upper bound of its tokens; 0 = no bound of its own
	App      *AppSpec            // nil: it signs nobody in
}

// AppSpec says how a client signs people in: what OpenID Connect calls its registration.
type AppSpec struct {
	// FirstParty applications ask for no consent. Default false.
	FirstParty bool
	// Public applications hold no secret: they authenticate by PKCE alone (RFC 8252 §8.4). Only with code and refresh_token.
	Public bool
	// RedirectURIs are compared byte for byte; of a loopback http URI the port may differ (RFC 8252 §7.3). At least one.
	RedirectURIs []string
	// PKCEOptional lets a confidential application leave PKCE out; it must then send a nonce.
	PKCEOptional bool
	// Trusts whose people may sign in; empty = every trust with a SignIn rule for the client.
	Trusts []string
	// IDTokenAlg is one of IDTokenAlgs; "" = RS256.
	IDTokenAlg string
	// Sector names the group of applications that share pairwise subjects (OpenID Connect Core §8.1); "" = the public sub.
	Sector string
	// PostLogoutURIs are where RP-initiated logout may return to, byte for byte.
	PostLogoutURIs []string
	// BackchannelLogoutURI and FrontchannelLogoutURI are told when a session ends; "" = not.
	BackchannelLogoutURI, FrontchannelLogoutURI string
	// Origins may call token and userinfo endpoints from a browser (CORS), such as "https://app.example".
	Origins []string
	// RefreshLifetime bounds a family of refresh tokens from sign-in on; 0 = DefaultRefreshLifetime. RefreshIdle is how long one may
	// lie unused; 0 = DefaultRefreshIdle.
	RefreshLifetime, RefreshIdle time.Duration
	// RefreshGrace is how long the answer to a refresh may be fetched again with the predecessor; nil = DefaultRefreshGrace, 0 = never.
	RefreshGrace *time.Duration
	// SAML applications take Responses of SAML 2.0 instead of codes; nil = it speaks OpenID Connect.
	SAML *SAMLSpec
}

// SAMLSpec says where the answers to a SAML application go. Its keys are not policy.
type SAMLSpec struct {
	EntityID string   // compared byte for byte with the Issuer of its messages; unique
	ACS      []string // its assertion consumer services, byte for byte, in the order of their index; the first is the default
}

// TrustSpec is one `[trust.ID]`, without its keys (those are upstream/keys').
type TrustSpec struct {
	Name     string
	Disabled bool
	Issuer   string // compared byte for byte with `iss`, or the Issuer of an assertion (its entityID)
	Domain   string // subject domain; "" = Issuer
	Subject  string // claim path that names the subject; "" = "sub", of an assertion its NameID
	// KeySource names where the keys come from (e.g. "discovery", "jwks_url:https://…"): two trusts with
	// one issuer and overlapping uses are refused unless their key sources are equal. "" = no keys, refused.
	KeySource string
	// Federation names the `[federation.ID]` whose metadata have the trust's keys and places; "" = none.
	Federation string
	Require    map[string]ConditionSpec // claim path → condition; binds every entry
	JWT        *UseSpec                 // [trust.ID.exchange] jwt = {…}: nil = not exchangeable
	IDToken    *UseSpec                 // id_token = {…}
	SAML2      *AssertionSpec           // saml2 = {…}
	Login      *LoginSpec               // [trust.ID.login]: nil = nobody signs in with it
	// AttributeScopes are the domains its scoped attributes may end in, such as eduPersonScopedAffiliation; nil = any. They bind every
	// assertion of the trust.
	AttributeScopes []string
	Grants          []GrantSpec
}

// Protocols of a login.
const (
	ProtocolOIDC = "oidc"
	ProtocolSAML = "saml"
)

// LoginSpec is what policy and the picker know of `[trust.ID.login]`; how the upstream is talked to is upstream/oidc's or upstream/saml's.
type LoginSpec struct {
	Protocol     string            // ProtocolOIDC or ProtocolSAML
	EntityID     string            // of SAML: what the upstream calls us; "" = our usual entityID
	EmailDomains []string          // steer the picker, nothing else; lower case, exact
	Keywords     []string          // further words to find it by
	Logo         string            // https URL; "" = initials
	Hidden       bool              // not listed in the picker; reached by hint only
	SessionMax   time.Duration     // of what a sign-in with it gives, from then on; 0 = DefaultSessionMax
	MaxClaimsAge time.Duration     // how long codes and refreshes may go on with claims of one sign-in; 0 = DefaultMaxClaimsAge
	ACR          map[string]string // theirs → ours; what is not listed is dropped
}

// UseSpec says how one type of subject token of a trust may be used.
type UseSpec struct {
	Audiences []string      // at least one; the token's aud must be among them, every entry of it listed
	Parties   []string      // allowed `azp` / `client_id` values; empty: azp, if present, must be among Audiences
	Types     []string      // allowed header typ, lower case, without "application/"; empty: the usual ones, which upstream/oidc knows
	MaxAge    time.Duration // now − iat at most; 0 = DefaultMaxAge
	OneTime   bool          // each (issuer, jti) is accepted once, durably; jti is then required
}

// assertions says whether the trust's issuer is the entityID of a SAML identity provider.
func (s *TrustSpec) assertions() bool {
	return s.SAML2 != nil || s.Login != nil && s.Login.Protocol == ProtocolSAML
}

// AssertionSpec says how SAML 2.0 assertions of a trust may be used as subject tokens. Each is accepted once, durably.
type AssertionSpec struct {
	// Audiences: of each AudienceRestriction one Audience must be among them; empty = our issuer.
	Audiences []string
	// Recipients a bearer confirmation may name. Our token endpoint (RFC 7522 §3) is always among them; further ones are an
	// application's own. Nothing else of ours can be: what was sent to another endpoint of ours is worth nothing here.
	Recipients []string
	MaxAge     time.Duration // now − IssueInstant at most; 0 = DefaultMaxAge
}

// GrantSpec is one `[[trust.ID.grant]]`.
type GrantSpec struct {
	Clients         []string
	Unauthenticated bool // the foreign token alone is the credential; excludes Clients
	// SignIn lets people of the trust sign in to Clients: it grants IdentityScopes of UserInfo. It excludes API, Scopes, ScopeMap,
	// DefaultScopes and Unauthenticated; When, Claims (for ID token and userinfo) and Lifetime are as in any rule.
	SignIn        bool
	API           string
	Scopes        []string          // one of Scopes and ScopeMap: granted for who the subject is
	ScopeMap      map[string]string // theirs → ours: granted if the subject token carries theirs
	DefaultScopes []string          // when nothing is requested; ours; may be empty
	Members       *MemberSpec       // of a federation: which members it is about; nil = each
	When          map[string]ConditionSpec
	Claims        map[string]string // our claim → path of theirs
	Lifetime      time.Duration     // 0 = no bound of its own
}

// ConditionSpec is one test of a claim: exactly one field is set. Values are string, bool, int64 or float64.
// An absent claim makes any condition false, NoneOf too; on an array a positive test holds if any element
// passes it, and NoneOf holds if no element is listed. Types must agree: "1" is not 1, and NoneOf is false for a
// value of a type that none of its values has. Numbers compare by exact value, as JSON has one type of number:
// 1 is 1.0. A claim path that starts with "/" is a JSON pointer (RFC 6901), any other the exact name of a claim.
type ConditionSpec struct {
	Exact  any
	OneOf  []any
	NoneOf []any
	Prefix string
	Suffix string
	Regex  string // RE2, compiled alone, then anchored as ^(?:…)$
}

// Limits and defaults of policy.
const (
	DefaultLifetime = 10 * time.Minute
	MaxLifetime     = 24 * time.Hour
	DefaultMaxAge   = time.Hour
	Skew            = 60 * time.Second // clock skew towards upstreams, at most
	MaxLinks        = 5                // exchanges in one chain

	DefaultSessionMax      = 12 * time.Hour
	DefaultMaxClaimsAge    = 12 * time.Hour
	DefaultRefreshLifetime = 30 * 24 * time.Hour
	DefaultRefreshIdle     = 7 * 24 * time.Hour
	DefaultRefreshGrace    = 10 * time.Second

	MaxSession      = 366 * 24 * time.Hour // bound of session_max, max_claims_age, refresh_lifetime and refresh_idle
	MaxRefreshGrace = time.Minute
)

// Grant is a way to ask for a token. The names stand in `grants` of a client and in the audit record.
type Grant string

// Grants that exist. The zero value is none of them.
const (
	GrantTokenExchange     Grant = "token_exchange"     // RFC 8693
	GrantJWTBearer         Grant = "jwt_bearer"         // RFC 7523 §2.1
	GrantSAML2Bearer       Grant = "saml2_bearer"       // RFC 7522 §2.1
	GrantClientCredentials Grant = "client_credentials" // RFC 6749 §4.4
	GrantCode              Grant = "authorization_code" // RFC 6749 §4.1; the sign-in itself is decided under it too
	GrantRefresh           Grant = "refresh_token"      // RFC 6749 §6
	GrantSAMLSSO           Grant = "saml_sso"           // SAML Profiles 2.0 §4.1: the sign-in to a SAML application; its only grant
)

// Problem is one fault of a Spec. Path locates it in configuration terms: "trust.head-office.grant[1].scopes[0]",
// "api.warehouse.audience", "client.portal.apis.warehouse".
type Problem struct {
	Path   string
	Text   string // what was expected and what came
	Remedy string // what to do
}
