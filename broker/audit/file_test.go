package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// idsIn are the ids of the events in a file, and how many lines are none.
func idsIn(t *testing.T, path string) (ids []string, bad int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for e, err := range Search(f, Filter{}) {
		if err != nil {
			bad++
		} else {
			ids = append(ids, e.ID)
		}
	}
	return ids, bad
}

func TestOpenFile(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before string // "" = no file
		want   int    // events afterwards
		bad    int
	}{
		"a new file":              {"", 1, 0},
		"a file that ends well":   {`{"time":"2026-11-21T12:00:00Z","id":"old","event":"token.issued"}` + "\n", 2, 0},
		"a file with a torn line": {`{"time":"2026-11-21T12:00:00Z","id":"to`, 1, 1},
	} {
		t.Run(name+" takes the next record on a line of its own", func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "audit.log")
			if c.before != "" {
				if err := os.WriteFile(path, []byte(c.before), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			w, err := OpenFile(path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Record(t.Context(), event("new")); err != nil {
				t.Error(err)
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			ids, bad := idsIn(t, path)
			if len(ids) != c.want || ids[len(ids)-1] != "new" || bad != c.bad {
				t.Errorf("events %v, %d bad lines; want %d and %d", ids, bad, c.want, c.bad)
			}
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, error %v", info.Mode(), err)
			}
		})
	}
	t.Run("a folder that is not there is an error", func(t *testing.T) {
		t.Parallel()
		if w, err := OpenFile(filepath.Join(t.TempDir(), "nowhere", "audit.log"), Options{}); err == nil {
			t.Error("it was opened", w.Close())
		}
	})
	t.Run("a full device refuses each record", func(t *testing.T) {
		t.Parallel()
		if _, err := os.Stat("/dev/full"); err != nil {
			t.Skip("this system has no /dev/full")
		}
		w, err := OpenFile("/dev/full", Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		for range 2 {
			wantUnavailable(t, w.Record(t.Context(), event("a")), syscall.ENOSPC)
		}
	})
}

func TestReopen(t *testing.T) {
	t.Parallel()
	t.Run("follows a rotation without losing a record", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "audit.log")
		w, err := OpenFile(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		const each = 200
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				for n := range each {
					if err := w.Record(t.Context(), event(fmt.Sprint(i, ".", n))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for n := range 3 {
			if err := os.Rename(path, fmt.Sprint(path, ".", n)); err != nil {
				t.Error(err)
			}
			if err := w.Reopen(); err != nil {
				t.Error(err)
			}
		}
		wg.Wait()
		if err := w.Record(t.Context(), event("last")); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		total := 0
		for _, suffix := range []string{".0", ".1", ".2", ""} {
			ids, bad := idsIn(t, path+suffix)
			total += len(ids)
			if bad != 0 {
				t.Errorf("%q: %d bad lines", suffix, bad)
			}
			if suffix == "" && ids[len(ids)-1] != "last" {
				t.Errorf("the new file ends in %q", ids[len(ids)-1])
			}
		}
		if total != 4*each+1 {
			t.Errorf("%d events, want %d", total, 4*each+1)
		}
	})
	t.Run("keeps the old file if the path cannot be opened", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(t.TempDir(), "logs")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		w, err := OpenFile(filepath.Join(dir, "audit.log"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if err := os.Rename(dir, dir+".away"); err != nil {
			t.Fatal(err)
		}
		if err := w.Reopen(); err == nil {
			t.Error("no error")
		}
		if err := w.Record(t.Context(), event("a")); err != nil {
			t.Error(err)
		}
		if ids, _ := idsIn(t, filepath.Join(dir+".away", "audit.log")); len(ids) != 1 {
			t.Errorf("events %v", ids)
		}
	})
	t.Run("is an error after Close, and for what is no file", func(t *testing.T) {
		t.Parallel()
		closed, err := OpenFile(filepath.Join(t.TempDir(), "audit.log"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := closed.Close(); err != nil {
			t.Fatal(err)
		}
		other := NewWriter(&sink{}, Options{})
		defer other.Close()
		for _, w := range []*Writer{closed, other} {
			if err := w.Reopen(); err == nil {
				t.Error("no error")
			}
		}
	})
}
