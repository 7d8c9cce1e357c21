// Package xmlsec is the one place that knows XML and its security: a strict reader (Parse), exclusive canonicalisation
// (Element.Canonical), enveloped signatures (Verify, Sign), signatures over the query of the redirect binding (ParseQuery,
// SignQuery), encryption (Decrypt, Encrypt), and signed aggregates too large to hold (VerifyStream). It follows XML 1.0, Namespaces
// in XML 1.0, Exclusive XML Canonicalization 1.0, XML Signature 1.1 and XML Encryption 1.1, and accepts of each only what SAML needs.
//
// Its rule is to see only what is signed. Verify answers with a Verified: a tree read anew from exactly the bytes that were digested.
// What a credential says about a person is to be read from a Verified, never from what Parse gave; functions that read it take
// one, and nobody else can make one. Parts keep the proof by Verified.Part, decrypted content by Verified.Decrypt.
//
// Keys are the caller's. KeyInfo is never looked at, so no document can choose its key.
//
// What a message means (order of elements, issuer, audience, times, how many assertions) is decided by upstream/saml, where keys come
// from by upstream/keys. This package does no I/O and knows no clock.
package xmlsec
