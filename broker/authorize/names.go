package authorize

import (
	"slices"

	"apostille/broker/oauth"
)

func contains(list []string, s string) bool { return slices.Contains(list, s) }

// Parameters that some step reads. The return from a login carries these and no others.
var read = []string{
	"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "code_challenge",
	"code_challenge_method", "prompt", "max_age", "id_token_hint", "login_hint", "idp_hint", "acr_values", "claims", "resource",
	"ui_locales", "request_uri",
}

// Parameters that are known and change nothing: OpenID Connect Core §3.1.2.1 lets a provider ignore these two.
var harmless = []string{"claims_locales", "display"}

// result is the parameter under which a login's result comes back to us (broker/authflow).
const result = "login"

// unbuilt are parameters that a specification defines and this server does not implement, with the error that specification
// names. They refuse: dropping one would issue something else than what was asked for.
var unbuilt = []struct{ name, code string }{
	{"request", oauth.CodeRequestUnsupported},           // OpenID Connect Core §3.1.2.6
	{"registration", codeRegistration},                  // OpenID Connect Core §3.1.2.6
	{"authorization_details", oauth.CodeInvalidDetails}, // RFC 9396 §5
	{"dpop_jkt", oauth.CodeInvalidRequest},              // RFC 9449 §10: the code would not be bound
	{"audience", oauth.CodeInvalidTarget},               // of RFC 8693; here an API is named by `resource`
}

// Error codes of the authorization endpoint that the token endpoint does not know.
const (
	codeAccessDenied = "access_denied"                      // RFC 6749 §4.1.2.1
	codeResponseType = "unsupported_response_type"          // RFC 6749 §4.1.2.1
	codeRegistration = "registration_not_supported"         // OpenID Connect Core §3.1.2.6
	codeLogin        = "login_required"                     // OpenID Connect Core §3.1.2.6
	codeInteraction  = "interaction_required"               // OpenID Connect Core §3.1.2.6
	codeAccount      = "account_selection_required"         // OpenID Connect Core §3.1.2.6
	codeConsent      = "consent_required"                   // OpenID Connect Core §3.1.2.6
	codeUnmet        = "unmet_authentication_requirements"  // OpenID Connect Core Error Code unmet_authentication_requirements 1.0 §2
	codeInvalidURI   = "invalid_request_uri"                // OpenID Connect Core §3.1.2.6, for pushed requests that are gone
	pushedPrefix     = "urn:ietf:params:oauth:request_uri:" // RFC 9126 §2.2
)

// ignored says of a parameter that nothing here gives it a meaning: it is ignored (RFC 6749 §3.1), and counted, since it may be one
// that a specification has defined meanwhile.
func ignored(name string) bool {
	for _, u := range unbuilt {
		if u.name == name {
			return false
		}
	}
	return name != result && !contains(read, name) && !contains(harmless, name)
}
