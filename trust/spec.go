package trust

import "time"

// Local is the ID of the built-in trust: our own tokens and clients.
const Local = "local"

// UserInfo is reserved: the broker itself as an API (audience = issuer). It is granted to people at sign-in only.
const UserInfo = "userinfo"

// Spec is the policy as configuration states it: plain data, not yet checked. Compile checks it.
type Spec struct {
	// Issuer is our own issuer identifier: https (http only with Dev), no query, fragment or trailing slash.
	Issuer string
	// Dev relaxes what only a developer's machine needs: http issuers, loopback upstreams.
	Dev     bool
	APIs    map[string]APISpec    // by API ID
	Clients map[string]ClientSpec // by client_id
	Trusts  map[string]TrustSpec  // by trust ID; Local holds the grant rules for own tokens and clients
}

// APISpec is one `[api.ID]`: a resource server that accepts our tokens.
type APISpec struct {
	Audience  string            // `aud` of tokens for it; an absolute URI or a plain name; unique
	Resources []string          // further URIs that `resource` may name it by (RFC 8707)
	Client    string            // client that owns it: may exchange tokens addressed to it; "" = nobody
	Scopes    map[string]string // scope → what it means, in words for people
	Token     TokenSpec
	Lifetime  time.Duration // upper bound of its tokens; 0 = DefaultLifetime
}

// TokenSpec says how tokens for an API look, because verifiers differ.
type TokenSpec struct {
	Alg string // one of TokenAlgs; "" = ES256
	Typ string // one of TokenTyps: "at+jwt" (RFC 9068 §2.1) or "JWT"; "" = "at+jwt"
}

// ClientSpec is one `[client.ID]`, without its credentials (those are broker/clientauth's).
type ClientSpec struct {
	Name     string
	Disabled bool
	Grants   []string            // grants it may use: see Grant; empty = none
	APIs     map[string][]string // its registration: API ID → scopes it may ever be given
	Lifetime time.Duration       // upper bound of its tokens; 0 = no bound of its own
}

// TrustSpec is one `[trust.ID]`, without its keys (those are upstream/keys').
type TrustSpec struct {
	Name     string
	Disabled bool
	Issuer   string // compared byte for byte with `iss`
	Domain   string // subject domain; "" = Issuer
	Subject  string // claim path that names the subject; "" = "sub"
	// KeySource names where the keys come from (e.g. "discovery", "jwks_url:https://…"): two trusts with
	// one issuer and overlapping uses are refused unless their key sources are equal. "" = no keys, refused.
	KeySource string
	Require   map[string]ConditionSpec // claim path → condition; binds every entry
	JWT       *UseSpec                 // [trust.ID.exchange] jwt = {…}: nil = not exchangeable
	IDToken   *UseSpec                 // id_token = {…}
	Grants    []GrantSpec
}

// UseSpec says how one type of subject token of a trust may be used.
type UseSpec struct {
	Audiences []string      // at least one; the token's aud must be among them, every entry of it listed
	Parties   []string      // allowed `azp` / `client_id` values; empty: azp, if present, must be among Audiences
	Types     []string      // allowed header typ, lower case, without "application/"; empty: the usual ones, which upstream/oidc knows
	MaxAge    time.Duration // now − iat at most; 0 = DefaultMaxAge
	OneTime   bool          // each (issuer, jti) is accepted once, durably; jti is then required
}

// GrantSpec is one `[[trust.ID.grant]]`.
type GrantSpec struct {
	Clients         []string
	Unauthenticated bool // the foreign token alone is the credential; excludes Clients
	API             string
	Scopes          []string          // one of Scopes and ScopeMap: granted for who the subject is
	ScopeMap        map[string]string // theirs → ours: granted if the subject token carries theirs
	DefaultScopes   []string          // when nothing is requested; ours; may be empty
	When            map[string]ConditionSpec
	Claims          map[string]string // our claim → path of theirs
	Lifetime        time.Duration     // 0 = no bound of its own
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
)

// Grant is a way to ask for a token. The names stand in `grants` of a client and in the audit record.
type Grant string

// Grants that exist. The zero value is none of them.
const (
	GrantTokenExchange     Grant = "token_exchange"     // RFC 8693
	GrantJWTBearer         Grant = "jwt_bearer"         // RFC 7523 §2.1
	GrantClientCredentials Grant = "client_credentials" // RFC 6749 §4.4
)

// Problem is one fault of a Spec. Path locates it in configuration terms: "trust.head-office.grant[1].scopes[0]",
// "api.warehouse.audience", "client.portal.apis.warehouse".
type Problem struct {
	Path   string
	Text   string // what was expected and what came
	Remedy string // what to do
}
