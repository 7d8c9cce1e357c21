package memory

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"apostille/broker/store"
)

// A120: what strangers can make the store remember is bounded. Not parallel: it measures the heap.
func TestAHundredThousandUnfinishedLoginsFitIn64MB(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	s := New(Options{Now: func() time.Time { return now }})
	value := bytes.Repeat([]byte("x"), 500) // what broker/authflow keeps of one takes less: a test there
	put := func(from, n int) {
		for i := range n {
			p := store.Pending{Value: value, Until: now.Add(10 * time.Minute)}
			if err := s.PutPending(t.Context(), "login", fmt.Sprint(from+i), p); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := heap()
	put(0, 100_000)
	full := heap() - before
	put(100_000, 150_000)
	flooded := heap() - before
	t.Logf("100,000 logins of 500 bytes: %.1f MB; after 150,000 more: %.1f MB", float64(full)/1e6, float64(flooded)/1e6)
	if full > 64e6 {
		t.Errorf("they take %d bytes, want 64 MB at most", full)
	}
	if flooded > 64e6 { // a map that lost as many keys as it has grows once
		t.Errorf("after a flood they take %d bytes, want 64 MB at most", flooded)
	}
	now = now.Add(time.Hour)
	put(250_000, 1)
	if after := heap() - before; after > 16<<20 {
		t.Errorf("an hour later %d bytes are held", after)
	}
	runtime.KeepAlive(s)
}

func TestShelfKeepsWhatIsLeftOfMuch(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	s := newShelf()
	kept := map[tag][]byte{}
	var tags []tag
	for i := range 60_000 {
		h, err := store.PendingHash("login", fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		e := entry{tag: tagOf(h), until: now.Add(time.Hour), value: bytes.Repeat([]byte{byte(i)}, 1+rand.IntN(1000))}
		s.tidy(now)
		s.add(e)
		if i%50 == 0 { // one in fifty is never finished
			kept[e.tag] = e.value
			tags = append(tags, e.tag)
		} else if got, found, _ := s.get(e.tag); found {
			s.remove(got)
		}
	}
	if s.held > 2*s.live+packAfter+chunkSize {
		t.Errorf("%d bytes are held for %d", s.held, s.live)
	}
	for i, want := range tags {
		if got, found, _ := s.get(want); !found || !bytes.Equal(got.value, kept[want]) {
			t.Fatalf("entry %d: found %v", i, found)
		}
		if got, ok := s.oldest(); !ok || got.tag != want {
			t.Fatalf("entry %d is not the oldest", i)
		} else {
			s.remove(got)
		}
	}
	if _, ok := s.oldest(); ok || s.live != 0 || len(s.places) != 0 {
		t.Errorf("%d bytes and %d places are left", s.live, len(s.places))
	}
}
