package keys

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// How long a caller waits, counted from the start of the fetch and not from its own arrival, so that a slow upstream costs
// everybody together one such wait per attempt.
const (
	waitCold    = 5 * time.Second // nothing to serve
	waitMiss    = 3 * time.Second // a kid that the set lacks
	waitOverdue = 2 * time.Second // a set past MaxAge that may still serve
)

// Bounds of what may be under way at once.
const (
	maxDemand    = 64  // fetches that look-ups started
	maxRefreshes = 8   // background refreshes of upstreams that answered last time
	maxRetries   = 4   // background refreshes of those that did not
	maxWaiters   = 64  // callers waiting for one fetch
	maxWaiting   = 256 // callers waiting for any, unless Config says
)

// fetchTimeout bounds a fetch whatever the client's own limits are.
const fetchTimeout = 25 * time.Second

// flight is one fetch under way; callers that need it share it.
type flight struct {
	done    chan struct{} // closed when the entry has its outcome
	started time.Time     // on the real clock: it bounds waits
	waiters atomic.Int32
}

// why a fetch is started decides what may hold it back.
type why int

const (
	forCold    why = iota // bucket and pause
	forMiss               // bucket and pause
	forOverdue            // pause
	forRefresh            // pause
)

// start returns the fetch under way, or begins one; nil if none may begin now.
func (c *Cache) start(e *entry, reason why, now time.Time) *flight {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.flight != nil {
		return e.flight
	}
	if now.Before(e.notBefore) {
		return nil
	}
	lane := c.lane(reason, e.failures > 0)
	select {
	case lane <- struct{}{}:
	default:
		return nil
	}
	if (reason == forCold || reason == forMiss) && !e.misses.AllowN(now, 1) || !c.enter() {
		<-lane
		return nil
	}
	f := &flight{done: make(chan struct{}), started: time.Now()}
	e.flight = f
	go func() {
		defer c.leave()
		defer func() { <-lane }()
		c.fly(e, f)
	}()
	return f
}

func (c *Cache) lane(reason why, failing bool) chan struct{} {
	switch {
	case reason != forRefresh:
		return c.demand
	case failing:
		return c.retries
	}
	return c.refreshes
}

// enter counts a goroutine in; false after Run has ended.
func (c *Cache) enter() bool {
	c.closing.Lock()
	defer c.closing.Unlock()
	if c.closed {
		return false
	}
	c.flights.Add(1)
	return true
}

func (c *Cache) leave() { c.flights.Done() }

// fly does one fetch, records the outcome, lets the waiting go, and then stores what changed.
func (c *Cache) fly(e *entry, f *flight) {
	s, err := c.fetchState(e)
	if err != nil {
		e.failed(err, c.cfg.Now())
		c.cfg.Log.Warn("keys not fetched", slog.String("source", e.source.name()), slog.Any("error", err))
	} else {
		e.succeeded(s)
	}
	e.mu.Lock()
	e.flight = nil
	e.mu.Unlock()
	close(f.done)
	c.guard("storing keys", func() error {
		c.report(e, err)
		if err == nil {
			c.save(e, s)
		}
		return nil
	})
}

// fetchState fetches and parses under recover: a panic in a library is one upstream's failed fetch.
func (c *Cache) fetchState(e *entry) (s *state, err error) {
	ctx, cancel := context.WithTimeout(c.ctx, fetchTimeout)
	defer cancel()
	err = c.guard("fetching keys", func() error {
		d, err := c.fetchDocument(ctx, e)
		if err != nil {
			return err
		}
		s, err = c.newState(e, d, c.cfg.Now())
		return err
	})
	return s, err
}

// guard turns a panic of f into an error, and logs where it came from.
func (c *Cache) guard(what string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.cfg.Log.Error("panic recovered", slog.String("while", what), slog.String("stack", string(debug.Stack())))
			err = fmt.Errorf("panic while %s", what)
		}
	}()
	return f()
}

var errWait = errors.New("no answer yet")

// wait waits for a flight, at most until its patience ends or ctx does.
func (c *Cache) wait(ctx context.Context, f *flight, patience time.Duration) error {
	left := patience - time.Since(f.started)
	if left <= 0 {
		return errWait
	}
	defer f.waiters.Add(-1)
	if f.waiters.Add(1) > maxWaiters {
		return errWait
	}
	defer c.waiting.Add(-1)
	if int(c.waiting.Add(1)) > c.cfg.MaxWaiting {
		return errWait
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-f.done:
		return nil
	case <-timer.C:
		return errWait
	case <-ctx.Done():
		return ctx.Err()
	}
}
