package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"apostille/broker/store"
)

// LoadKeySet implements store.KeySets.
func (s *Store) LoadKeySet(ctx context.Context, source string) (store.KeySet, bool, error) {
	var set store.KeySet
	var fetched sql.NullInt64
	err := s.read.QueryRowContext(ctx, `SELECT jwks, jwks_uri, fetched FROM key_sets WHERE source = ?`, source).
		Scan(&set.JWKS, &set.JWKSURI, &fetched)
	if errors.Is(err, sql.ErrNoRows) {
		return store.KeySet{}, false, nil
	}
	if err != nil {
		return store.KeySet{}, false, s.wrap("load key set", err)
	}
	set.Fetched = timeOf(fetched)
	return set, true, nil
}

// SaveKeySet implements store.KeySets.
func (s *Store) SaveKeySet(ctx context.Context, source string, set store.KeySet) error {
	if source == "" {
		return fmt.Errorf("%w: a key set without a source", store.ErrInvalid)
	}
	return s.wrap("save key set", s.inTx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO key_sets (source, jwks, jwks_uri, fetched) VALUES (?, ?, ?, ?)
			ON CONFLICT (source) DO UPDATE SET jwks = excluded.jwks, jwks_uri = excluded.jwks_uri, fetched = excluded.fetched`,
			source, set.JWKS, set.JWKSURI, micros(set.Fetched))
		return err
	}))
}
