package audit

import (
	"bufio"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Opening a named pipe used to wait for somebody to read it: the server hung at its start, where even SIGTERM did not end it, and at a
// SIGHUP it never reloaded again.
func TestR10_APipeThatNobodyReadsIsAnErrorAndNotAHang(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	opened := make(chan error, 1)
	go func() {
		w, err := OpenFile(path, Options{})
		if err == nil {
			err = w.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		if err == nil {
			t.Error("opened, though nobody reads")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("OpenFile hangs")
	}

	r, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w, err := OpenFile(path, Options{})
	if err != nil {
		t.Fatalf("with a reader: %v", err)
	}
	defer w.Close()
	if err := w.Record(t.Context(), &Event{ID: "x", Event: EventIssued}); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(r).ReadString('\n'); err != nil || line == "" {
		t.Errorf("the reader got %q, %v", line, err)
	}
}
