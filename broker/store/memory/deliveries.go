package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"apostille/broker/store"
)

// PutDeliveries implements store.Deliveries.
func (s *Store) PutDeliveries(ctx context.Context, list []store.Delivery) error {
	if err := store.CheckDeliveries(list); err != nil {
		return err
	}
	if _, err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	for _, d := range list {
		if _, taken := s.deliveries[d.ID]; taken {
			return fmt.Errorf("%w: delivery %q exists", store.ErrInvalid, d.ID)
		}
	}
	if len(s.deliveries)+len(list) > s.maxRecords {
		return store.ErrFull
	}
	for _, d := range list {
		d.Created, d.NextAt, d.Done, d.Failed = cut(d.Created), cut(d.NextAt), cut(d.Done), cut(d.Failed)
		s.deliveries[d.ID] = d
	}
	return nil
}

// DueDeliveries implements store.Deliveries.
func (s *Store) DueDeliveries(ctx context.Context, lease time.Time, limit int) ([]store.Delivery, error) {
	now, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	if lease = cut(lease); !lease.After(now) {
		return nil, fmt.Errorf("%w: a lease that is over", store.ErrInvalid)
	}
	var due []store.Delivery
	for _, d := range s.deliveries {
		if d.Done.IsZero() && d.Failed.IsZero() && !d.NextAt.After(now) {
			due = append(due, d)
		}
	}
	slices.SortFunc(due, func(a, b store.Delivery) int {
		return cmp.Or(a.NextAt.Compare(b.NextAt), cmp.Compare(a.ID, b.ID))
	})
	due = atMost(due, limit)
	for i := range due {
		due[i].NextAt = lease
		s.deliveries[due[i].ID] = due[i]
	}
	slices.SortFunc(due, func(a, b store.Delivery) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
	return due, nil
}

// UpdateDelivery implements store.Deliveries.
func (s *Store) UpdateDelivery(ctx context.Context, d store.Delivery) error {
	if _, err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	stored, ok := s.deliveries[d.ID]
	if !ok {
		return fmt.Errorf("%w: no delivery %q", store.ErrInvalid, d.ID)
	}
	stored.NextAt, stored.Attempts, stored.Done, stored.Failed, stored.Error = cut(d.NextAt), d.Attempts, cut(d.Done), cut(d.Failed), d.Error
	s.deliveries[d.ID] = stored
	return nil
}

// ListDeliveries implements store.Deliveries.
func (s *Store) ListDeliveries(ctx context.Context, session string, limit int) ([]store.Delivery, error) {
	if _, err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var list []store.Delivery
	for _, d := range s.deliveries {
		if session == "" || d.Session == session {
			list = append(list, d)
		}
	}
	slices.SortFunc(list, func(a, b store.Delivery) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return atMost(list, limit), nil
}
