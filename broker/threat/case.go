package threat

import (
	"net/http"
	"net/url"
	"testing"

	"apostille/broker/audit"
	"apostille/trust"
)

// Case is one attack and its twin.
type Case struct {
	ID   string // of docs/threats.md, such as "A44"
	Name string // a sentence: what is tried

	// Attack makes the hostile input for an entry, Twin the same input minus the attack. Both are called once per entry.
	Attack, Twin Build

	Reason  trust.Reason // what the audit record of the attack says, at every entry
	Entries []Entry      // every entry that takes this kind of credential

	// Unrecorded: the attack is refused before client and issuer are known, so that it is counted and sampled and need
	// not leave a record. At most one record, and a right one, still holds.
	Unrecorded bool
	// Dials is how many outbound connections the attack may cause; 0 unless a demand allows some (A74: one fetch).
	Dials int
}

// Build makes an input for an entry: what an entry takes may depend on it (a client assertion's audience, say).
type Build func(t testing.TB, at Entry) Input

// Input is what is sent to an entry.
type Input struct {
	Token     string      // the foreign credential; "" = none is sent
	TokenType string      // the type it is declared to be (a URN of RFC 8693 §3); "" = what the entry usually says
	Form      url.Values  // set on top of the entry's usual form; a nil value removes the parameter
	Header    http.Header // set on top of the entry's usual header
}

// Entry is one way in: a grant of the token endpoint, a client assertion, a callback.
type Entry struct {
	Name string
	// Send sends the input to a broker in a state of its own and tells what came of it. It fails the test only when
	// nothing could be sent.
	Send func(t testing.TB, in Input) Outcome
}

// Outcome is what an entry answered and what was left behind, counted from just before to just after the request.
type Outcome struct {
	Status      int    // HTTP status
	Error       string // OAuth error code; "" when it succeeded
	Audit       []audit.Event
	StoreWrites int // committed changes to what is stored
	Dials       int // outbound connections attempted
}

// Run runs each case at each of its entries as parallel sub-tests named ID_Name/entry/attack and …/twin.
func Run(t *testing.T, cases ...Case) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.ID+"_"+c.Name, func(t *testing.T) {
			t.Parallel()
			for _, fault := range c.incomplete() {
				t.Error(fault)
			}
			if t.Failed() {
				return
			}
			for _, entry := range c.Entries {
				t.Run(entry.Name, func(t *testing.T) { c.runAt(t, entry) })
			}
		})
	}
}

func (c Case) runAt(t *testing.T, entry Entry) {
	t.Parallel()
	t.Run("attack", func(t *testing.T) {
		for _, fault := range c.judgeAttack(entry.Send(t, c.Attack(t, entry))) {
			t.Error(fault)
		}
	})
	t.Run("twin", func(t *testing.T) {
		for _, fault := range judgeTwin(entry.Send(t, c.Twin(t, entry))) {
			t.Error(fault)
		}
	})
}
