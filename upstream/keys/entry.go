package keys

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"apostille/trust/jose"
)

// Ages and rates; see the package comment.
const (
	// MaxAge is how old a set may be without its upstream being asked again.
	MaxAge        = 15 * time.Minute
	refreshAge    = 10 * time.Minute // background refresh from here on,
	refreshJitter = 2 * time.Minute  // spread over this
	idleAfter     = 24 * time.Hour   // a source not used for this long is no longer refreshed in the background

	missBurst    = 2
	missInterval = 10 * time.Second

	pauseMin = 5 * time.Second // after a first failed fetch, doubling
	pauseMax = time.Minute

	// failureCounts is how long a failed fetch says that the upstream does not answer: longer than it takes Run to try again.
	failureCounts = 2 * time.Minute
)

// entry is one source and what is known of it. Trusts with equal sources share one.
type entry struct {
	source Source
	trusts atomic.Pointer[[]string] // IDs of the trusts that use it, sorted
	state  atomic.Pointer[state]    // nil = no set yet
	used   atomic.Int64             // Unix seconds of the last look-up, to the minute; 0 = never

	// failedAt is when the latest attempt failed, in Unix seconds; 0 = it did not. See overdue.
	failedAt atomic.Int64

	mu        sync.Mutex // guards the rest of this block
	misses    *rate.Limiter
	flight    *flight
	failures  int // in a row
	notBefore time.Time
	lastErr   error

	loading   sync.Mutex // guards loaded, loadAgain
	loaded    bool
	loadAgain time.Time
}

// state is one key set as it serves. Immutable.
type state struct {
	document
	set     *jose.Set
	version uint64
	fetched time.Time // when the upstream last gave exactly this
	saved   time.Time // `fetched` as LastGood has it; zero = it does not have this set
	refresh time.Time // when to ask again in the background
}

// document is a JWK Set as fetched.
type document struct {
	body       []byte
	uri        string    // where discovery said it is; "" unless Discovery
	discovered time.Time // when it said so
}

func newEntry(s Source) *entry {
	return &entry{source: s, misses: rate.NewLimiter(rate.Every(missInterval), missBurst)}
}

func (e *entry) maxStale() time.Duration {
	if e.source.MaxStale > 0 {
		return e.source.MaxStale
	}
	return DefaultMaxStale
}

// touch notes that the entry is in use.
func (e *entry) touch(now time.Time) {
	if s := now.Unix(); s-e.used.Load() >= 60 {
		e.used.Store(s)
	}
}

// serving returns the set that may still serve at all; nil = none.
func (e *entry) serving(now time.Time) *state {
	s := e.state.Load()
	if s == nil || e.source.Static == nil && now.Sub(s.fetched) > e.maxStale() {
		return nil
	}
	return s
}

// overdue says that the upstream has to be asked before s serves on: s is past MaxAge, and no attempt of late says that the
// upstream does not answer. Callers wait for an overdue set; while attempts fail they do not, and the last good set serves.
func (e *entry) overdue(s *state, now time.Time) bool {
	return e.source.Static == nil && now.Sub(s.fetched) > MaxAge &&
		now.Unix()-e.failedAt.Load() > int64(failureCounts/time.Second)
}

// due says that a background refresh should start.
func (e *entry) due(now time.Time) bool {
	if e.source.Static != nil || now.Unix()-e.used.Load() > int64(idleAfter/time.Second) {
		return false
	}
	s := e.state.Load()
	return s == nil || !now.Before(s.refresh)
}

// succeeded notes a fetch that gave s.
func (e *entry) succeeded(s *state) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.Store(s)
	e.failures, e.notBefore, e.lastErr = 0, time.Time{}, nil
	e.failedAt.Store(0)
}

// failed notes a fetch that did not, and when the next may start.
func (e *entry) failed(err error, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	pause := pauseMax
	if e.failures < 4 {
		pause = min(pauseMax, pauseMin<<e.failures)
	}
	e.failures++
	e.notBefore = now.Add(pause)
	e.lastErr = err
	e.failedAt.Store(now.Unix())
}

// markSaved notes that LastGood has s, unless s was replaced meanwhile.
func (e *entry) markSaved(s *state) {
	kept := *s
	kept.saved = s.fetched
	e.state.CompareAndSwap(s, &kept)
}

func refreshAt(fetched time.Time) time.Time {
	return fetched.Add(refreshAge + rand.N(refreshJitter))
}
