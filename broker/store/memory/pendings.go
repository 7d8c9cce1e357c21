package memory

import (
	"bytes"
	"context"
	"fmt"

	"apostille/broker/store"
)

// PutPending implements store.Pendings.
func (s *Store) PutPending(ctx context.Context, kind, handle string, p store.Pending) error {
	hash, err := store.PendingHash(kind, handle)
	if err != nil {
		return err
	}
	if err := store.CheckPending(p); err != nil {
		return err
	}
	now, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer s.mu.Unlock()
	k := s.pendings[kind]
	if k == nil {
		k = newShelf()
		s.pendings[kind] = k
	}
	k.tidy(now)
	switch old, found, taken := k.get(tagOf(hash)); {
	case found && !old.until.After(now):
		k.remove(old)
	case taken:
		return fmt.Errorf("%w: a pending thing under a handle that is taken", store.ErrInvalid)
	}
	for len(k.places) >= s.maxPending {
		oldest, _ := k.oldest()
		k.remove(oldest)
	}
	k.add(entry{tag: tagOf(hash), until: cut(p.Until), value: p.Value})
	return nil
}

// PeekPending implements store.Pendings.
func (s *Store) PeekPending(ctx context.Context, kind, handle string) (store.Pending, bool, error) {
	return s.pending(ctx, kind, handle, false)
}

// TakePending implements store.Pendings.
func (s *Store) TakePending(ctx context.Context, kind, handle string) (store.Pending, bool, error) {
	return s.pending(ctx, kind, handle, true)
}

func (s *Store) pending(ctx context.Context, kind, handle string, take bool) (store.Pending, bool, error) {
	hash, err := store.PendingHash(kind, handle)
	if err != nil {
		return store.Pending{}, false, err
	}
	now, err := s.lock(ctx)
	if err != nil {
		return store.Pending{}, false, err
	}
	defer s.mu.Unlock()
	k := s.pendings[kind]
	if k == nil {
		return store.Pending{}, false, nil
	}
	e, found, _ := k.get(tagOf(hash))
	if !found {
		return store.Pending{}, false, nil
	}
	out := store.Pending{Value: bytes.Clone(e.value), Until: e.until}
	if take {
		k.remove(e)
	}
	if !e.until.After(now) {
		return store.Pending{}, false, nil
	}
	return out, true, nil
}
