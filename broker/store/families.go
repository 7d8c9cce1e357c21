package store

import (
	"context"
	"crypto/sha256"
	"time"
)

// Hash is the SHA-256 of a secret handle: a code, a refresh token, a session's cookie. Handles themselves are never stored.
type Hash = [sha256.Size]byte

// Family is what one sign-in led to at one application: a code, then refresh tokens and access tokens, which end together.
type Family struct {
	ID      string // random, public: the claim `family` of its tokens
	Session string // Session.ID it began in; "" = none any more
	Client  string
	Trust   string // origin
	Sub     string
	SID     string // `sid` of its ID tokens
	// Subject is the verified sign-in and what was asked for, as broker/family writes it. Secrets in it are sealed.
	Subject []byte
	Created time.Time
	Until   time.Time // nothing of it lives longer
	Ended   time.Time // revoked, reused, logged out; zero = lives
	Why     string    // of Ended: a word such as "logout", "reuse", "revoked", "consent"
}

// Words for Family.Why that the store itself writes.
const (
	WhyReuse   = "reuse"   // a code or refresh token of it was presented a second time
	WhyLogout  = "logout"  // its session, or its identity in that session, was ended
	WhyConsent = "consent" // the consent it rested on was withdrawn
)

// Lives reports whether f is neither ended nor over.
func (f Family) Lives(now time.Time) bool { return f.Ended.IsZero() && f.Until.After(now) }

// Code is an authorization code that was issued.
type Code struct {
	Hash    Hash
	Value   []byte    // client, redirect URI, challenge, nonce, sign-in …, as broker/family writes it
	Session string    // Session.ID
	Until   time.Time // it may be redeemed
	Family  string    // "" = not redeemed; otherwise what it was redeemed for
}

// Refresh is one refresh token.
type Refresh struct {
	Hash   Hash
	Family string
	Until  time.Time // idle bound
	Used   bool      // it has a successor; of what Families.Refresh returns
}

// Rotation of a refresh token: Old is presented, Next takes its place.
type Rotation struct {
	Old    Hash
	Client string
	Next   Refresh
	Answer []byte        // sealed; whoever presents Old again within Grace gets it again
	Grace  time.Duration // 0 = never
}

// Rotated is what came of a rotation.
type Rotated int

const (
	RotationUnknown Rotated = iota // no such token, or expired, or its family ended, or of another client: nothing changed
	RotationDone                   // Next stands, Answer is kept
	RotationRepeat                 // within grace, successor unused: Answer of the first rotation is returned, nothing changed
	RotationReused                 // the family has been ended by this call, or was by an earlier reuse
)

// Families keeps codes, families and refresh tokens. Every method is one transaction: two processes MUST NOT interleave in it, and what
// it acknowledged is durable.
type Families interface {
	// PutCode stores a code. An existing Hash is ErrInvalid.
	PutCode(ctx context.Context, c Code) error
	// Code returns a code, redeemed ones too, as long as it is kept (until some time after Until, so that reuse is seen).
	Code(ctx context.Context, h Hash) (Code, bool, error)
	// RedeemCode marks the code as redeemed for f, stores f and, if r is not nil, its first refresh token. first is true for exactly
	// one call ever. A code that was redeemed before ends its family ("reuse") in the same transaction; first is then false, as for a
	// code that is unknown or expired.
	RedeemCode(ctx context.Context, h Hash, f Family, r *Refresh) (first bool, err error)
	// Family returns a family, ended ones too.
	Family(ctx context.Context, id string) (Family, bool, error)
	// Refresh returns the family of a refresh token that is stored, used or not, ended or not.
	Refresh(ctx context.Context, h Hash) (Refresh, Family, bool, error)
	// Rotate replaces a refresh token by its successor: see Rotated. answer is the one kept for Old: with RotationDone the caller's own,
	// with RotationRepeat the first one's. One successor row is ever made for a token. Grace counts from the first rotation.
	Rotate(ctx context.Context, r Rotation) (out Rotated, answer []byte, err error)
	// UpdateFamily replaces Subject, and Until if that shortens it, of a family that lives; false = it does not.
	UpdateFamily(ctx context.Context, id string, subject []byte, until time.Time) (bool, error)
	// EndFamilies ends every living family that matches q (at least one field set, all must match; else ErrInvalid) and returns them as
	// they were.
	EndFamilies(ctx context.Context, q FamilyQuery, why string) ([]Family, error)
	// ListFamilies returns the living families that match, the newest first, at most limit.
	ListFamilies(ctx context.Context, q FamilyQuery, limit int) ([]Family, error)
}

// FamilyQuery selects families; empty fields match all.
type FamilyQuery struct{ ID, Session, Client, Trust, Sub string }
