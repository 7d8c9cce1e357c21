package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/gorilla/sessions"

	"apostille/broker/store"
	"apostille/trust"
	"apostille/upstream"
)

// Names of the cookies, without prefix.
const (
	cookieName  = "apostille"         // the session
	browserName = "apostille_browser" // the browser, signed in or not
)

// Manager finds, begins and ends the sessions of browsers. Fields are required unless their comment says otherwise. It is safe for
// concurrent use; one request belongs to one goroutine.
type Manager struct {
	Store   store.Sessions
	Cookies Cookies
	Idle    time.Duration // a session that is not used for so long is over
	Max     time.Duration // and so is one of this age
	Now     func() time.Time
	Remote  func(*http.Request) string // the browser's IP address
	Log     *slog.Logger
	Box     Box            // seals what upstreams gave; nil = it is not kept
	Pending store.Pendings // remembers siblings; nil = nobody does
	// Replaced is told what ended because another person of the same office signed in with the same browser; nil = nobody is.
	Replaced func(context.Context, Ended)
}

// Current returns the browser's session; none, one that is over, and a cookie that means nothing are (nil, nil). An error says that
// the store did not answer: nothing may rest on who is signed in. A session in use stays: its idle time begins anew, at most once a
// minute.
func (m *Manager) Current(r *http.Request) (*Session, error) {
	s, err := m.load(r)
	if err != nil {
		return nil, err
	}
	return record(s), nil
}

// SignIn makes a finished login the browser's identity with its trust, in its session or in a new one, under a new cookie: a value
// that was known before the login is worth nothing after it (THREATS A110). Another person of the same trust is signed out of this
// session first, with all that began there.
func (m *Manager) SignIn(w http.ResponseWriter, r *http.Request, login upstream.Login) (*Session, error) {
	now := m.Now()
	identity, err := m.identity(login, now)
	if err != nil {
		return nil, err
	}
	s, err := m.load(r)
	if err != nil {
		return nil, err
	}
	if err := m.replace(r.Context(), s, identity); err != nil {
		return nil, err
	}
	s.Values[addKey{}] = identity
	if err := s.Save(r, w); err != nil {
		return nil, err
	}
	return record(s), nil
}

// identity is a login as the store keeps it.
func (m *Manager) identity(login upstream.Login, now time.Time) (store.Identity, error) {
	subject := login.Subject
	if subject.Credential != trust.CredentialLogin || subject.Trust == "" || subject.Sub == "" {
		return store.Identity{}, errors.New("session: not a verified login")
	}
	if !subject.Expires.After(now) {
		return store.Identity{}, errors.New("session: a login that is over")
	}
	value, err := m.write(login)
	if err != nil {
		return store.Identity{}, fmt.Errorf("session: %w", err)
	}
	return store.Identity{
		Trust: subject.Trust, Sub: subject.Sub, SID: subject.SessionID, AuthTime: subject.AuthTime,
		SignedIn: now, Until: subject.Expires, Value: value,
	}, nil
}

// replace ends the identity that another person of the same trust has in the session.
func (m *Manager) replace(ctx context.Context, s *sessions.Session, next store.Identity) error {
	have := record(s)
	if have == nil {
		return nil
	}
	for _, i := range have.Identities {
		if i.Trust != next.Trust || i.Sub == next.Sub {
			continue
		}
		var ended Ended
		var err error
		ended.Sessions, ended.Families, err = m.Store.EndSessions(ctx, store.SessionQuery{ID: have.ID, Trust: i.Trust, Sub: i.Sub})
		if err != nil {
			return fmt.Errorf("session: %w", err)
		}
		if m.Replaced != nil {
			m.Replaced(ctx, ended)
		}
	}
	return nil
}

// End signs the browser out: its session is over at once, for every copy of the cookie (THREATS A111), and so are the families that
// began in it. No session is (nil, nil). After an error the cookie is kept, so that the person can try again.
func (m *Manager) End(w http.ResponseWriter, r *http.Request) (*Ended, error) {
	s, err := m.load(r)
	if err != nil {
		return nil, err
	}
	s.Options.MaxAge = -1
	if err := s.Save(r, w); err != nil {
		return nil, err
	}
	ended, _ := s.Values[endedKey{}].(*Ended)
	return ended, nil
}

// load is the request's session by gorilla's registry: read once, however many ask.
func (m *Manager) load(r *http.Request) (*sessions.Session, error) {
	return (&cookieStore{m: m}).Get(r, m.Cookies.Name(cookieName))
}
