// Package oidc verifies JSON Web Tokens, and signs people in with OpenID providers.
//
// Verifier.Verify turns a foreign JWT, a foreign ID token or an access token of ours into a trust.Subject with the list of
// checks it made, or into an *Error with a stable reason: the first choke point for exchanges. The checks follow RFC 7519
// §7.2, RFC 8725 §3, RFC 9068 §4 and OpenID Connect Core 1.0 §3.1.3.7, and are stricter where those leave room: every entry
// of aud is ours, exp and iat are required, a token is only ever of one type, and what would bind it to a holder refuses. An
// ID token passes go-oidc's verifier too, over the same keys.
//
// The order is: front door, issuer, trust, type, claims, and the signature last. Only refusals are decided on unverified
// claims; no identity and no claim leaves before the signature held.
//
// RelyingParty is the same choke point for logins: the code flow with PKCE, nonce, RFC 9207 and, where advertised, RFC 9126;
// and logout tokens (OpenID Connect Back-Channel Logout 1.0). What the discovery document names was learnt: it reaches
// private addresses only on the origin that is configured. Errors are *upstream.Error, and say nothing in the words of the
// upstream but its well-known error codes.
//
// The bytes of a JWS are trust/jose's, keys and discovery documents are upstream/keys', addresses upstream/fetch's; what a
// subject may get is trust's. State between Begin and Finish, its binding to a browser, and one-time use (of subject tokens:
// Subject.OneTime; of logout tokens) are the caller's, who has the store.
package oidc
