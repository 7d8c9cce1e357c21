package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// sink is a writer whose next writes a test scripts.
type sink struct {
	mu     sync.Mutex
	data   bytes.Buffer
	writes int
	gate   chan struct{}               // if set, each write waits for a value, or the close
	script []func([]byte) (int, error) // consumed from the front; nil entry = take all
}

func (s *sink) Write(b []byte) (int, error) {
	if s.gate != nil {
		<-s.gate
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	if len(s.script) > 0 {
		f := s.script[0]
		s.script = s.script[1:]
		if f != nil {
			n, err := f(b)
			s.data.Write(b[:n])
			return n, err
		}
	}
	return s.data.Write(b)
}

func (s *sink) events(t *testing.T) (ids []string, bad int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for e, err := range Search(bytes.NewReader(s.data.Bytes()), Filter{}) {
		if errors.Is(err, ErrLine) {
			bad++
		} else if err != nil {
			t.Fatal(err)
		} else {
			ids = append(ids, e.ID)
		}
	}
	return ids, bad
}

func event(id string) *Event { return &Event{ID: id, Event: EventIssued} }

func wantUnavailable(t *testing.T, err, cause error) {
	t.Helper()
	if !errors.Is(err, ErrUnavailable) || !errors.Is(err, cause) {
		t.Errorf("error %v, want ErrUnavailable because of %v", err, cause)
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	t.Run("returns after the line was written", func(t *testing.T) {
		t.Parallel()
		s := &sink{}
		w := NewWriter(s, Options{Now: atNoon})
		defer w.Close()
		for i := range 3 {
			if err := w.Record(t.Context(), event(fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
			if ids, _ := s.events(t); len(ids) != i+1 || ids[i] != fmt.Sprint(i) {
				t.Errorf("after record %d the sink holds %v", i, ids)
			}
		}
	})
	t.Run("by many callers loses none, and gathers what waits into one write", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &sink{gate: make(chan struct{})}
			w := NewWriter(s, Options{})
			var wg sync.WaitGroup
			for i := range 500 {
				wg.Go(func() {
					if err := w.Record(t.Context(), event(fmt.Sprint(i))); err != nil {
						t.Error(err)
					}
				})
			}
			synctest.Wait() // one write stands at the gate, the other callers wait in the queue
			close(s.gate)
			wg.Wait()
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			ids, bad := s.events(t)
			if len(ids) != 500 || bad != 0 || s.writes != 2 {
				t.Errorf("%d events, %d bad lines in %d writes; want 500 in 2", len(ids), bad, s.writes)
			}
		})
	})
}

// R10: the sink is full, broken, or blocked.
func TestRecordFails(t *testing.T) {
	t.Parallel()
	fails := func(n int, err error) func([]byte) (int, error) {
		return func([]byte) (int, error) { return n, err }
	}
	for name, c := range map[string]struct {
		fault func([]byte) (int, error)
		cause error
		bad   int // torn lines that stay behind
	}{
		"when nothing is taken":       {fails(0, syscall.ENOSPC), syscall.ENOSPC, 0},
		"when a part is taken":        {fails(10, syscall.ENOSPC), syscall.ENOSPC, 1},
		"when the sink writes short":  {fails(10, nil), io.ErrShortWrite, 1},
		"when the sink panics":        {func([]byte) (int, error) { panic("boom") }, ErrUnavailable, 0},
		"when all but the newline is": {func(b []byte) (int, error) { return len(b) - 1, syscall.EIO }, syscall.EIO, 0},
	} {
		t.Run(name+", and the next record stands on a line of its own", func(t *testing.T) {
			t.Parallel()
			s := &sink{script: []func([]byte) (int, error){nil, c.fault, c.fault}}
			w := NewWriter(s, Options{Now: atNoon})
			defer w.Close()
			record := func(id string) error { return w.Record(t.Context(), event(id)) }
			if err := record("before"); err != nil {
				t.Fatal(err)
			}
			wantUnavailable(t, record("fails"), c.cause)
			wantUnavailable(t, record("fails again"), c.cause)
			if err := record("after"); err != nil {
				t.Fatal(err)
			}
			ids, bad := s.events(t)
			if first, last := ids[0], ids[len(ids)-1]; first != "before" || last != "after" {
				t.Errorf("events %v", ids)
			}
			if bad != 2*c.bad {
				t.Errorf("%d torn lines, want %d", bad, 2*c.bad)
			}
		})
	}
	t.Run("for those whose line was not taken only", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			line := len(appendEvent(nil, event("0"), noon))
			s := &sink{gate: make(chan struct{}), script: []func([]byte) (int, error){nil, fails(3*line+5, syscall.ENOSPC)}}
			w := NewWriter(s, Options{Now: atNoon})
			answers := make(chan error, 10)
			for i := range 10 {
				go func() { answers <- w.Record(t.Context(), event(fmt.Sprint(i))) }()
				if i == 0 {
					synctest.Wait() // the first write holds this one alone
				}
			}
			synctest.Wait()
			close(s.gate)
			recorded := 0
			for range 10 {
				if err := <-answers; err == nil {
					recorded++
				} else {
					wantUnavailable(t, err, syscall.ENOSPC)
				}
			}
			_ = w.Close()
			if ids, bad := s.events(t); recorded != 4 || len(ids) != 4 || bad != 1 {
				t.Errorf("%d were told yes, %d events, %d torn; want 4, 4, 1", recorded, len(ids), bad)
			}
		})
	})
}

func TestRecordIsBounded(t *testing.T) {
	t.Parallel()
	t.Run("in time: a sink that blocks costs each caller 2 s", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &sink{gate: make(chan struct{})}
			w := NewWriter(s, Options{})
			start := time.Now()
			wantUnavailable(t, w.Record(t.Context(), event("a")), ErrTimeout)
			if d := time.Since(start); d != 2*time.Second {
				t.Errorf("it took %v", d)
			}
			close(s.gate)
			if err := w.Record(t.Context(), event("b")); err != nil {
				t.Errorf("once the sink is back: %v", err)
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
	})
	t.Run("in number: one more than the queue holds is refused at once", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &sink{gate: make(chan struct{})}
			w := NewWriter(s, Options{Queue: 4})
			answers := make(chan error, 5)
			record := func() { answers <- w.Record(t.Context(), event("a")) }
			go record()
			synctest.Wait() // the writer has taken this one
			for range 4 {
				go record()
			}
			synctest.Wait()
			start := time.Now()
			wantUnavailable(t, w.Record(t.Context(), event("b")), ErrQueueFull)
			if d := time.Since(start); d != 0 {
				t.Errorf("it took %v", d)
			}
			close(s.gate)
			for range 5 {
				if err := <-answers; err != nil {
					t.Errorf("one of those that waited: %v", err)
				}
			}
			_ = w.Close()
		})
	})
	t.Run("by the caller: one who leaves is told that it may not be recorded", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &sink{gate: make(chan struct{})}
			w := NewWriter(s, Options{})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			wantUnavailable(t, w.Record(ctx, event("a")), context.Canceled)
			close(s.gate)
			_ = w.Close()
		})
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	t.Run("writes what waits, then refuses", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &sink{gate: make(chan struct{})}
			w := NewWriter(s, Options{})
			answers := make(chan error, 20)
			for range 20 {
				go func() { answers <- w.Record(t.Context(), event("a")) }()
			}
			synctest.Wait()
			time.AfterFunc(time.Second, func() { close(s.gate) })
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			for range 20 {
				if err := <-answers; err != nil {
					t.Error(err)
				}
			}
			if ids, _ := s.events(t); len(ids) != 20 {
				t.Errorf("%d events, want 20", len(ids))
			}
			wantUnavailable(t, w.Record(t.Context(), event("late")), ErrClosed)
			if err := w.Close(); err != nil {
				t.Errorf("a second Close: %v", err)
			}
		})
	})
	t.Run("does not wait for ever", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &sink{gate: make(chan struct{})}
			w := NewWriter(s, Options{})
			go func() { _ = w.Record(t.Context(), event("a")) }()
			synctest.Wait()
			wantUnavailable(t, w.Close(), ErrTimeout)
			close(s.gate)
		})
	})
	t.Run("while many record tells each the truth", func(t *testing.T) {
		t.Parallel()
		s := &sink{}
		w := NewWriter(s, Options{})
		var wg sync.WaitGroup
		var mu sync.Mutex
		var told []string
		for i := range 50 {
			wg.Go(func() {
				id := fmt.Sprint(i)
				switch err := w.Record(t.Context(), event(id)); {
				case err == nil:
					mu.Lock()
					told = append(told, id)
					mu.Unlock()
				case !errors.Is(err, ErrClosed):
					t.Error(err)
				}
			})
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		wg.Wait()
		ids, _ := s.events(t)
		if all := " " + strings.Join(ids, " ") + " "; len(told) > len(ids) {
			t.Errorf("%d were told yes, %d stand there", len(told), len(ids))
		} else {
			for _, id := range told {
				if !strings.Contains(all, " "+id+" ") {
					t.Errorf("%s was told yes and is not there", id)
				}
			}
		}
	})
}
