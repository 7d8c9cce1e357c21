// Package samlidp is the identity provider to SAML applications (SAML Profiles 2.0 §4.1, §4.4), as broker/authorize is the authorization
// endpoint to those that speak OpenID Connect.
//
//	AuthnRequest (redirect or POST) → whose, signed by whom, answered where ─ 303 → resume: whose sign-in → standing → DECIDE → Response by POST
//
// It owns the request and the Response: what is read of the one, what the other says, and how an error is told: on a page until the request is
// known to be the application's and its answer to go to a registered place, from then on as a Status at that place. A request waits sealed in
// the browser's address; nothing is stored for a stranger. One that comes twice is answered twice, at the same registered place.
//
// How somebody signs in is broker/authflow's, who is signed in broker/session's, what a sign-in is worth and which attributes it releases
// trust.Evaluate's. XML and its security are trust/xmlsec's.
package samlidp
