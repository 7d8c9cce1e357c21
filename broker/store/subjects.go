package store

import (
	"context"
	"time"
)

// SubjectMark is what an admin said of a subject.
type SubjectMark struct {
	Sub       string    // our subject, see trust.DeriveSub
	Blocked   bool      // gets nothing
	NotBefore time.Time // tokens issued before are refused; zero = none
	Note      string    // why, for other admins
	Changed   time.Time // zero: SetSubject fills in the store's clock
}

// Silent reports whether m says nothing: neither blocked nor bounded. A note alone is nothing.
func (m SubjectMark) Silent() bool { return !m.Blocked && m.NotBefore.IsZero() }

// Subjects keeps marks on subjects.
type Subjects interface {
	// SetSubject replaces the mark on m.Sub; a Silent mark deletes it. An empty Sub is ErrInvalid.
	SetSubject(ctx context.Context, m SubjectMark) error
	// ListSubjects returns all marks, ordered by Sub.
	ListSubjects(ctx context.Context) ([]SubjectMark, error)
}
