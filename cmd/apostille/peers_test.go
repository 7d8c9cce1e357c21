//go:build interop || e2e

package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Names in the head office of testdata/interop.
const (
	interopApp     = "head-office-app"
	interopService = "inventory"
	interopSecret  = "0123456789abcdefABCDEF0123456789abcdefABCDEF"
)

// Names of RFC 8693.
const (
	exchangeGrant   = "urn:ietf:params:oauth:grant-type:token-exchange"
	tokenTypePrefix = "urn:ietf:params:oauth:token-type:"
)

// peers is testdata/interop, relative to this package.
var peers = filepath.Join("..", "..", "testdata", "interop")

// build builds apostille once for all tests, to where make keeps its tools.
var build = sync.OnceValues(func() (string, error) {
	binary, err := filepath.Abs(filepath.Join("..", "..", ".cache", "peers", "apostille"))
	if err != nil {
		return "", err
	}
	if out, err := exec.Command("go", "build", "-o", binary, "apostille/cmd/apostille").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return binary, nil
})

// serveApostille runs the program in a folder; extra settings of its environment are of the form NAME=VALUE.
func serveApostille(t *testing.T, dir, config string, extra ...string) *server {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatalf("apostille does not build: %v", err)
	}
	cmd := exec.Command(binary, "serve", "--config", config)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), extra...)
	return startServer(t, cmd, func(line string) bool {
		var entry struct{ Msg, Listener string }
		return json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "listening" && entry.Listener != "metrics"
	})
}

// server is a process that serves until it is stopped or the test ends.
type server struct {
	cmd  *exec.Cmd
	over chan struct{} // closed when the process has ended
	said end
}

// end keeps the last of what is written to it.
type end struct {
	mu   sync.Mutex
	text []byte
}

func (e *end) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.text = append(e.text, p...)
	if over := len(e.text) - 8<<10; over > 0 {
		e.text = e.text[over:]
	}
	return len(p), nil
}

func (e *end) String() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return string(e.text)
}

// startServer starts a process and returns when a line of its output says that it serves.
func startServer(t *testing.T, cmd *exec.Cmd, ready func(line string) bool) *server {
	t.Helper()
	s := &server{cmd: cmd, over: make(chan struct{})}
	reader, writer := io.Pipe()
	cmd.Stdout = io.MultiWriter(writer, &s.said)
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("%v said at last:\n%s", cmd.Args, &s.said)
		}
	})
	go func() {
		defer close(s.over)
		_ = cmd.Wait()
		_ = writer.Close()
	}()
	said := make(chan string, 1)
	go func() { said <- readUntil(reader, ready) }()
	select {
	case text := <-said:
		if text != "" {
			t.Fatalf("%v ended before it served:\n%s", cmd.Args, text)
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("%v does not serve after 30 s", cmd.Args)
	}
	return s
}

// readUntil returns "" at the line that says ready, and reads on in the background; it returns all that was said if
// the output ends before.
func readUntil(r io.Reader, ready func(line string) bool) string {
	var said strings.Builder
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if ready(lines.Text()) {
			go func() { _, _ = io.Copy(io.Discard, r) }()
			return ""
		}
		fmt.Fprintln(&said, lines.Text())
	}
	return "output:\n" + said.String()
}

// stop ends the process, politely at first, and returns when it is gone.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.over:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.over
	}
}

// freePort returns a loopback port that nobody listens on: an issuer must know its address before it serves.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
