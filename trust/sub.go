package trust

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// These separate the hashes from each other and from every other use of SHA-256, and version the derivations.
const (
	subLabel      = "apostille-sub-v1"
	pairwiseLabel = "apostille-pairwise-v1"
	sidLabel      = "apostille-sid-v1"
)

// clientPrefix begins the `sub` of a client. The colon keeps it apart from every derived sub, which is base64url.
const clientPrefix = "client:"

// DeriveSub makes our `sub` of a foreign identity: the unpadded base64url of SHA-256 over (label, domain, kind,
// value), each preceded by its length as 8 bytes, big endian. The lengths make the encoding unambiguous: no
// two different triples hash the same bytes. The result is 43 characters and never changes; a golden test pins it.
func DeriveSub(domain, kind, value string) string { return digest(subLabel, domain, kind, value) }

// PairwiseSub makes the subject that the applications of a sector see instead of sub (OpenID Connect Core §8.1): the same hash over
// (label, salt, sector, sub). salt is secret, so that two sectors cannot find out whether they know the same person.
func PairwiseSub(salt []byte, sector, sub string) string {
	return digest(pairwiseLabel, string(salt), sector, sub)
}

// SID makes the `sid` that one application sees of a session (OpenID Connect Back-Channel Logout §2.1): the same hash over (label,
// session, client), so that two applications cannot tell by it that they share a session. session is Session.ID of broker/store.
func SID(session, client string) string { return digest(sidLabel, session, client) }

// digest hashes parts, each preceded by its length.
func digest(parts ...string) string {
	buf := make([]byte, 0, 512) // on the stack, for all but extreme values
	for _, p := range parts {
		buf = binary.BigEndian.AppendUint64(buf, uint64(len(p)))
		buf = append(buf, p...)
	}
	sum := sha256.Sum256(buf)
	var text [43]byte
	base64.RawURLEncoding.Encode(text[:], sum[:])
	return string(text[:])
}

// ClientSub is the `sub` of a client acting for itself: "client:ID".
func ClientSub(clientID string) string { return clientPrefix + clientID }
