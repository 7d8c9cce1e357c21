package session

import (
	"net/http"

	"github.com/gorilla/sessions"
)

// Browser returns the random ID that tells one browser from another, signed in or not: what is begun here is finished by the same
// browser (THREATS A108). It is made and set as a cookie, until the browser closes, if the request brought none. It is a secret:
// what must be stored of it is its hash.
func (m *Manager) Browser(w http.ResponseWriter, r *http.Request) string {
	s, err := (&browserStore{m: m}).Get(r, m.Cookies.Name(browserName))
	if err != nil || s.Save(r, w) != nil {
		return "" // never: the store has no I/O, and the name is a constant
	}
	return s.ID
}

// BrowserOf returns the browser's ID as the request brought it, or as Browser made it for this request; "" = none.
func (m *Manager) BrowserOf(r *http.Request) string {
	if s, err := (&browserStore{m: m}).Get(r, m.Cookies.Name(browserName)); err == nil && (!s.IsNew || s.Values[madeKey{}] != nil) {
		return s.ID
	}
	return ""
}

// madeKey marks an ID that was given to the browser with this answer.
type madeKey struct{}

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
	if s.ID = b.m.Cookies.Get(r, browserName); !wellFormed(s.ID) {
		s.ID, s.IsNew = newSecret(), true
	}
	return s, nil
}

// Save implements sessions.Store: a new ID goes to the browser.
func (b *browserStore) Save(_ *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	if s.IsNew {
		s.Values[madeKey{}] = true
		b.m.Cookies.Set(w, browserName, s.ID, 0)
	}
	return nil
}
