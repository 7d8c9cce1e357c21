// Package bearer is net/http middleware for regional APIs (resource servers) that accept tokens of this broker only.
//
// A Guard takes the token from the Authorization header (RFC 6750 §2.1) and nowhere else, verifies it as a JWT access token
// (RFC 9068 §4), checks the scopes a handler requires, and hands the handler a Principal. It refuses with the challenges of
// RFC 6750 §3 and publishes the API's metadata (RFC 9728), so that a caller who holds a foreign token learns where to
// exchange it. Whatever it does not know for certain it refuses.
//
// It knows neither the broker's policy nor its store: what a caller may have was decided when the token was issued. Strict
// parsing and signatures are trust/jose's, keys and their ages upstream/keys'. Revocation before exp is seen
// only with Config.Introspection, which asks the broker about each token; without it tokens are verified here, and are short-lived. Tokens bound to a key (cnf) are refused, because the proof that goes with
// them is not checked here.
package bearer
