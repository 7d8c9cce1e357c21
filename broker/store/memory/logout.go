package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"apostille/broker/store"
)

// EndSessions implements store.Sessions.
func (s *Store) EndSessions(ctx context.Context, q store.SessionQuery) ([]store.Session, []store.Family, error) {
	if err := q.Check(); err != nil {
		return nil, nil, err
	}
	now, err := s.lock(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer s.mu.Unlock()
	var sessions []store.Session
	var families []store.Family
	for _, found := range s.sessions {
		if q.ID != "" && q.ID != found.ID || !whole(q) && !slices.ContainsFunc(found.Identities, picks(q)) {
			continue
		}
		if out, lives := found.lives(now); lives {
			sessions = append(sessions, out)
		}
		families = append(families, s.endIn(found, q, now)...)
	}
	sortSessions(sessions)
	slices.SortFunc(families, func(a, b store.Family) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ID, b.ID))
	})
	return sessions, families, nil
}

// endIn ends what q speaks of in one session, and returns the families that ended with it. Codes of the session that nobody has
// redeemed go too: they do not say whose they are.
func (r *records) endIn(found *session, q store.SessionQuery, now time.Time) []store.Family {
	r.dropCodes(found.ID)
	var out []store.Family
	if !whole(q) {
		for _, i := range found.Identities {
			if picks(q)(i) {
				out = append(out, r.logOut(store.FamilyQuery{Session: found.ID, Trust: i.Trust, Sub: i.Sub}, now)...)
				r.endSources(found.ID, i.Trust)
			}
		}
		found.Identities = slices.DeleteFunc(slices.Clone(found.Identities), picks(q))
		if left := slices.ContainsFunc(found.Identities, func(i store.Identity) bool { return i.Until.After(now) }); left {
			return out
		}
	}
	delete(r.sessions, found.ID)
	delete(r.cookies, found.cookie)
	r.endSources(found.ID, "")
	return append(out, r.logOut(store.FamilyQuery{Session: found.ID}, now)...)
}

// dropCodes deletes the codes of a session that nobody has redeemed.
func (r *records) dropCodes(session string) {
	for h, c := range r.codes {
		if c.Session == session && c.Family == "" {
			delete(r.codes, h)
		}
	}
}
