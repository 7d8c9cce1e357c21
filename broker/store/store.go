package store

import "context"

// Versions lets a server see what commands beside it wrote.
type Versions interface {
	// Version MUST change with every committed write to keys or subjects, by any handle or process, and SHOULD NOT change
	// otherwise. Once a Version is seen, the writes behind it MUST be readable. Cheap: asked every second.
	Version(ctx context.Context) (int64, error)
}

// Store is all of it.
type Store interface {
	Replay
	Keys
	KeySets
	Subjects
	Pendings
	Families
	Sessions
	Sources
	Consents
	Issued
	Deliveries
	Versions
	// Ping says whether the store answers. It writes nothing.
	Ping(ctx context.Context) error
	// Close answers the writes that wait, then releases everything. Later calls return ErrClosed; a second Close does
	// nothing.
	Close() error
}
