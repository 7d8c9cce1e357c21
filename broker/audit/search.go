package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// Filter says which events are wanted: those that agree with every field that is set. The zero Filter wants all.
type Filter struct {
	ID, Client, Trust, Subject, Reason string    // compared byte for byte
	Since                              time.Time // included
	Until                              time.Time // excluded
}

// Match reports whether e is wanted.
func (f Filter) Match(e *Event) bool {
	for _, c := range []struct{ want, got string }{
		{f.ID, e.ID}, {f.Client, e.Client}, {f.Trust, e.Trust}, {f.Subject, e.Subject}, {f.Reason, e.Reason},
	} {
		if c.want != "" && c.want != c.got {
			return false
		}
	}
	if !f.Since.IsZero() && e.Time.Before(f.Since) {
		return false
	}
	return f.Until.IsZero() || e.Time.Before(f.Until)
}

// ErrLine is wrapped in the error for a line that is no event, such as one torn by a crash. The search goes on after it.
var ErrLine = errors.New("audit: not an event")

// maxLine is more than appendEvent ever writes.
const maxLine = 1 << 20

// Search yields the events of r that f wants, in their order. Lines that are no event come as ErrLine with their number,
// empty ones not at all. Any other error is r's, and the last.
func Search(r io.Reader, f Filter) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		lines := bufio.NewReaderSize(r, 64<<10)
		for number := 1; ; number++ {
			line, tooLong, err := readLine(lines)
			if err != nil && !errors.Is(err, io.EOF) {
				yield(Event{}, fmt.Errorf("audit: line %d: %w", number, err))
				return
			}
			if !yieldLine(line, tooLong, number, f, yield) || err != nil {
				return
			}
		}
	}
}

// yieldLine yields what a line is worth, and says whether to go on.
func yieldLine(line []byte, tooLong bool, number int, f Filter, yield func(Event, error) bool) bool {
	if tooLong {
		return yield(Event{}, fmt.Errorf("line %d: %w: longer than any", number, ErrLine))
	}
	if len(line) == 0 {
		return true
	}
	var e Event
	// The decoder's own error may quote the line, which may be anybody's text.
	if json.Unmarshal(line, &e) != nil || e.Event == "" || e.Time.IsZero() {
		return yield(Event{}, fmt.Errorf("line %d: %w", number, ErrLine))
	}
	return !f.Match(&e) || yield(e, nil)
}

// readLine reads to the next newline, and keeps at most maxLine of it.
func readLine(r *bufio.Reader) (line []byte, tooLong bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > maxLine {
			line, tooLong = nil, true
		}
		if !tooLong {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimRight(line, "\r\n"), tooLong, err
		}
	}
}
