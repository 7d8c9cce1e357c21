package logout

import (
	"sync"
	"time"
)

// longestRest of an address that fails again and again: others wait for its attempts no more often than that.
const longestRest = 30 * time.Second

// rests are the addresses that did not answer lately. While one rests nothing is sent to it: else the many tokens of one application that
// hangs, each for the whole of attemptTime, would keep those of all others waiting. The zero value is ready.
type rests struct {
	mu sync.Mutex
	of map[string]rest
}

type rest struct {
	failures int // in a row
	until    time.Time
}

// until says how long an address rests; zero = it does not.
func (r *rests) until(address string, now time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if until := r.of[address].until; until.After(now) {
		return until
	}
	return time.Time{}
}

// note takes down how an attempt went. A rest is never longer than the pause of the token that was tried.
func (r *rests) note(address string, ok bool, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ok {
		delete(r.of, address)
		return
	}
	if r.of == nil {
		r.of = map[string]rest{}
	}
	had := r.of[address]
	if had.until.After(now) { // of the same round
		return
	}
	pause := min(pauses[min(had.failures, len(pauses)-1)], longestRest)
	r.of[address] = rest{failures: had.failures + 1, until: now.Add(pause)}
}
