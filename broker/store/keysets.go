package store

import (
	"context"
	"time"
)

// KeySet is a last good key set of an upstream, as it came: its reader MUST check it like a fetched one.
type KeySet struct {
	JWKS    []byte
	JWKSURI string    // as discovered; "" if the source has no discovery
	Fetched time.Time // when the upstream last gave it
}

// KeySets keeps last good key sets, so that a restart during an upstream's outage works.
type KeySets interface {
	// LoadKeySet returns the last set saved for source; none is (KeySet{}, false, nil).
	LoadKeySet(ctx context.Context, source string) (KeySet, bool, error)
	// SaveKeySet replaces the set of source. source names where keys come from and MUST NOT be empty (ErrInvalid).
	SaveKeySet(ctx context.Context, source string, s KeySet) error
}
