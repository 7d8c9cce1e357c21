package keys

import (
	"context"
	"log/slog"
	"time"
)

const (
	storeTimeout = 2 * time.Second // one store call
	loadRetry    = 10 * time.Second
	saveEvery    = time.Hour // an unchanged set is stored again, for its age, at most this often
)

// LastGood keeps the last good set of each source across restarts. It MUST be safe for concurrent use. A missing entry is
// (Record{}, false, nil).
type LastGood interface {
	LoadKeySet(ctx context.Context, source string) (Record, bool, error)
	SaveKeySet(ctx context.Context, source string, r Record) error
}

// Record is a stored last good set: the JWKS document as fetched, and when.
type Record struct {
	JWKS    []byte
	JWKSURI string    // as discovered; "" unless Discovery
	Fetched time.Time // when the upstream last gave it
}

// load brings the stored set of an entry into use, once; a store that fails is asked again after loadRetry. Several callers
// wait for one store call.
func (c *Cache) load(e *entry) {
	name := e.source.StoredAs()
	if c.cfg.LastGood == nil || name == "" {
		return
	}
	e.loading.Lock()
	defer e.loading.Unlock()
	now := c.cfg.Now()
	if e.loaded || now.Before(e.loadAgain) || e.state.Load() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, storeTimeout)
	defer cancel()
	r, found, err := c.cfg.LastGood.LoadKeySet(ctx, name)
	if err != nil {
		e.loadAgain = now.Add(loadRetry)
		c.cfg.Log.Warn("last good keys not readable", slog.String("source", name), slog.Any("error", err))
		return
	}
	e.loaded = true
	// A record from the future says that a clock was wrong, then or now: its age cannot be known.
	if !found || r.Fetched.After(now) {
		return
	}
	s, err := c.newState(e, document{body: r.JWKS, uri: r.JWKSURI, discovered: r.Fetched}, r.Fetched)
	if err != nil {
		c.cfg.Log.Warn("last good keys not usable", slog.String("source", name), slog.Any("error", err))
		return
	}
	s.saved = r.Fetched
	e.state.CompareAndSwap(nil, s)
}

// save stores a set that changed, or whose stored age is getting old. A look-up never writes.
func (c *Cache) save(e *entry, s *state) {
	name := e.source.StoredAs()
	if c.cfg.LastGood == nil || name == "" || s.fetched.Sub(s.saved) < min(saveEvery, e.maxStale()/4) {
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, storeTimeout)
	defer cancel()
	err := c.cfg.LastGood.SaveKeySet(ctx, name, Record{JWKS: s.body, JWKSURI: s.uri, Fetched: s.fetched})
	if err != nil {
		c.cfg.Log.Warn("last good keys not stored", slog.String("source", name), slog.Any("error", err))
		return
	}
	e.markSaved(s)
}
