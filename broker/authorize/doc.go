// Package authorize is the authorization endpoint (RFC 6749 §4.1, OpenID Connect Core §3.1.2), the endpoint for pushed requests
// (RFC 9126) and the consent page.
//
//	read once → client and redirect URI → parameters → whose sign-in → standing → DECIDE → consent → code
//
// It owns the request: which parameters there are, what each refuses, and how an error is told. Until client and redirect URI are
// known to belong together it is told on a page, from then on at the redirect URI. It owns the question which identity of a
// browser's session answers a request, and what a person is asked before an application gets anything.
//
// How somebody signs in is broker/authflow's, who is signed in broker/session's, what a sign-in is worth trust.Evaluate's, and what
// a code becomes broker/family's.
package authorize
