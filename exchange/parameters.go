package exchange

import (
	"slices"

	"apostille/broker/oauth"
	"apostille/trust"
)

// credentials are the parameters that carry who a token is asked for. One that belongs to another grant refuses: ignoring it
// would issue a token for somebody else than the request names (RFC 6749 §3.2 bids to ignore unknown parameters; these are known).
var credentials = []string{
	"subject_token", "actor_token", "assertion", "code", "refresh_token", "username", "password", "device_code", "auth_req_id",
}

// unbuilt are the parameters that a published specification defines and this server does not implement, with that
// specification's error. They refuse: dropping one would issue something else than what was asked for.
var unbuilt = map[string]string{
	"actor_token":           oauth.CodeInvalidRequest, // RFC 8693 §2.1
	"actor_token_type":      oauth.CodeInvalidRequest,
	"authorization_details": oauth.CodeInvalidDetails,     // RFC 9396 §5
	"request":               oauth.CodeRequestUnsupported, // OpenID Connect Core §3.1.2.6
	"request_uri":           oauth.CodeRequestURI,
	"dpop_jkt":              oauth.CodeInvalidRequest, // RFC 9449 §10
	"claims":                oauth.CodeInvalidRequest,
}

// read are the parameters that some step of a token request reads.
var read = []string{
	"grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type", "subject_token", "subject_token_type",
	"requested_token_type", "assertion", "audience", "resource", "scope", "redirect_uri", "code_verifier",
}

// Ignored says of a parameter that nothing here gives it a meaning: it is ignored (RFC 6749 §3.2), and counted, since it may be one
// that a specification has defined meanwhile.
func Ignored(name string) bool {
	return !slices.Contains(read, name) && !slices.Contains(credentials, name) && unbuilt[name] == ""
}

// CheckParameters refuses what must not be dropped. own are the credential parameters of the grant at hand.
func CheckParameters(p oauth.Params, own ...string) error {
	for _, name := range credentials {
		if p.Has(name) && unbuilt[name] == "" && !slices.Contains(own, name) {
			return &Refusal{Reason: trust.ReasonRequest, Detail: name + " belongs to another grant",
				Public: "parameter " + name + " does not belong to this grant type"}
		}
	}
	var refused string
	p.Names(func(name string) {
		if unbuilt[name] != "" && (refused == "" || name < refused) {
			refused = name
		}
	})
	if refused != "" {
		return &Refusal{Reason: trust.ReasonUnsupportedParam, Code: unbuilt[refused], Detail: refused + " is not supported",
			Public: "parameter " + refused + " is not supported by this server"}
	}
	return nil
}

func missing(name string) error {
	return &Refusal{Reason: trust.ReasonRequest, Detail: name + " is missing", Public: "parameter " + name + " is missing"}
}
