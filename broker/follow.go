package broker

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"apostille/broker/store"
)

// Follower keeps a server's memory in step with its store, which commands and other servers write too, and with the clock: some
// of what is stored changes its meaning as time passes (a key that becomes due).
type Follower struct {
	Versions store.Versions
	Refresh  []func(context.Context) error // what to read again when the store changed
	Confirm  func()                        // called when the store was asked and nothing changed
	Every    time.Duration                 // 1 s, so that a change shows within 2 s
	Reread   time.Duration                 // read again this often though nothing changed; 0 = 1 h
	Now      func() time.Time              // nil = time.Now
	Log      *slog.Logger

	version int64
	read    time.Time // when everything was last read; zero = not by this Follower
	stale   bool      // a refresh failed: try again though the version stands
}

// Step asks once. It is called by Run, and by tests.
func (f *Follower) Step(ctx context.Context) {
	var version int64
	err := guarded(func() (err error) {
		version, err = f.Versions.Version(ctx)
		return err
	})
	if err != nil {
		f.Log.Error("asking the store for changes", "error", err)
		return
	}
	now := f.now()
	if version == f.version && !f.stale && !f.due(now) {
		f.Confirm()
		return
	}
	f.stale = false
	for _, refresh := range f.Refresh {
		if err := guarded(func() error { return refresh(ctx) }); err != nil {
			f.stale = true
			f.Log.Error("reading the store again", "error", err)
		}
	}
	f.version, f.read = version, now
}

func (f *Follower) now() time.Time {
	if f.Now == nil {
		return time.Now()
	}
	return f.Now()
}

// due says that time alone asks for another look. The first Step starts the count: a server reads everything as it starts.
func (f *Follower) due(now time.Time) bool {
	if f.read.IsZero() {
		f.read = now
	}
	every := f.Reread
	if every == 0 {
		every = time.Hour
	}
	return now.Sub(f.read) >= every
}

// Run asks until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	tick := time.NewTicker(f.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f.Step(ctx)
		}
	}
}

// guarded turns a panic into an error: one in a goroutine of ours would end the process.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic of type %T", p)
		}
	}()
	return f()
}
