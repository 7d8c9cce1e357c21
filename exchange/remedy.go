package exchange

import (
	"fmt"
	"slices"
	"strings"

	"apostille/trust"
)

// remedyOf says for each reason what would have to change. The detail that goes with it names the values.
var remedyOf = map[trust.Reason]string{
	trust.ReasonMalformed:       "send the token exactly as its issuer gave it: one compact JWS, or one assertion in base64url, whole and without line breaks; `apostille inspect` says which rule it breaks",
	trust.ReasonTooLarge:        "ask the issuer for a smaller token (16 KB at most, an assertion 256 KB and a thousand values): fewer groups or roles in it",
	trust.ReasonHeader:          "have the issuer sign without that header member: keys come from the trust's key source, never from a token",
	trust.ReasonAlgorithm:       "have the issuer sign with an algorithm that the trust's keys and its `algorithms` allow",
	trust.ReasonType:            "send the kind of token that the trust takes under the subject_token_type that names it, or declare that use under [trust.ID.exchange]",
	trust.ReasonIssuerUnknown:   "declare a [trust.ID] whose `issuer` is this `iss` or Issuer, byte for byte, or enable the one that is disabled",
	trust.ReasonKeyUnknown:      "have the issuer publish the key with this kid where the trust's `keys` point, or point them elsewhere",
	trust.ReasonKeysUnavailable: "make the trust's key source answer: `apostille check --online` says how it fails",
	trust.ReasonSignature:       "get the token from its real issuer: none of the keys of the trust signed it, or it was altered on the way",
	trust.ReasonAudience:        "have the token issued for an audience that the trust lists, each entry of its `aud`, or list that audience under [trust.ID.exchange]",
	trust.ReasonParty:           "list that party in `parties` of the trust's use, or have the token issued to one that is listed",
	trust.ReasonExpired:         "get a fresh token from the issuer",
	trust.ReasonNotYetValid:     "wait until the token is valid, and compare the clocks of the issuer and of this machine",
	trust.ReasonTooOld:          "get a fresh token from the issuer, or raise `max_age` of the trust's use",
	trust.ReasonTime:            "have the issuer put exp and iat into the token as plain numbers of seconds; into an assertion IssueInstant, and NotOnOrAfter of Conditions and confirmation, in UTC",
	trust.ReasonSubject:         "have the issuer put a subject into the token, or name the claim that holds it with `subject` of the trust",
	trust.ReasonBound:           "ask the issuer for a token without cnf and may_act, for an assertion that a bearer may bring: what they say would be lost in an exchange",
	trust.ReasonRecipient:       "have the assertion issued for our token endpoint as Recipient (its consumer URL there), or list the application's in `recipients` of the trust's use",
	trust.ReasonRestricted:      "have the issuer leave that condition out for assertions that are exchanged here",
	trust.ReasonTokenID:         "have the issuer put a unique jti into its tokens, an ID into its assertions, or drop `one_time` of the trust's use",
	trust.ReasonReplayed:        "get another token from the issuer: this one was used",
	trust.ReasonClaim:           "have the issuer write that claim with its registered JSON type",
	trust.ReasonPanic:           "report this with the text above: it is a fault of the broker",

	trust.ReasonStandingUnknown:   "make the store answer: `apostille store check`",
	trust.ReasonTrustNotLive:      "declare or enable that trust",
	trust.ReasonSubjectBlocked:    "unblock the subject: `apostille subject unblock SUB`",
	trust.ReasonNotBefore:         "get a token that was issued later, or lift the bound: `apostille subject not-before SUB none`",
	trust.ReasonRequire:           "the subject's claims would have to be as `require` of the trust wants them, or `require` would have to allow them",
	trust.ReasonClientUnknown:     "declare the client: `apostille client new ID` prints the lines; or enable it",
	trust.ReasonGrantNotAllowed:   "add the grant to `grants` of the client's registration",
	trust.ReasonClientRequired:    "the client would have to authenticate, or a [[trust.ID.grant]] of this trust be unauthenticated",
	trust.ReasonNoRule:            "a [[trust.ID.grant]] of this trust would have to name this client and the API it asks for",
	trust.ReasonConditions:        "the subject's claims would have to be as `when` of a rule wants them, or a rule would have to allow them",
	trust.ReasonTargetUnknown:     "name an API by its ID or audience, or declare it",
	trust.ReasonTargetAmbiguous:   "name the API with `audience` or `resource`",
	trust.ReasonTargetsDisagree:   "ask for one API at a time",
	trust.ReasonScopeUnknown:      "ask for scopes that the API defines, or define this one in `scopes` of the API",
	trust.ReasonScopeUnregistered: "add the scope to `apis` of the client's registration",
	trust.ReasonScopeEmpty:        "a rule for this client and API would have to give one of these scopes; where it maps scopes, the token would have to carry them",
	trust.ReasonClaimConflict:     "let the rules map the claim from the same source, or only one of them map it",
	trust.ReasonNotHolder:         "let the client that the token was issued to ask, or the one that owns the API in its audience (`client` of the API)",
	trust.ReasonChainTooLong:      "start again from the first token: five exchanges in a row are the limit",
	trust.ReasonLifetime:          "get a token with more time left",
	trust.ReasonSignIn:            "a [[trust.ID.grant]] with `sign_in = true` would have to name this client, its conditions hold, and the client's `trusts` allow the trust",
	trust.ReasonConsent:           "the person would have to consent at the next sign-in; or the client be `first_party`",
	trust.ReasonRevoked:           "sign in again: what was revoked stays revoked",
	trust.ReasonClaimsTooOld:      "sign in again; or raise `max_claims_age` of [trust.ID.login], or set `refresh_claims` there",

	trust.ReasonRequest:          "correct the request as the text above says",
	trust.ReasonUnsupportedParam: "leave that parameter out: this broker does not implement what it asks for",
	trust.ReasonUnsupportedGrant: "use token_exchange, jwt_bearer, saml2_bearer, client_credentials, authorization_code or refresh_token",
	trust.ReasonUnsupportedType:  "use the token type jwt, id_token, access_token or saml2",
	trust.ReasonClientAuth:       "authenticate the client, or ask for what an unauthenticated rule gives",
	trust.ReasonRateLimited:      "ask less often, or raise [limits]",
	trust.ReasonOverloaded:       "try again; if it happens often, raise `concurrent` of [limits], or give the server more processors",
	trust.ReasonStore:            "make the store answer: `apostille store check`",
	trust.ReasonAudit:            "make the audit file writable",
	trust.ReasonIssuedTooLarge:   "map fewer or smaller claims into the token",

	trust.ReasonCode:          "sign in again, and send the code once, within a minute, with the redirect_uri and code_verifier it was asked for with",
	trust.ReasonCodeReused:    "sign in again; a code is sent once, so look for who sent it twice",
	trust.ReasonRefresh:       "sign in again, and send the refresh token that came last, as the client that got it",
	trust.ReasonRefreshReused: "sign in again; each refresh token is used once, so look for who holds a copy, or raise `refresh_grace` of the client",
	trust.ReasonRedirect:      "list the URI in `redirect_uris` of the client, byte for byte",
	trust.ReasonLoginState:    "begin the sign-in again, in one browser",
	trust.ReasonUpstreamError: "look into the upstream's log: it refused the login",
	trust.ReasonUpstreamDown:  "make the upstream answer: `apostille check --online` says how it fails",
	trust.ReasonLoginRequired: "let the person sign in: ask without prompt=none; or have the upstream honour max_age and send auth_time",
}

// Remedy says what would have to change for a reason not to refuse; "" for one that does not exist.
func Remedy(r trust.Reason) string { return remedyOf[r] }

// remedies says what would have to change: for what refused, and for each rule that would otherwise have helped. Of a grant
// it says why scopes that were asked for were dropped.
func remedies(reg *trust.Registry, q Query, x *Explanation) []string {
	var out []string
	if x.Reason != "" {
		out = append(out, Remedy(x.Reason))
	}
	if (x.Reason == trust.ReasonNoRule || x.Reason == trust.ReasonClientRequired) && len(x.Decision.Steps) == 0 {
		out = append(out, clientsOf(reg, x.Decision.Trust)...)
	}
	for _, s := range x.Decision.Steps {
		if s.OK || s.Rule == "" {
			continue
		}
		if text := ruleRemedy(s, q, x); text != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

func ruleRemedy(s trust.Step, q Query, x *Explanation) string {
	kind, about, _ := strings.Cut(s.Name, " ")
	switch {
	case kind == "clients" && x.Reason == trust.ReasonNoRule && q.Client != "":
		return fmt.Sprintf("%s would count if its clients listed %q (it %s)", s.Rule, q.Client, beforeSemicolon(s.Detail))
	case kind == "when" && x.Reason != "":
		return fmt.Sprintf("%s would count if its condition held: %s", s.Rule, s.Detail)
	case kind == "scope" && !slices.Contains(x.Decision.Scopes, about):
		return fmt.Sprintf("%s would give %s if it could: %s", s.Rule, about, s.Detail)
	}
	return ""
}

// clientsOf says whom the rules of a trust name, where VERIFY refused before any rule was looked at.
func clientsOf(reg *trust.Registry, trustID string) []string {
	var out []string
	for _, a := range reg.Access() {
		if a.Trust != trustID || a.API == trust.UserInfo {
			continue // sign-in rules give nothing in an exchange
		}
		who := "an unauthenticated caller"
		if a.Client != "" {
			who = "client " + a.Client
		}
		out = append(out, fmt.Sprintf("%s is for %s and api %s", a.Rule, who, a.API))
	}
	if len(out) == 0 && trustID != "" {
		out = append(out, "trust "+trustID+" has no rule that anybody can use: it gives nothing")
	}
	return out
}

func beforeSemicolon(s string) string {
	head, _, _ := strings.Cut(s, ";")
	return head
}
