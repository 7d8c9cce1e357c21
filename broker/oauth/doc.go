// Package oauth holds the protocol's vocabulary at the edge: grant and token type names, error codes, the strict form
// reader, the one table from a refusal to what a client is told, and the one response writer.
//
// It owns no policy and takes no decision. Why something is refused is a trust.Reason; this package only says how OAuth
// spells it for the grant at hand (RFC 6749 §5.2, RFC 8693 §2.2.2, RFC 7523 §3.1, RFC 8707 §2).
package oauth
