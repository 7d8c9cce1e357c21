package audit

import (
	"context"
	"sync"
	"time"
)

// SampleOptions of Sampled.
type SampleOptions struct {
	PerSecond int              // records let through per second; 0 = 10
	Now       func() time.Time // nil = time.Now
	OnDrop    func()           // called for each record that is not; nil = nothing
}

// Sampler is a Recorder for refusals made before client and issuer are known: what any stranger can cause as fast as
// the network carries it. It lets some through, counts the rest, and says how many in an EventDropped, at most once a
// second. It is not for decisions that something is issued on: what it drops, it calls recorded.
type Sampler struct {
	rec    Recorder
	per    int
	now    func() time.Time
	onDrop func()

	mu      sync.Mutex
	second  int64 // the second that passed counts
	passed  int
	dropped int64 // not yet told
}

var _ Recorder = (*Sampler)(nil)

// Sampled bounds what goes to rec.
func Sampled(rec Recorder, o SampleOptions) *Sampler {
	if o.PerSecond <= 0 {
		o.PerSecond = 10
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnDrop == nil {
		o.OnDrop = func() {}
	}
	return &Sampler{rec: rec, per: o.PerSecond, now: o.Now, onDrop: o.OnDrop}
}

// Record implements Recorder; for a dropped event it returns nil.
func (s *Sampler) Record(ctx context.Context, e *Event) error {
	pass, untold := s.admit()
	if !pass {
		s.onDrop()
		return nil
	}
	return s.tell(ctx, untold, func() error { return s.rec.Record(ctx, e) })
}

// Flush records how many were dropped since that was last said. The server calls it when it stops.
func (s *Sampler) Flush(ctx context.Context) error {
	s.mu.Lock()
	untold := s.dropped
	s.dropped = 0
	s.mu.Unlock()
	return s.tell(ctx, untold, func() error { return nil })
}

// admit says whether one more event may pass, and, to the first of a second, what was dropped before.
func (s *Sampler) admit() (pass bool, untold int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.now().Unix(); now != s.second {
		s.second, s.passed = now, 0
		untold, s.dropped = s.dropped, 0
	}
	if s.passed >= s.per {
		s.dropped++
		return false, 0
	}
	s.passed++
	return true, untold
}

// tell records the summary, then whatever comes next. A summary that failed is told another time.
func (s *Sampler) tell(ctx context.Context, untold int64, next func() error) error {
	if untold > 0 {
		if err := s.rec.Record(ctx, &Event{Time: s.now(), Event: EventDropped, Dropped: untold}); err != nil {
			s.mu.Lock()
			s.dropped += untold
			s.mu.Unlock()
			return err
		}
	}
	return next()
}
