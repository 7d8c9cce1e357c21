package oauth

import (
	"net/http"

	"apostille/trust"
)

// spelling is how a refusal is told.
type spelling struct {
	code   string
	status int
}

// byClass is the table: what a class of reasons is called. Grants map to codes; decide does not.
var byClass = map[trust.Class]spelling{
	trust.ClassRequest:     {CodeInvalidRequest, http.StatusBadRequest},
	trust.ClassClient:      {CodeInvalidClient, http.StatusUnauthorized},
	trust.ClassGrant:       {CodeUnauthorizedClient, http.StatusBadRequest},
	trust.ClassTarget:      {CodeInvalidTarget, http.StatusBadRequest}, // RFC 8693 §2.2.2, RFC 8707 §2
	trust.ClassScope:       {CodeInvalidScope, http.StatusBadRequest},
	trust.ClassUnavailable: {CodeUnavailable, http.StatusServiceUnavailable},
	trust.ClassInternal:    {CodeServerError, http.StatusInternalServerError},
}

// bySubject spells a bad or unacceptable subject credential, which differs from grant to grant.
var bySubject = map[trust.Grant]spelling{
	trust.GrantTokenExchange:     {CodeInvalidRequest, http.StatusBadRequest}, // RFC 8693 §2.2.2
	trust.GrantJWTBearer:         {CodeInvalidGrant, http.StatusBadRequest},   // RFC 7523 §3.1
	trust.GrantSAML2Bearer:       {CodeInvalidGrant, http.StatusBadRequest},   // RFC 7522 §3.1
	trust.GrantClientCredentials: {CodeInvalidGrant, http.StatusBadRequest},
	trust.GrantCode:              {CodeInvalidGrant, http.StatusBadRequest}, // RFC 6749 §5.2
	trust.GrantRefresh:           {CodeInvalidGrant, http.StatusBadRequest}, // RFC 6749 §5.2
}

// exceptions are reasons whose code a specification fixes apart from their class.
var exceptions = map[trust.Reason]spelling{
	trust.ReasonUnsupportedGrant: {CodeUnsupportedGrantType, http.StatusBadRequest},
	trust.ReasonRateLimited:      {CodeUnavailable, http.StatusTooManyRequests}, // RFC 6585 §4
	trust.ReasonSignIn:           {CodeInvalidGrant, http.StatusBadRequest},     // the sign-in is no longer worth anything here
}

// descriptions are what strangers are told. They name no issuer, key, rule or value: the audit record under the reference
// that goes with them has the whole reason.
var descriptions = map[trust.Reason]string{
	trust.ReasonMalformed:         "the token is not well-formed",
	trust.ReasonTooLarge:          "the token is too large",
	trust.ReasonHeader:            "the token's header has a member that is not accepted here",
	trust.ReasonAlgorithm:         "the token's algorithm is not accepted here",
	trust.ReasonType:              "the token is not of the type it was declared as",
	trust.ReasonIssuerUnknown:     "no trust accepts tokens of this issuer",
	trust.ReasonKeyUnknown:        "the token's key is not known (yet); try again in 10 seconds",
	trust.ReasonKeysUnavailable:   "the issuer's keys cannot be had at the moment",
	trust.ReasonSignature:         "the token's signature is not valid",
	trust.ReasonAudience:          "the token is not addressed to this server",
	trust.ReasonParty:             "the token was issued to a party that is not accepted here",
	trust.ReasonExpired:           "the token has expired",
	trust.ReasonNotYetValid:       "the token is not valid yet",
	trust.ReasonTooOld:            "the token was issued too long ago",
	trust.ReasonTime:              "the token lacks a usable time of issue or expiry",
	trust.ReasonSubject:           "the token names no usable subject",
	trust.ReasonBound:             "the token is bound to a key or names a delegate; such tokens are not accepted here",
	trust.ReasonRecipient:         "the assertion has no bearer confirmation for this server's token endpoint",
	trust.ReasonRestricted:        "the assertion has a condition that cannot be met here",
	trust.ReasonTokenID:           "the token needs a jti: it may be used once only",
	trust.ReasonReplayed:          "the token was used before and may be used once only",
	trust.ReasonClaim:             "a claim of the token has the wrong type",
	trust.ReasonPanic:             "the request could not be handled",
	trust.ReasonStandingUnknown:   "the server cannot answer at the moment",
	trust.ReasonTrustNotLive:      "the subject's issuer is not accepted at the moment",
	trust.ReasonSubjectBlocked:    "the subject is not accepted here",
	trust.ReasonNotBefore:         "the token was issued before the earliest time accepted for its subject",
	trust.ReasonRequire:           "the subject does not meet what this server requires of its issuer's subjects",
	trust.ReasonClientUnknown:     "client authentication failed",
	trust.ReasonGrantNotAllowed:   "the client may not use this grant",
	trust.ReasonNoRule:            "no rule grants this client a token for this target",
	trust.ReasonClientRequired:    "authenticate the client: no rule grants anything to whoever holds this token",
	trust.ReasonConditions:        "the subject does not meet the conditions for this target",
	trust.ReasonTargetUnknown:     "the audience or resource is not known here",
	trust.ReasonTargetAmbiguous:   "name an audience or a resource: more than one is possible",
	trust.ReasonTargetsDisagree:   "these targets cannot share one token; ask for one each",
	trust.ReasonScopeUnknown:      "a scope is not defined by the target",
	trust.ReasonScopeUnregistered: "the client is not registered for a scope it asks for",
	trust.ReasonScopeEmpty:        "none of the scopes asked for is granted",
	trust.ReasonClaimConflict:     "the rules for this subject contradict each other",
	trust.ReasonNotHolder:         "the client may not exchange this token",
	trust.ReasonChainTooLong:      "the token has been exchanged too often",
	trust.ReasonLifetime:          "the token expires too soon to be exchanged",
	trust.ReasonSignIn:            "people of this office may not sign in to this application",
	trust.ReasonConsent:           "the person has not agreed to give this application access",
	trust.ReasonRevoked:           "the token, or the sign-in behind it, was revoked",
	trust.ReasonClaimsTooOld:      "the sign-in is too long ago; sign in again",
	trust.ReasonUnsupportedGrant:  "this grant type is not supported",
	trust.ReasonUnsupportedType:   "this token type is not supported",
	trust.ReasonUnsupportedParam:  "a parameter asks for what is not supported here",
	trust.ReasonRequest:           "the request is not well-formed",
	trust.ReasonClientAuth:        "client authentication failed",
	trust.ReasonRateLimited:       "too many requests; slow down",
	trust.ReasonOverloaded:        "the server is busy; try again",
	trust.ReasonStore:             "the server cannot answer at the moment",
	trust.ReasonAudit:             "the server cannot answer at the moment",
	trust.ReasonIssuedTooLarge:    "the token to issue would be too large",
	trust.ReasonCode:              "the code is not valid: unknown, expired, or not for this client, redirect_uri or code_verifier",
	trust.ReasonCodeReused:        "the code was used before; what was issued for it is revoked",
	trust.ReasonRefresh:           "the refresh token is not valid: unknown, expired, or not this client's",
	trust.ReasonRefreshReused:     "the refresh token was used before; its sign-in is revoked",
	trust.ReasonRedirect:          "the redirect_uri is not registered for this client",
	trust.ReasonLoginState:        "the sign-in is over or was begun elsewhere; start again",
	trust.ReasonUpstreamError:     "the office did not sign the person in",
	trust.ReasonUpstreamDown:      "the office cannot be reached at the moment",
	trust.ReasonLoginRequired:     "the person has to sign in",
}

// ErrorFor spells a refusal for a grant. cause is for the log. An unknown reason is a server error: refuse, and say nothing.
func ErrorFor(grant trust.Grant, reason trust.Reason, cause error) *Error {
	how, ok := exceptions[reason]
	if !ok {
		if class := reason.Class(); class == trust.ClassSubject {
			how, ok = bySubject[grant]
		} else {
			how, ok = byClass[class]
		}
	}
	text := descriptions[reason]
	if !ok || text == "" {
		how, text = byClass[trust.ClassInternal], "the request could not be handled"
	}
	e := &Error{Code: how.code, Description: text, Status: how.status, Cause: cause}
	switch {
	case reason == trust.ReasonKeyUnknown:
		e.RetryAfter = 10
	case how.status == http.StatusServiceUnavailable, how.status == http.StatusTooManyRequests:
		e.RetryAfter = 1
	}
	return e
}
