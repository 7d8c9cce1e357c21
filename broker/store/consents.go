package store

import (
	"context"
	"time"
)

// Consent is what a subject allows a client.
type Consent struct {
	Sub, Client string
	Scopes      map[string][]string // API ID → scopes
	Given       time.Time
}

// Consents keeps them, by (sub, client).
type Consents interface {
	// Consent returns it; none is (Consent{}, false, nil).
	Consent(ctx context.Context, sub, client string) (Consent, bool, error)
	// PutConsent replaces it. Given zero is the store's clock.
	PutConsent(ctx context.Context, c Consent) error
	// WithdrawConsent deletes it, ends the families of (sub, client) ("consent") and deletes the codes that nobody has redeemed of every
	// session of the subject, in one transaction; it returns the families. Codes do not say whose they are: another application's goes
	// too, and its person signs in again.
	WithdrawConsent(ctx context.Context, sub, client string) ([]Family, error)
	// ListConsents returns those of a subject, ordered by client.
	ListConsents(ctx context.Context, sub string) ([]Consent, error)
}
