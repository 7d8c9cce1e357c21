package broker

import (
	"context"
	"log/slog"
	"time"

	"apostille/broker/store"
)

// Follower keeps a server's memory in step with its store, which commands and other servers write too.
type Follower struct {
	Versions store.Versions
	Refresh  []func(context.Context) error // what to read again when the store changed
	Confirm  func()                        // called when the store was asked and nothing changed
	Every    time.Duration                 // 1 s, so that a change shows within 2 s
	Log      *slog.Logger

	version int64
	stale   bool // a refresh failed: try again though the version stands
}

// Step asks once. It is called by Run, and by tests.
func (f *Follower) Step(ctx context.Context) {
	version, err := f.Versions.Version(ctx)
	if err != nil {
		f.Log.Error("asking the store for changes", "error", err)
		return
	}
	if version == f.version && !f.stale {
		f.Confirm()
		return
	}
	f.stale = false
	for _, refresh := range f.Refresh {
		if err := refresh(ctx); err != nil {
			f.stale = true
			f.Log.Error("reading the store again", "error", err)
		}
	}
	f.version = version
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
