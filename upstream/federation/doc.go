// Package federation takes the signed metadata of whole federations: thousands of identity providers by one entry (SAML Metadata 2.0, Metadata
// Extensions for Login and Discovery UI 1.0, for Registration and Publication Information 1.0, for Entity Attributes 1.0, Shibboleth's
// shibmd:Scope). It implements trust.Directory.
//
//	URL or file ─► download ─► xmlsec.VerifyStream ─► stage (a file) ─► signature holds ─► rename ─► Index ─► Directory
//
// An aggregate is read once, in a stream, member by member, into an index beside the store that counts only after the signature has held. In memory
// are the words to find a member by; its certificates and places are read from the index when somebody needs them. Whatever is wrong with a new
// aggregate, the last good one stays, until its own validUntil. With MDQ members are asked for one at a time (MDQ, draft-young-md-query).
//
// Pinned keys are the caller's, which must not take them from what it fetches. What members may do is policy, in trust; how one is talked to is
// upstream/saml's.
package federation
