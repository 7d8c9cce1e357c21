package token

import (
	"context"
	"sync/atomic"
	"time"

	"apostille/broker/store"
	"apostille/trust"
)

// marksFresh is how old the picture of the store may get before every subject's standing is unknown: fail closed.
const marksFresh = 10 * time.Second

// Subjects is what Marks reads; broker/store implements it.
type Subjects interface {
	ListSubjects(ctx context.Context) ([]store.SubjectMark, error)
}

// Marks is what admins said of subjects, in memory, so that a warm exchange asks no store. Refresh or Confirm it at least
// every few seconds.
type Marks struct {
	Subjects Subjects
	Now      func() time.Time

	bySub  atomic.Pointer[map[string]store.SubjectMark]
	loaded atomic.Int64 // Unix nanoseconds of the last Refresh or Confirm
}

// Refresh reads the marks.
func (m *Marks) Refresh(ctx context.Context) error {
	list, err := m.Subjects.ListSubjects(ctx)
	if err != nil {
		return err
	}
	bySub := make(map[string]store.SubjectMark, len(list))
	for _, mark := range list {
		bySub[mark.Sub] = mark
	}
	m.bySub.Store(&bySub)
	m.Confirm()
	return nil
}

// Confirm says that the store was asked and nothing changed.
func (m *Marks) Confirm() { m.loaded.Store(m.Now().UnixNano()) }

// Standing of a subject; the zero value, which refuses, if the picture is too old.
func (m *Marks) Standing(sub string) trust.Standing {
	bySub := m.bySub.Load()
	if bySub == nil || m.Now().Sub(time.Unix(0, m.loaded.Load())) > marksFresh {
		return trust.Standing{}
	}
	mark := (*bySub)[sub]
	return trust.Standing{Loaded: true, Blocked: mark.Blocked, NotBefore: mark.NotBefore}
}
