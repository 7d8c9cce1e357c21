// Package exchange is what the broker is for: RFC 8693 token exchange and the bearer grants of RFC 7523 (JWTs) and RFC 7522 (SAML assertions). It reads what a
// request says of a foreign credential, has it verified, and explains the whole path from credential to decision.
//
// It owns which token types exist and how they are told apart. Verification is upstream/oidc's and upstream/saml's, the decision is trust.Evaluate's; the
// endpoint in broker/token runs both, in one order for every grant. No SQL and no HTTP types here.
package exchange
