package sqlite

import (
	"context"

	"apostille/broker/store"
)

// dropAtOnce bounds how many of the oldest pendings one that is put may drop: enough to come back below a bound that was lowered.
const dropAtOnce = 100

// PutPending implements store.Pendings.
func (s *Store) PutPending(ctx context.Context, kind, handle string, p store.Pending) error {
	hash, err := store.PendingHash(kind, handle)
	if err != nil {
		return err
	}
	if err := store.CheckPending(p); err != nil {
		return err
	}
	value, until := append([]byte(nil), p.Value...), p.Until.UnixMicro()
	return s.exec(ctx, "put pending", func(b *batch) error {
		err := b.add("a pending thing under that handle", `
			INSERT INTO pendings (hash, kind, value, until) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT (hash) DO UPDATE SET value = excluded.value, until = excluded.until WHERE pendings.until <= ?5`,
			hash[:], kind, value, until, s.micros())
		if err != nil {
			return err
		}
		return b.boundPendings(kind, s.maxPending)
	})
}

// boundPendings drops the oldest of a kind while there are too many.
func (b *batch) boundPendings(kind string, most int) error {
	var n int
	if _, err := b.row(`SELECT n FROM pending_counts WHERE kind = ?`, []any{kind}, &n); err != nil || n <= most {
		return err
	}
	_, err := b.exec(`DELETE FROM pendings WHERE seq IN (SELECT seq FROM pendings WHERE kind = ? ORDER BY seq LIMIT ?)`,
		kind, min(n-most, dropAtOnce))
	return err
}

// PeekPending implements store.Pendings.
func (s *Store) PeekPending(ctx context.Context, kind, handle string) (store.Pending, bool, error) {
	hash, err := store.PendingHash(kind, handle)
	if err != nil {
		return store.Pending{}, false, err
	}
	var p store.Pending
	var until int64
	ok, err := s.readRow(ctx, `SELECT value, until FROM pendings WHERE hash = ? AND until > ?`,
		[]any{hash[:], s.micros()}, &p.Value, &until)
	if err != nil || !ok {
		return store.Pending{}, false, s.wrap("peek pending", err)
	}
	p.Until = timeAt(until)
	return p, true, nil
}

// TakePending implements store.Pendings.
func (s *Store) TakePending(ctx context.Context, kind, handle string) (store.Pending, bool, error) {
	hash, err := store.PendingHash(kind, handle)
	if err != nil {
		return store.Pending{}, false, err
	}
	p, err := do(ctx, s, "take pending", func(b *batch) (*store.Pending, error) {
		var p store.Pending
		var until int64
		ok, err := b.row(`DELETE FROM pendings WHERE hash = ? RETURNING value, until`, []any{hash[:]}, &p.Value, &until)
		if err != nil || !ok || until <= s.micros() {
			return nil, err
		}
		p.Until = timeAt(until)
		return &p, nil
	})
	if err != nil || p == nil {
		return store.Pending{}, false, err
	}
	return *p, true, nil
}
