package audit

import "time"

// Names of events.
const (
	EventIssued  = "token.issued"
	EventRefused = "token.refused"
	EventRevoked = "token.revoked" // its client gave it back

	EventLogin        = "login.finished"
	EventLoginRefused = "login.refused" // at the office, or at the application that it was for
	EventSessionEnded = "session.ended" // of one person

	EventCode             = "code.issued"
	EventConsentGiven     = "consent.given"
	EventConsentWithdrawn = "consent.withdrawn"

	EventFederation        = "federation.changed" // Trust is its ID, Issuer its source, Detail what changed
	EventFederationRefused = "federation.refused" // new metadata were not taken; the last good ones stay

	EventDropped = "audit.dropped" // refusals that were counted and not recorded, see Sampler
)

// Event is one decision. The order of the fields is their order in the line; empty ones are left out. A text is
// written up to 1 KB, a list up to 4 KB; what was cut ends in "…".
type Event struct {
	Time          time.Time `json:"time"`  // zero: the Writer's clock
	ID            string    `json:"id"`    // correlation id, also given to the client
	Event         string    `json:"event"` // e.g. EventIssued
	Grant         string    `json:"grant,omitempty"`
	Client        string    `json:"client,omitempty"`
	Trust         string    `json:"trust,omitempty"`
	Issuer        string    `json:"issuer,omitempty"`
	Subject       string    `json:"sub,omitempty"` // ours, see trust.DeriveSub
	Rules         []string  `json:"rules,omitempty"`
	Audiences     []string  `json:"audience,omitempty"`
	Requested     []string  `json:"requested,omitempty"` // scopes asked for
	Granted       []string  `json:"granted,omitempty"`   // scopes given
	Reason        string    `json:"reason,omitempty"`    // trust.Reason
	Detail        string    `json:"detail,omitempty"`    // why, for the admin
	SubjectSHA256 string    `json:"subject_token_sha256,omitempty"`
	IssuedSHA256  string    `json:"issued_token_sha256,omitempty"`
	IssuedID      string    `json:"issued_jti,omitempty"`
	Expires       time.Time `json:"expires,omitzero"`
	Remote        string    `json:"remote,omitempty"`  // client IP
	Dropped       int64     `json:"dropped,omitempty"` // of EventDropped: how many
}
