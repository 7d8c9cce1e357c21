package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"apostille/broker/store"
)

const deliveryColumns = `id, client, uri, sub, sid, session, created, next_at, attempts, done, failed, error`

func scanDelivery(rows *sql.Rows) (store.Delivery, error) {
	var d store.Delivery
	var created, done, failed sql.NullInt64
	var next int64
	err := rows.Scan(&d.ID, &d.Client, &d.URI, &d.Sub, &d.SID, &d.Session, &created, &next, &d.Attempts, &done, &failed, &d.Error)
	d.Created, d.NextAt, d.Done, d.Failed = timeOf(created), timeAt(next), timeOf(done), timeOf(failed)
	return d, err
}

// PutDeliveries implements store.Deliveries.
func (s *Store) PutDeliveries(ctx context.Context, list []store.Delivery) error {
	if err := store.CheckDeliveries(list); err != nil {
		return err
	}
	list = slices.Clone(list)
	return s.exec(ctx, "put deliveries", func(b *batch) error {
		for _, d := range list {
			err := b.add("delivery "+d.ID, `
				INSERT INTO deliveries (`+deliveryColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				d.ID, d.Client, d.URI, d.Sub, d.SID, d.Session, micros(d.Created), d.NextAt.UnixMicro(), d.Attempts,
				micros(d.Done), micros(d.Failed), d.Error)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// DueDeliveries implements store.Deliveries. It writes only if there are any: it is asked all the time.
func (s *Store) DueDeliveries(ctx context.Context, lease time.Time, limit int) ([]store.Delivery, error) {
	const due = `done IS NULL AND failed IS NULL AND next_at <= ?`
	if lease.UnixMicro() <= s.micros() {
		return nil, fmt.Errorf("%w: a lease that is over", store.ErrInvalid)
	}
	var waits bool
	_, err := s.readRow(ctx, `SELECT EXISTS (SELECT 1 FROM deliveries WHERE `+due+`)`, []any{s.micros()}, &waits)
	if err != nil || !waits {
		return nil, s.wrap("due deliveries", err)
	}
	return do(ctx, s, "due deliveries", func(b *batch) ([]store.Delivery, error) {
		rows, err := b.rows(`
			UPDATE deliveries SET next_at = ? WHERE id IN
				(SELECT id FROM deliveries WHERE `+due+` ORDER BY next_at, id LIMIT ?)
			RETURNING `+deliveryColumns, lease.UnixMicro(), s.micros(), max(limit, 0))
		list, err := collect(rows, err, scanDelivery)
		slices.SortFunc(list, func(a, b store.Delivery) int {
			return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
		})
		return list, err
	})
}

// UpdateDelivery implements store.Deliveries.
func (s *Store) UpdateDelivery(ctx context.Context, d store.Delivery) error {
	return s.exec(ctx, "update delivery", func(b *batch) error {
		n, err := b.exec(`UPDATE deliveries SET next_at = ?, attempts = ?, done = ?, failed = ?, error = ? WHERE id = ?`,
			d.NextAt.UnixMicro(), d.Attempts, micros(d.Done), micros(d.Failed), d.Error, d.ID)
		if err == nil && n == 0 {
			return fmt.Errorf("%w: no delivery %q", store.ErrInvalid, d.ID)
		}
		return err
	})
}

// ListDeliveries implements store.Deliveries.
func (s *Store) ListDeliveries(ctx context.Context, session string, limit int) ([]store.Delivery, error) {
	var c condition
	c.and(`1`)
	c.equal("session", session)
	rows, err := s.readRows(ctx, `
		SELECT `+deliveryColumns+` FROM deliveries WHERE `+c.text()+` ORDER BY created DESC, id LIMIT ?`,
		append(c.args, max(limit, 0))...)
	list, err := collect(rows, err, scanDelivery)
	return list, s.wrap("list deliveries", err)
}
