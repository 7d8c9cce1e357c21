package memory

import (
	"context"
	"time"

	"apostille/broker/store"
)

// sweepEvery bounds how often the whole map is walked, unless it is full.
const sweepEvery = time.Minute

// Claim implements store.Replay. When there is no room for another mark it returns store.ErrFull.
func (s *Store) Claim(ctx context.Context, kind, issuer, id string, until time.Time) (bool, error) {
	if err := s.usable(ctx); err != nil {
		return false, err
	}
	mark, err := store.NewReplayMark(kind, issuer, id)
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if !until.After(now) {
		return false, store.ErrExpired
	}
	if old, ok := s.marks[mark]; ok && old.After(now) {
		return false, nil
	}
	s.sweep(now)
	if len(s.marks) >= s.max {
		return false, store.ErrFull
	}
	s.marks[mark] = until
	return true, nil
}

// Claimed implements store.Replay.
func (s *Store) Claimed(ctx context.Context, kind, issuer, id string) (bool, error) {
	mark, err := store.NewReplayMark(kind, issuer, id)
	if err != nil {
		return false, err
	}
	now, err := s.lock(ctx)
	if err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	return s.marks[mark].After(now), nil
}

// sweep forgets what has expired: once a minute, and while the map is full once a second, so that a full map does not
// cost every claim a walk through it.
func (r *records) sweep(now time.Time) {
	every := sweepEvery
	if len(r.marks) >= r.max {
		every = time.Second
	}
	if since := now.Sub(r.swept); since >= 0 && since < every {
		return
	}
	r.swept = now
	for mark, until := range r.marks {
		if !until.After(now) {
			delete(r.marks, mark)
		}
	}
}
