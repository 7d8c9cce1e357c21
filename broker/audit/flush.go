package audit

import (
	"fmt"
	"io"
)

// maxWrite bounds what is gathered for one write.
const maxWrite = 1 << 20

// run gathers what waits, writes it at once, and answers. It ends when Close was called and nothing waits any more.
func (w *Writer) run() {
	defer close(w.stopped)
	var batch []*entry
	var out []byte
	for {
		batch = w.gather(batch[:0])
		if len(batch) == 0 {
			return
		}
		out = w.flush(out[:0], batch)
		clear(batch)
		if cap(out) > maxWrite {
			out = nil // one burst should not hold its memory for ever
		}
	}
}

func (w *Writer) gather(batch []*entry) []*entry {
	select {
	case en := <-w.queue:
		batch = append(batch, en)
	case <-w.closing:
	}
	size := 0
	for size < maxWrite {
		select {
		case en := <-w.queue:
			batch = append(batch, en)
			size += len(en.line)
		default:
			return batch
		}
	}
	return batch
}

// flush writes a batch with one call and answers each caller: nil if the whole line was taken. It returns its buffer.
func (w *Writer) flush(out []byte, batch []*entry) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fresh {
		out = append(out, '\n')
	}
	start := len(out)
	for _, en := range batch {
		out = append(out, en.line...)
	}
	n, err := write(w.sink, out)
	w.fresh = err != nil
	end := start
	for _, en := range batch {
		end += len(en.line)
		if end <= n {
			en.answer <- nil
		} else {
			en.answer <- err
		}
	}
	return out
}

// write calls w once and makes a short write an error. A panic in w is one too: it must not end the only writer.
func write(w io.Writer, b []byte) (n int, err error) {
	defer func() {
		if p := recover(); p != nil {
			n, err = 0, fmt.Errorf("audit: the sink panicked: %v", p)
		}
	}()
	n, err = w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, err
}
