package session

import (
	"time"

	"apostille/broker/store"
	"apostille/trust"
)

// Session is a browser's SSO session as one request sees it.
type Session struct {
	store.Session
	at  time.Time
	box Box
}

// Identity is one signed-in person of a session.
type Identity struct {
	store.Identity
	Subject trust.Subject // CredentialLogin, as it was verified at sign-in

	// What the upstream gave besides, if the trust keeps it; "" = nothing. Secrets.
	Upstream string // refresh token, to ask again for claims
	IDToken  string // hint for its logout
}

// Identity returns who is signed in with a trust. One that is over, or that cannot be read any more, is none: the person signs in
// again.
func (s *Session) Identity(trustID string) (Identity, bool) {
	for _, i := range s.Identities {
		if i.Trust != trustID || !i.Until.After(s.at) {
			continue
		}
		subject, secret, err := read(i.Value, s.box)
		if err != nil || subject.Credential != trust.CredentialLogin || subject.Trust != i.Trust || subject.Sub != i.Sub {
			return Identity{}, false
		}
		return Identity{Identity: i, Subject: subject, Upstream: secret.Upstream, IDToken: secret.IDToken}, true
	}
	return Identity{}, false
}

// Ended is what ended: sessions as they were, and the families of tokens that began in them.
type Ended struct {
	Sessions []store.Session
	Families []store.Family
}
