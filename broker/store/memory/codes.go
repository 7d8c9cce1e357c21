package memory

import (
	"bytes"
	"context"
	"fmt"

	"apostille/broker/store"
)

// PutCode implements store.Families.
func (s *Store) PutCode(ctx context.Context, c store.Code) error {
	if err := store.CheckCode(c); err != nil {
		return err
	}
	if _, err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, taken := s.codes[c.Hash]; taken {
		return fmt.Errorf("%w: a code that exists", store.ErrInvalid)
	}
	if len(s.codes) >= s.maxRecords {
		return store.ErrFull
	}
	c.Value, c.Until = bytes.Clone(c.Value), cut(c.Until)
	s.codes[c.Hash] = &c
	return nil
}

// Code implements store.Families.
func (s *Store) Code(ctx context.Context, h store.Hash) (store.Code, bool, error) {
	if _, err := s.lock(ctx); err != nil {
		return store.Code{}, false, err
	}
	defer s.mu.Unlock()
	c, ok := s.codes[h]
	if !ok {
		return store.Code{}, false, nil
	}
	out := *c
	out.Value = bytes.Clone(c.Value)
	return out, true, nil
}

// RedeemCode implements store.Families.
func (s *Store) RedeemCode(ctx context.Context, h store.Hash, f store.Family, r *store.Refresh) (bool, error) {
	if err := store.CheckRedemption(f, r); err != nil {
		return false, err
	}
	now, err := s.lock(ctx)
	if err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	c, ok := s.codes[h]
	switch {
	case !ok:
		return false, nil
	case c.Family != "":
		s.end(store.FamilyQuery{ID: c.Family}, store.WhyReuse, now)
		return false, nil
	case !c.Until.After(now):
		return false, nil
	}
	if err := s.addFamily(f, r); err != nil {
		return false, err
	}
	c.Family = f.ID
	return true, nil
}
