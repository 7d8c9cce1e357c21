package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"apostille/broker/store"
	"apostille/broker/store/storetest"
)

// R11: each fault comes back as an error, and once it is gone the open store works again.
func TestTheStoreRecoversByItself(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(*testing.T, *Store, string) (end func()){
		"the disk is full": func(t *testing.T, s *Store, _ string) func() {
			var pages int
			if err := s.write.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
				t.Fatal(err)
			}
			limit := func(n int) {
				if _, err := s.write.Exec(fmt.Sprintf(`PRAGMA max_page_count = %d`, n)); err != nil {
					t.Error(err)
				}
			}
			limit(pages)
			return func() { limit(1 << 30) }
		},
		"another process holds the lock for too long": func(t *testing.T, s *Store, path string) func() {
			s.patience = 10 * time.Millisecond
			other := openTest(t, path, nil)
			tx, err := other.write.Begin()
			if err != nil {
				t.Fatal(err)
			}
			return func() {
				if err := tx.Rollback(); err != nil {
					t.Error(err)
				}
			}
		},
		"the table is gone": func(t *testing.T, s *Store, _ string) func() {
			rename := func(from, to string) {
				if _, err := s.write.Exec(`ALTER TABLE ` + from + ` RENAME TO ` + to); err != nil {
					t.Error(err)
				}
			}
			rename("replay", "elsewhere")
			return func() { rename("elsewhere", "replay") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x.db")
			s := openTest(t, path, nil)
			claim := func(id string) (bool, error) {
				return s.Claim(t.Context(), "jti", "i", id, time.Now().Add(time.Hour))
			}
			end := fault(t, s, path)
			var err error
			for i := 0; err == nil && i < 10_000; i++ { // a full disk shows when a new page is needed
				_, err = claim(fmt.Sprint("during ", i))
			}
			if err == nil {
				t.Error("no claim failed")
			}
			end()
			if first, err := claim("after"); !first || err != nil {
				t.Errorf("after the fault: first = %v, error %v", first, err)
			}
		})
	}
}

// A connection that is made anew must not put an empty store in place of one that was moved away: every mark would be
// forgotten.
func TestAFileThatWasMovedAwayIsNotReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s := openTest(t, path, nil)
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.read.SetMaxIdleConns(0) // the next read needs a new connection
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("the store answers from nowhere")
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a new file stands at the path: %v", err)
	}
}

// claimTask is a claim as the writer gets it; the answer is written to first.
func claimTask(t *testing.T, s *Store, id string, until time.Time, first *bool) *task {
	t.Helper()
	mark, err := store.NewReplayMark("jti", "i", id)
	if err != nil {
		t.Fatal(err)
	}
	c := newTask("claim", func(b *batch) (err error) {
		*first, err = s.claim(b, mark, microsUp(until))
		return err
	})
	c.single = true
	return c
}

func TestGroupCommit(t *testing.T) {
	t.Parallel()
	t.Run("one batch with duplicates has one success for each", func(t *testing.T) {
		t.Parallel()
		s := openTest(t, filepath.Join(t.TempDir(), "x.db"), nil)
		var list []*task
		var first [writeBatch]bool
		for i := range writeBatch {
			list = append(list, claimTask(t, s, fmt.Sprint(i%100), time.Now().Add(time.Hour), &first[i]))
		}
		if err := s.commit(list); err != nil {
			t.Fatal(err)
		}
		for i := range first {
			if first[i] != (i < 100) {
				t.Errorf("claim %d of the batch: first = %v", i, first[i])
			}
		}
	})
	t.Run("a caller who leaves while the batch waits for the lock does not take it along", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "x.db")
		s, other := openTest(t, path, nil), openTest(t, path, nil)
		tx, err := other.write.Begin()
		if err != nil {
			t.Fatal(err)
		}
		until := time.Now().Add(time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		left, stayed := make(chan error), make(chan error)
		go func() {
			_, err := s.Claim(ctx, "jti", "i", "left", until)
			left <- err
		}()
		go func() {
			first, err := s.Claim(t.Context(), "jti", "i", "stayed", until)
			if err == nil && !first {
				err = fmt.Errorf("not first")
			}
			stayed <- err
		}()
		cancel()
		if err := <-left; err == nil || !strings.Contains(err.Error(), "canceled") {
			t.Errorf("the one who left: %v", err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := <-stayed; err != nil {
			t.Errorf("the one who stayed: %v", err)
		}
	})
}

func TestSweep(t *testing.T) {
	t.Parallel()
	clock := storetest.NewClock()
	s := openTest(t, filepath.Join(t.TempDir(), "x.db"), clock.Now)
	const many = 3*sweepBatch + 7
	until := clock.Now().Add(time.Minute)
	for i := 0; i < many; i += writeBatch {
		var list []*task
		for j := i; j < min(i+writeBatch, many); j++ {
			list = append(list, claimTask(t, s, fmt.Sprint(j), until, new(bool)))
		}
		if err := s.commit(list); err != nil {
			t.Fatal(err)
		}
	}
	marks := func() (n int) {
		if err := s.read.QueryRow(`SELECT count(*) FROM replay`).Scan(&n); err != nil {
			t.Error(err)
		}
		return n
	}
	w := sweeper{store: s}
	for _, c := range []struct {
		name  string
		pass  time.Duration
		steps int
		want  int
	}{
		{"nothing has expired", 0, 3, many},
		{"expired marks stay for the grace", time.Minute + sweepGrace - time.Second, 3, many},
		{"a step right after a sweep does nothing", 2 * time.Second, 3, many},
		{"a minute later one batch goes per step", sweepEvery, 1, many - sweepBatch},
		{"the sweep goes on while there is more", 0, 2, many - 3*sweepBatch},
		{"and ends with the rest", 0, 5, 0},
	} {
		clock.Add(c.pass)
		for range c.steps {
			w.step()
		}
		if got := marks(); got != c.want {
			t.Fatalf("%s: %d marks, want %d", c.name, got, c.want)
		}
	}
	if w.running {
		t.Error("the sweep still runs")
	}
}
