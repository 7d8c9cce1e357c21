package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"apostille/broker/store"
)

const (
	claimQueue = 1024 // claims that may wait for the writer; more wait in Claim
	claimBatch = 256  // claims in one transaction
)

// claim is one caller's question to the writer.
type claim struct {
	mark   store.ReplayMark
	until  int64
	first  bool
	answer chan error // one slot: the writer never waits for a caller who has left
}

// Claim implements store.Replay. Claims that arrive while a commit is under way share the next one.
func (s *Store) Claim(ctx context.Context, kind, issuer, id string, until time.Time) (bool, error) {
	mark, err := store.NewReplayMark(kind, issuer, id)
	if err != nil {
		return false, err
	}
	if !until.After(s.now()) {
		return false, store.ErrExpired
	}
	if err := ctx.Err(); err != nil {
		return false, s.wrap("claim", err)
	}
	c := &claim{mark: mark, until: microsUp(until), answer: make(chan error, 1)}
	select {
	case <-s.closing: // first, because a select takes any branch that is ready
		return false, store.ErrClosed
	default:
	}
	select {
	case s.claims <- c:
	case <-ctx.Done():
		return false, s.wrap("claim", ctx.Err())
	case <-s.closing:
		return false, store.ErrClosed
	}
	select {
	case err := <-c.answer:
		return c.result(err)
	case <-ctx.Done():
		return false, s.wrap("claim", ctx.Err())
	case <-s.stopped:
	}
	select { // the writer's last batch may have held it
	case err := <-c.answer:
		return c.result(err)
	default:
		return false, store.ErrClosed
	}
}

func (c *claim) result(err error) (bool, error) {
	if err != nil {
		return false, fmt.Errorf("store: claim: %w", err)
	}
	return c.first, nil
}

// writeClaims is the writer: it gathers what waits, commits it at once, then answers. It ends when Close was called
// and nothing waits any more.
func (s *Store) writeClaims() {
	defer close(s.stopped)
	sweep := sweeper{store: s}
	batch := make([]*claim, 0, claimBatch)
	for {
		batch = s.gather(batch[:0], sweep.running)
		if len(batch) == 0 && !sweep.running {
			return
		}
		if len(batch) > 0 {
			err := s.commit(batch)
			for _, c := range batch {
				c.answer <- err
			}
			clear(batch)
		}
		sweep.step()
	}
}

// gather returns the claims that wait now. If there are none it waits for one, unless there is a sweep to go on with
// or the store is closing.
func (s *Store) gather(batch []*claim, busy bool) []*claim {
	if !busy {
		select {
		case c := <-s.claims:
			batch = append(batch, c)
		case <-s.closing:
		}
	}
	for len(batch) < claimBatch {
		select {
		case c := <-s.claims:
			batch = append(batch, c)
		default:
			return batch
		}
	}
	return batch
}

// commit makes the marks of a batch in one transaction. No caller's context reaches it: a caller who leaves must not
// take the others along.
func (s *Store) commit(batch []*claim) error {
	ctx := context.Background()
	return s.inTx(ctx, func(tx *sql.Tx) error {
		// One atomic statement per claim: a mark is made where there is none, or where an expired one stands. A duplicate
		// inside the batch meets the mark its twin made just before.
		insert, err := tx.PrepareContext(ctx, `
			INSERT INTO replay (mark, until) VALUES (?1, ?2)
			ON CONFLICT (mark) DO UPDATE SET until = excluded.until WHERE replay.until <= ?3`)
		if err != nil {
			return err
		}
		defer insert.Close()
		now := micros(s.now()).Int64
		for _, c := range batch {
			res, err := insert.ExecContext(ctx, c.mark[:], c.until, now)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			c.first = n == 1
		}
		return nil
	})
}
