package trust

import "strings"

// reserved are the claims that a grant rule never maps: they say who issued a token, for whom and for how long,
// who holds it and how they signed in, so that no upstream may choose them.
var reserved = map[string]bool{
	// RFC 7519 §4.1, RFC 9068 §2.2, RFC 8693 §4
	"iss": true, "sub": true, "aud": true, "exp": true, "nbf": true, "iat": true, "jti": true,
	"client_id": true, "scope": true, "scp": true, "act": true, "may_act": true,
	// ours
	"idp": true, "links": true, "family": true,
	// proof of possession: RFC 7800, RFC 9449
	"cnf": true, "ath": true, "htm": true, "htu": true,
	// sign-in: OIDC Core §2, logout, RFC 8417
	"azp": true, "acr": true, "amr": true, "auth_time": true, "sid": true, "nonce": true, "at_hash": true,
	"c_hash": true, "s_hash": true, "events": true, "toe": true, "txn": true, "sub_id": true, "sub_jwk": true,
	"email_verified": true, "phone_number_verified": true,
	// names that verifiers take for the type, the version or the holder of a token
	"typ": true, "token_use": true, "token_type": true, "ver": true, "active": true, "username": true,
	"authorization_details": true, "client": true, "cid": true, "appid": true, "azpacr": true,
	// objects that hold claims of others, and header names
	"vc": true, "vp": true, "_claim_names": true, "_claim_sources": true,
	"alg": true, "kid": true, "crit": true, "jwk": true, "jku": true, "x5c": true, "x5u": true,
}

// isReserved ignores case: some verifiers match member names without regard to it, so "ISS" could pass for "iss". They fold as
// Unicode does ("ſub" is "sub" to encoding/json), and so does this.
func isReserved(claim string) bool {
	for name := range reserved {
		if strings.EqualFold(name, claim) {
			return true
		}
	}
	return false
}
