package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"apostille/broker/store"
)

// ListKeys implements store.Keys.
func (s *Store) ListKeys(ctx context.Context) ([]store.Key, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return copyKeys(s.keys), nil
}

// ChangeKeys implements store.Keys.
func (s *Store) ChangeKeys(ctx context.Context, change func([]store.Key) ([]store.Key, error)) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	list, err := change(copyKeys(s.keys))
	if err != nil {
		return err
	}
	if err := store.CheckKeys(list); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.keys = copyKeys(list)
	slices.SortFunc(s.keys, func(a, b store.Key) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	s.version++
	return nil
}

// LoadKeySet implements store.KeySets.
func (s *Store) LoadKeySet(ctx context.Context, source string) (store.KeySet, bool, error) {
	if err := s.usable(ctx); err != nil {
		return store.KeySet{}, false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	set, ok := s.keySets[source]
	set.JWKS = bytes.Clone(set.JWKS)
	return set, ok, nil
}

// SaveKeySet implements store.KeySets.
func (s *Store) SaveKeySet(ctx context.Context, source string, set store.KeySet) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	if source == "" {
		return fmt.Errorf("%w: a key set without a source", store.ErrInvalid)
	}
	set.JWKS, set.Fetched = bytes.Clone(set.JWKS), cut(set.Fetched)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keySets[source] = set
	return nil
}

func copyKeys(list []store.Key) []store.Key {
	list = slices.Clone(list)
	for i := range list {
		k := &list[i]
		k.Wrapped, k.Public = bytes.Clone(k.Wrapped), bytes.Clone(k.Public)
		k.Created, k.ActiveAt, k.RetireAt, k.GoneAt = cut(k.Created), cut(k.ActiveAt), cut(k.RetireAt), cut(k.GoneAt)
	}
	return list
}

// cut is how a time comes back from any store.
func cut(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
