package sqlite

import (
	"context"
	"database/sql"
	"time"
)

const (
	sweepEvery = time.Minute
	sweepBatch = 500 // rows in one transaction: claims wait that long at most
	// sweepGrace is how long an expired mark is kept. If the clock is set back after a sweep, a credential comes to
	// life again, and its mark must still be there.
	sweepGrace = 10 * time.Minute
)

// sweeper deletes expired marks, between batches of claims. It rides on claims: a store that makes no marks does not
// grow, and needs no timer.
type sweeper struct {
	store   *Store
	last    time.Time // when a sweep last began
	running bool      // there was more to delete than one batch
}

// step deletes one batch, if a sweep is under way or due.
func (w *sweeper) step() {
	now := w.store.now()
	if !w.running {
		if since := now.Sub(w.last); since >= 0 && since < sweepEvery {
			return
		}
		w.last = now
	}
	n, err := w.store.sweep(now.Add(-sweepGrace))
	if err != nil {
		w.store.log.Warn("store: expired replay marks stay for another minute", "error", err)
	}
	w.running = err == nil && n == sweepBatch && !w.store.isClosing()
}

// sweep deletes one batch of marks that expired before the given time and says how many there were.
func (s *Store) sweep(before time.Time) (n int64, err error) {
	ctx := context.Background()
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `
			DELETE FROM replay WHERE mark IN (SELECT mark FROM replay WHERE until <= ? LIMIT ?)`,
			micros(before), sweepBatch)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

func (s *Store) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}
