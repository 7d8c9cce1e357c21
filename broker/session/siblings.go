package session

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"apostille/broker/store"
)

// Two tabs that sign in at once, such as those of a browser that has just been opened, bring no session yet: each makes one, and the cookie
// of only one of them stays in the browser. What began in the other would then outlive the person's logout. Siblings are such sessions.
// They are told apart by cookie all the same: a browser's ID opens none, it only says what ends together.

const (
	kindSiblings = "session_siblings" // of store.Pendings, under an ID of the browser
	// siblingAge is how far apart siblings begin: as long as an office takes to answer, and a person to press a button in each tab.
	siblingAge  = time.Minute
	maxSiblings = 8
	siblingIDs  = 4 // of one browser that are noted; it has more than one only if its first tabs were opened at once
)

// siblings are the sessions that a browser began at about the same time, as stored.
type siblings struct {
	IDs []string  `json:"ids"`
	At  time.Time `json:"at"` // of the last
}

// ours lists the IDs of a request's browser under which siblings are noted.
func (m *Manager) ours(r *http.Request) []string {
	if m.Pending == nil {
		return nil
	}
	ids := m.Cookies.browserIDs(r)
	return ids[:min(len(ids), siblingIDs)]
}

// link notes sessions of one browser; s has just begun. A store that cannot is logged: the person is signed in all the same.
func (m *Manager) link(r *http.Request, s *Session, others ...string) {
	for _, browser := range m.ours(r) {
		err := store.ErrInvalid
		for range maxSiblings { // ErrInvalid: another tab was faster, and its list is there now
			if errors.Is(err, store.ErrInvalid) {
				err = m.note(r.Context(), browser, s, others)
			}
		}
		if err != nil {
			m.Log.Warn("sessions of one browser could not be noted", "session", s.ID, "error", err)
		}
	}
}

func (m *Manager) note(ctx context.Context, browser string, s *Session, others []string) error {
	had := siblings{}
	p, ok, err := m.Pending.PeekPending(ctx, kindSiblings, browser)
	if err == nil && ok {
		p, ok, err = m.Pending.TakePending(ctx, kindSiblings, browser)
	}
	if err != nil {
		return err
	}
	if ok {
		_ = json.Unmarshal(p.Value, &had) // we wrote it
	}
	if s.at.Sub(had.At) > siblingAge {
		had.IDs = nil
	}
	ids := append(append(had.IDs, others...), s.ID)
	value, err := json.Marshal(siblings{IDs: ids[max(0, len(ids)-maxSiblings):], At: s.at})
	if err != nil {
		return err
	}
	return m.Pending.PutPending(ctx, kindSiblings, browser, store.Pending{Value: value, Until: s.Until})
}

// endSiblings ends what began beside a session.
func (m *Manager) endSiblings(r *http.Request, id string) (ended Ended, err error) {
	for _, browser := range m.ours(r) {
		p, ok, err := m.Pending.PeekPending(r.Context(), kindSiblings, browser)
		if err != nil {
			return ended, err
		}
		var s siblings
		if !ok || json.Unmarshal(p.Value, &s) != nil || !slices.Contains(s.IDs, id) { // of another time
			continue
		}
		for _, sibling := range s.IDs {
			if sibling == id {
				continue
			}
			sessions, families, err := m.Store.EndSessions(r.Context(), store.SessionQuery{ID: sibling})
			if err != nil {
				return ended, err
			}
			ended.Sessions, ended.Families = append(ended.Sessions, sessions...), append(ended.Families, families...)
		}
	}
	return ended, nil
}
