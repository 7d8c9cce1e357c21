package store

import (
	"context"
	"time"
)

// Delivery is a back-channel logout that an application is to be told of.
type Delivery struct {
	ID       string
	Client   string
	URI      string
	Sub, SID string // as the application knows them
	Session  string // Session.ID that ended, for the report
	Created  time.Time
	NextAt   time.Time // when to try (again)
	Attempts int
	Done     time.Time // accepted by the application; zero = not
	Failed   time.Time // given up; zero = not
	Error    string    // of the last attempt, a few words without content of strangers
}

// Deliveries keeps them; done and failed ones for a day, for the report.
type Deliveries interface {
	PutDeliveries(ctx context.Context, list []Delivery) error
	// DueDeliveries leases at most limit deliveries whose NextAt is over: their NextAt moves to lease, so that no other process takes
	// them meanwhile.
	DueDeliveries(ctx context.Context, lease time.Time, limit int) ([]Delivery, error)
	// UpdateDelivery writes the outcome of an attempt.
	UpdateDelivery(ctx context.Context, d Delivery) error
	// ListDeliveries returns those of a session ("" = all), the newest first, at most limit.
	ListDeliveries(ctx context.Context, session string, limit int) ([]Delivery, error)
}
