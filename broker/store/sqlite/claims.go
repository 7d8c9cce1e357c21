package sqlite

import (
	"context"
	"time"

	"apostille/broker/store"
)

// Claim implements store.Replay.
func (s *Store) Claim(ctx context.Context, kind, issuer, id string, until time.Time) (bool, error) {
	mark, err := store.NewReplayMark(kind, issuer, id)
	if err != nil {
		return false, err
	}
	if !until.After(s.now()) {
		return false, store.ErrExpired
	}
	var first bool
	t := newTask("claim", func(b *batch) (err error) {
		first, err = s.claim(b, mark, microsUp(until))
		return err
	})
	t.single = true
	if err := s.submit(ctx, t); err != nil {
		return false, err
	}
	if err := s.await(ctx, t); err != nil {
		return false, err // first may be written to at this moment
	}
	return first, nil
}

// claim is one atomic statement: a mark is made where there is none, or where an expired one stands. A duplicate inside
// the batch meets the mark its twin made just before.
func (s *Store) claim(b *batch, mark store.ReplayMark, until int64) (bool, error) {
	n, err := b.exec(`
		INSERT INTO replay (mark, until) VALUES (?1, ?2)
		ON CONFLICT (mark) DO UPDATE SET until = excluded.until WHERE replay.until <= ?3`,
		mark[:], until, s.micros())
	return n == 1, err
}

// Claimed implements store.Replay.
func (s *Store) Claimed(ctx context.Context, kind, issuer, id string) (bool, error) {
	mark, err := store.NewReplayMark(kind, issuer, id)
	if err != nil {
		return false, err
	}
	var until int64
	ok, err := s.readRow(ctx, `SELECT until FROM replay WHERE mark = ? AND until > ?`, []any{mark[:], s.micros()}, &until)
	return ok, s.wrap("claimed", err)
}
