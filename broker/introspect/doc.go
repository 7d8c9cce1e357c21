// Package introspect answers what a token of ours is worth at this moment (RFC 7662, as a JWT by RFC 9701), and takes tokens back
// (RFC 7009).
//
// A token is active if it verifies as it would at an API, and nothing that is known here speaks against it: its revocation, its family, its
// subject, its trust, its client. Only an API in its audience, by the client that owns it, and the client it was issued to are told.
package introspect
