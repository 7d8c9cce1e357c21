package xmlsec

import (
	"bytes"
	"errors"
	"io"
)

// window is the part of a large document that is being looked at, at most MaxBytes of it.
type window struct {
	in  io.Reader
	buf []byte // not consumed yet
	mem []byte // holds buf
}

const windowStep = 64 << 10 // bytes read at once

// errEnd is met by who looks for more than there is.
var errEnd = faultf(ErrMalformed, "the document ends too early")

// more reads on. It fails with errEnd at the end, with ErrTooLarge if nothing was consumed for too long.
func (w *window) more() error {
	if len(w.buf) > MaxBytes {
		return faultf(ErrTooLarge, "an element of more than %d bytes", MaxBytes)
	}
	if cap(w.buf)-len(w.buf) < windowStep {
		if room := len(w.buf) + windowStep; room > cap(w.mem) {
			w.mem = make([]byte, 0, 2*room)
		}
		w.buf = append(w.mem[:0], w.buf...) // to the front, if it is the same memory
	}
	for {
		n, err := w.in.Read(w.buf[len(w.buf):cap(w.buf)])
		w.buf = w.buf[:len(w.buf)+n]
		switch {
		case n > 0:
			return nil
		case errors.Is(err, io.EOF):
			return errEnd
		case err != nil:
			return err
		}
	}
}

// take consumes n bytes and returns them as text of its own.
func (w *window) take(n int) string {
	s := string(w.buf[:n])
	w.buf = w.buf[n:]
	return s
}

// index finds a byte at or after from.
func (w *window) index(from int, c byte) (int, error) {
	for {
		if from < len(w.buf) {
			if i := bytes.IndexByte(w.buf[from:], c); i >= 0 {
				return from + i, nil
			}
		}
		from = max(from, len(w.buf))
		if err := w.more(); err != nil {
			return 0, err
		}
	}
}

// starts says whether s stands at from.
func (w *window) starts(from int, s string) (bool, error) {
	for len(w.buf) < from+len(s) {
		if err := w.more(); errors.Is(err, errEnd) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	return string(w.buf[from:from+len(s)]) == s, nil
}

// commentEnd finds the end of a comment that stands at from.
func (w *window) commentEnd(from int) (int, error) {
	for i := from + len("<!--"); ; i++ {
		var err error
		if i, err = w.index(i, '-'); err != nil {
			return 0, err
		}
		if end, err := w.starts(i, "-->"); err != nil || end {
			return i + len("-->"), err
		}
	}
}

// run consumes text and comments up to the next tag, or to the end of the document.
func (w *window) run() (string, error) {
	for at := 0; ; {
		i, err := w.index(at, '<')
		if errors.Is(err, errEnd) {
			return w.take(len(w.buf)), nil
		} else if err != nil {
			return "", err
		}
		comment, err := w.starts(i, "<!--")
		if err != nil {
			return "", err
		}
		if !comment {
			return w.take(i), nil
		}
		if at, err = w.commentEnd(i); err != nil {
			return "", err
		}
	}
}

// tagEnd finds the end of the tag that stands at from: a > outside quotes.
func (w *window) tagEnd(from int) (int, error) {
	for i := from; ; i++ {
		for i < len(w.buf) && class[w.buf[i]]&isDelimiter == 0 {
			i++
		}
		if i == len(w.buf) {
			if err := w.more(); err != nil {
				return 0, err
			}
			i--
			continue
		}
		if w.buf[i] == '>' {
			return i + 1, nil
		}
		var err error
		if i, err = w.index(i+1, w.buf[i]); err != nil {
			return 0, err
		}
	}
}

// elementEnd finds the end of the element that stands at the beginning. It looks at brackets and quotes only: what it delimits is
// still to be read, and to be found one element.
func (w *window) elementEnd() (int, error) {
	for at, depth := 0, 0; ; {
		end, step, err := w.markup(at)
		if err != nil {
			return 0, err
		}
		if depth += step; depth <= 0 {
			return end, nil
		}
		if at, err = w.index(end, '<'); err != nil {
			return 0, err
		}
	}
}

// markup finds the end of what stands at from, a tag or a comment, and how many levels it leads down.
func (w *window) markup(from int) (end, step int, err error) {
	if comment, err := w.starts(from, "<!--"); err != nil {
		return 0, 0, err
	} else if comment {
		end, err = w.commentEnd(from)
		return end, 0, err
	}
	if end, err = w.tagEnd(from); err != nil {
		return 0, 0, err
	}
	switch {
	case w.buf[from+1] == '/':
		return end, -1, nil
	case w.buf[end-2] == '/':
		return end, 0, nil
	}
	return end, 1, nil
}
