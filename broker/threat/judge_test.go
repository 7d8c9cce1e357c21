package threat

import (
	"strings"
	"testing"

	"apostille/broker/audit"
)

var (
	refused = Outcome{Status: 400, Error: "invalid_request", Audit: []audit.Event{{Reason: "alg_not_allowed"}}}
	granted = Outcome{Status: 200, Audit: []audit.Event{{IssuedID: "1"}}}
)

// changed returns a copy of an outcome with one thing about it changed.
func changed(o Outcome, change func(*Outcome)) Outcome {
	change(&o)
	return o
}

func TestAnAttackIsWithstoodOnlyIfAllFourDemandsHold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		out  Outcome
		want string // part of the one fault; "" = none
	}{
		{"refused, nothing stored, one record, no dial", refused, ""},
		{"it was granted", changed(refused, func(o *Outcome) { o.Status, o.Error = 200, "" }), "passed"},
		{"it crashed the handler", changed(refused, func(o *Outcome) { o.Status = 500 }), "broke something"},
		{"it was answered as our own failure", changed(refused, func(o *Outcome) { o.Error = "server_error" }), "broke something"},
		{"no error code", changed(refused, func(o *Outcome) { o.Error = "" }), "without an error code"},
		{"something was stored", changed(refused, func(o *Outcome) { o.StoreWrites = 1 }), "1 writes"},
		{"it made us dial", changed(refused, func(o *Outcome) { o.Dials = 1 }), "1 outbound"},
		{"no record", changed(refused, func(o *Outcome) { o.Audit = nil }), "0 audit records"},
		{"two records", changed(refused, func(o *Outcome) { o.Audit = append(o.Audit[:1:1], o.Audit[0]) }), "2 audit records"},
		{"another reason", changed(refused, func(o *Outcome) { o.Audit = []audit.Event{{Reason: "expired"}} }), `says "expired"`},
		{"a token was issued all the same", changed(refused, func(o *Outcome) {
			o.Audit = []audit.Event{{Reason: "alg_not_allowed", IssuedID: "1"}}
		}), "names an issued token"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			expectFault(t, Case{Reason: "alg_not_allowed"}.judgeAttack(c.out), c.want)
		})
	}
}

func TestWhatACaseAllowsIsAllowedAndNoMore(t *testing.T) {
	t.Parallel()
	silent := changed(refused, func(o *Outcome) { o.Audit = nil })
	dialled := changed(refused, func(o *Outcome) { o.Dials = 1 })

	expectFault(t, Case{Reason: "alg_not_allowed", Unrecorded: true}.judgeAttack(silent), "")
	expectFault(t, Case{Reason: "expired", Unrecorded: true}.judgeAttack(refused), "wanted \"expired\"")
	expectFault(t, Case{Reason: "alg_not_allowed", Dials: 1}.judgeAttack(dialled), "")
	expectFault(t, Case{Reason: "alg_not_allowed", Dials: 1}.judgeAttack(changed(dialled, func(o *Outcome) { o.Dials = 2 })), "2 outbound")
}

func TestATwinMustPass(t *testing.T) {
	t.Parallel()
	expectFault(t, judgeTwin(granted), "")
	expectFault(t, judgeTwin(refused), "twin was refused")
	expectFault(t, judgeTwin(changed(granted, func(o *Outcome) { o.Audit = nil })), "0 audit records")
}

func TestACaseWithoutTwinOrEntriesIsRefused(t *testing.T) {
	t.Parallel()
	build := func(testing.TB, Entry) Input { return Input{} }
	whole := Case{ID: "A44", Attack: build, Twin: build, Reason: "expired", Entries: []Entry{{Name: "exchange"}}}
	expectFault(t, whole.incomplete(), "")

	for want, spoil := range map[string]func(*Case){
		"no id":      func(c *Case) { c.ID = "44" },
		"no attack":  func(c *Case) { c.Attack = nil },
		"no twin":    func(c *Case) { c.Twin = nil },
		"no reason":  func(c *Case) { c.Reason = "" },
		"no entries": func(c *Case) { c.Entries = nil },
	} {
		c := whole
		spoil(&c)
		expectFault(t, c.incomplete(), want)
	}
}

func TestRunSendsAttackAndTwinToEachEntry(t *testing.T) {
	t.Parallel()
	entry := func(name string) Entry {
		return Entry{Name: name, Send: func(_ testing.TB, in Input) Outcome {
			if in.Token == "bad for "+name {
				return refused
			}
			return granted
		}}
	}
	Run(t, Case{
		ID: "A44", Name: "an unsigned token", Reason: "alg_not_allowed", Entries: []Entry{entry("exchange"), entry("assertion")},
		Attack: func(_ testing.TB, at Entry) Input { return Input{Token: "bad for " + at.Name} },
		Twin:   func(_ testing.TB, at Entry) Input { return Input{Token: "good for " + at.Name} },
	})
}

// expectFault expects exactly one fault that contains want, or none if want is "".
func expectFault(t *testing.T, faults []string, want string) {
	t.Helper()
	if want == "" {
		if len(faults) != 0 {
			t.Errorf("faults %q, wanted none", faults)
		}
		return
	}
	if len(faults) != 1 || !strings.Contains(faults[0], want) {
		t.Errorf("faults %q, wanted one with %q", faults, want)
	}
}
