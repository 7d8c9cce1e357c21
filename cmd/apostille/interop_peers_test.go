//go:build interop

package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// peers is testdata/interop, relative to this package.
var peers = filepath.Join("..", "..", "testdata", "interop")

// headOffice is npm's oidc-provider on one port, which it keeps over restarts.
type headOffice struct {
	issuer string
	port   int
	keys   string
	server *server
}

func newHeadOffice(t *testing.T) *headOffice {
	t.Helper()
	port := freePort(t)
	h := &headOffice{issuer: fmt.Sprintf("http://127.0.0.1:%d", port), port: port, keys: filepath.Join(t.TempDir(), "keys.json")}
	h.start(t)
	return h
}

// start starts it; extra settings are of the form NAME=VALUE.
func (h *headOffice) start(t *testing.T, extra ...string) {
	t.Helper()
	cmd := exec.Command("node", "provider.mjs")
	cmd.Dir = peers
	cmd.Env = append(os.Environ(), fmt.Sprintf("PORT=%d", h.port), "KEYS="+h.keys, "APP="+interopApp,
		"SERVICE="+interopService, "SECRET="+interopSecret)
	cmd.Env = append(cmd.Env, extra...)
	h.server = startServer(t, cmd, func(line string) bool { return strings.HasPrefix(line, "listening ") })
}

// rotate restarts it with a new signing key; the old one is no longer published.
func (h *headOffice) rotate(t *testing.T) {
	t.Helper()
	h.server.stop()
	h.start(t, "ROTATE=1")
}

// idToken signs alice in by the code flow and returns her ID token.
func (h *headOffice) idToken(t *testing.T) string {
	t.Helper()
	var answer struct {
		Token string `json:"id_token"`
	}
	node(t, &answer, "headoffice.mjs", "signin", map[string]any{
		"issuer": h.issuer, "client": interopApp, "secret": interopSecret, "login": "alice",
	})
	return answer.Token
}

// accessToken returns a JWT access token for the audience, by client credentials.
func (h *headOffice) accessToken(t *testing.T, audience string) string {
	t.Helper()
	var answer struct {
		Token string `json:"access_token"`
	}
	node(t, &answer, "headoffice.mjs", "service", map[string]any{
		"issuer": h.issuer, "client": interopService, "secret": interopSecret, "resource": audience, "scope": "inventory:read",
	})
	return answer.Token
}

// node runs a script of testdata/interop and decodes what it prints. A last argument that is a map is passed as JSON.
func node(t *testing.T, into any, script string, args ...any) {
	t.Helper()
	argv := []string{script}
	for _, a := range args {
		text, ok := a.(string)
		if !ok {
			b, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		argv = append(argv, text)
	}
	cmd := exec.Command("node", argv...)
	cmd.Dir = peers
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.String())
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatalf("%s printed %q: %v", script, out, err)
	}
}

// server is a process that serves until it is stopped or the test ends.
type server struct {
	cmd  *exec.Cmd
	over chan struct{} // closed when the process has ended
}

// startServer starts a process and returns when a line of its output says that it serves.
func startServer(t *testing.T, cmd *exec.Cmd, ready func(line string) bool) *server {
	t.Helper()
	reader, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{cmd: cmd, over: make(chan struct{})}
	t.Cleanup(s.stop)
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
