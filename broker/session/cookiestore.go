package session

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	"apostille/broker/mint"
	"apostille/broker/store"
)

// Keys of a gorilla session's values.
type (
	recordKey struct{} // *Session; absent = nobody is signed in
	addKey    struct{} // store.Identity that Save adds
	endedKey  struct{} // *Ended, what Save ended
)

// touchEvery is how often a session in use is written at most.
const touchEvery = time.Minute

// cookieStore is gorilla's Store whose cookie is a random 256-bit value and whose state is broker/store's Sessions, by the value's
// hash (THREATS L30, L32, L33).
type cookieStore struct{ m *Manager }

var _ sessions.Store = (*cookieStore)(nil)

// Get implements sessions.Store.
func (c *cookieStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(c, name)
}

// New implements sessions.Store: the session of the request's cookie, or an empty one. A cookie that means nothing is no error
// (THREATS L31); an error says that the store did not answer.
func (c *cookieStore) New(r *http.Request, name string) (*sessions.Session, error) {
	s := sessions.NewSession(c, name)
	s.Options, s.IsNew = c.m.Cookies.options(0), true
	value := c.m.Cookies.Get(r, cookieName)
	if !mint.IsSecret(value) {
		return s, nil
	}
	found, ok, err := c.m.Store.Session(r.Context(), hash(value))
	if err != nil {
		return s, fmt.Errorf("session: %w", err)
	}
	now := c.m.Now()
	if !ok || !found.Until.After(now) || !found.IdleUntil.After(now) {
		return s, nil
	}
	s.ID, s.IsNew = value, false
	s.Values[recordKey{}] = &Session{Session: found, at: now, box: c.m.Box}
	c.touch(r, s)
	return s, nil
}

// touch puts off the end by idleness. A store that cannot is logged: the session holds all the same until its idle time is over.
func (c *cookieStore) touch(r *http.Request, s *sessions.Session) {
	have := record(s)
	if have.at.Sub(have.Seen) < touchEvery {
		return
	}
	idle := c.idle(have.at, have.Until)
	if err := c.m.Store.TouchSession(r.Context(), hash(s.ID), have.at, idle); err != nil {
		c.m.Log.Warn("the use of a session could not be noted", "session", have.ID, "error", err)
		return
	}
	have.Seen, have.IdleUntil = have.at, idle
}

// Save implements sessions.Store: it adds the identity that was put into the values, under a new cookie; with a negative MaxAge it
// ends the session; otherwise there is nothing to write.
func (c *cookieStore) Save(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	if s.Options.MaxAge < 0 {
		return c.end(r, w, s)
	}
	add, ok := s.Values[addKey{}].(store.Identity)
	if !ok {
		return nil
	}
	delete(s.Values, addKey{})
	had, value := record(s), mint.NewSecret()
	if err := c.put(r, s, value, add); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	switch now := record(s); {
	case had == nil:
		c.m.link(r, now)
	case had.ID != now.ID: // another tab has renewed it meanwhile
		c.m.link(r, now, had.ID)
	}
	s.ID, s.IsNew = value, false
	c.m.Cookies.Set(w, cookieName, value, 0)
	return nil
}

// put renews the session the browser has, or creates one if it has none (any more).
func (c *cookieStore) put(r *http.Request, s *sessions.Session, value string, add store.Identity) error {
	now := c.m.Now()
	if have := record(s); have != nil {
		idle := c.idle(now, have.Until)
		renewed, err := c.m.Store.RenewSession(r.Context(), hash(s.ID), hash(value), add, now, idle)
		if err != nil {
			return err
		}
		if renewed {
			s.Values[recordKey{}] = have.with(add, now, idle)
			return nil
		}
	}
	until := now.Add(c.m.Max)
	fresh := store.Session{
		ID: mint.NewSecret(), Created: now, Seen: now, IdleUntil: c.idle(now, until), Until: until,
		Agent: Agent(r.UserAgent()), Remote: c.m.Remote(r), Identities: []store.Identity{add},
	}
	if err := c.m.Store.CreateSession(r.Context(), hash(value), fresh); err != nil {
		return err
	}
	s.Values[recordKey{}] = &Session{Session: fresh, at: now, box: c.m.Box}
	return nil
}

// end ends the session in the store, then in the browser.
func (c *cookieStore) end(r *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	if have := record(s); have != nil {
		ended, err := c.m.endSiblings(r, have.ID) // first: while the cookie finds its session the person can try again
		if err != nil {
			return fmt.Errorf("session: %w", err)
		}
		list, families, err := c.m.Store.EndSessions(r.Context(), store.SessionQuery{ID: have.ID})
		if err != nil {
			return fmt.Errorf("session: %w", err)
		}
		s.Values[endedKey{}] = &Ended{Sessions: append(list, ended.Sessions...), Families: append(families, ended.Families...)}
	}
	delete(s.Values, recordKey{})
	s.ID, s.IsNew = "", true
	c.m.Cookies.Clear(w, cookieName)
	return nil
}

// idle is when a session that is used now ends by idleness; never after its absolute end.
func (c *cookieStore) idle(now, until time.Time) time.Time {
	if idle := now.Add(c.m.Idle); idle.Before(until) {
		return idle
	}
	return until
}

// with is the session with an identity added, or in the place of the trust's earlier one.
func (s *Session) with(add store.Identity, now, idle time.Time) *Session {
	out := *s
	out.at, out.Seen, out.IdleUntil = now, now, idle
	out.Identities = nil
	for _, i := range s.Identities {
		if i.Trust != add.Trust {
			out.Identities = append(out.Identities, i)
		}
	}
	out.Identities = append(out.Identities, add)
	return &out
}

// record is the broker's session in a gorilla one; nil = nobody is signed in.
func record(s *sessions.Session) *Session {
	have, _ := s.Values[recordKey{}].(*Session)
	return have
}

// hash is what the store knows of a cookie.
func hash(value string) store.Hash { return sha256.Sum256([]byte(value)) }
