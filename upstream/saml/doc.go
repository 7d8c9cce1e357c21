// Package saml is VERIFY for SAML 2.0: it turns an assertion of another domain into a trust.Subject, with the list of checks it made,
// or refuses. It follows SAML Core 2.0, the bearer confirmation of SAML Profiles 2.0 §4.1.4 and RFC 7522 §3.
//
// The order is always the same: bytes (caps, base64), shape (one assertion anywhere, the signature its child), signature by the keys
// of its issuer, and only then meaning. Meaning is read into structs of our own from a tree of trust/xmlsec that was read anew
// from exactly the bytes that were signed; nothing else of the document is looked at, but for the Issuer, which says whose keys
// to try and is compared again afterwards.
//
// What has no use in an assertion that we accept refuses it: Advice, extensions, statements other than authentication and attributes,
// a second one of anything. Where the keys come from is upstream/keys' affair, once-only use the store's, what the subject is worth
// trust.Evaluate's.
//
// ServiceProvider is the same choke point for logins (SAML Profiles 2.0 §4.1, §4.4): AuthnRequests, the answers to them, single logout both ways
// and our metadata. What we send is made of crewjam/saml's messages and signed by trust/xmlsec; what comes is read by ours alone. State between
// Begin and Finish, its binding to a browser, and once-only use are the caller's, who has the store.
package saml
