package sqlite

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"apostille/broker/store"
	"apostille/broker/store/storetest"
)

// A120: what strangers can put into the file is bounded, gone after its time, and its room is used again.
func TestAHundredThousandUnfinishedLoginsFitIn64MB(t *testing.T) {
	t.Parallel()
	logins := 100_000
	if testing.Short() || raceDetector { // under it SQLite takes minutes for them
		logins = 10_000
	}
	path := filepath.Join(t.TempDir(), "x.db")
	clock := storetest.NewClock()
	s, err := open(t.Context(), path, Options{Now: clock.Now, MaxPending: logins})
	if err != nil {
		t.Fatal(err)
	}
	// An ordinary login takes some 440 bytes: broker/authflow.
	put := func(wave string, n int) {
		p := store.Pending{Value: bytes.Repeat([]byte("x"), 440), Until: clock.Now().Add(10 * time.Minute)}
		var wg sync.WaitGroup
		for worker := range 256 {
			wg.Go(func() {
				for i := worker; i < n; i += 256 {
					if err := s.PutPending(t.Context(), "login", fmt.Sprint(wave, i), p); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	put("", logins+1000)
	count := func() (n, counted int) {
		if err := s.read.QueryRow(`SELECT count(*), max(c.n) FROM pendings, pending_counts c`).Scan(&n, &counted); err != nil {
			t.Error(err)
		}
		return n, counted
	}
	if n, counted := count(); n != logins || counted != logins {
		t.Errorf("%d logins, counted as %d; want %d", n, counted, logins)
	}
	clock.Add(10 * time.Minute)
	for w := (sweeper{store: s}); ; {
		if w.step(); !w.running {
			break
		}
	}
	if _, ok, err := s.PeekPending(t.Context(), "login", fmt.Sprint(logins)); ok || err != nil {
		t.Errorf("after their time: %v, error %v", ok, err)
	}
	var n int
	if err := s.read.QueryRow(`SELECT n FROM pending_counts`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d are left, error %v", n, err)
	}
	pages := func() (n int) {
		if err := s.read.QueryRow(`PRAGMA page_count`).Scan(&n); err != nil {
			t.Error(err)
		}
		return n
	}
	first := pages()
	put("again ", logins/2) // in part of the room of those that are gone
	if second := pages(); second > first {
		t.Errorf("the file grew from %d to %d pages", first, second)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d logins of 440 bytes: a file of %.1f MB", logins, float64(info.Size())/1e6)
	if info.Size() > 64e6 {
		t.Errorf("the file has %d bytes, want 64 MB at most", info.Size())
	}
}
