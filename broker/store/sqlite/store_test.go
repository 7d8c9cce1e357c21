package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"apostille/broker/store"
	"apostille/broker/store/storetest"
)

// TestMain is also the main of the processes that tests start beside their own, see child.
func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		if err := child(role, os.Getenv(childPath)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T, now func() time.Time) (store.Store, func() store.Store) {
		path := filepath.Join(t.TempDir(), "a b?c%41#d.db")
		reopen := func() store.Store { return openTest(t, path, now) }
		return reopen(), reopen
	})
}

// openTest opens a store that is closed when the test ends.
func openTest(t testing.TB, path string, now func() time.Time) *Store {
	t.Helper()
	s, err := open(context.Background(), path, Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestOpen(t *testing.T) {
	t.Parallel()
	t.Run("the file and the files beside it belong to their owner only", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "x.db")
		s := openTest(t, path, nil)
		if first, err := s.Claim(t.Context(), "jti", "i", "a", time.Now().Add(time.Minute)); !first || err != nil {
			t.Fatalf("first = %v, error %v", first, err)
		}
		for _, suffix := range []string{"", "-wal", "-shm"} {
			info, err := os.Stat(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%q has mode %v", suffix, info.Mode())
			}
		}
	})
	t.Run("a folder that is not there is an error that names it", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "nowhere", "x.db")
		if s, err := Open(t.Context(), path, Options{}); err == nil {
			t.Errorf("opened %s: %v", path, s.Close())
		}
	})
	t.Run("durability is what the package promises", func(t *testing.T) {
		t.Parallel()
		s := openTest(t, filepath.Join(t.TempDir(), "x.db"), nil)
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2"} {
			var got string
			if err := s.write.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
				t.Errorf("%s is %q (error %v), want %q", pragma, got, err, want)
			}
		}
	})
	t.Run("a reader cannot write", func(t *testing.T) {
		t.Parallel()
		s := openTest(t, filepath.Join(t.TempDir(), "x.db"), nil)
		if _, err := s.read.Exec("DELETE FROM keys"); err == nil {
			t.Error("a reading connection wrote")
		}
		if _, err := s.write.Exec("DELETE FROM keys"); err != nil {
			t.Errorf("the writing connection: %v", err)
		}
	})
}

func TestPendingsAreBounded(t *testing.T) {
	t.Parallel()
	storetest.Bounded(t, func(t *testing.T, now func() time.Time) (store.Store, func() store.Store) {
		path := filepath.Join(t.TempDir(), "x.db")
		reopen := func() store.Store {
			s, err := open(context.Background(), path, Options{Now: now, MaxPending: 3})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			return s
		}
		return reopen(), reopen
	})
}
