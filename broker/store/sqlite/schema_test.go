package sqlite

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"apostille/broker/store"
)

// Each earlier schema stands under testdata as the SQL dump of a file with content. A new migration adds the dump of
// the schema before it.
func TestEveryEarlierSchemaReachesTheNewest(t *testing.T) {
	t.Parallel()
	for schema := int64(1); schema <= newestKnown(t); schema++ {
		t.Run(fmt.Sprintf("schema %d keeps its content", schema), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x.db")
			load(t, path, fmt.Sprintf("testdata/schema%d.sql", schema))
			wantSchema(t, path, schema)

			s := openTest(t, path, nil)
			wantSchema(t, path, newestKnown(t))
			keys, err := s.ListKeys(t.Context())
			if err != nil || len(keys) != 1 || keys[0].ID != "k1" || keys[0].Created.Year() != 2026 {
				t.Errorf("keys %+v, error %v", keys, err)
			}
			subjects, err := s.ListSubjects(t.Context())
			if err != nil || len(subjects) != 1 || !subjects[0].Blocked {
				t.Errorf("subjects %+v, error %v", subjects, err)
			}
			set, found, err := s.LoadKeySet(t.Context(), "https://idp.hq.hmart.example")
			if err != nil || !found || string(set.JWKS) != `{"keys":[]}` {
				t.Errorf("key set %+v, found %v, error %v", set, found, err)
			}
			until := time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)
			first, err := s.Claim(t.Context(), "jti", "https://idp.hq.hmart.example", "4711", until)
			if err != nil || first {
				t.Errorf("the mark was forgotten: first = %v, error %v", first, err)
			}
			if schema >= 2 {
				wantSignIn(t, s)
			}
			if schema >= 3 {
				source, ok, err := s.Source(t.Context(), sha256.Sum256([]byte("upstream")))
				if err != nil || !ok || string(source.Value) != "sealed" || source.Trust != "hq" {
					t.Errorf("source %+v, found %v, error %v", source, ok, err)
				}
			}
		})
	}
}

// wantSignIn: the content of schema 2 is there and works as it did.
func wantSignIn(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	sum := func(handle string) store.Hash { return sha256.Sum256([]byte(handle)) }
	far := time.Date(2998, 1, 1, 0, 0, 0, 0, time.UTC)
	check := func(what string, ok bool, err error) {
		t.Helper()
		if err != nil || !ok {
			t.Errorf("%s: %v, error %v", what, ok, err)
		}
	}
	p, ok, err := s.TakePending(ctx, "login", "4711")
	check("the pending thing", ok && string(p.Value) == "asked", err)
	var count int
	check("its count", s.read.QueryRow(`SELECT n FROM pending_counts WHERE kind = 'login'`).Scan(&count) == nil && count == 0, nil)
	session, ok, err := s.Session(ctx, sum("cookie"))
	check("the session", ok && len(session.Identities) == 1 && session.Identities[0].Sub == "alice", err)
	consent, ok, err := s.Consent(ctx, "alice", "portal")
	check("the consent", ok && len(consent.Scopes["warehouse"]) == 1, err)
	o, ok, err := s.Opaque(ctx, sum("opaque"))
	check("the opaque token", ok && o.Family == "f-1", err)
	ok, err = s.TokenRevoked(ctx, "jti-1", "f-1")
	check("the revocation", ok, err)
	due, err := s.DueDeliveries(ctx, far, 10)
	check("the delivery", len(due) == 1 && due[0].Error == "timeout", err)
	ok, err = s.RedeemCode(ctx, sum("open code"), store.Family{ID: "f-2", Until: far}, nil)
	check("the open code", ok, err)
	out, _, err := s.Rotate(ctx, store.Rotation{Old: sum("refresh 2"), Client: "portal", Next: store.Refresh{Hash: sum("refresh 3"), Until: far}})
	check("the refresh token", out == store.RotationDone, err)
	ok, err = s.RedeemCode(ctx, sum("spent code"), store.Family{ID: "f-3", Until: far}, nil)
	check("the spent code stays spent", !ok, err)
	f, ok, err := s.Family(ctx, "f-1")
	check("the family its reuse ended", ok && f.Why == store.WhyReuse, err)
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	t.Run("an empty file reaches the newest", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "x.db")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		wantSchema(t, path, 0)
		if info, err := os.Stat(path); err != nil || info.Size() != 0 {
			t.Errorf("Status wrote %d bytes, error %v", info.Size(), err)
		}
		openTest(t, path, nil)
		wantSchema(t, path, newestKnown(t))
	})
	t.Run("a newer file is refused and left alone", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "x.db")
		s := openTest(t, path, nil)
		if _, err := s.write.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`); err != nil {
			t.Fatal(err)
		}
		again, err := Open(t.Context(), path, Options{})
		if !errors.Is(err, ErrNewerSchema) {
			t.Fatalf("store %v, error %v; want ErrNewerSchema", again, err)
		}
		want := fmt.Sprintf("store: %s: schema is newer than this program knows: it has schema 999, the newest known is %d", path, newestKnown(t))
		if err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
		wantSchema(t, path, 999)
	})
	t.Run("eight openers of one new file agree", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "x.db")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				s, err := open(t.Context(), path, Options{})
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		wantSchema(t, path, newestKnown(t))
	})
	t.Run("a file that is no database is refused and left alone", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "x.db")
		const text = "these are somebody's notes, and they are no database, and there is more than a header's worth of them"
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), path, Options{}); err == nil {
			t.Error("it was opened")
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("it now holds %q, error %v", got, err)
		}
	})
}

func TestStatus(t *testing.T) {
	t.Parallel()
	t.Run("of a file that is not there is ErrNotExist, and makes none", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "x.db")
		if _, err := Status(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("error %v, want ErrNotExist", err)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a file was made: %v", err)
		}
	})
	t.Run("of a damaged file says what is wrong", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "x.db")
		s := openTest(t, path, nil)
		// An index entry is lost: the table says one thing, the index another.
		for _, q := range []string{
			`PRAGMA writable_schema = ON`,
			`UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'version') WHERE name = 'replay_until'`,
		} {
			if _, err := s.write.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Status(t.Context(), path)
		if err == nil && len(r.Integrity) == 0 {
			t.Error("the damage was not seen")
		}
	})
}

func newestKnown(t *testing.T) int64 {
	t.Helper()
	all, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(all) == 0 {
		t.Fatal("no migrations", err)
	}
	return int64(len(all))
}

func wantSchema(t *testing.T, path string, want int64) {
	t.Helper()
	r, err := Status(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if r.Current != want || r.Newest != newestKnown(t) || len(r.Integrity) != 0 {
		t.Errorf("status %+v, want current %d, newest %d, sound", r, want, newestKnown(t))
	}
}

func load(t *testing.T, path, dump string) {
	t.Helper()
	text, err := os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(string(text)); err != nil {
		t.Fatal(err)
	}
}
