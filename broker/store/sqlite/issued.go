package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"apostille/broker/store"
)

// PutOpaque implements store.Issued.
func (s *Store) PutOpaque(ctx context.Context, o store.Opaque) error {
	if (o.Hash == store.Hash{}) || o.Until.IsZero() {
		return fmt.Errorf("%w: an opaque token without a hash or an end", store.ErrInvalid)
	}
	o.Claims = bytes.Clone(o.Claims)
	return s.exec(ctx, "put opaque token", func(b *batch) error {
		return b.add("that opaque token", `INSERT INTO opaque (hash, family, claims, until) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			o.Hash[:], o.Family, o.Claims, o.Until.UnixMicro())
	})
}

// Opaque implements store.Issued.
func (s *Store) Opaque(ctx context.Context, h store.Hash) (store.Opaque, bool, error) {
	o := store.Opaque{Hash: h}
	var until int64
	ok, err := s.readRow(ctx, `SELECT family, claims, until FROM opaque WHERE hash = ? AND until > ?`,
		[]any{h[:], s.micros()}, &o.Family, &o.Claims, &until)
	if err != nil || !ok {
		return store.Opaque{}, false, s.wrap("opaque token", err)
	}
	o.Until = timeAt(until)
	return o, true, nil
}

// RevokeToken implements store.Issued.
func (s *Store) RevokeToken(ctx context.Context, jti string, until time.Time) error {
	if jti == "" || until.IsZero() {
		return fmt.Errorf("%w: a revocation without a jti or an end", store.ErrInvalid)
	}
	return s.exec(ctx, "revoke token", func(b *batch) error {
		_, err := b.exec(`
			INSERT INTO revoked (jti, until) VALUES (?, ?)
			ON CONFLICT (jti) DO UPDATE SET until = max(until, excluded.until)`, jti, microsUp(until))
		return err
	})
}

// TokenRevoked implements store.Issued.
func (s *Store) TokenRevoked(ctx context.Context, jti, family string) (bool, error) {
	var revoked bool
	_, err := s.readRow(ctx, `
		SELECT EXISTS (SELECT 1 FROM revoked WHERE jti = ?1)
			OR ?2 <> '' AND NOT EXISTS (SELECT 1 FROM families WHERE id = ?2 AND ended IS NULL AND until > ?3)`,
		[]any{jti, family, s.micros()}, &revoked)
	return revoked, s.wrap("token revoked", err)
}
