package audit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// OpenFile writes to the file at path, appending, and creates it with mode 0600. A line that a crash left torn at its
// end is closed, so that it does not swallow the first record.
func OpenFile(path string, o Options) (*Writer, error) {
	f, torn, err := openAppend(path)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	w := newWriter(o)
	w.path, w.sink, w.fresh = path, f, torn
	go w.run()
	return w, nil
}

// Reopen opens the path of OpenFile again, for a log rotation that has renamed the file. If that fails the old file
// stays in use. A record that is under way goes to one file or the other, whole.
func (w *Writer) Reopen() error {
	if w.path == "" {
		return errors.New("audit: not a file that can be opened again")
	}
	f, torn, err := openAppend(w.path)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.closing:
		return errors.Join(ErrClosed, f.Close())
	default:
	}
	old := w.sink.(*os.File)
	w.sink, w.fresh = f, torn
	return old.Close()
}

func (w *Writer) closeFile() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f, ok := w.sink.(*os.File); ok && w.path != "" {
		return f.Close()
	}
	return nil
}

// openAppend also says whether the last line lacks its newline. It does not block: a named pipe that nobody reads is an error
// (ENXIO), where it would hold up a start, or a reload, for ever.
func openAppend(path string) (f *os.File, torn bool, err error) {
	f, err = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, false, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, false, errors.Join(err, f.Close())
	}
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return f, false, nil // of a pipe or a device nothing can be read back
	}
	return f, !endsInNewline(path, info.Size()), nil
}

// endsInNewline says no if it cannot tell: an empty line too many does no harm.
func endsInNewline(path string, size int64) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var last [1]byte
	if _, err := f.ReadAt(last[:], size-1); err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	return last[0] == '\n'
}
