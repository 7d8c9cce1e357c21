package sqlite

import (
	"context"
	"database/sql"
	"math"

	"apostille/broker/store"
)

// ended is what EndSessions returns beside its error.
type ended struct {
	sessions []store.Session
	families []store.Family
}

// EndSessions implements store.Sessions.
func (s *Store) EndSessions(ctx context.Context, q store.SessionQuery) ([]store.Session, []store.Family, error) {
	if err := q.Check(); err != nil {
		return nil, nil, err
	}
	out, err := do(ctx, s, "end sessions", func(b *batch) (ended, error) { return b.endSessions(q, s.micros()) })
	return out.sessions, out.families, err
}

// endSessions looks at sessions that are over too, as long as they are stored: families that began in them may live.
func (b *batch) endSessions(q store.SessionQuery, now int64) (out ended, err error) {
	c := sessionsWith(q, math.MinInt64)
	args := append(c.args, now)
	rows, err := b.rows(selectSessions(`sessions WHERE `+c.text()), args...)
	if out.sessions, err = scanSessions(rows, err); err != nil {
		return ended{}, err
	}
	living := out.sessions[:0:0]
	for _, s := range out.sessions {
		list, err := b.endIn(s.ID, q, now)
		if err != nil {
			return ended{}, err
		}
		out.families = append(out.families, list...)
		if s.IdleUntil.UnixMicro() > now && s.Until.UnixMicro() > now {
			living = append(living, s)
		}
	}
	out.sessions = living
	sortFamilies(out.families)
	return out, nil
}

// endIn ends what q speaks of in one session, and returns the families that ended with it. Codes of the session that nobody has
// redeemed go too: they do not say whose they are.
func (b *batch) endIn(session string, q store.SessionQuery, now int64) ([]store.Family, error) {
	if _, err := b.exec(`DELETE FROM codes WHERE session = ? AND family IS NULL`, session); err != nil {
		return nil, err
	}
	var out []store.Family
	if q.Trust != "" || q.Sub != "" || q.SID != "" {
		list, left, err := b.endIdentities(session, q, now)
		if err != nil || left {
			return list, err
		}
		out = list
	}
	for _, query := range []string{`DELETE FROM sessions WHERE id = ?`, `DELETE FROM identities WHERE session = ?`} {
		if _, err := b.exec(query, session); err != nil {
			return nil, err
		}
	}
	if err := b.endSources(session, ""); err != nil {
		return nil, err
	}
	list, err := b.logOut(store.FamilyQuery{Session: session}, now)
	return append(out, list...), err
}

// endIdentities takes the identities that q speaks of out of a session, ends their families, and says whether any are left.
func (b *batch) endIdentities(session string, q store.SessionQuery, now int64) (out []store.Family, left bool, err error) {
	var c condition
	c.equal("session", session)
	c.equal("trust", q.Trust)
	c.equal("sub", q.Sub)
	c.equal("sid", q.SID)
	rows, err := b.rows(`DELETE FROM identities WHERE `+c.text()+` RETURNING trust, sub`, c.args...)
	gone, err := collect(rows, err, func(rows *sql.Rows) (i store.Identity, err error) {
		err = rows.Scan(&i.Trust, &i.Sub)
		return i, err
	})
	if err != nil {
		return nil, false, err
	}
	for _, i := range gone {
		list, err := b.logOut(store.FamilyQuery{Session: session, Trust: i.Trust, Sub: i.Sub}, now)
		if err != nil {
			return nil, false, err
		}
		out = append(out, list...)
		if err := b.endSources(session, i.Trust); err != nil {
			return nil, false, err
		}
	}
	_, err = b.row(`SELECT EXISTS (SELECT 1 FROM identities WHERE session = ? AND until > ?)`, []any{session, now}, &left)
	return out, left, err
}
