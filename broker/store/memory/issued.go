package memory

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
	if _, err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, taken := s.opaque[o.Hash]; taken {
		return fmt.Errorf("%w: an opaque token that exists", store.ErrInvalid)
	}
	if len(s.opaque) >= s.maxRecords {
		return store.ErrFull
	}
	o.Claims, o.Until = bytes.Clone(o.Claims), cut(o.Until)
	s.opaque[o.Hash] = o
	return nil
}

// Opaque implements store.Issued.
func (s *Store) Opaque(ctx context.Context, h store.Hash) (store.Opaque, bool, error) {
	now, err := s.lock(ctx)
	if err != nil {
		return store.Opaque{}, false, err
	}
	defer s.mu.Unlock()
	o, ok := s.opaque[h]
	if !ok || !o.Until.After(now) {
		return store.Opaque{}, false, nil
	}
	o.Claims = bytes.Clone(o.Claims)
	return o, true, nil
}

// RevokeToken implements store.Issued.
func (s *Store) RevokeToken(ctx context.Context, jti string, until time.Time) error {
	if jti == "" || until.IsZero() {
		return fmt.Errorf("%w: a revocation without a jti or an end", store.ErrInvalid)
	}
	if _, err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	old, ok := s.revoked[jti]
	if !ok && len(s.revoked) >= s.maxRecords {
		return store.ErrFull
	}
	if until.After(old) {
		s.revoked[jti] = until
	}
	return nil
}

// TokenRevoked implements store.Issued.
func (s *Store) TokenRevoked(ctx context.Context, jti, family string) (bool, error) {
	now, err := s.lock(ctx)
	if err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	if _, ok := s.revoked[jti]; ok {
		return true, nil
	}
	if family == "" {
		return false, nil
	}
	f, ok := s.families[family]
	return !ok || !f.Lives(now), nil
}
