//go:build unix

package sqlite

import (
	"bufio"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// R01: at 100 random points the writing process is stopped dead, wherever it is, checkpoints included, and the file and
// its WAL are copied as a crash would leave them. Everything acknowledged before that point must be in the copy.
func TestEveryCrashImageHoldsWhatWasAcknowledged(t *testing.T) {
	t.Parallel()
	images := 100
	if testing.Short() {
		images = 10
	}
	w := startWriter(t, "write")
	for n := range images {
		time.Sleep(time.Duration(rand.IntN(20_000)) * time.Microsecond) // where the crash hits; nothing waits for it
		w.pause(t)
		acked := w.acknowledged()
		checkImage(t, copyImage(t, w.path), acked) // it waits meanwhile: images that grow with every check would take ever longer
		if t.Failed() {
			t.Fatalf("image %d, after %d acknowledged claims", n, len(acked))
		}
		w.resume(t)
	}
	t.Logf("%d claims were acknowledged meanwhile", len(w.acknowledged()))
}

// R01: the same for a process that is killed, and the file it leaves.
func TestAKilledWriterLosesNothing(t *testing.T) {
	t.Parallel()
	for range 5 {
		w := startWriter(t, "write")
		for enough := 1 + rand.IntN(300); len(w.acknowledged()) < enough; time.Sleep(time.Millisecond) {
			select {
			case <-w.done:
				t.Fatal("the writer ended by itself")
			default:
			}
		}
		w.kill(t)
		checkImage(t, w.path, w.acknowledged())
	}
}

// writer is a process that writes without end, and the lines in which it says what was acknowledged.
type writer struct {
	path string
	cmd  *exec.Cmd
	done chan struct{} // closed when its output has ended

	mu    sync.Mutex
	acked []string
}

func startWriter(t *testing.T, role string) *writer {
	t.Helper()
	w := &writer{path: filepath.Join(t.TempDir(), "x.db"), done: make(chan struct{})}
	w.cmd = command(t, role, w.path)
	stdout, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go w.collect(stdout)
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		<-w.done
		_ = w.cmd.Wait() // it was killed
	})
	return w
}

func (w *writer) collect(stdout io.Reader) {
	defer close(w.done)
	for lines := bufio.NewReader(stdout); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return // a line without an end is the one during which it was killed
		}
		w.mu.Lock()
		w.acked = append(w.acked, strings.TrimSuffix(line, "\n"))
		w.mu.Unlock()
	}
}

func (w *writer) acknowledged() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.acked[:len(w.acked):len(w.acked)]
}

// kill ends the process where it stands.
func (w *writer) kill(t *testing.T) {
	t.Helper()
	if err := w.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-w.done
}

// pause returns when no thread of the process runs any more.
func (w *writer) pause(t *testing.T) {
	t.Helper()
	if err := w.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(w.cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("the writer did not stop: status %v, error %v", status, err)
	}
}

func (w *writer) resume(t *testing.T) {
	t.Helper()
	if err := w.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

// copyImage copies what survives a crash: the file and its WAL, never the shared memory.
func copyImage(t *testing.T, path string) string {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if os.IsNotExist(err) {
			continue // not made yet
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(image+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return image
}

// checkImage opens an image and claims the last acknowledged ids and some of the earlier ones again.
func checkImage(t *testing.T, path string, acked []string) {
	t.Helper()
	s, err := open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	check := acked[max(0, len(acked)-64):]
	for range min(32, len(acked)) {
		check = append(check, acked[rand.IntN(len(acked))])
	}
	var wg sync.WaitGroup
	for _, id := range check {
		wg.Go(func() {
			first, err := s.Claim(t.Context(), "jti", "i", id, time.Now().Add(time.Hour))
			if err != nil || first {
				t.Errorf("id %s was acknowledged, and is free again: first = %v, error %v", id, first, err)
			}
		})
	}
	wg.Wait()
	if first, err := s.Claim(t.Context(), "jti", "i", "never claimed", time.Now().Add(time.Hour)); err != nil || !first {
		t.Errorf("a new id: first = %v, error %v", first, err)
	}
	var verdict string
	if err := s.read.QueryRow(`PRAGMA quick_check`).Scan(&verdict); err != nil || verdict != "ok" {
		t.Errorf("quick_check says %q, error %v", verdict, err)
	}
}
