package broker_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"apostille/broker"
)

// versions answers what tests set.
type versions struct {
	n      int64
	err    error
	panics bool
}

func (v *versions) Version(context.Context) (int64, error) {
	if v.panics {
		panic("a library's")
	}
	return v.n, v.err
}

// followed counts what a Follower does.
type followed struct {
	*broker.Follower
	store             *versions
	now               time.Time
	refreshed, second int
	confirmed         int
	fails             error
	panics            bool
}

func follow() *followed {
	f := &followed{store: &versions{}, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	f.Follower = &broker.Follower{
		Versions: f.store, Confirm: func() { f.confirmed++ }, Every: time.Second, Now: func() time.Time { return f.now }, Log: slog.New(slog.DiscardHandler),
		Refresh: []func(context.Context) error{
			func(context.Context) error {
				f.refreshed++
				if f.panics {
					panic("a library's")
				}
				return f.fails
			},
			func(context.Context) error { f.second++; return nil },
		},
	}
	return f
}

func TestAFollowerReadsWhatChangedAndConfirmsWhatDidNot(t *testing.T) {
	t.Parallel()
	f := follow()
	step := func(what string, refreshed, confirmed int) {
		t.Helper()
		f.Step(t.Context())
		if f.refreshed != refreshed || f.second != refreshed || f.confirmed != confirmed {
			t.Errorf("%s: %d and %d refreshes, %d confirmations, wanted %d and %d", what, f.refreshed, f.second, f.confirmed, refreshed, confirmed)
		}
	}
	step("nothing changed", 0, 1)
	f.store.n = 1
	step("something changed", 1, 1)
	step("nothing changed since", 1, 2)
	f.store.err = errors.New("locked")
	f.store.n = 2
	step("the store does not answer: nothing is confirmed", 1, 2)
	f.store.err = nil
	step("it answers again", 2, 2)
	f.now = f.now.Add(59 * time.Minute)
	step("nothing changed for less than an hour", 2, 3)
	f.now = f.now.Add(time.Minute)
	step("nothing changed for an hour: time may have changed its meaning", 3, 3)
	step("and then not again", 3, 4)
}

func TestAFailedRefreshIsTriedAgainAndHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	f := follow()
	f.store.n, f.fails = 1, errors.New("corrupt")
	for i := range 3 {
		f.Step(t.Context())
		if f.refreshed != i+1 || f.second != i+1 || f.confirmed != 0 {
			t.Fatalf("step %d: %d and %d refreshes, %d confirmations", i, f.refreshed, f.second, f.confirmed)
		}
	}
	f.fails = nil
	f.Step(t.Context())
	f.Step(t.Context())
	if f.refreshed != 4 || f.confirmed != 1 {
		t.Errorf("after it was mended: %d refreshes, %d confirmations", f.refreshed, f.confirmed)
	}
}

func TestR15_APanicWhileFollowingIsAFailedStep(t *testing.T) {
	t.Parallel()
	f := follow()
	f.store.panics = true
	f.Step(t.Context())
	f.store.panics = false
	f.store.n, f.panics = 1, true
	f.Step(t.Context())
	if f.confirmed != 0 || f.second != 1 {
		t.Errorf("%d confirmations, %d refreshes of the other", f.confirmed, f.second)
	}
	f.panics = false
	f.Step(t.Context())
	if f.refreshed != 2 || f.second != 2 {
		t.Errorf("%d and %d refreshes", f.refreshed, f.second)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	f := follow()
	f.Every = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	stepped := make(chan struct{}, 1)
	f.Confirm = func() {
		select {
		case stepped <- struct{}{}:
		default:
		}
	}
	done := make(chan struct{})
	go func() { f.Run(ctx); close(done) }()
	<-stepped
	cancel()
	<-done
}
