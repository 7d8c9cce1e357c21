package trust

// Reason is a stable code for why something was refused. It stands in audit records, metrics and explain;
// broker/oauth maps its Class to what a client is told.
type Reason string

// Why VERIFY refuses.
const (
	ReasonMalformed       Reason = "malformed"           // not a strict compact JWS with strict JSON
	ReasonTooLarge        Reason = "too_large"           //
	ReasonHeader          Reason = "header_not_allowed"  // crit, jwk, jku, x5c, x5u, b64, unknown members
	ReasonAlgorithm       Reason = "alg_not_allowed"     //
	ReasonType            Reason = "type_mismatch"       // typ or required claims contradict the declared type
	ReasonIssuerUnknown   Reason = "issuer_unknown"      // no trust of that issuer takes this type of token
	ReasonKeyUnknown      Reason = "key_unknown"         // no key of that trust has this kid (yet)
	ReasonKeysUnavailable Reason = "keys_unavailable"    // the upstream's keys cannot be had
	ReasonSignature       Reason = "signature_invalid"   //
	ReasonAudience        Reason = "audience_mismatch"   //
	ReasonParty           Reason = "azp_mismatch"        //
	ReasonExpired         Reason = "expired"             //
	ReasonNotYetValid     Reason = "not_yet_valid"       // nbf or iat ahead of the clock
	ReasonTooOld          Reason = "too_old"             // iat older than max_age
	ReasonTime            Reason = "time_claim_invalid"  // exp, iat, nbf missing, of the wrong type or absurd
	ReasonSubject         Reason = "subject_missing"     //
	ReasonBound           Reason = "binding_unsupported" // cnf or may_act: would be laundered
	ReasonRecipient       Reason = "recipient_mismatch"  // no bearer confirmation of an assertion is for this endpoint
	ReasonRestricted      Reason = "restricted"          // a condition of an assertion that is not known, or that nothing be issued for it
	ReasonTokenID         Reason = "jti_missing"         // a one-time rule needs jti
	ReasonReplayed        Reason = "replayed"            // (issuer, jti) was claimed before
	ReasonClaim           Reason = "claim_type_invalid"  // a claim we read has the wrong JSON type
	ReasonPanic           Reason = "internal_error"      // a library panicked; caught at our boundary
)

// Why DECIDE refuses.
const (
	ReasonStandingUnknown   Reason = "standing_unknown" // the store did not answer
	ReasonTrustNotLive      Reason = "trust_not_live"   // trust or origin trust absent or disabled
	ReasonSubjectBlocked    Reason = "subject_blocked"  //
	ReasonNotBefore         Reason = "issued_before_cutoff"
	ReasonRequire           Reason = "require_failed"      //
	ReasonClientUnknown     Reason = "client_unknown"      // or disabled
	ReasonGrantNotAllowed   Reason = "grant_not_allowed"   // the client's registration lacks this grant
	ReasonNoRule            Reason = "no_rule"             // no grant rule of this trust names this client (and API)
	ReasonClientRequired    Reason = "client_required"     // no client authenticated, and no rule of this trust is unauthenticated
	ReasonConditions        Reason = "conditions_not_met"  // rules name it, but no rule's conditions hold
	ReasonTargetUnknown     Reason = "target_unknown"      //
	ReasonTargetAmbiguous   Reason = "target_ambiguous"    // nothing named, and the rules name several APIs
	ReasonTargetsDisagree   Reason = "targets_disagree"    // several APIs with other token settings, owner or scopes
	ReasonScopeUnknown      Reason = "scope_unknown"       // no target defines it
	ReasonScopeUnregistered Reason = "scope_unregistered"  // outside the client's registration
	ReasonScopeEmpty        Reason = "scope_empty"         // nothing of what was asked for is left
	ReasonClaimConflict     Reason = "claim_conflict"      // two rules map one claim to different values
	ReasonNotHolder         Reason = "not_holder"          // own token: neither its client nor the owner of its aud
	ReasonChainTooLong      Reason = "chain_too_long"      //
	ReasonLifetime          Reason = "lifetime_exhausted"  // nothing is left of the bounds
	ReasonSignIn            Reason = "sign_in_not_granted" // no sign_in rule of the trust holds for this client and subject
	ReasonConsent           Reason = "consent_missing"     // a third-party application without the subject's consent
	ReasonRevoked           Reason = "revoked"             // the credential, its family or its session
	ReasonClaimsTooOld      Reason = "claims_too_old"      // a code or refresh beyond max_claims_age; sign in again
)

// Why the endpoint refuses before or after the two choke points.
const (
	ReasonRequest          Reason = "request_invalid" // repeated or missing parameter, method, content type
	ReasonUnsupportedParam Reason = "parameter_unsupported"
	ReasonUnsupportedGrant Reason = "grant_unsupported"
	ReasonUnsupportedType  Reason = "token_type_unsupported"
	ReasonClientAuth       Reason = "client_auth_failed"
	ReasonRateLimited      Reason = "rate_limited"
	ReasonOverloaded       Reason = "overloaded" // as many requests as this server takes at once are under way
	ReasonStore            Reason = "store_unavailable"
	ReasonAudit            Reason = "audit_unavailable"
	ReasonIssuedTooLarge   Reason = "issued_token_too_large"
	ReasonCode             Reason = "code_invalid"          // unknown, expired, of another client, redirect_uri or verifier
	ReasonCodeReused       Reason = "code_reused"           // what was issued for it is revoked
	ReasonRefresh          Reason = "refresh_token_invalid" // unknown, expired, of another client
	ReasonRefreshReused    Reason = "refresh_token_reused"  // its family is revoked
	ReasonRedirect         Reason = "redirect_uri_mismatch" // never redirected to
	ReasonLoginState       Reason = "login_state_invalid"   // a login that is over, of another browser or of another upstream
	ReasonUpstreamError    Reason = "upstream_error"        // the upstream answered the login with an error
	ReasonUpstreamDown     Reason = "upstream_unavailable"  // discovery, token or userinfo endpoint cannot be had
	ReasonLoginRequired    Reason = "login_required"        // prompt=none and no session that would do; or a fresh login was not fresh
)

// Class groups reasons by what they say about a request; together with the grant it decides the OAuth error.
type Class string

// Classes.
const (
	ClassRequest     Class = "request"     // the request itself
	ClassSubject     Class = "subject"     // the subject token or assertion
	ClassClient      Class = "client"      // who the client is
	ClassGrant       Class = "grant"       // the client may not use this grant
	ClassTarget      Class = "target"      // audience or resource
	ClassScope       Class = "scope"       //
	ClassUnavailable Class = "unavailable" // us or an upstream, try again
	ClassInternal    Class = "internal"    //
)
