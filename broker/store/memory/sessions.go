package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"apostille/broker/store"
)

// session is a stored session and the hash that finds it.
type session struct {
	store.Session
	cookie store.Hash
}

// lives returns a copy of the session as it is found: with the identities that are not over.
func (s *session) lives(now time.Time) (store.Session, bool) {
	if !s.IdleUntil.After(now) || !s.Until.After(now) {
		return store.Session{}, false
	}
	out := s.Session
	out.Identities = nil
	for _, i := range s.Identities {
		if i.Until.After(now) {
			i.Value = bytes.Clone(i.Value)
			out.Identities = append(out.Identities, i)
		}
	}
	return out, true
}

// CreateSession implements store.Sessions.
func (s *Store) CreateSession(ctx context.Context, cookie store.Hash, n store.Session) error {
	if err := store.CheckSession(n); err != nil {
		return err
	}
	if _, err := s.lock(ctx); err != nil {
		return err
	}
	defer s.mu.Unlock()
	if _, taken := s.cookies[cookie]; taken || s.sessions[n.ID] != nil {
		return fmt.Errorf("%w: a session that exists", store.ErrInvalid)
	}
	if len(s.sessions) >= s.maxRecords {
		return store.ErrFull
	}
	n.Created, n.Seen, n.IdleUntil, n.Until = cut(n.Created), cut(n.Seen), cut(n.IdleUntil), cut(n.Until)
	n.Agent = store.CutAgent(n.Agent)
	identities := n.Identities
	n.Identities = nil
	for _, i := range identities {
		n.Identities = with(n.Identities, i)
	}
	stored := &session{Session: n, cookie: cookie}
	s.sessions[n.ID], s.cookies[cookie] = stored, stored
	return nil
}

// with returns list with i in place of the identity of the same trust, ordered by SignedIn, then Trust.
func with(list []store.Identity, i store.Identity) []store.Identity {
	i.Value = bytes.Clone(i.Value)
	i.AuthTime, i.SignedIn, i.Until = cut(i.AuthTime), cut(i.SignedIn), cut(i.Until)
	list = slices.DeleteFunc(slices.Clone(list), func(o store.Identity) bool { return o.Trust == i.Trust })
	list = append(list, i)
	slices.SortFunc(list, func(a, b store.Identity) int {
		return cmp.Or(a.SignedIn.Compare(b.SignedIn), cmp.Compare(a.Trust, b.Trust))
	})
	return list
}

// Session implements store.Sessions.
func (s *Store) Session(ctx context.Context, cookie store.Hash) (store.Session, bool, error) {
	now, err := s.lock(ctx)
	if err != nil {
		return store.Session{}, false, err
	}
	defer s.mu.Unlock()
	found, ok := s.cookies[cookie]
	if !ok {
		return store.Session{}, false, nil
	}
	out, ok := found.lives(now)
	return out, ok, nil
}

// RenewSession implements store.Sessions.
func (s *Store) RenewSession(ctx context.Context, old, fresh store.Hash, add store.Identity, seen, idleUntil time.Time) (bool, error) {
	if err := store.CheckIdentity(add); err != nil {
		return false, err
	}
	if old == fresh {
		return false, fmt.Errorf("%w: a renewed session keeps its cookie", store.ErrInvalid)
	}
	now, err := s.lock(ctx)
	if err != nil {
		return false, err
	}
	defer s.mu.Unlock()
	found, ok := s.cookies[old]
	if !ok {
		return false, nil
	}
	if _, lives := found.lives(now); !lives {
		return false, nil
	}
	if _, taken := s.cookies[fresh]; taken {
		return false, fmt.Errorf("%w: a cookie that exists", store.ErrInvalid)
	}
	delete(s.cookies, old)
	s.cookies[fresh], found.cookie = found, fresh
	found.Identities = with(found.Identities, add)
	found.Seen, found.IdleUntil = cut(seen), cut(idleUntil)
	return true, nil
}

// TouchSession implements store.Sessions.
func (s *Store) TouchSession(ctx context.Context, cookie store.Hash, seen, idleUntil time.Time) error {
	now, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer s.mu.Unlock()
	if found, ok := s.cookies[cookie]; ok {
		if _, lives := found.lives(now); lives {
			found.Seen, found.IdleUntil = cut(seen), cut(idleUntil)
		}
	}
	return nil
}

// ListSessions implements store.Sessions.
func (s *Store) ListSessions(ctx context.Context, q store.SessionQuery, limit int) ([]store.Session, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	now, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	var list []store.Session
	for _, found := range s.sessions {
		out, lives := found.lives(now)
		if lives && (q.ID == "" || q.ID == out.ID) && (whole(q) || slices.ContainsFunc(out.Identities, picks(q))) {
			list = append(list, out)
		}
	}
	sortSessions(list)
	return atMost(list, limit), nil
}

func sortSessions(list []store.Session) {
	slices.SortFunc(list, func(a, b store.Session) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
}

// whole reports whether q speaks of sessions, not of identities in them.
func whole(q store.SessionQuery) bool { return q.Trust == "" && q.Sub == "" && q.SID == "" }

// picks says which identities q speaks of.
func picks(q store.SessionQuery) func(store.Identity) bool {
	return func(i store.Identity) bool {
		return (q.Trust == "" || q.Trust == i.Trust) && (q.Sub == "" || q.Sub == i.Sub) && (q.SID == "" || q.SID == i.SID)
	}
}
