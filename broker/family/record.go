package family

import (
	"encoding/json"
	"fmt"
	"time"

	"apostille/broker/store"
	"apostille/trust"
)

// sealPurpose binds sealed upstream refresh tokens to this place.
const sealPurpose = "family-upstream-refresh"

// record is what codes and families remember of a sign-in: store.Code.Value and store.Family.Subject. The members of Request are of
// codes only.
type record struct {
	Login     json.RawMessage `json:"login"` // trust.EncodeLogin
	Client    string          `json:"client"`
	Scopes    []string        `json:"scopes,omitempty"` // no token of the family is given more
	Resources []string        `json:"resources,omitempty"`
	SID       string          `json:"sid,omitempty"`
	Claims    json.RawMessage `json:"claims,omitempty"`   // `claims` of the request
	Upstream  string          `json:"upstream,omitempty"` // refresh token of the login, sealed; what came since is in its store.Source
	NameID    *NameID         `json:"name_id,omitempty"`
	Request   *request        `json:"request,omitempty"`
}

// NameID is what a SAML application knows somebody as (SAML Core 2.0 §2.2.3).
type NameID struct{ Format, Value string }

// request is what a code is bound to.
type request struct {
	RedirectURI  string `json:"redirect_uri"`
	RedirectSent bool   `json:"redirect_sent,omitempty"`
	Challenge    string `json:"challenge,omitempty"`
	Nonce        string `json:"nonce,omitempty"`
}

// Kept is what a family remembers, for those who answer about it later, such as userinfo.
type Kept struct {
	Subject   trust.Subject // Family is set; Expires is the end of the family at the latest
	Scopes    []string      // no token of the family is given more
	Resources []string
	SID       string
	Claims    []byte  // `claims` of the request, JSON; nil = none
	NameID    *NameID // of a SAML application; nil = it is none
}

// Read reads a family's Subject.
func Read(f store.Family) (Kept, error) {
	r, err := decode(f.Subject)
	if err != nil {
		return Kept{}, err
	}
	s, err := r.subject(f.ID, f.Until)
	return Kept{Subject: s, Scopes: r.Scopes, Resources: r.Resources, SID: r.SID, Claims: r.Claims, NameID: r.NameID}, err
}

func (f *Families) recordOf(s SignIn) *draft {
	d := &draft{subject: s.Subject, record: record{
		Client: s.Client, Scopes: s.Scopes, Resources: s.Resources, SID: s.SID, Claims: s.ClaimsParam,
		Request: &request{RedirectURI: s.RedirectURI, RedirectSent: s.RedirectSent, Challenge: s.Challenge, Nonce: s.Nonce},
	}}
	if s.Upstream != "" && f.Box != nil {
		d.record.Upstream = f.Box.Seal(sealPurpose, []byte(s.Upstream))
	}
	return d
}

// draft is a record whose subject is still to be written.
type draft struct {
	record
	subject trust.Subject
}

func (d *draft) encode() ([]byte, error) {
	login, err := trust.EncodeLogin(d.subject)
	if err != nil {
		return nil, fmt.Errorf("family: %w", err)
	}
	d.Login = login
	return d.record.encode()
}

func (r *record) encode() ([]byte, error) { return json.Marshal(r) }

func decode(b []byte) (record, error) {
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return record{}, fmt.Errorf("family: a record cannot be read: %w", err)
	}
	return r, nil
}

// subject is the sign-in as it is decided for: it ends with the family.
func (r *record) subject(family string, until time.Time) (trust.Subject, error) {
	s, err := trust.DecodeLogin(r.Login)
	if err != nil {
		return trust.Subject{}, fmt.Errorf("family: a sign-in cannot be read: %w", err)
	}
	s.Family, s.SignedIn, s.Expires = family, true, earlier(s.Expires, until)
	return s, nil
}
