package keys

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"apostille/trust/jose"
)

// Errors of Lookup; errors.Is tells which.
var (
	ErrUnknown     = errors.New("no such key (yet)")
	ErrUnavailable = errors.New("keys unavailable")
)

// Config of a Cache. LastGood and OnFetch may be nil, MaxWaiting 0.
type Config struct {
	// MaxWaiting bounds the look-ups that wait for upstreams at one time, all upstreams together; 0 = 256. A server that
	// handles so many requests at once MUST set it well below: else upstreams that do not answer hold every place.
	MaxWaiting int
	Client     func(roots *x509.CertPool, configured bool) *http.Client // see upstream/fetch
	LastGood   LastGood                                                 // nil = nothing outlives a restart
	Now        func() time.Time
	Log        *slog.Logger
	// OnFetch is told the outcome of each fetch for each trust that uses the source. It must not block.
	OnFetch func(trustID string, err error)
}

// Cache holds the keys of all trusts. Safe for concurrent use.
type Cache struct {
	cfg      Config
	versions atomic.Uint64
	trusts   atomic.Pointer[map[string]*entry] // by trust ID
	replace  sync.Mutex                        // one Replace at a time

	demand, refreshes, retries chan struct{} // semaphores, see flight.go
	waiting                    atomic.Int32

	ctx     context.Context // of every fetch; ends with Run
	cancel  context.CancelFunc
	flights sync.WaitGroup
	closing sync.Mutex // orders flights.Add before flights.Wait
	closed  bool
}

// New returns an empty Cache: Replace fills it, Run keeps it fresh. Without Run, look-ups fetch what they need.
func New(c Config) *Cache {
	if c.MaxWaiting <= 0 {
		c.MaxWaiting = maxWaiting
	}
	k := &Cache{
		cfg:       c,
		demand:    make(chan struct{}, maxDemand),
		refreshes: make(chan struct{}, maxRefreshes),
		retries:   make(chan struct{}, maxRetries),
	}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	k.trusts.Store(&map[string]*entry{})
	return k
}

// Replace installs the sources of a new Registry, by trust ID. Trusts whose source did not change keep their keys. It does
// no I/O. A source that is not exactly one of its kinds leaves its trust without keys.
func (c *Cache) Replace(sources map[string]Source) {
	c.replace.Lock()
	defer c.replace.Unlock()
	known := map[place][]*entry{}
	for _, e := range *c.trusts.Load() {
		if p := e.source.place(); !slices.Contains(known[p], e) {
			known[p] = append(known[p], e)
		}
	}
	next := make(map[string]*entry, len(sources))
	users := make(map[*entry][]string, len(sources))
	for id, src := range sources {
		if err := src.check(); err != nil {
			c.cfg.Log.Error("trust has no keys", slog.String("trust", id), slog.Any("error", err))
			continue
		}
		e := c.entryFor(known, src)
		next[id] = e
		users[e] = append(users[e], id)
	}
	for e, ids := range users {
		slices.Sort(ids)
		e.trusts.Store(&ids)
	}
	c.trusts.Store(&next)
}

// entryFor finds the entry of an equal source, or makes one and adds it to known.
func (c *Cache) entryFor(known map[place][]*entry, src Source) *entry {
	p := src.place()
	for _, e := range known[p] {
		if e.source.equal(src) {
			return e
		}
	}
	e := newEntry(src)
	if src.Static != nil {
		e.state.Store(&state{set: src.Static, version: c.versions.Add(1)})
	}
	known[p] = append(known[p], e)
	return e
}

// Lookup returns candidate keys of one trust for a token header, and the version of the set they come from. The version
// changes whenever the set does, so that caches of verified tokens can respect withdrawal.
//
// It answers from memory whenever it may. It waits, a few seconds at most and never beyond ctx, for keys it does not have
// and for a set past MaxAge. Errors are ErrUnknown and ErrUnavailable, wrapped with the reason.
func (c *Cache) Lookup(ctx context.Context, trustID, kid string, alg jose.Alg) ([]jose.Key, uint64, error) {
	e := (*c.trusts.Load())[trustID]
	if e == nil {
		return nil, 0, fmt.Errorf("%w: trust %q has no key source", ErrUnavailable, trustID)
	}
	s, err := c.current(ctx, e)
	if err != nil {
		return nil, 0, err
	}
	keys := s.set.Lookup(kid, alg)
	if len(keys) == 0 && e.source.Static == nil {
		s = c.missed(ctx, e, s)
		keys = s.set.Lookup(kid, alg)
	}
	if len(keys) == 0 {
		return nil, 0, ErrUnknown
	}
	return keys, s.version, nil
}

// Signers returns the keys of one trust, for signatures whose key no name tells: those of SAML, whose KeyInfo nobody is to believe. It waits
// as Lookup does. Errors are ErrUnavailable, wrapped with the reason, or ErrUnknown for a set without keys.
func (c *Cache) Signers(ctx context.Context, trustID string) ([]crypto.PublicKey, error) {
	e := (*c.trusts.Load())[trustID]
	if e == nil {
		return nil, fmt.Errorf("%w: trust %q has no key source", ErrUnavailable, trustID)
	}
	s, err := c.current(ctx, e)
	if err != nil {
		return nil, err
	}
	if len(s.set.Keys()) == 0 {
		return nil, ErrUnknown
	}
	signers := make([]crypto.PublicKey, len(s.set.Keys()))
	for i, k := range s.set.Keys() {
		signers[i] = k.Public
	}
	return signers, nil
}

// current returns the set to look in.
func (c *Cache) current(ctx context.Context, e *entry) (*state, error) {
	now := c.cfg.Now()
	e.touch(now)
	s := e.serving(now)
	if s == nil {
		c.load(e)
		s = e.serving(now)
	}
	switch {
	case s == nil:
		return c.cold(ctx, e, now)
	case e.overdue(s, now):
		if f := c.start(e, forOverdue, now); f != nil {
			_ = c.wait(ctx, f, waitOverdue)
		}
		if fresh := e.serving(now); fresh != nil {
			s = fresh
		}
	case e.due(now):
		c.start(e, forRefresh, now)
	}
	return s, nil
}

// cold waits for a first set.
func (c *Cache) cold(ctx context.Context, e *entry, now time.Time) (*state, error) {
	if f := c.start(e, forCold, now); f != nil {
		if err := c.wait(ctx, f, waitCold); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	if s := e.serving(now); s != nil {
		return s, nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.lastErr != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, e.lastErr)
	}
	return nil, fmt.Errorf("%w: not fetched yet", ErrUnavailable)
}

// missed returns the set after at most one shared fetch that an unknown kid may cause.
func (c *Cache) missed(ctx context.Context, e *entry, s *state) *state {
	f := c.start(e, forMiss, c.cfg.Now())
	if f == nil || c.wait(ctx, f, waitMiss) != nil {
		return s
	}
	if fresh := e.state.Load(); fresh != nil {
		return fresh
	}
	return s
}

// Version is the current version of a trust's set; 0 = none that may serve without asking the upstream first, so that the
// caller has to Lookup. It never waits.
func (c *Cache) Version(trustID string) uint64 {
	e := (*c.trusts.Load())[trustID]
	if e == nil {
		return 0
	}
	now := c.cfg.Now()
	e.touch(now)
	s := e.serving(now)
	if s == nil || e.overdue(s, now) {
		return 0
	}
	if e.due(now) {
		c.start(e, forRefresh, now)
	}
	return s.version
}

func (c *Cache) report(e *entry, err error) {
	if c.cfg.OnFetch == nil {
		return
	}
	for _, id := range *e.trusts.Load() {
		c.cfg.OnFetch(id, err)
	}
}
