package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// KindSubject is the kind of foreign credentials that are good once, at whatever entry they come in: exchange or login.
const KindSubject = "subject_token"

// Replay remembers one-time things: the jti of a token, of a client assertion.
type Replay interface {
	// Claim marks (kind, issuer, id) as used until the given time, and says whether it was unused.
	//
	//   - At most one call MUST ever return true for a triple before its time is over: across goroutines, handles,
	//     processes and restarts. The mark MUST be durable before Claim returns true.
	//   - A refused claim MUST leave the mark as it is; it neither prolongs nor shortens it.
	//   - ctx bounds the caller's own wait only: a cancelled caller MUST NOT fail anybody else's claim.
	//   - After an error the mark may stand or not. The caller MUST then refuse what it wanted to claim for.
	//
	// kind names the sort of thing ("subject_token", "client_assertion") and MUST be a constant of the program. kind and id
	// MUST NOT be empty (ErrInvalid); issuer may be, for things of the broker's own. A time that is not after the
	// store's clock is ErrExpired; callers pass the credential's end plus the clock skew they allow.
	Claim(ctx context.Context, kind, issuer, id string, until time.Time) (first bool, err error)
	// Claimed says whether (kind, issuer, id) is marked at this moment. It promises nothing about the next: it is for effects that do no
	// harm twice, which are claimed when they have taken place, so that one which failed can be tried again.
	Claimed(ctx context.Context, kind, issuer, id string) (bool, error)
}

// ReplayMark is what implementations keep of a triple.
type ReplayMark [sha256.Size]byte

// NewReplayMark derives the mark of a triple: SHA-256 over its three parts, each behind its length in 8 bytes, so
// that no two triples share their bytes. A digest bounds what an id of any size costs, and keeps identifiers of
// people out of the file. An empty kind or id is ErrInvalid.
func NewReplayMark(kind, issuer, id string) (ReplayMark, error) {
	if kind == "" || id == "" {
		return ReplayMark{}, fmt.Errorf("%w: a claim needs a kind and an id", ErrInvalid)
	}
	return digest(kind, issuer, id), nil
}

// digest is SHA-256 over parts, each behind its length in 8 bytes.
func digest(parts ...string) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, part := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		io.WriteString(h, part)
	}
	h.Sum(sum[:0])
	return sum
}
