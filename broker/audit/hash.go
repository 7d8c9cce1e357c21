package audit

import (
	"crypto/sha256"
	"encoding/hex"
)

// Hash is the SHA-256 of a credential in hex: how it is named where it must not stand.
func Hash(credential string) string {
	sum := sha256.Sum256([]byte(credential))
	return hex.EncodeToString(sum[:])
}
