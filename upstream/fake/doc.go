// Package fake plays the parties that live outside this broker's domain, for the demo and for tests: today the OpenID
// provider of a head office, and a partner that has none and is a client in its own name. It is a FAKE and says so in every answer; its accounts and secrets are public.
//
// It owns nothing that is deployed. Only the demo and _test files import it; serve must never do so, because a program that
// can mint any claim at will has no place in a process that issues real tokens.
//
// Provider answers discovery, a JWK Set and client credentials, and signs people in with one click and no password: code
// flow with PKCE, PAR, form_post, userinfo, refresh, logout of both kinds. Mint makes any token, right or wrong; Break makes
// the provider fail in one of the ways in which real ones have failed; Requests counts who asked for what. Browser is who
// signs in: it follows redirects and withholds cookies from cross-site requests as a browser does. Signing is
// trust/jose's, except for tokens that are wrong on purpose, which raw.go puts together by hand. IdP makes SAML assertions, right or
// wrong, signed by trust/xmlsec; SAMLProvider is one that people sign in at, with its own ways to go wrong.
package fake
