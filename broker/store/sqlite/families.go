package sqlite

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"apostille/broker/store"
)

const familyColumns = `id, session, client, trust, sub, sid, subject, created, families.until, ended, why`

// familyRow is where a row of familyColumns is scanned to.
type familyRow struct {
	store.Family
	created, ended sql.NullInt64
	until          int64
}

func (r *familyRow) columns() []any {
	f := &r.Family
	return []any{&f.ID, &f.Session, &f.Client, &f.Trust, &f.Sub, &f.SID, &f.Subject, &r.created, &r.until, &r.ended, &f.Why}
}

func (r *familyRow) family() store.Family {
	f := r.Family
	f.Created, f.Until, f.Ended = timeOf(r.created), timeAt(r.until), timeOf(r.ended)
	return f
}

func scanFamily(rows *sql.Rows) (store.Family, error) {
	var r familyRow
	err := rows.Scan(r.columns()...)
	return r.family(), err
}

func (b *batch) addFamily(f store.Family) error {
	return b.add("family "+f.ID, `
		INSERT INTO families (id, session, client, trust, sub, sid, subject, created, until, why)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '') ON CONFLICT DO NOTHING`,
		f.ID, f.Session, f.Client, f.Trust, f.Sub, f.SID, f.Subject, micros(f.Created), f.Until.UnixMicro())
}

// Family implements store.Families.
func (s *Store) Family(ctx context.Context, id string) (store.Family, bool, error) {
	var r familyRow
	ok, err := s.readRow(ctx, `SELECT `+familyColumns+` FROM families WHERE id = ?`, []any{id}, r.columns()...)
	if err != nil || !ok {
		return store.Family{}, false, s.wrap("family", err)
	}
	return r.family(), true, nil
}

// UpdateFamily implements store.Families.
func (s *Store) UpdateFamily(ctx context.Context, id string, subject []byte, until time.Time) (bool, error) {
	subject = bytes.Clone(subject)
	return do(ctx, s, "update family", func(b *batch) (bool, error) {
		n, err := b.exec(`
			UPDATE families SET subject = ?1, until = min(until, coalesce(?2, until))
			WHERE id = ?3 AND ended IS NULL AND until > ?4`,
			subject, micros(until), id, s.micros())
		return n == 1, err
	})
}

// EndFamilies implements store.Families.
func (s *Store) EndFamilies(ctx context.Context, q store.FamilyQuery, why string) ([]store.Family, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	return do(ctx, s, "end families", func(b *batch) ([]store.Family, error) { return b.endFamilies(q, why, s.micros()) })
}

// endFamilies ends the living families that match and returns them as they were.
func (b *batch) endFamilies(q store.FamilyQuery, why string, now int64) ([]store.Family, error) {
	where, args := living(q, now)
	return b.endWhere(where, args, why, now)
}

// logOut ends the families that match, and returns those too that were over without a logout: their applications may still have the
// person signed in.
func (b *batch) logOut(q store.FamilyQuery, now int64) ([]store.Family, error) {
	c := matching(q)
	c.and(`why NOT IN (?, ?)`, store.WhyLogout, store.WhyConsent)
	return b.endWhere(c.text(), c.args, store.WhyLogout, now)
}

func (b *batch) endWhere(where string, args []any, why string, now int64) ([]store.Family, error) {
	rows, err := b.rows(`UPDATE families SET ended = coalesce(ended, ?), why = ? WHERE `+where+` RETURNING `+familyColumns,
		append([]any{now, why}, args...)...)
	list, err := collect(rows, err, scanFamily)
	for i := range list {
		list[i].Ended, list[i].Why = time.Time{}, ""
	}
	sortFamilies(list)
	return list, err
}

// ListFamilies implements store.Families.
func (s *Store) ListFamilies(ctx context.Context, q store.FamilyQuery, limit int) ([]store.Family, error) {
	where, args := living(q, s.micros())
	rows, err := s.readRows(ctx, `
		SELECT `+familyColumns+` FROM families WHERE `+where+` ORDER BY created DESC, id LIMIT ?`,
		append(args, max(limit, 0))...)
	list, err := collect(rows, err, scanFamily)
	return list, s.wrap("list families", err)
}

// living is the condition for living families that match.
func living(q store.FamilyQuery, now int64) (string, []any) {
	c := matching(q)
	c.and(`ended IS NULL AND families.until > ?`, now)
	return c.text(), c.args
}

func matching(q store.FamilyQuery) (c condition) {
	c.equal("id", q.ID)
	c.equal("session", q.Session)
	c.equal("client", q.Client)
	c.equal("trust", q.Trust)
	c.equal("sub", q.Sub)
	return c
}

func sortFamilies(list []store.Family) {
	slices.SortFunc(list, func(a, b store.Family) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
}

// condition is a WHERE in the making. Its text depends on which fields are set, never on what they hold.
type condition struct {
	parts []string
	args  []any
}

func (c *condition) and(part string, args ...any) {
	c.parts, c.args = append(c.parts, part), append(c.args, args...)
}

// equal demands a value of a column, unless the value is empty.
func (c *condition) equal(column, value string) {
	if value != "" {
		c.and(column+` = ?`, value)
	}
}

func (c *condition) text() string { return strings.Join(c.parts, ` AND `) }
