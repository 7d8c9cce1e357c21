package audit

import (
	"crypto/sha256"
	"encoding/hex"
)

// Hash is the SHA-256 of a credential in hex: how it is named where it must not stand.
func Hash(credential string) string {
	h := sha256.New()
	var part [512]byte // a conversion to []byte would copy the whole credential to the heap
	for rest := credential; rest != ""; {
		n := copy(part[:], rest)
		h.Write(part[:n])
		rest = rest[n:]
	}
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	var text [2 * sha256.Size]byte
	hex.Encode(text[:], sum[:])
	return string(text[:])
}
