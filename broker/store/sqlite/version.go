package sqlite

import (
	"context"
	"database/sql"
)

// Version implements store.Versions.
func (s *Store) Version(ctx context.Context) (int64, error) {
	var n int64
	err := s.read.QueryRowContext(ctx, `SELECT n FROM version`).Scan(&n)
	return n, s.wrap("version", err)
}

// bumpVersion belongs into every transaction that writes keys or subjects.
func bumpVersion(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE version SET n = n + 1`)
	return err
}
