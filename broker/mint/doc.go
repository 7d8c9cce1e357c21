// Package mint turns a decision into a signed access token (RFC 9068).
//
// It writes exactly the claims iss, sub, aud, client_id, scope, iat, exp, jti, idp, links and what rules mapped; it decides
// nothing. Who gets what is trust.Evaluate's, which key signs is broker/keyring's.
package mint
