package memory

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"apostille/broker/store"
)

// Options of New.
type Options struct {
	Now      func() time.Time // decides what has expired; nil = time.Now
	MaxMarks int              // replay marks kept at most; 0 = 262,144 (about 20 MB)
	// MaxPending bounds the pending things of each kind; the oldest are dropped. 0 = 100,000.
	MaxPending int
	// MaxRecords bounds every other sort of record (codes, families, refresh tokens, sessions …), which only sign-ins make; a full one
	// refuses with store.ErrFull. 0 = 262,144.
	MaxRecords int
}

const (
	defaultMaxMarks   = 1 << 18
	defaultMaxPending = 100_000
	defaultMaxRecords = 1 << 18
)

// Store is one handle on the records. New and Share make it.
type Store struct {
	*records
	closed atomic.Bool
}

var _ store.Store = (*Store)(nil)

// records are what the handles share, under one lock.
type records struct {
	now        func() time.Time
	max        int
	maxPending int
	maxRecords int

	mu       sync.Mutex
	marks    map[store.ReplayMark]time.Time // until when each counts
	swept    time.Time
	keys     []store.Key
	keySets  map[string]store.KeySet
	subjects map[string]store.SubjectMark
	version  int64

	pendings   map[string]*shelf // by kind
	codes      map[store.Hash]*store.Code
	families   map[string]*store.Family
	refresh    map[store.Hash]*refreshToken
	sessions   map[string]*session
	cookies    map[store.Hash]*session // the same ones
	sources    map[store.Hash]store.Source
	consents   map[grantor]store.Consent
	opaque     map[store.Hash]store.Opaque
	revoked    map[string]time.Time // by jti: until when
	deliveries map[string]store.Delivery
	forgot     time.Time // when what is over was last dropped
}

// New makes an empty store.
func New(o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	orElse := func(n, standard int) int {
		if n <= 0 {
			return standard
		}
		return n
	}
	return &Store{records: &records{
		now: o.Now,
		max: orElse(o.MaxMarks, defaultMaxMarks), maxPending: orElse(o.MaxPending, defaultMaxPending),
		maxRecords: orElse(o.MaxRecords, defaultMaxRecords),
		marks:      map[store.ReplayMark]time.Time{},
		keySets:    map[string]store.KeySet{},
		subjects:   map[string]store.SubjectMark{},

		pendings:   map[string]*shelf{},
		codes:      map[store.Hash]*store.Code{},
		families:   map[string]*store.Family{},
		refresh:    map[store.Hash]*refreshToken{},
		sessions:   map[string]*session{},
		cookies:    map[store.Hash]*session{},
		sources:    map[store.Hash]store.Source{},
		consents:   map[grantor]store.Consent{},
		opaque:     map[store.Hash]store.Opaque{},
		revoked:    map[string]time.Time{},
		deliveries: map[string]store.Delivery{},
	}}
}

// Share makes another handle on the same records, open whether or not s is.
func (s *Store) Share() *Store { return &Store{records: s.records} }

// usable is asked at the start of every method.
func (s *Store) usable(ctx context.Context) error {
	if s.closed.Load() {
		return store.ErrClosed
	}
	return ctx.Err()
}

// Version implements store.Versions.
func (s *Store) Version(ctx context.Context) (int64, error) {
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.version, nil
}

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error { return s.usable(ctx) }

// Close implements store.Store: it closes this handle. Records live as long as anybody holds one.
func (s *Store) Close() error {
	s.closed.Store(true)
	return nil
}
