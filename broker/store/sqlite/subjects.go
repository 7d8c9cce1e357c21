package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"apostille/broker/store"
)

// SetSubject implements store.Subjects.
func (s *Store) SetSubject(ctx context.Context, m store.SubjectMark) error {
	if m.Sub == "" {
		return fmt.Errorf("%w: a mark without a subject", store.ErrInvalid)
	}
	if m.Changed.IsZero() {
		m.Changed = s.now()
	}
	return s.wrap("set subject", s.inTx(ctx, func(tx *sql.Tx) error {
		if err := replaceSubject(ctx, tx, m); err != nil {
			return err
		}
		return bumpVersion(ctx, tx)
	}))
}

func replaceSubject(ctx context.Context, tx *sql.Tx, m store.SubjectMark) error {
	if m.Silent() {
		_, err := tx.ExecContext(ctx, `DELETE FROM subjects WHERE sub = ?`, m.Sub)
		return err
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO subjects (sub, blocked, not_before, note, changed) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (sub) DO UPDATE SET blocked = excluded.blocked, not_before = excluded.not_before,
			note = excluded.note, changed = excluded.changed`,
		m.Sub, m.Blocked, micros(m.NotBefore), m.Note, micros(m.Changed))
	return err
}

// ListSubjects implements store.Subjects.
func (s *Store) ListSubjects(ctx context.Context) ([]store.SubjectMark, error) {
	list, err := s.listSubjects(ctx)
	return list, s.wrap("list subjects", err)
}

func (s *Store) listSubjects(ctx context.Context) ([]store.SubjectMark, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT sub, blocked, not_before, note, changed FROM subjects ORDER BY sub`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []store.SubjectMark
	for rows.Next() {
		var m store.SubjectMark
		var notBefore, changed sql.NullInt64
		if err := rows.Scan(&m.Sub, &m.Blocked, &notBefore, &m.Note, &changed); err != nil {
			return nil, err
		}
		m.NotBefore, m.Changed = timeOf(notBefore), timeOf(changed)
		list = append(list, m)
	}
	return list, rows.Err()
}
