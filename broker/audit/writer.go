package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Options of a Writer.
type Options struct {
	Now     func() time.Time // for events without a time; nil = time.Now
	Queue   int              // records that may wait; 0 = 1,024. One more is refused at once
	Timeout time.Duration    // how long a record, or Close, may wait; 0 = 2 s
}

// Causes behind ErrUnavailable that are the Writer's own.
var (
	ErrQueueFull = errors.New("audit: too many records wait")
	ErrTimeout   = errors.New("audit: the write takes too long")
	ErrClosed    = errors.New("audit: closed")
)

// Writer is the Recorder that writes lines. One goroutine writes: what waits while a write is under way goes out in the
// next one. NewWriter and OpenFile make it.
type Writer struct {
	now     func() time.Time
	timeout time.Duration
	path    string // of OpenFile; "" = cannot reopen

	queue   chan *entry
	entries sync.Pool
	closing chan struct{}
	stopped chan struct{}
	once    sync.Once

	mu    sync.Mutex // held for the length of a write
	sink  io.Writer
	fresh bool // the next write begins with a newline: the last line may be torn
}

// entry is one caller's line. Until answered it belongs to the writer.
type entry struct {
	line     []byte
	answer   chan error  // one slot: the writer never waits for a caller who has left
	patience *time.Timer // the caller's; stopped while nobody waits
}

func newEntry() any {
	e := &entry{answer: make(chan error, 1), patience: time.NewTimer(time.Hour)}
	e.patience.Stop()
	return e
}

var _ Recorder = (*Writer)(nil)

// NewWriter writes to w, for as long as Close was not called. w should have no buffer of its own, and stays open.
func NewWriter(w io.Writer, o Options) *Writer {
	a := newWriter(o)
	a.sink = w
	go a.run()
	return a
}

func newWriter(o Options) *Writer {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Queue <= 0 {
		o.Queue = 1024
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Second
	}
	return &Writer{
		now: o.Now, timeout: o.Timeout,
		queue:   make(chan *entry, o.Queue),
		entries: sync.Pool{New: newEntry},
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
	}
}

// Record implements Recorder.
func (w *Writer) Record(ctx context.Context, e *Event) error {
	select {
	case <-w.closing:
		return unavailable(ErrClosed)
	default:
	}
	en := w.entries.Get().(*entry)
	en.line = appendEvent(en.line[:0], e, w.now())
	select {
	case w.queue <- en:
	default:
		w.entries.Put(en)
		return unavailable(ErrQueueFull)
	}
	answered, err := w.await(ctx, en)
	if answered { // else it is the writer's, and goes with it
		w.entries.Put(en)
	}
	return unavailable(err)
}

// await waits for the writer's answer to an entry.
func (w *Writer) await(ctx context.Context, en *entry) (answered bool, err error) {
	en.patience.Reset(w.timeout)
	defer en.patience.Stop()
	select {
	case err := <-en.answer:
		return true, err
	case <-en.patience.C:
		return false, ErrTimeout
	case <-ctx.Done():
		return false, ctx.Err()
	case <-w.stopped:
	}
	select { // the last write may have held it
	case err := <-en.answer:
		return true, err
	default:
		return false, ErrClosed
	}
}

func unavailable(cause error) error {
	if cause == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, cause)
}

// Close writes what waits, then closes the file of OpenFile. Later records are refused; a second Close does nothing. A
// sink that does not come back within the timeout is left behind, with ErrTimeout.
func (w *Writer) Close() (err error) {
	w.once.Do(func() {
		close(w.closing)
		patience := time.NewTimer(w.timeout)
		defer patience.Stop()
		select {
		case <-w.stopped:
			err = w.closeFile()
		case <-patience.C:
			err = unavailable(ErrTimeout)
		}
	})
	return err
}
