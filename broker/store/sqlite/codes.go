package sqlite

import (
	"bytes"
	"context"
	"database/sql"

	"apostille/broker/store"
)

// PutCode implements store.Families.
func (s *Store) PutCode(ctx context.Context, c store.Code) error {
	if err := store.CheckCode(c); err != nil {
		return err
	}
	c.Value = bytes.Clone(c.Value)
	return s.exec(ctx, "put code", func(b *batch) error {
		return b.add("that code", `INSERT INTO codes (hash, value, session, until) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			c.Hash[:], c.Value, c.Session, c.Until.UnixMicro())
	})
}

// Code implements store.Families.
func (s *Store) Code(ctx context.Context, h store.Hash) (store.Code, bool, error) {
	c := store.Code{Hash: h}
	var until int64
	var family sql.NullString
	ok, err := s.readRow(ctx, `SELECT value, session, until, family FROM codes WHERE hash = ?`,
		[]any{h[:]}, &c.Value, &c.Session, &until, &family)
	if err != nil || !ok {
		return store.Code{}, false, s.wrap("code", err)
	}
	c.Until, c.Family = timeAt(until), family.String
	return c, true, nil
}

// RedeemCode implements store.Families.
func (s *Store) RedeemCode(ctx context.Context, h store.Hash, f store.Family, r *store.Refresh) (bool, error) {
	if err := store.CheckRedemption(f, r); err != nil {
		return false, err
	}
	f.Subject = bytes.Clone(f.Subject)
	var first *store.Refresh
	if r != nil {
		first = &store.Refresh{Hash: r.Hash, Family: f.ID, Until: r.Until}
	}
	return do(ctx, s, "redeem code", func(b *batch) (bool, error) {
		now := s.micros()
		// One atomic statement says who is first.
		n, err := b.exec(`UPDATE codes SET family = ? WHERE hash = ? AND family IS NULL AND until > ?`, f.ID, h[:], now)
		if err != nil {
			return false, err
		}
		if n == 0 {
			_, err := b.exec(`
				UPDATE families SET ended = ?1, why = ?2
				WHERE id = (SELECT family FROM codes WHERE hash = ?3) AND ended IS NULL AND until > ?1`,
				now, store.WhyReuse, h[:])
			return false, err
		}
		if err := b.addFamily(f); err != nil || first == nil {
			return err == nil, err
		}
		err = b.addRefresh(*first, nil)
		return err == nil, err
	})
}
