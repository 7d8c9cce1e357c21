package saml

import (
	"time"

	"apostille/trust/xmlsec"
)

// Unverified is what an assertion says, for the eye of somebody who wonders about it. NOTHING of it is checked, the signature neither: anybody
// can have written it.
type Unverified struct {
	ID            string              `json:"id"`
	Issuer        string              `json:"issuer"`
	NameID        string              `json:"name_id,omitempty"`
	Format        string              `json:"name_id_format,omitempty"`
	Audiences     [][]string          `json:"audiences"` // of each restriction
	Confirmations []string            `json:"confirmations"`
	Recipients    []string            `json:"recipients"`
	Attributes    map[string][]string `json:"attributes"`
	Times         map[string]string   `json:"times"`
	Signed        bool                `json:"signed"` // it has a signature, good or bad
}

// ReadUnverified reads an assertion as strictly as Verifier does, and checks nothing. The error says what the strict reader refuses.
func ReadUnverified(document []byte) (*Unverified, error) {
	root, f := parseAssertion(document)
	if f != nil {
		return nil, &Error{Reason: f.reason, Detail: f.detail, Cause: f.cause}
	}
	// The signature is no part of what it signs, but it is of this tree.
	signature := part{names: []xmlsec.Name{signatureName}, most: 1, read: func(*xmlsec.Element) error { return nil }}
	a, err := readAssertion(root, signature)
	if err != nil {
		return nil, err
	}
	u := &Unverified{
		ID: a.id, Issuer: a.issuer, Audiences: a.conditions.audiences, Attributes: map[string][]string{}, Times: map[string]string{},
		Signed: xmlsec.HasSignature(root), Confirmations: []string{}, Recipients: []string{},
	}
	if a.name != nil {
		u.NameID, u.Format = a.name.value, a.name.format
	}
	for _, c := range a.confirmations {
		u.Confirmations, u.Recipients = append(u.Confirmations, c.method), append(u.Recipients, c.recipient)
		u.time("Confirmation.NotOnOrAfter", c.notOnOrAfter)
	}
	for _, at := range a.attributes {
		u.Attributes[at.name] = at.values
	}
	u.time("IssueInstant", a.issued)
	u.time("NotBefore", a.conditions.notBefore)
	u.time("NotOnOrAfter", a.conditions.notOnOrAfter)
	if a.authn != nil {
		u.time("AuthnInstant", a.authn.at)
		u.time("SessionNotOnOrAfter", a.authn.sessionEnd)
	}
	return u, nil
}

func (u *Unverified) time(name string, at time.Time) {
	if !at.IsZero() {
		u.Times[name] = at.UTC().Format(time.RFC3339)
	}
}
