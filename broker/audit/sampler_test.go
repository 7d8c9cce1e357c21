package audit

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// tape is a Recorder that keeps events, or fails.
type tape struct {
	mu     sync.Mutex
	err    error
	events []Event
}

func (r *tape) Record(_ context.Context, e *Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	r.events = append(r.events, *e)
	return nil
}

// count is how many events there are, and how many they say were dropped.
func (r *tape) count() (events int, dropped int64) {
	for _, e := range r.events {
		if e.Event == EventDropped {
			dropped += e.Dropped
		} else {
			events++
		}
	}
	return events, dropped
}

func TestSampler(t *testing.T) {
	t.Parallel()
	now := noon
	rec := &tape{}
	drops := 0
	s := Sampled(rec, SampleOptions{PerSecond: 3, Now: func() time.Time { return now }, OnDrop: func() { drops++ }})
	flood := func(n int) {
		t.Helper()
		for range n {
			if err := s.Record(t.Context(), &Event{Event: EventRefused}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name    string
		pass    time.Duration
		flood   int
		events  int
		dropped int64 // told so far
		drops   int
	}{
		{"as many as allowed pass", 0, 3, 3, 0, 0},
		{"the rest of the second is counted", 900 * time.Millisecond / 2, 10, 3, 0, 10},
		{"the next second tells, once, and lets pass again", time.Second, 5, 6, 10, 12},
		{"a quiet time says nothing by itself", time.Hour, 0, 6, 10, 12},
		{"the next event tells", 0, 1, 7, 12, 12},
		{"a clock set back still bounds", -2 * time.Hour, 5, 10, 12, 14},
	} {
		now = now.Add(c.pass)
		flood(c.flood)
		events, dropped := rec.count()
		if events != c.events || dropped != c.dropped || drops != c.drops {
			t.Fatalf("%s: %d events, %d told as dropped, %d drops; want %d, %d, %d",
				c.name, events, dropped, drops, c.events, c.dropped, c.drops)
		}
	}
	rec.err = ErrUnavailable
	if err := s.Flush(t.Context()); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a summary that fails: %v", err)
	}
	rec.err = nil
	for range 2 {
		if err := s.Flush(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if _, dropped := rec.count(); dropped != 14 {
		t.Errorf("in the end %d are told as dropped, want 14", dropped)
	}
}

func TestSamplerPassesFailuresOn(t *testing.T) {
	t.Parallel()
	s := Sampled(&tape{err: ErrUnavailable}, SampleOptions{})
	if err := s.Record(t.Context(), &Event{}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
}
