package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"apostille/broker/store"
)

// SetSubject implements store.Subjects.
func (s *Store) SetSubject(ctx context.Context, m store.SubjectMark) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	if m.Sub == "" {
		return fmt.Errorf("%w: a mark without a subject", store.ErrInvalid)
	}
	if m.Changed.IsZero() {
		m.Changed = s.now()
	}
	m.NotBefore, m.Changed = cut(m.NotBefore), cut(m.Changed)
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.Silent() {
		delete(s.subjects, m.Sub)
	} else {
		s.subjects[m.Sub] = m
	}
	s.version++
	return nil
}

// ListSubjects implements store.Subjects.
func (s *Store) ListSubjects(ctx context.Context) ([]store.SubjectMark, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.subjects), func(a, b store.SubjectMark) int {
		return cmp.Compare(a.Sub, b.Sub)
	}), nil
}
