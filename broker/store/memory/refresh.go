package memory

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"apostille/broker/store"
)

// refreshToken is a stored refresh token.
type refreshToken struct {
	store.Refresh
	prev    store.Hash // whom it succeeded; zero = nobody
	next    store.Hash // its successor
	rotated time.Time  // when next was made; zero = it was not
	grace   time.Duration
	answer  []byte // of that rotation; nil = not kept, or not any more
}

// Refresh implements store.Families.
func (s *Store) Refresh(ctx context.Context, h store.Hash) (store.Refresh, store.Family, bool, error) {
	if _, err := s.lock(ctx); err != nil {
		return store.Refresh{}, store.Family{}, false, err
	}
	defer s.mu.Unlock()
	t, ok := s.refresh[h]
	if !ok {
		return store.Refresh{}, store.Family{}, false, nil
	}
	out := t.Refresh
	out.Used = !t.rotated.IsZero()
	return out, copyFamily(s.families[t.Family]), true, nil
}

// Rotate implements store.Families.
func (s *Store) Rotate(ctx context.Context, r store.Rotation) (store.Rotated, []byte, error) {
	now, err := s.lock(ctx)
	if err != nil {
		return store.RotationUnknown, nil, err
	}
	defer s.mu.Unlock()
	old, ok := s.refresh[r.Old]
	if !ok {
		return store.RotationUnknown, nil, nil
	}
	if err := r.Check(old.Family); err != nil {
		return store.RotationUnknown, nil, err
	}
	out := s.state(old).Rotate(r, now)
	switch out {
	case store.RotationDone:
		if err := s.succeed(old, r, now); err != nil {
			return store.RotationUnknown, nil, err
		}
		return out, bytes.Clone(r.Answer), nil
	case store.RotationRepeat:
		return out, bytes.Clone(old.answer), nil
	case store.RotationReused:
		s.end(store.FamilyQuery{ID: old.Family}, store.WhyReuse, now)
	}
	return out, nil, nil
}

func (r *records) state(t *refreshToken) store.RefreshState {
	next, ok := r.refresh[t.next]
	return store.RefreshState{
		Refresh: t.Refresh, Family: *r.families[t.Family], Rotated: t.rotated, Grace: t.grace,
		Spent: !ok || !next.rotated.IsZero(),
	}
}

// succeed puts the successor in place. From here on the answer of the rotation before is nobody's any more.
func (r *records) succeed(old *refreshToken, rot store.Rotation, now time.Time) error {
	if err := r.addRefresh(&refreshToken{Refresh: rot.Next, prev: rot.Old}, old.Family); err != nil {
		return err
	}
	old.next, old.rotated, old.grace = rot.Next.Hash, now, rot.Grace
	if rot.Grace > 0 {
		old.answer = bytes.Clone(rot.Answer)
	}
	if before, ok := r.refresh[old.prev]; ok {
		before.answer = nil
	}
	return nil
}

func (r *records) addRefresh(t *refreshToken, family string) error {
	if _, taken := r.refresh[t.Hash]; taken {
		return fmt.Errorf("%w: a refresh token that exists", store.ErrInvalid)
	}
	if len(r.refresh) >= r.maxRecords {
		return store.ErrFull
	}
	t.Family, t.Until = family, cut(t.Until)
	r.refresh[t.Hash] = t
	return nil
}
