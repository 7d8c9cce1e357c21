package threat

import (
	"fmt"
	"net/http"
)

// incomplete returns what a case lacks: one without a twin or without entries would pass and prove nothing.
func (c Case) incomplete() []string {
	var faults []string
	lacks := func(missing bool, what string) {
		if missing {
			faults = append(faults, "the case has no "+what)
		}
	}
	lacks(!idPattern.MatchString(c.ID), "id of docs/threats.md")
	lacks(c.Attack == nil, "attack")
	lacks(c.Twin == nil, "twin")
	lacks(c.Reason == "", "reason")
	lacks(len(c.Entries) == 0, "entries")
	return faults
}

// judgeAttack returns what is wrong with what became of an attack; none means it was withstood.
func (c Case) judgeAttack(o Outcome) []string {
	var faults []string
	wrong := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }

	switch {
	case o.Status < http.StatusBadRequest:
		wrong("the attack passed: status %d", o.Status)
	case o.Status == http.StatusInternalServerError || o.Error == "server_error":
		wrong("the attack broke something instead of being refused: status %d, error %q", o.Status, o.Error)
	case o.Error == "":
		wrong("the attack was refused without an error code: status %d", o.Status)
	}
	if o.StoreWrites != 0 {
		wrong("the attack changed what is stored: %d writes", o.StoreWrites)
	}
	if o.Dials > c.Dials {
		wrong("the attack made %d outbound connections, allowed are %d", o.Dials, c.Dials)
	}
	if n := len(o.Audit); n != 1 && !(n == 0 && c.Unrecorded) {
		wrong("the attack left %d audit records, wanted one", n)
	}
	for _, e := range o.Audit {
		if e.Reason != string(c.Reason) {
			wrong("the audit record says %q, wanted %q", e.Reason, c.Reason)
		}
		if e.IssuedSHA256 != "" || e.IssuedID != "" {
			wrong("the audit record of the attack names an issued token")
		}
	}
	return faults
}

// judgeTwin returns what is wrong with what became of a twin. What it may store and dial is the entry's business.
func judgeTwin(o Outcome) []string {
	var faults []string
	wrong := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }

	if o.Status >= http.StatusBadRequest || o.Error != "" {
		wrong("the twin was refused: status %d, error %q, audit %v", o.Status, o.Error, reasons(o))
	}
	if len(o.Audit) != 1 {
		wrong("the twin left %d audit records, wanted one", len(o.Audit))
	}
	return faults
}

func reasons(o Outcome) []string {
	var out []string
	for _, e := range o.Audit {
		out = append(out, e.Reason)
	}
	return out
}
