package storetest

import (
	"sync"
	"testing"
	"time"

	"apostille/broker/store"
)

// Open makes an empty store on the given clock, and reopen, which makes another handle on the same records, as a second
// process or a restart would. It closes what it made when the test ends; closing twice is allowed.
type Open func(t *testing.T, now func() time.Time) (s store.Store, reopen func() store.Store)

// Run runs the suite.
func Run(t *testing.T, open Open) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(*testing.T, Open)
	}{
		{"replay", testReplay},
		{"keys", testKeys},
		{"key sets", testKeySets},
		{"subjects", testSubjects},
		{"pendings", testPendings},
		{"families", testFamilies},
		{"sessions", testSessions},
		{"sources", testSources},
		{"consents", testConsents},
		{"issued tokens", testIssued},
		{"deliveries", testDeliveries},
		{"version", testVersion},
		{"life cycle", testLifeCycle},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, open)
		})
	}
}

// Clock is a clock that a test moves.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock makes a clock that stands at a time with microseconds, as stored times do.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 11, 21, 10, 0, 0, 123456000, time.UTC)} }

// Now is the time it shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add moves it.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// cases runs named cases, each on a store of its own.
func cases(t *testing.T, open Open, all map[string]func(*testing.T, *fixture)) {
	for name, run := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := NewClock()
			s, reopen := open(t, clock.Now)
			run(t, &fixture{Store: s, reopen: reopen, clock: clock})
		})
	}
}

type fixture struct {
	store.Store
	reopen func() store.Store
	clock  *Clock
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
