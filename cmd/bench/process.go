package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"
	"time"
)

// process is a server that the measurement started.
type process struct {
	cmd   *exec.Cmd
	addr  string        // host:port it listens on
	ready time.Duration // from start to the line that says so
}

// startProcess starts a server and returns when it says where it listens: a JSON line on stderr with msg "listening"
// and addr. Lines of a second listener carry "listener":"metrics" and are passed over. What else it says is kept for
// the error.
func startProcess(ctx context.Context, dir, name string, args ...string) (*process, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	from := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	listening := make(chan string, 1)
	go func() {
		defer close(listening)
		awaitListening(stderr, listening)
	}()
	p := &process{cmd: cmd}
	select {
	case said := <-listening:
		p.ready = time.Since(from)
		if p.addr = addrOf([]byte(said)); p.addr != "" {
			return p, nil
		}
		return nil, errors.Join(fmt.Errorf("%s ended before it listened: %s", name, said), cmd.Wait())
	case <-time.After(60 * time.Second):
		err = fmt.Errorf("%s does not listen after 60 s", name)
	case <-ctx.Done():
		err = ctx.Err()
	}
	p.stop()
	return nil, err
}

// awaitListening sends the line that says where the server listens, or all that it said before it ended, and then
// reads on, so that the server never waits for its reader.
func awaitListening(stderr io.Reader, listening chan<- string) {
	var said bytes.Buffer
	lines := bufio.NewReader(stderr)
	for {
		line, err := lines.ReadBytes('\n')
		if addrOf(line) != "" {
			listening <- string(line)
			_, _ = io.Copy(io.Discard, lines)
			return
		}
		said.Write(line)
		if err != nil {
			listening <- said.String()
			return
		}
	}
}

func addrOf(line []byte) string {
	var entry struct{ Msg, Addr, Listener string }
	if json.Unmarshal(line, &entry) != nil || entry.Msg != "listening" || entry.Listener == "metrics" {
		return ""
	}
	return entry.Addr
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop ends the process: politely, and after five seconds at once.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(5*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	_ = p.cmd.Wait()
}
