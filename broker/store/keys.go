package store

import (
	"context"
	"fmt"
	"time"
)

// Key is a private key of the broker, wrapped. What its states and times mean is broker/keyring's.
type Key struct {
	ID       string // kid: RFC 7638 thumbprint
	Purpose  string // what it is for, e.g. "token"
	Alg      string // JWS algorithm, e.g. "ES256", or "RSA-OAEP"
	Wrapped  []byte // private key (PKCS#8 DER) under the key-encryption key; never in the clear
	Public   []byte // PKIX DER
	Created  time.Time
	ActiveAt time.Time // when it signs from; zero = standby, not scheduled
	RetireAt time.Time // when it stops signing; zero = not scheduled
	GoneAt   time.Time // when it leaves the published set; zero = not scheduled
}

// Keys keeps the broker's private keys.
type Keys interface {
	// ListKeys returns all keys, ordered by Created, then ID.
	ListKeys(ctx context.Context) ([]Key, error)
	// ChangeKeys reads the keys (ordered as ListKeys), lets change compute the new full list, and writes it, in one
	// transaction: two processes MUST NOT interleave, and a reader MUST see all of it or none.
	//
	// change MUST NOT call the store, and holds every other writer up while it runs: make keys before. Its error is
	// returned as it is (wrapped at most) and, like a panic in it, leaves everything as it was. A list with an empty or
	// repeated ID is ErrInvalid.
	ChangeKeys(ctx context.Context, change func([]Key) ([]Key, error)) error
}

// CheckKeys says whether a list may be stored: ErrInvalid, naming the ID, if one is empty or stands there twice.
func CheckKeys(list []Key) error {
	seen := make(map[string]bool, len(list))
	for _, k := range list {
		switch {
		case k.ID == "":
			return fmt.Errorf("%w: a key without an ID", ErrInvalid)
		case seen[k.ID]:
			return fmt.Errorf("%w: key %q stands there twice", ErrInvalid, k.ID)
		}
		seen[k.ID] = true
	}
	return nil
}
