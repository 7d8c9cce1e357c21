package trust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// storedLogin is a login as it is kept between a sign-in and the decisions that rest on it.
type storedLogin struct {
	Trust     string         `json:"trust"`
	Domain    string         `json:"domain"`
	Kind      string         `json:"kind"`
	Value     string         `json:"value"`
	Sub       string         `json:"sub"`
	Claims    map[string]any `json:"claims"`
	Issuer    string         `json:"issuer,omitempty"`
	IssuedAt  time.Time      `json:"issued_at,omitzero"`
	Expires   time.Time      `json:"expires,omitzero"`
	ClaimsAt  time.Time      `json:"claims_at,omitzero"`
	AuthTime  time.Time      `json:"auth_time,omitzero"`
	ACR       string         `json:"acr,omitempty"`
	Family    string         `json:"family,omitempty"`
	SessionID string         `json:"session_id,omitempty"`
}

// EncodeLogin writes a login for storage: all that Evaluate reads of it, as JSON. It holds a person's claims: whoever stores it sees to
// it that nobody else reads it. Anything but a CredentialLogin is an error, so that no other credential can come back as one.
func EncodeLogin(s Subject) ([]byte, error) {
	if s.Credential != CredentialLogin || !s.SignedIn || s.Trust == "" || s.Trust != s.Origin || s.Sub == "" {
		return nil, fmt.Errorf("trust: a %q of trust %q is not a login", s.Credential, s.Trust)
	}
	return json.Marshal(storedLogin{
		Trust: s.Trust, Domain: s.Domain, Kind: s.Kind, Value: s.Value, Sub: s.Sub, Claims: s.Claims, Issuer: s.Issuer,
		IssuedAt: s.IssuedAt.UTC(), Expires: s.Expires.UTC(), ClaimsAt: s.ClaimsAt.UTC(), AuthTime: s.AuthTime.UTC(),
		ACR: s.ACR, Family: s.Family, SessionID: s.SessionID,
	})
}

// DecodeLogin reads what EncodeLogin wrote, and nothing else: an unknown member, a missing subject or anything behind the object is an
// error. Numbers in claims are json.Number, times are UTC.
func DecodeLogin(b []byte) (Subject, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	d.DisallowUnknownFields()
	var l storedLogin
	if err := d.Decode(&l); err != nil {
		return Subject{}, errors.New("trust: a stored login cannot be read") // the library's text could quote claims
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || l.Trust == "" || l.Sub == "" {
		return Subject{}, errors.New("trust: a stored login is not whole")
	}
	return Subject{
		Credential: CredentialLogin, SignedIn: true, Trust: l.Trust, Origin: l.Trust,
		Domain: l.Domain, Kind: l.Kind, Value: l.Value, Sub: l.Sub, Claims: l.Claims, Issuer: l.Issuer,
		IssuedAt: l.IssuedAt, Expires: l.Expires, ClaimsAt: l.ClaimsAt, AuthTime: l.AuthTime,
		ACR: l.ACR, Family: l.Family, SessionID: l.SessionID,
	}, nil
}
