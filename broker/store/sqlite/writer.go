package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"apostille/broker/store"
)

const (
	writeQueue = 1024 // writes that may wait for the writer; more wait in their callers
	writeBatch = 256  // writes in one transaction
)

// task is what one caller wants done. The writer calls run in a transaction that it shares with other writes.
type task struct {
	name   string
	run    func(*batch) error
	single bool       // run is one statement that does not fail by itself: it needs no savepoint, and an error is the batch's
	quiet  bool       // nobody waits: an error is logged
	err    error      // of run
	answer chan error // one slot: the writer never waits for a caller who has left
}

// do has the writer run f and returns what f returned, once that is durable. Writes that arrive while a commit is under way share the
// next one; an error of f undoes f and nobody else's write. f must not use ctx, which bounds the caller's own wait only: after an error
// f may have been committed or not. It may still run when the caller has left, so it must not touch what the caller goes on with.
func do[T any](ctx context.Context, s *Store, name string, f func(*batch) (T, error)) (T, error) {
	var got, none T
	t := newTask(name, func(b *batch) (err error) {
		got, err = f(b)
		return err
	})
	if err := s.submit(ctx, t); err != nil {
		return none, err
	}
	if err := s.await(ctx, t); err != nil {
		return none, err // got may be written to at this moment
	}
	return got, nil
}

// exec is do for a write that returns nothing.
func (s *Store) exec(ctx context.Context, name string, f func(*batch) error) error {
	t := newTask(name, f)
	if err := s.submit(ctx, t); err != nil {
		return err
	}
	return s.await(ctx, t)
}

func newTask(name string, run func(*batch) error) *task {
	return &task{name: name, run: run, answer: make(chan error, 1)}
}

// submit hands t to the writer.
func (s *Store) submit(ctx context.Context, t *task) error {
	select {
	case <-s.closing: // first, because a select takes any branch that is ready
		return store.ErrClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return s.wrap(t.name, err)
	}
	select {
	case s.writes <- t:
		return nil
	case <-ctx.Done():
		return s.wrap(t.name, ctx.Err())
	case <-s.closing:
		return store.ErrClosed
	}
}

// await waits for the writer's answer to t.
func (s *Store) await(ctx context.Context, t *task) error {
	select {
	case err := <-t.answer:
		return s.wrapOpen(t.name, err)
	case <-ctx.Done():
		return s.wrap(t.name, ctx.Err())
	case <-s.stopped:
	}
	select { // the writer's last batch may have held it
	case err := <-t.answer:
		return s.wrapOpen(t.name, err)
	default:
		return store.ErrClosed
	}
}

// serveWrites is the writer: it gathers what waits, commits it at once, then answers. It ends when Close was called
// and nothing waits any more.
func (s *Store) serveWrites() {
	defer close(s.stopped)
	sweep := sweeper{store: s}
	list := make([]*task, 0, writeBatch)
	for {
		list = s.gather(list[:0], sweep.running)
		if len(list) == 0 && !sweep.running {
			return
		}
		if len(list) > 0 {
			s.answer(list, s.commit(list))
			clear(list)
		}
		sweep.step()
	}
}

// gather returns the writes that wait now. If there are none it waits for one, unless there is a sweep to go on with
// or the store is closing.
func (s *Store) gather(list []*task, busy bool) []*task {
	if !busy {
		select {
		case t := <-s.writes:
			list = append(list, t)
		case <-s.closing:
		}
	}
	for len(list) < writeBatch {
		select {
		case t := <-s.writes:
			list = append(list, t)
		default:
			return list
		}
	}
	return list
}

// commit runs a batch in one transaction. No caller's context reaches it: a caller who leaves must not take the others along.
func (s *Store) commit(list []*task) error {
	err := s.inTx(context.Background(), func(tx *sql.Tx) error {
		b := &batch{tx: tx, prepared: s.prepared}
		for _, t := range list {
			if err := b.run(t); err != nil {
				return err
			}
		}
		return nil
	})
	s.prepared.keep()
	return err
}

// answer tells each caller what came of the write: an error of its own, or of the whole batch.
func (s *Store) answer(list []*task, err error) {
	for _, t := range list {
		own := t.err
		if err != nil {
			own = err
		}
		if t.quiet && own != nil {
			s.log.Warn("store: a write that nobody waits for is lost", "write", t.name, "error", own)
		}
		t.answer <- own
	}
}

// batch is the transaction that writes share.
type batch struct {
	tx       *sql.Tx
	prepared *prepared
}

// run runs one write, so that an error in it undoes it alone. The error it returns is the whole batch's: after some errors, such as
// a full disk, SQLite has given the transaction up, and no write may go on.
func (b *batch) run(t *task) error {
	if t.single {
		t.err = t.run(b)
		return t.err
	}
	if _, err := b.exec(`SAVEPOINT one`); err != nil {
		return err
	}
	if t.err = t.run(b); t.err != nil {
		if isTaken(t.err) {
			t.err = fmt.Errorf("%w: %w", store.ErrInvalid, t.err)
		}
		if _, err := b.exec(`ROLLBACK TO one`); err != nil {
			return fmt.Errorf("%w, after: %w", err, t.err)
		}
	}
	_, err := b.exec(`RELEASE one`)
	return err
}

// exec runs a statement and says how many rows it changed.
func (b *batch) exec(query string, args ...any) (int64, error) {
	stmt, err := b.prepared.in(b.tx, query)
	if err != nil {
		return 0, err
	}
	res, err := stmt.Exec(args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// add runs an INSERT … ON CONFLICT DO NOTHING of one row; one that stands there already is store.ErrInvalid.
func (b *batch) add(what, query string, args ...any) error {
	n, err := b.exec(query, args...)
	if err == nil && n == 0 {
		return fmt.Errorf("%w: %s exists", store.ErrInvalid, what)
	}
	return err
}

// row runs a query for one row and reports whether there was one.
func (b *batch) row(query string, args []any, into ...any) (bool, error) {
	stmt, err := b.prepared.in(b.tx, query)
	if err != nil {
		return false, err
	}
	return found(stmt.QueryRow(args...).Scan(into...))
}

// rows runs a query.
func (b *batch) rows(query string, args ...any) (*sql.Rows, error) {
	stmt, err := b.prepared.in(b.tx, query)
	if err != nil {
		return nil, err
	}
	return stmt.Query(args...)
}
