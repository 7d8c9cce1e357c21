package account

import (
	"context"
	"sync"

	"apostille/broker/audit"

	"github.com/maypok86/otter/v2"
)

// Bounds of what is remembered for people to look at. The audit trail has all of it.
const (
	recentEach     = 20
	recentSubjects = 10_000
)

// Recent is a Recorder that remembers, in memory, the last tokens that were issued for each subject, and passes every event on. Make it
// with NewRecent.
type Recent struct {
	next audit.Recorder
	mu   sync.Mutex
	kept *otter.Cache[string, []audit.Event] // by sub, the newest last
}

var _ audit.Recorder = (*Recent)(nil)

// NewRecent remembers what goes to next.
func NewRecent(next audit.Recorder) *Recent {
	return &Recent{next: next, kept: otter.Must(&otter.Options[string, []audit.Event]{MaximumSize: recentSubjects})}
}

// Record implements audit.Recorder. What could not be recorded is not remembered either.
func (r *Recent) Record(ctx context.Context, e *audit.Event) error {
	if err := r.next.Record(ctx, e); err != nil {
		return err
	}
	if e.Event != audit.EventIssued || e.Subject == "" {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	list, _ := r.kept.GetIfPresent(e.Subject)
	list = append(append(make([]audit.Event, 0, len(list)+1), list...), *e)
	if len(list) > recentEach {
		list = list[len(list)-recentEach:]
	}
	r.kept.Set(e.Subject, list)
	return nil
}

// Of lists what was issued for a subject, the newest first, at most 20, since this server started.
func (r *Recent) Of(sub string) []audit.Event {
	list, _ := r.kept.GetIfPresent(sub)
	out := make([]audit.Event, 0, len(list))
	for i := len(list) - 1; i >= 0; i-- {
		out = append(out, list[i])
	}
	return out
}
