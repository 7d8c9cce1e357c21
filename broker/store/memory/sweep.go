package memory

import (
	"context"
	"slices"
	"time"

	"apostille/broker/store"
)

// lock is the start of every method on what a sign-in leads to: it takes the lock, unless the handle is closed or the caller has left,
// and returns the time as times are stored.
func (s *Store) lock(ctx context.Context) (time.Time, error) {
	if err := s.usable(ctx); err != nil {
		return time.Time{}, err
	}
	s.mu.Lock()
	now := cut(s.now())
	s.forget(now)
	return now, nil
}

// forget drops, once a minute, what store.Kept does not ask for any longer.
func (r *records) forget(now time.Time) {
	if since := now.Sub(r.forgot); since >= 0 && since < sweepEvery {
		return
	}
	r.forgot = now
	over := func(t time.Time, kept time.Duration) bool { return !t.Add(kept).After(now) }
	for h, c := range r.codes {
		if over(c.Until, store.RedeemedKept) || c.Family == "" && over(c.Until, store.CodeKept) {
			delete(r.codes, h)
		}
	}
	for id, f := range r.families {
		if r.sessions[f.Session] != nil {
			continue // when it ends, their applications are told
		}
		if over(f.Until, store.FamilyKept) || !f.Ended.IsZero() && over(f.Ended, store.FamilyKept) {
			delete(r.families, id)
		}
	}
	for h, t := range r.refresh {
		switch {
		case r.families[t.Family] == nil, over(t.Until, store.RefreshKept):
			delete(r.refresh, h)
		case t.answer != nil && over(t.rotated, t.grace):
			t.answer = nil
		}
	}
	for id, s := range r.sessions {
		lives := func(i store.Identity) bool { return !over(i.Until, 0) } // families that began with it may live as long
		if over(s.Until, 0) && !slices.ContainsFunc(s.Identities, lives) {
			delete(r.sessions, id)
			delete(r.cookies, s.cookie)
		}
	}
	for h, found := range r.sources {
		if over(found.Until, 0) {
			delete(r.sources, h)
		}
	}
	for h, o := range r.opaque {
		if over(o.Until, 0) {
			delete(r.opaque, h)
		}
	}
	for jti, until := range r.revoked {
		if over(until, store.RevocationKept) {
			delete(r.revoked, jti)
		}
	}
	for id, d := range r.deliveries {
		if !d.Done.IsZero() && over(d.Done, store.DeliveryKept) || !d.Failed.IsZero() && over(d.Failed, store.DeliveryKept) {
			delete(r.deliveries, id)
		}
	}
}
