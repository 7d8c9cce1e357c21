// Package mint turns a decision into tokens: access tokens (RFC 9068, or opaque ones), ID tokens (OpenID Connect Core §2) and logout
// tokens (OpenID Connect Back-Channel Logout §2.4).
//
// An access token has exactly the claims iss, sub, aud, client_id, scope, iat, exp, jti, idp, links, what rules mapped and, if it began
// with a sign-in, auth_time, acr and family. The package decides nothing. Who gets what is trust.Evaluate's, which key signs is
// broker/keyring's, who keeps an opaque token's claims is the caller's.
package mint
