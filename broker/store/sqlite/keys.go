package sqlite

import (
	"context"
	"database/sql"

	"apostille/broker/store"
)

// ListKeys implements store.Keys.
func (s *Store) ListKeys(ctx context.Context) ([]store.Key, error) {
	list, err := selectKeys(ctx, s.read)
	return list, s.wrap("list keys", err)
}

// ChangeKeys implements store.Keys.
func (s *Store) ChangeKeys(ctx context.Context, change func([]store.Key) ([]store.Key, error)) error {
	return s.wrap("change keys", s.inTx(ctx, func(tx *sql.Tx) error {
		list, err := selectKeys(ctx, tx)
		if err != nil {
			return err
		}
		if list, err = change(list); err != nil {
			return err
		}
		if err := store.CheckKeys(list); err != nil {
			return err
		}
		return replaceKeys(ctx, tx, list)
	}))
}

type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func selectKeys(ctx context.Context, q queryer) ([]store.Key, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT id, purpose, alg, wrapped, public, created, active_at, retire_at, gone_at
		FROM keys ORDER BY created, id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []store.Key
	for rows.Next() {
		var k store.Key
		var created, active, retire, gone sql.NullInt64
		err := rows.Scan(&k.ID, &k.Purpose, &k.Alg, &k.Wrapped, &k.Public, &created, &active, &retire, &gone)
		if err != nil {
			return nil, err
		}
		k.Created, k.ActiveAt, k.RetireAt, k.GoneAt = timeOf(created), timeOf(active), timeOf(retire), timeOf(gone)
		list = append(list, k)
	}
	return list, rows.Err()
}

func replaceKeys(ctx context.Context, tx *sql.Tx, list []store.Key) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM keys`); err != nil {
		return err
	}
	for _, k := range list {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO keys (id, purpose, alg, wrapped, public, created, active_at, retire_at, gone_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			k.ID, k.Purpose, k.Alg, k.Wrapped, k.Public,
			micros(k.Created), micros(k.ActiveAt), micros(k.RetireAt), micros(k.GoneAt))
		if err != nil {
			return err
		}
	}
	return bumpVersion(ctx, tx)
}
