package session

import (
	"time"

	"apostille/broker/store"
	"apostille/trust"
)

// Session is a browser's SSO session as one request sees it.
type Session struct {
	store.Session
	at time.Time
}

// Identity is one signed-in person of a session.
type Identity struct {
	store.Identity
	Subject trust.Subject // CredentialLogin, as it was verified at sign-in
}

// Identity returns who is signed in with a trust. One that is over, or that cannot be read any more, is none: the person signs in
// again.
func (s *Session) Identity(trustID string) (Identity, bool) {
	for _, i := range s.Identities {
		if i.Trust != trustID || !i.Until.After(s.at) {
			continue
		}
		subject, err := trust.DecodeLogin(i.Value)
		if err != nil || subject.Credential != trust.CredentialLogin || subject.Trust != i.Trust || subject.Sub != i.Sub {
			return Identity{}, false
		}
		return Identity{Identity: i, Subject: subject}, true
	}
	return Identity{}, false
}

// Ended is what ended: sessions as they were, and the families of tokens that began in them.
type Ended struct {
	Sessions []store.Session
	Families []store.Family
}
