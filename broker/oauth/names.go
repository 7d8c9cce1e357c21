package oauth

import "apostille/trust"

// Grant types, as sent in `grant_type`.
const (
	GrantTypeTokenExchange     = "urn:ietf:params:oauth:grant-type:token-exchange" // RFC 8693 §2.1
	GrantTypeJWTBearer         = "urn:ietf:params:oauth:grant-type:jwt-bearer"     // RFC 7523 §2.1
	GrantTypeSAML2Bearer       = "urn:ietf:params:oauth:grant-type:saml2-bearer"   // RFC 7522 §2.1
	GrantTypeClientCredentials = "client_credentials"                              // RFC 6749 §4.4
	GrantTypeCode              = "authorization_code"                              // RFC 6749 §4.1.3
	GrantTypeRefresh           = "refresh_token"                                   // RFC 6749 §6
)

// grantTypes maps what is sent to what policy calls it.
var grantTypes = map[string]trust.Grant{
	GrantTypeTokenExchange:     trust.GrantTokenExchange,
	GrantTypeJWTBearer:         trust.GrantJWTBearer,
	GrantTypeSAML2Bearer:       trust.GrantSAML2Bearer,
	GrantTypeClientCredentials: trust.GrantClientCredentials,
	GrantTypeCode:              trust.GrantCode,
	GrantTypeRefresh:           trust.GrantRefresh,
}

// GrantOf translates a `grant_type`; "" if there is no such grant.
func GrantOf(grantType string) trust.Grant { return grantTypes[grantType] }

// GrantType translates back; "" for an unknown grant.
func GrantType(g trust.Grant) string {
	for name, grant := range grantTypes {
		if grant == g {
			return name
		}
	}
	return ""
}

// Token types of RFC 8693 §3.
const (
	TokenTypeAccessToken = "urn:ietf:params:oauth:token-type:access_token"
	TokenTypeIDToken     = "urn:ietf:params:oauth:token-type:id_token"
	TokenTypeJWT         = "urn:ietf:params:oauth:token-type:jwt"
	TokenTypeRefresh     = "urn:ietf:params:oauth:token-type:refresh_token"
	TokenTypeSAML1       = "urn:ietf:params:oauth:token-type:saml1"
	TokenTypeSAML2       = "urn:ietf:params:oauth:token-type:saml2"
)

// AssertionTypeJWT is the `client_assertion_type` of private_key_jwt (RFC 7523 §2.2).
const AssertionTypeJWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Error codes.
const (
	CodeInvalidRequest       = "invalid_request"               // RFC 6749 §5.2
	CodeInvalidClient        = "invalid_client"                // RFC 6749 §5.2
	CodeInvalidGrant         = "invalid_grant"                 // RFC 6749 §5.2
	CodeUnauthorizedClient   = "unauthorized_client"           // RFC 6749 §5.2
	CodeUnsupportedGrantType = "unsupported_grant_type"        // RFC 6749 §5.2
	CodeInvalidScope         = "invalid_scope"                 // RFC 6749 §5.2
	CodeInvalidTarget        = "invalid_target"                // RFC 8707 §2
	CodeInvalidDetails       = "invalid_authorization_details" // RFC 9396 §5
	CodeRequestUnsupported   = "request_not_supported"         // OpenID Connect Core §3.1.2.6
	CodeRequestURI           = "request_uri_not_supported"     // OpenID Connect Core §3.1.2.6
	CodeUnavailable          = "temporarily_unavailable"       // RFC 6749 §4.1.2.1's word for it
	CodeServerError          = "server_error"                  // RFC 6749 §4.1.2.1
	CodeInvalidToken         = "invalid_token"                 // RFC 6750 §3.1
	CodeInsufficientScope    = "insufficient_scope"            // RFC 6750 §3.1
)
