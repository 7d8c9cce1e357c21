package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A test starts its own binary as another process; these say what it is to be.
const (
	childRole = "STORE_TEST_ROLE" // see child
	childPath = "STORE_TEST_PATH"

	raceIDs     = 20
	raceCallers = 50 // per id and process
)

func child(role, path string) error {
	s, err := open(context.Background(), path, Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	switch role {
	case "race":
		return childRace(s)
	case "write":
		return childWrite(s)
	case "race sign-in":
		return childRaceSignIn(s)
	case "write sign-in":
		return childWriteSignIn(s)
	}
	return fmt.Errorf("no such role: %s", role)
}

// childRace waits for a line, claims what its twin claims too, and prints how often it was first.
func childRace(s *Store) error {
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	firsts, err := race(s, func(i int) int { return raceIDs - 1 - i })
	fmt.Println(firsts)
	return err
}

// race claims one id after another, each from many callers at once. The two processes take them in opposite orders, so
// that both are first somewhere.
func race(s *Store, order func(int) int) (int, error) {
	var firsts atomic.Int32
	failures := make(chan error, raceIDs*raceCallers)
	for i := range raceIDs {
		var wg sync.WaitGroup
		for range raceCallers {
			wg.Go(func() {
				first, err := s.Claim(context.Background(), "jti", "i", strconv.Itoa(order(i)), time.Now().Add(time.Hour))
				if err != nil {
					failures <- err
				} else if first {
					firsts.Add(1)
				}
			})
		}
		wg.Wait()
	}
	select {
	case err := <-failures:
		return 0, err
	default:
		return int(firsts.Load()), nil
	}
}

// childWrite claims without end, from 8 callers, and prints each id once it is acknowledged.
func childWrite(s *Store) error {
	var next atomic.Int64
	acks := make(chan int64)
	for range 8 {
		go func() {
			for {
				id := next.Add(1)
				first, err := s.Claim(context.Background(), "jti", "i", fmt.Sprint(id), time.Now().Add(time.Hour))
				if err != nil || !first {
					fmt.Fprintln(os.Stderr, id, first, err)
					os.Exit(1)
				}
				acks <- id
			}
		}()
	}
	for id := range acks {
		if _, err := fmt.Println(id); err != nil {
			return err
		}
	}
	return nil
}

// command is this binary in a role.
func command(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childRole+"="+role, childPath+"="+path)
	cmd.Stderr = os.Stderr
	return cmd
}

// racer is another process that waits for the word to go.
type racer struct {
	cmd   *exec.Cmd
	stdin io.Writer
	lines *bufio.Scanner
}

// startRacer starts it; ready waits until it has opened the file.
func startRacer(t *testing.T, role, path string) *racer {
	t.Helper()
	r := &racer{cmd: command(t, role, path)}
	stdout, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if r.stdin, err = r.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.lines = bufio.NewScanner(stdout)
	return r
}

func (r *racer) ready(t *testing.T) {
	t.Helper()
	if !r.lines.Scan() || r.lines.Text() != "ready" {
		t.Fatalf("the other process says %q", r.lines.Text())
	}
}

// result is what it says at its end.
func (r *racer) result(t *testing.T) string {
	t.Helper()
	r.lines.Scan()
	line := strings.TrimSpace(r.lines.Text())
	if err := r.cmd.Wait(); err != nil {
		t.Error(err)
	}
	return line
}

// R02: two processes on one file, each claiming the same ids from many callers at once.
func TestTwoProcessesShareOneFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	other := startRacer(t, "race", path)
	s := openTest(t, path, nil) // both may be creating and migrating the file now
	other.ready(t)
	fmt.Fprintln(other.stdin)
	ours, err := race(s, func(i int) int { return i })
	if err != nil {
		t.Error(err)
	}
	theirs, err := strconv.Atoi(other.result(t))
	if err != nil {
		t.Error(err)
	}
	t.Logf("first here %d times, there %d times", ours, theirs)
	if ours+theirs != raceIDs {
		t.Errorf("first here %d times, there %d times; want %d together", ours, theirs, raceIDs)
	}
}
