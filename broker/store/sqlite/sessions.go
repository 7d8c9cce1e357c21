package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"apostille/broker/store"
)

// CreateSession implements store.Sessions.
func (s *Store) CreateSession(ctx context.Context, cookie store.Hash, n store.Session) error {
	if err := store.CheckSession(n); err != nil {
		return err
	}
	n.Identities = slices.Clone(n.Identities)
	for i := range n.Identities {
		n.Identities[i].Value = bytes.Clone(n.Identities[i].Value)
	}
	return s.exec(ctx, "create session", func(b *batch) error {
		err := b.add("that session", `
			INSERT INTO sessions (id, cookie, created, seen, idle_until, until, agent, remote)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			n.ID, cookie[:], micros(n.Created), micros(n.Seen), n.IdleUntil.UnixMicro(), n.Until.UnixMicro(),
			store.CutAgent(n.Agent), n.Remote)
		if err != nil {
			return err
		}
		for _, i := range n.Identities {
			if err := b.putIdentity(n.ID, i); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *batch) putIdentity(session string, i store.Identity) error {
	_, err := b.exec(`
		INSERT INTO identities (session, trust, sub, sid, auth_time, signed_in, until, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (session, trust) DO UPDATE SET sub = excluded.sub, sid = excluded.sid, auth_time = excluded.auth_time,
			signed_in = excluded.signed_in, until = excluded.until, value = excluded.value`,
		session, i.Trust, i.Sub, i.SID, micros(i.AuthTime), micros(i.SignedIn), i.Until.UnixMicro(), i.Value)
	return err
}

// Session implements store.Sessions.
func (s *Store) Session(ctx context.Context, cookie store.Hash) (store.Session, bool, error) {
	now := s.micros()
	rows, err := s.readRows(ctx, selectSessions(`sessions WHERE cookie = ? AND idle_until > ? AND until > ?`),
		cookie[:], now, now, now)
	list, err := scanSessions(rows, err)
	if err != nil || len(list) == 0 {
		return store.Session{}, false, s.wrap("session", err)
	}
	return list[0], true, nil
}

// RenewSession implements store.Sessions.
func (s *Store) RenewSession(ctx context.Context, old, fresh store.Hash, add store.Identity, seen, idleUntil time.Time) (bool, error) {
	if err := store.CheckIdentity(add); err != nil {
		return false, err
	}
	if old == fresh {
		return false, fmt.Errorf("%w: a renewed session keeps its cookie", store.ErrInvalid)
	}
	add.Value = bytes.Clone(add.Value)
	return do(ctx, s, "renew session", func(b *batch) (bool, error) {
		var id string
		ok, err := b.row(`
			UPDATE sessions SET cookie = ?1, seen = ?2, idle_until = ?3
			WHERE cookie = ?4 AND idle_until > ?5 AND until > ?5 RETURNING id`,
			[]any{fresh[:], micros(seen), idleUntil.UnixMicro(), old[:], s.micros()}, &id)
		if err != nil || !ok {
			return false, err
		}
		err = b.putIdentity(id, add)
		return err == nil, err
	})
}

// TouchSession implements store.Sessions. It does not wait for the commit; later writes of the same handle come after it.
func (s *Store) TouchSession(ctx context.Context, cookie store.Hash, seen, idleUntil time.Time) error {
	t := newTask("touch session", func(b *batch) error {
		_, err := b.exec(`UPDATE sessions SET seen = ?1, idle_until = ?2 WHERE cookie = ?3 AND idle_until > ?4 AND until > ?4`,
			micros(seen), idleUntil.UnixMicro(), cookie[:], s.micros())
		return err
	})
	t.single, t.quiet = true, true
	return s.submit(ctx, t)
}

// ListSessions implements store.Sessions.
func (s *Store) ListSessions(ctx context.Context, q store.SessionQuery, limit int) ([]store.Session, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	now := s.micros()
	c := sessionsWith(q, now)
	c.and(`idle_until > ? AND until > ?`, now, now)
	args := append(c.args, max(limit, 0), now)
	rows, err := s.readRows(ctx, selectSessions(`sessions WHERE `+c.text()+` ORDER BY created DESC, id LIMIT ?`), args...)
	list, err := scanSessions(rows, err)
	return list, s.wrap("list sessions", err)
}

// sessionsWith is the condition for sessions that match q, counting identities that are over at the given time or later.
func sessionsWith(q store.SessionQuery, after int64) condition {
	var c condition
	c.equal("id", q.ID)
	if q.Trust == "" && q.Sub == "" && q.SID == "" {
		return c
	}
	var i condition
	i.and(`until > ?`, after)
	i.equal("trust", q.Trust)
	i.equal("sub", q.Sub)
	i.equal("sid", q.SID)
	c.and(`id IN (SELECT session FROM identities WHERE `+i.text()+`)`, i.args...)
	return c
}

// selectSessions reads sessions with the identities that are not over: its last argument is the time. from is what stands behind FROM.
func selectSessions(from string) string {
	return `SELECT s.id, s.created, s.seen, s.idle_until, s.until, s.agent, s.remote,
			i.trust, i.sub, i.sid, i.auth_time, i.signed_in, i.until, i.value
		FROM (SELECT * FROM ` + from + `) s LEFT JOIN identities i ON i.session = s.id AND i.until > ?
		ORDER BY s.created DESC, s.id, i.signed_in, i.trust`
}

// scanSessions reads what selectSessions selects.
func scanSessions(rows *sql.Rows, err error) ([]store.Session, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []store.Session
	for rows.Next() {
		var s store.Session
		var created, seen, authTime, signedIn, over sql.NullInt64
		var idle, until int64
		var trust, sub, sid sql.NullString
		var value []byte
		err := rows.Scan(&s.ID, &created, &seen, &idle, &until, &s.Agent, &s.Remote,
			&trust, &sub, &sid, &authTime, &signedIn, &over, &value)
		if err != nil {
			return nil, err
		}
		if n := len(list); n == 0 || list[n-1].ID != s.ID {
			s.Created, s.Seen, s.IdleUntil, s.Until = timeOf(created), timeOf(seen), timeAt(idle), timeAt(until)
			list = append(list, s)
		}
		if trust.Valid {
			last := &list[len(list)-1]
			last.Identities = append(last.Identities, store.Identity{
				Trust: trust.String, Sub: sub.String, SID: sid.String, AuthTime: timeOf(authTime), SignedIn: timeOf(signedIn),
				Until: timeOf(over), Value: value,
			})
		}
	}
	return list, rows.Err()
}
