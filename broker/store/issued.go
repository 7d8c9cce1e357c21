package store

import (
	"context"
	"time"
)

// Opaque is an access token that is a mere handle: its claims stand here.
type Opaque struct {
	Hash   Hash
	Family string // "" = none
	Claims []byte // JSON, as a JWT of the same decision would carry
	Until  time.Time
}

// Issued keeps what must be known of access tokens that are out: opaque ones, and revocations.
type Issued interface {
	PutOpaque(ctx context.Context, o Opaque) error
	Opaque(ctx context.Context, h Hash) (Opaque, bool, error)
	// RevokeToken remembers a jti until the token's end. MUST be durable (THREATS A104).
	RevokeToken(ctx context.Context, jti string, until time.Time) error
	// TokenRevoked says whether the jti was revoked or the family ("" = none) ended or is unknown. One read.
	TokenRevoked(ctx context.Context, jti, family string) (bool, error)
}
