package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// prepared are the writer's statements, kept from one batch to the next. Only the writer uses them.
type prepared struct {
	db   *sql.DB
	kept map[string]*sql.Stmt
	met  []string // in a batch, and not kept yet: the only connection is the transaction's
}

// in returns the statement in tx; it is closed with tx.
func (p *prepared) in(tx *sql.Tx, query string) (*sql.Stmt, error) {
	if stmt, ok := p.kept[query]; ok {
		return tx.Stmt(stmt), nil
	}
	p.met = append(p.met, query)
	return tx.Prepare(query)
}

// keep prepares, after a batch, what it met for the first time. What cannot be prepared is met again.
func (p *prepared) keep() {
	for _, query := range p.met {
		if p.kept[query] != nil {
			continue
		}
		if stmt, err := p.db.Prepare(query); err == nil {
			p.kept[query] = stmt
		}
	}
	p.met = p.met[:0]
}

// reading are the statements of the reading connections, by their text.
type reading struct {
	db   *sql.DB
	kept sync.Map // string → *sql.Stmt
}

func (r *reading) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if stmt, ok := r.kept.Load(query); ok {
		return stmt.(*sql.Stmt), nil
	}
	stmt, err := r.db.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	if first, loaded := r.kept.LoadOrStore(query, stmt); loaded {
		return first.(*sql.Stmt), stmt.Close()
	}
	return stmt, nil
}

// readRow runs a query for one row on a reading connection and reports whether there was one.
func (s *Store) readRow(ctx context.Context, query string, args []any, into ...any) (bool, error) {
	stmt, err := s.reading.prepare(ctx, query)
	if err != nil {
		return false, err
	}
	return found(stmt.QueryRowContext(ctx, args...).Scan(into...))
}

// readRows runs a query on a reading connection.
func (s *Store) readRows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := s.reading.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return stmt.QueryContext(ctx, args...)
}

func found(err error) (bool, error) {
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// collect reads rows to their end; scan reads one.
func collect[T any](rows *sql.Rows, err error, scan func(*sql.Rows) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}
