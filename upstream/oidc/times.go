package oidc

import (
	"time"

	"apostille/trust"
	"apostille/trust/jose"
)

// maxAhead: an exp further away is a mistake or a trap.
const maxAhead = 366 * 24 * time.Hour

// times are the time claims of one token; they are checked again whenever a remembered token is used.
type times struct {
	expires   time.Time
	notBefore time.Time // zero = none
	issued    time.Time
	maxAge    time.Duration // 0 = no bound
}

// check compares with the clock. Skew is allowed once on each bound, and not on the age.
func (t times) check(now time.Time) *fault {
	switch {
	case !now.Before(t.expires.Add(trust.Skew)):
		return timeFault(trust.ReasonExpired, t.expires, "the token expired at ")
	case t.expires.Sub(now) > maxAhead:
		return timeFault(trust.ReasonTime, t.expires, "exp is more than 366 days away: ")
	case t.notBefore.After(now.Add(trust.Skew)):
		return timeFault(trust.ReasonNotYetValid, t.notBefore, "the token is not valid before ")
	case t.issued.After(now.Add(trust.Skew)):
		return timeFault(trust.ReasonNotYetValid, t.issued, "the token was issued in the future, at ")
	case t.maxAge > 0 && now.Sub(t.issued) > t.maxAge:
		return timeFault(trust.ReasonTooOld, t.issued, "tokens of this trust are accepted for "+t.maxAge.String()+", and this one was issued at ")
	}
	return nil
}

func timeFault(r trust.Reason, at time.Time, words string) *fault {
	return &fault{r, checkTimes, words + at.UTC().Format(time.RFC3339), nil}
}

// readTimes reads exp, iat and nbf. RFC 7519 §2: a NumericDate is a JSON number; a string refuses.
func (x *examination) readTimes(maxAge time.Duration) *fault {
	t := times{maxAge: maxAge}
	for _, c := range []struct {
		name     string
		into     *time.Time
		required bool
	}{{"exp", &t.expires, true}, {"iat", &t.issued, true}, {"nbf", &t.notBefore, false}} {
		v, ok := x.claims[c.name]
		if !ok && !c.required {
			continue
		}
		if !ok {
			return &fault{trust.ReasonTime, checkTimes, "the token has no " + c.name, nil}
		}
		at, ok := jose.NumericDate(v)
		if !ok {
			return &fault{trust.ReasonTime, checkTimes, c.name + " is not a number of seconds between 1970 and 2200", nil}
		}
		*c.into = at
	}
	if f := t.check(x.now); f != nil {
		return f
	}
	x.times = t
	x.subject.IssuedAt, x.subject.Expires = t.issued, t.expires
	return x.passed(checkTimes, "valid until "+t.expires.UTC().Format(time.RFC3339))
}
