package trust

import "time"

// Request is what a client asks DECIDE for. Audiences, Resources and Scopes are as sent, without empties.
type Request struct {
	Grant     Grant
	Subject   Subject
	Client    string // authenticated client_id; "" only with an unauthenticated grant rule
	Audiences []string
	Resources []string
	Scopes    []string
	Now       time.Time
	// Assertion and Token say what requested_token_type asks for (RFC 8693 §2.1): a SAML assertion, or a token of any other form. Neither: what
	// the API takes.
	Assertion, Token bool
	// Explain asks for Decision.Steps. The answer is the same without; Steps cost texts that a busy endpoint
	// has no use for.
	Explain bool
}

// Standing is what only the running server knows of a subject, loaded by the endpoint in one step that every
// grant shares. The zero value refuses.
type Standing struct {
	Loaded    bool      // the store answered; false refuses
	Blocked   bool      // `subject block`
	NotBefore time.Time // credentials issued before it are refused; zero = no bound
	Revoked   bool      // the credential itself, its family or its session was revoked
	// Consented holds what the subject allows the client: API ID → scopes. It counts only for third-party applications and what began
	// with a sign-in. nil = nothing.
	Consented map[string][]string
}

// Decision is the reasoned answer of Evaluate; explain, the audit record and the tests read the same value. The
// zero value refuses. Of a refusal only Reason, Detail, Trust, Sub, ClientID and Steps are set.
type Decision struct {
	Granted bool
	Reason  Reason // "" when granted
	Detail  string // one sentence for the admin: values, and what would have to change

	Trust    string // origin trust of the subject, `idp` of the token
	Sub      string
	ClientID string   // client_id of the token: the client, or "trust:ID" for an unauthenticated rule
	APIs     []string // API IDs, sorted
	Audience []string // their audiences, same order
	Scopes   []string // sorted; may be empty only when none was requested and the rules' defaults are empty
	Rules    []string // rules that contributed: "head-office.grant[0]"
	Claims   map[string]any
	Expires  time.Time // exact; whoever writes seconds must round down
	Token    TokenSpec // defaults filled in
	Links    int       // exchanges behind the token to issue

	// Of sign-ins (CredentialLogin) and what began with one.
	Identity       []string            // IdentityScopes granted, sorted; what ID token and userinfo may tell
	IdentityClaims map[string]any      // mapped by the sign-in rules, for ID token and userinfo
	Unconsented    map[string][]string // API ID → scopes that the rules give and the subject has not consented to
	AuthTime       time.Time
	ACR            string
	Family         string

	Steps []Step // with Request.Explain: how the answer came about, in order
}

// Step is one consideration of Evaluate.
type Step struct {
	Rule   string // "" for a step that concerns no single rule
	Name   string // e.g. "clients", "when department", "scopes", "lifetime"
	OK     bool
	Detail string
}
