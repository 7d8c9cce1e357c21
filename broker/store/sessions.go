package store

import (
	"context"
	"time"
)

// Session is an SSO session of one browser: one identity per trust.
type Session struct {
	ID         string // random, not secret; the cookie's hash finds it
	Created    time.Time
	Seen       time.Time // last use
	IdleUntil  time.Time
	Until      time.Time // absolute
	Agent      string    // browser, in a few words for its owner; at most 200 bytes
	Remote     string    // address at creation
	Identities []Identity
}

// Identity is one signed-in person of a session.
type Identity struct {
	Trust    string
	Sub      string
	SID      string // upstream's session; "" = none
	AuthTime time.Time
	SignedIn time.Time // when the login was finished here
	Until    time.Time // session_max and what the upstream said
	Value    []byte    // the verified subject, as broker/session writes it
}

// Sessions keeps them. The cookie's value is secret: only its Hash is stored. A session whose IdleUntil, Until or End is over is not
// found; an identity whose Until is over is left out.
type Sessions interface {
	// CreateSession stores a session under its cookie's hash.
	CreateSession(ctx context.Context, cookie Hash, s Session) error
	// Session finds one.
	Session(ctx context.Context, cookie Hash) (Session, bool, error)
	// RenewSession gives the session a new cookie hash (id rotated at login, THREATS A110), adds or replaces the identity of the same
	// trust and sets Seen and IdleUntil. The old hash finds nothing any more. false: no such session.
	RenewSession(ctx context.Context, old, new Hash, add Identity, seen, idleUntil time.Time) (bool, error)
	// TouchSession sets Seen and IdleUntil; it need not be durable.
	TouchSession(ctx context.Context, cookie Hash, seen, idleUntil time.Time) error
	// EndSessions ends every session that matches and ends, in the same transaction, the families that began in them ("logout") and
	// their sources; it returns sessions and families as they were. Families that were over before are among them, unless a logout or a
	// consent ended them: their applications may still have the person signed in, and must be told. With Trust, Sub or SID set only that
	// identity is taken out, and the families of that trust and sub in the session; a session without identities ends. Sessions that are over count too, as long as one
	// of their identities is not: families that began in them may live.
	EndSessions(ctx context.Context, q SessionQuery) ([]Session, []Family, error)
	// ListSessions returns living sessions that match, the newest first, at most limit.
	ListSessions(ctx context.Context, q SessionQuery, limit int) ([]Session, error)
}

// SessionQuery selects sessions; empty fields match all, at least one MUST be set (ErrInvalid).
type SessionQuery struct{ ID, Trust, Sub, SID string }
