package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pressly/goose/v3"
)

// ErrNewerSchema is returned for a file that a newer program has migrated. There is no way back down: run that
// program, or restore the file from before.
var ErrNewerSchema = errors.New("schema is newer than this program knows")

//go:embed migrations/*.sql
var migrations embed.FS

// Report is what Status found.
type Report struct {
	Current   int64    // schema of the file; 0 = empty, Open fills it
	Newest    int64    // schema this program knows; Open migrates to it
	Integrity []string // what PRAGMA integrity_check complains of; empty = sound
}

// Status looks at the file at path without changing it. A file that is not there is fs.ErrNotExist.
func Status(ctx context.Context, path string) (Report, error) {
	if _, err := os.Stat(path); err != nil {
		return Report{}, fmt.Errorf("store: %w", err)
	}
	db, err := connect(path, 1, roleReader)
	if err != nil {
		return Report{}, err
	}
	r, err := status(ctx, db)
	if err := errors.Join(err, db.Close()); err != nil {
		return r, fmt.Errorf("store: %s: %w", path, err)
	}
	return r, nil
}

func status(ctx context.Context, db *sql.DB) (r Report, err error) {
	p, err := provider(db)
	if err != nil {
		return r, err
	}
	r.Newest = newest(p)
	if r.Current, err = current(ctx, db); err != nil {
		return r, err
	}
	rows, err := db.QueryContext(ctx, `PRAGMA integrity_check`)
	if err != nil {
		return r, err
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return r, err
		}
		if line != "ok" {
			r.Integrity = append(r.Integrity, line)
		}
	}
	return r, rows.Err()
}

// migrateFile brings the file at path to the newest schema.
func migrateFile(ctx context.Context, path string) error {
	db, err := connect(path, 1, roleMigrator)
	if err != nil {
		return err
	}
	return errors.Join(migrate(ctx, db), db.Close())
}

func migrate(ctx context.Context, db *sql.DB) error {
	p, err := provider(db)
	if err != nil {
		return err
	}
	for {
		at, err := current(ctx, db)
		switch {
		case err != nil:
			return err
		case at > newest(p):
			return fmt.Errorf("%w: it has schema %d, the newest known is %d", ErrNewerSchema, at, newest(p))
		case at == newest(p):
			return nil
		}
		if _, err := p.Up(ctx); err != nil {
			// Another process may be migrating the same file: each step is one transaction, and the loser of a step fails.
			// If the file moved on, look again; else the error is ours.
			if now, e := current(ctx, db); e != nil || now <= at {
				return fmt.Errorf("migrate from schema %d: %w", at, err)
			}
		}
	}
}

func provider(db *sql.DB) (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectSQLite3, db, dir,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}

func newest(p *goose.Provider) int64 {
	all := p.ListSources()
	return all[len(all)-1].Version
}

// current is read without goose, which would create its table in passing.
func current(ctx context.Context, db *sql.DB) (int64, error) {
	var tables int
	const find = `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'goose_db_version'`
	if err := db.QueryRowContext(ctx, find).Scan(&tables); err != nil || tables == 0 {
		return 0, err
	}
	var v sql.NullInt64
	const last = `SELECT max(version_id) FROM goose_db_version WHERE is_applied`
	if err := db.QueryRowContext(ctx, last).Scan(&v); err != nil {
		return 0, err
	}
	return v.Int64, nil
}
