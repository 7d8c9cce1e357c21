package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	lockPatience = 5 * time.Second // how long a writer waits for another process's transaction
	lockRetry    = time.Millisecond
)

// inTx runs f in a write transaction (BEGIN IMMEDIATE) and commits it, or rolls back if f fails or panics.
func (s *Store) inTx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after a commit it does nothing
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// begin waits for the file's write lock. SQLite's own waiting backs off to 100 ms between tries; against a server that
// commits batch after batch, and leaves the lock free for moments only, a command would starve for seconds. So it is
// off (busy_timeout 0), and tries follow each other closely here.
func (s *Store) begin(ctx context.Context) (*sql.Tx, error) {
	patience := time.NewTimer(s.patience)
	defer patience.Stop()
	for {
		tx, err := s.write.BeginTx(ctx, nil)
		if err == nil || !isBusy(err) {
			return tx, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-patience.C:
			return nil, err
		case <-time.After(rand.N(lockRetry)):
		}
	}
}

// isBusy reports whether another connection holds the lock; the low byte is the primary result code.
func isBusy(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_BUSY
}

// isTaken reports whether a unique column held the value already.
func isTaken(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}
