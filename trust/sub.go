package trust

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// subLabel separates these hashes from every other use of SHA-256, and versions the derivation.
const subLabel = "apostille-sub-v1"

// clientPrefix begins the `sub` of a client. The colon keeps it apart from every derived sub, which is base64url.
const clientPrefix = "client:"

// DeriveSub makes our `sub` of a foreign identity: the unpadded base64url of SHA-256 over (label, domain, kind,
// value), each preceded by its length as 8 bytes, big endian. The lengths make the encoding unambiguous: no
// two different triples hash the same bytes. The result is 43 characters and never changes; a golden test pins it.
func DeriveSub(domain, kind, value string) string {
	parts := [...]string{subLabel, domain, kind, value}
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
