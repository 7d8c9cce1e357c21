package audit

import (
	"context"
	"errors"
)

// ErrUnavailable is returned for an event that was not, or not surely, recorded. It wraps the cause.
var ErrUnavailable = errors.New("audit: not recorded")

// Recorder records decisions.
type Recorder interface {
	// Record returns nil only after write(2) took the whole line. Any other answer is ErrUnavailable, after 2 s at the
	// latest, or when ctx is done: then nothing may be issued. The line may still appear later; a record of what was not
	// issued is harmless, the reverse is not. MUST be safe for concurrent use, and MUST NOT keep or change e.
	Record(ctx context.Context, e *Event) error
}
