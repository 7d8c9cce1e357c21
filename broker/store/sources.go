package store

import (
	"context"
	"time"
)

// Source is where the claims of one login come from when its upstream is asked again. All that rests on the login shares it, since an
// upstream that rotates its refresh token takes one of them once.
type Source struct {
	Hash    Hash   // of session, trust, person and the refresh token that the upstream gave at the login
	Session string // Session.ID of the login; "" = of none
	Trust   string
	Value   []byte // what it gave since, as broker/family writes it, sealed
	Until   time.Time
}

// Sources keeps them, until the identity that they belong to is ended (Sessions.EndSessions), or their time is over.
type Sources interface {
	// Source finds one. One that is over is not found.
	Source(ctx context.Context, h Hash) (Source, bool, error)
	// PutSource stores s in the place of one whose Value is was; nil = there is none. false: it is another by now, or gone. At most one of
	// several calls with the same was MUST succeed.
	PutSource(ctx context.Context, s Source, was []byte) (bool, error)
}

// CheckSource says whether s may be stored.
func CheckSource(s Source) error {
	switch {
	case s.Hash == Hash{}:
		return invalid("a source without a hash")
	case s.Until.IsZero():
		return invalid("a source without an end")
	case len(s.Value) == 0:
		return invalid("a source without a value")
	}
	return nil
}
