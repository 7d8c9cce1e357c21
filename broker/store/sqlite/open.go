package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"apostille/broker/store"
)

const (
	readers  = 2       // connections; each costs memory, and reads are rare and short
	cacheKiB = 1024    // page cache per connection
	walLimit = 4 << 20 // bytes to which the WAL file shrinks back after a checkpoint
)

// Options of Open.
type Options struct {
	Now func() time.Time // decides what has expired; nil = time.Now
	Log *slog.Logger     // for what no caller waits for; nil = discarded
	// MaxPending bounds the pending things of each kind; the oldest are dropped. 0 = 100,000.
	MaxPending int
}

const defaultMaxPending = 100_000

// Store is the store in one file. Open makes it.
type Store struct {
	now   func() time.Time
	log   *slog.Logger
	write *sql.DB // one connection: writers of this process queue here, not on the file's lock
	read  *sql.DB

	patience time.Duration // lockPatience; tests shorten it

	maxPending int
	prepared   *prepared
	reading    *reading

	writes  chan *task
	closing chan struct{} // closed by Close
	stopped chan struct{} // closed when the writer has answered its last write
	once    sync.Once
	closed  error // what Close found
}

var _ store.Store = (*Store)(nil)

// Open opens the file at path, creates it (mode 0600) if there is none, and migrates it to the newest schema.
// A file of a newer program is ErrNewerSchema. ctx bounds opening only.
func Open(ctx context.Context, path string, o Options) (store.Store, error) {
	return open(ctx, path, o)
}

func open(ctx context.Context, path string, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxPending <= 0 {
		o.MaxPending = defaultMaxPending
	}
	if err := create(path); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err := migrateFile(ctx, path); err != nil {
		return nil, fmt.Errorf("store: %s: %w", path, err)
	}
	write, err := connect(path, 1, roleWriter)
	if err != nil {
		return nil, err
	}
	read, err := connect(path, readers, roleReader)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	s := &Store{
		now: o.Now, log: o.Log, write: write, read: read, patience: lockPatience,
		maxPending: o.MaxPending,
		prepared:   &prepared{db: write, kept: map[string]*sql.Stmt{}},
		reading:    &reading{db: read},

		writes:  make(chan *task, writeQueue),
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
	}
	go s.serveWrites()
	return s, nil
}

// create makes an empty file if there is none. The mode is set here, because SQLite would take it from the umask; the
// files beside it (-wal, -shm) get the mode of this one.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// role is what a pool of connections is for, as settings of the driver.
type role struct {
	txlock string
	pragma []string
}

var (
	// A transaction that reads, then writes, must hold the lock from the start; begin waits for it.
	roleWriter = role{txlock: "immediate", pragma: []string{"busy_timeout(0)", "journal_mode(WAL)"}}
	roleReader = role{txlock: "deferred", pragma: []string{"busy_timeout(5000)", "query_only(1)"}}
	// Migrations begin their own transactions, so SQLite waits for them.
	roleMigrator = role{txlock: "immediate", pragma: []string{"busy_timeout(5000)", "journal_mode(WAL)"}}
)

// connect makes a pool of at most n connections. mode=rw: a connection that is made anew after an error must never
// create an empty store in place of a file that was moved away.
func connect(path string, n int, r role) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	q := url.Values{"mode": {"rw"}, "_txlock": {r.txlock}, "_pragma": append(slices.Clone(r.pragma),
		"synchronous(FULL)",
		fmt.Sprintf("journal_size_limit(%d)", walLimit),
		fmt.Sprintf("cache_size(-%d)", cacheKiB),
	)}
	u := url.URL{Scheme: "file", Path: abs, RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// Ping implements store.Store.
func (s *Store) Ping(ctx context.Context) error {
	var n int
	return s.wrap("ping", s.read.QueryRowContext(ctx, `SELECT 1 FROM version`).Scan(&n))
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.once.Do(func() {
		close(s.closing)
		<-s.stopped
		// Readers first: the last connection to go checkpoints the WAL and removes it.
		s.closed = s.wrapOpen("close", errors.Join(s.read.Close(), s.write.Close()))
	})
	return s.closed
}

// wrap names the operation in an error, and makes every error after Close ErrClosed: database/sql has no sentinel for it.
func (s *Store) wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	select {
	case <-s.closing:
		return store.ErrClosed
	default:
		return s.wrapOpen(op, err)
	}
}

func (s *Store) wrapOpen(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("store: %s: %w", op, err)
}
