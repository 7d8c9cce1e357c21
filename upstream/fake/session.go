package fake

import (
	"crypto/rand"
	"net/http"
	"time"
)

const cookieName = "fake_session"

// How long what a login leaves behind is good for.
const (
	codeLife   = time.Minute
	pushedLife = time.Minute
	accessLife = 10 * time.Minute
)

// session is a browser that is signed in.
type session struct {
	sid      string
	username string
	authTime time.Time
	clients  map[string]bool // that were told of it
}

// signedIn is what a code, an access token or a refresh token stands for.
type signedIn struct {
	ask      request
	username string
	sid      string
	authTime time.Time
	acr      string
	expires  time.Time // zero = never
}

// memory is what the provider remembers between requests. Provider.mu guards it.
type memory struct {
	sessions map[string]*session // by cookie
	pushed   map[string]pushed
	codes    map[string]signedIn
	access   map[string]signedIn
	refresh  map[string]signedIn
}

type pushed struct {
	form    map[string][]string
	expires time.Time
}

func newMemory() memory {
	return memory{map[string]*session{}, map[string]pushed{}, map[string]signedIn{}, map[string]signedIn{}, map[string]signedIn{}}
}

// sessionOf returns a copy of the browser's session; false if it has none.
func (p *Provider) sessionOf(r *http.Request) (session, bool) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return session{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.memory.sessions[c.Value]
	if !ok {
		return session{}, false
	}
	return *s, true
}

// signIn begins a session of a person and sets its cookie.
func (p *Provider) signIn(w http.ResponseWriter, username string) session {
	s := &session{sid: rand.Text(), username: username, authTime: p.o.Now(), clients: map[string]bool{}}
	id := rand.Text()
	p.mu.Lock()
	p.memory.sessions[id] = s
	p.mu.Unlock()
	http.SetCookie(w, p.cookie(id, 0))
	return *s
}

// cookie is the session cookie; age -1 clears it.
func (p *Provider) cookie(value string, age int) *http.Cookie {
	return &http.Cookie{Name: cookieName, Value: value, Path: p.prefix + "/", MaxAge: age, HttpOnly: true,
		Secure: p.https, SameSite: http.SameSiteLaxMode}
}

// Sessions lists the session IDs (sid) of a person who is signed in, in no order.
func (p *Provider) Sessions(username string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var sids []string
	for _, s := range p.memory.sessions {
		if s.username == username {
			sids = append(sids, s.sid)
		}
	}
	return sids
}

// take removes and returns an entry, once; expired ones are not found.
func (p *Provider) take(from map[string]signedIn, key string) (signedIn, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := from[key]
	delete(from, key)
	return v, ok && (v.expires.IsZero() || p.o.Now().Before(v.expires))
}

// keep stores v under a new name for as long as life (0 = for ever) and returns the name.
func (p *Provider) keep(into map[string]signedIn, v signedIn, life time.Duration) string {
	key := rand.Text()
	if v.expires = (time.Time{}); life > 0 {
		v.expires = p.o.Now().Add(life)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	into[key] = v
	return key
}
