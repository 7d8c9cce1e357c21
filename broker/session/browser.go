package session

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/gorilla/sessions"

	"apostille/broker/mint"
)

// maxBrowserIDs bounds how many IDs of one browser are looked at.
const maxBrowserIDs = 64

// Browser returns the mark of a random ID that tells one browser from another, signed in or not: what is begun here is finished by the
// same browser (THREATS A108). The ID is made and set as a cookie, until the browser closes, if the request brought none; it is a secret,
// and its mark, the SHA-256, is what may be stored.
//
// Each ID has a cookie name of its own. Tabs that are opened at once in a new browser are each given one, and the browser keeps them
// all: under one name the later answer would take from the other tab what it began with.
func (m *Manager) Browser(w http.ResponseWriter, r *http.Request) []byte {
	s, err := m.browser(r)
	if err != nil || s.Save(r, w) != nil {
		return nil // never: the store has no I/O, and the name is a constant
	}
	return mark(s.ID)
}

// SameBrowser reports whether a mark is of an ID that the request brought, or that Browser made for it.
func (m *Manager) SameBrowser(r *http.Request, begun []byte) bool {
	ids := m.Cookies.browserIDs(r)
	if s, err := m.browser(r); err == nil && s.Values[madeKey{}] != nil {
		ids = append(ids, s.ID)
	}
	same := 0
	for _, id := range ids {
		same |= subtle.ConstantTimeCompare(begun, mark(id))
	}
	return same == 1
}

func mark(id string) []byte {
	sum := sha256.Sum256([]byte(id))
	return sum[:]
}

// browserIDs lists the IDs that a request brought.
func (c Cookies) browserIDs(r *http.Request) (ids []string) {
	for _, cookie := range r.Cookies() {
		if len(ids) == maxBrowserIDs {
			break
		}
		if strings.HasPrefix(cookie.Name, c.Name(browserName)) && mint.IsSecret(cookie.Value) && c.Get(r, browserCookie(cookie.Value)) == cookie.Value {
			ids = append(ids, cookie.Value)
		}
	}
	return ids
}

// browserCookie is the name of an ID's cookie, without prefix.
func browserCookie(id string) string { return browserName + "_" + id[:6] }

// madeKey marks an ID that was given to the browser with this answer.
type madeKey struct{}

// browser is the request's browser by gorilla's registry: one, however often it is asked for.
func (m *Manager) browser(r *http.Request) (*sessions.Session, error) {
	return (&browserStore{m: m}).Get(r, m.Cookies.Name(browserName))
}

// browserStore is gorilla's Store for the browser's ID, which has no state but itself.
type browserStore struct{ m *Manager }

var _ sessions.Store = (*browserStore)(nil)

// Get implements sessions.Store.
func (b *browserStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(b, name)
}

// New implements sessions.Store.
func (b *browserStore) New(r *http.Request, name string) (*sessions.Session, error) {
	s := sessions.NewSession(b, name)
	s.Options = b.m.Cookies.options(0)
	if ids := b.m.Cookies.browserIDs(r); len(ids) > 0 {
		s.ID = ids[0]
	} else {
		s.ID, s.IsNew = mint.NewSecret(), true
	}
	return s, nil
}

// Save implements sessions.Store: a new ID goes to the browser.
func (b *browserStore) Save(_ *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	if s.IsNew {
		s.Values[madeKey{}] = true
		b.m.Cookies.Set(w, browserCookie(s.ID), s.ID, 0)
	}
	return nil
}
