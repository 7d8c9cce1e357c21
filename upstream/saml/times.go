package saml

import (
	"fmt"
	"strings"
	"time"

	"apostille/trust"
	"apostille/trust/xmlsec"
)

// maxAhead: an end further away is a mistake or a trap.
const maxAhead = 366 * 24 * time.Hour

// instant reads an xs:dateTime, in UTC as SAML Core 2.0 §1.3.3 wants it; the zero time if it is absent.
func instant(e *xmlsec.Element, name string) (time.Time, error) {
	s, ok := e.Attr(name)
	if !ok {
		return time.Time{}, nil
	}
	at, err := time.Parse("2006-01-02T15:04:05Z", s) // takes a fraction of seconds too
	if err != nil || len(s) > 40 || strings.Contains(s, ",") || at.Year() < 2000 || at.Year() > 2200 {
		return time.Time{}, fmt.Errorf("%s of %s is not a UTC time such as 2026-01-31T12:00:00Z", name, e.Name().Local)
	}
	return at, nil
}

// times are those of one assertion.
type times struct {
	issued    time.Time
	notBefore time.Time // zero = none
	expires   time.Time // of Conditions
	authn     time.Time // zero = no AuthnStatement
	session   time.Time // SessionNotOnOrAfter; zero = none
	maxAge    time.Duration
}

// check compares with the clock. Skew is allowed once on each bound, and not on the age.
func (t times) check(now time.Time) *fault {
	late, early := now.Add(-trust.Skew), now.Add(trust.Skew)
	switch {
	case t.issued.IsZero(), t.expires.IsZero():
		return faulty(trust.ReasonTime, checkTimes, "the assertion lacks IssueInstant, or NotOnOrAfter of its Conditions")
	case t.expires.Sub(now) > maxAhead:
		return timeFault(trust.ReasonTime, t.expires, "NotOnOrAfter is more than 366 days away: ")
	case !t.notBefore.IsZero() && !t.notBefore.Before(t.expires):
		return timeFault(trust.ReasonTime, t.expires, "NotOnOrAfter is not after NotBefore: ")
	case !late.Before(t.expires):
		return timeFault(trust.ReasonExpired, t.expires, "the assertion expired at ")
	case t.notBefore.After(early):
		return timeFault(trust.ReasonNotYetValid, t.notBefore, "the assertion is not valid before ")
	case t.issued.After(early):
		return timeFault(trust.ReasonNotYetValid, t.issued, "the assertion was issued in the future, at ")
	case now.Sub(t.issued) > t.maxAge:
		return timeFault(trust.ReasonTooOld, t.issued, "assertions of this trust are accepted for "+t.maxAge.String()+", and this one was issued at ")
	case t.authn.After(early):
		return timeFault(trust.ReasonNotYetValid, t.authn, "the subject authenticated in the future, at ")
	case !t.session.IsZero() && !late.Before(t.session):
		return timeFault(trust.ReasonExpired, t.session, "the session at the issuer ended at ")
	}
	return nil
}

// end is when whatever rests on the assertion ends. The confirmation's window is only for presenting it.
func (t times) end() time.Time {
	if !t.session.IsZero() && t.session.Before(t.expires) {
		return t.session
	}
	return t.expires
}

func timeFault(r trust.Reason, at time.Time, words string) *fault {
	return faulty(r, checkTimes, words+at.UTC().Format(time.RFC3339))
}
