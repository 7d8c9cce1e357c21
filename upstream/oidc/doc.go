// Package oidc verifies JSON Web Tokens: foreign JWTs and ID tokens, and our own access tokens.
//
// It is the first choke point for JWTs: Verifier.Verify turns a token into a trust.Subject with the list of checks it made,
// or into an *Error with a stable reason. The checks follow RFC 7519 §7.2, RFC 8725 §3, RFC 9068 §4 and OpenID Connect Core
// 1.0 §3.1.3.7, and are stricter where those leave room: every entry of aud is ours, exp and iat are required, a token is
// only ever of one type, and what would bind it to a holder refuses. An ID token passes go-oidc's verifier too, over the
// same keys.
//
// The order is: front door, issuer, trust, type, claims, and the signature last. Only refusals are decided on unverified
// claims; no identity and no claim leaves before the signature held.
//
// The bytes of a JWS are trust/jose's, keys are upstream/keys', what a subject may get is trust's. One-time use is claimed by
// the caller, who has the store: Subject.OneTime says when.
package oidc
