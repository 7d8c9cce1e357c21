package session

import (
	"encoding/json"

	"apostille/trust"
	"apostille/upstream"
)

// secretPurpose binds sealed upstream tokens to this place.
const secretPurpose = "session-identity"

// Box seals; *seal.Box implements it.
type Box interface {
	Seal(purpose string, plain []byte) string
	Open(purpose, text string) ([]byte, error)
}

// kept is an identity as the store has it, where its upstream gave tokens that are to be kept: only then are they in a login (trusts
// with refresh_claims or logout), and never in the clear.
type kept struct {
	Login  json.RawMessage `json:"login"`
	Sealed string          `json:"sealed"`
}

// tokens are what is sealed.
type tokens struct {
	Upstream string `json:"r,omitempty"`
	IDToken  string `json:"i,omitempty"`
}

// write writes a login as the store keeps it. Without a Box upstream tokens are dropped.
func (m *Manager) write(in upstream.Login) ([]byte, error) {
	login, err := trust.EncodeLogin(in.Subject)
	if err != nil || m.Box == nil || in.Refresh == "" && in.IDToken == "" {
		return login, err
	}
	plain, err := json.Marshal(tokens{Upstream: in.Refresh, IDToken: in.IDToken})
	if err != nil {
		return nil, err
	}
	return json.Marshal(kept{Login: login, Sealed: m.Box.Seal(secretPurpose, plain)})
}

// read is its inverse. Tokens that do not open any more (another key file) are none: the sign-in itself holds.
func read(value []byte, box Box) (s trust.Subject, t tokens, err error) {
	var k kept
	if err := json.Unmarshal(value, &k); err != nil || k.Sealed == "" {
		s, err = trust.DecodeLogin(value)
		return s, t, err
	}
	if box != nil {
		if plain, err := box.Open(secretPurpose, k.Sealed); err == nil {
			_ = json.Unmarshal(plain, &t) // we wrote it
		}
	}
	s, err = trust.DecodeLogin(k.Login)
	return s, t, err
}
