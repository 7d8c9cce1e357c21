package store

import (
	"context"
	"time"
)

// Pending is something that waits to be fetched once: an unfinished login, a pushed authorization request, a login's result.
type Pending struct {
	Value []byte    // the owner's; at most MaxPending bytes, with Vouched MaxVouched
	Until time.Time // gone from then on
	// Vouched: somebody known made the value, so that it may be larger than what strangers can have stored. It is not stored itself.
	Vouched bool
}

// The longest values of a Pending, in bytes. A SAML Response may be 1 MB; encoded, sealed and encoded again that is nearly twice as much.
const (
	MaxPending = 8 << 10
	MaxVouched = 2 << 20
)

// Pendings keeps one-time things under (kind, handle). kind is a constant of the program, so that a handle of one kind never finds
// another (THREATS A102); handle is random and secret: implementations keep its SHA-256 only.
type Pendings interface {
	// PutPending stores p. A second Put under the same kind and handle is ErrInvalid, as is an empty one or too long a value. It MUST be
	// durable. A bounded store that is full drops the oldest of the kind (THREATS A120).
	PutPending(ctx context.Context, kind, handle string, p Pending) error
	// PeekPending returns it and leaves it. None, or a time that is over, is (Pending{}, false, nil).
	PeekPending(ctx context.Context, kind, handle string) (Pending, bool, error)
	// TakePending returns and removes it. At most one call MUST ever return true, as with Replay.Claim; the removal MUST be durable
	// before it returns.
	TakePending(ctx context.Context, kind, handle string) (Pending, bool, error)
}

// PendingHash is what implementations keep of a kind and a handle: SHA-256 over both, each behind its length, so that no two pairs share
// their bytes. An empty kind or handle is ErrInvalid.
func PendingHash(kind, handle string) (Hash, error) {
	if kind == "" || handle == "" {
		return Hash{}, invalid("a pending thing needs a kind and a handle")
	}
	return digest("apostille-pending-v1", kind, handle), nil
}
