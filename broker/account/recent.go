package account

import (
	"context"
	"sync"
	"time"

	"apostille/broker/audit"

	"github.com/maypok86/otter/v2"
)

// Bounds of what is remembered for people to look at. The audit trail has all of it.
const (
	recentEach     = 20
	recentSubjects = 10_000
)

// Issued is a token that was issued for somebody.
type Issued struct {
	At        time.Time
	Client    string
	Audiences []string // read-only
	Scopes    []string // read-only
}

// ring are the last tokens of one subject.
type ring struct {
	mu   sync.Mutex
	last [recentEach]Issued
	n    int // all that ever came
}

// Recent is a Recorder that remembers, in memory, the last tokens that were issued for each subject, and passes every event on. It stands in
// the way of every exchange, so that it copies nothing. Make it with NewRecent.
type Recent struct {
	next audit.Recorder
	kept *otter.Cache[string, *ring] // by sub
}

var _ audit.Recorder = (*Recent)(nil)

// NewRecent remembers what goes to next.
func NewRecent(next audit.Recorder) *Recent {
	return &Recent{next: next, kept: otter.Must(&otter.Options[string, *ring]{MaximumSize: recentSubjects})}
}

// Record implements audit.Recorder. What could not be recorded is not remembered either.
func (r *Recent) Record(ctx context.Context, e *audit.Event) error {
	if err := r.next.Record(ctx, e); err != nil {
		return err
	}
	if e.Event != audit.EventIssued || e.Subject == "" {
		return nil
	}
	one, ok := r.kept.GetIfPresent(e.Subject)
	if !ok {
		one, _ = r.kept.SetIfAbsent(e.Subject, &ring{})
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	one.last[one.n%recentEach] = Issued{At: e.Time, Client: e.Client, Audiences: e.Audiences, Scopes: e.Granted}
	one.n++
	return nil
}

// Of lists what was issued for a subject, the newest first, at most 20, since this server started.
func (r *Recent) Of(sub string) []Issued {
	one, ok := r.kept.GetIfPresent(sub)
	if !ok {
		return nil
	}
	one.mu.Lock()
	defer one.mu.Unlock()
	out := make([]Issued, 0, recentEach)
	for i := one.n - 1; i >= 0 && i >= one.n-recentEach; i-- {
		out = append(out, one.last[i%recentEach])
	}
	return out
}
