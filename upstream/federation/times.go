package federation

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"apostille/trust/xmlsec"
)

// instant reads an xs:dateTime in UTC (SAML Core 2.0 §1.3.3); the zero time if it is absent.
func instant(e *xmlsec.Element, name string) (time.Time, error) {
	s, ok := e.Attr(name)
	if !ok {
		return time.Time{}, nil
	}
	at, err := time.Parse("2006-01-02T15:04:05Z", s) // takes a fraction of seconds too
	if err != nil || len(s) > 40 || strings.Contains(s, ",") || at.Year() < 2000 || at.Year() > 2200 {
		return time.Time{}, fmt.Errorf("%s is not a UTC time such as 2026-01-31T12:00:00Z", name)
	}
	return at, nil
}

// earliest is the first validUntil of some elements; zero = none has one.
func earliest(elements ...*xmlsec.Element) (until time.Time, err error) {
	for _, e := range elements {
		at, err := instant(e, "validUntil")
		if err != nil {
			return time.Time{}, err
		}
		if !at.IsZero() && (until.IsZero() || at.Before(until)) {
			until = at
		}
	}
	return until, nil
}

var durationSyntax = regexp.MustCompile(`^P(?:(\d{1,2})Y)?(?:(\d{1,3})M)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,7})M)?(?:(\d{1,9})(?:\.\d+)?S)?)?$`)

// duration reads an xs:duration such as PT6H; 0 if it is absent. A month counts 30 days and a year 365: what it is read for is how often to ask.
func duration(e *xmlsec.Element, name string) (time.Duration, error) {
	s, ok := e.Attr(name)
	if !ok {
		return 0, nil
	}
	parts := durationSyntax.FindStringSubmatch(s)
	if parts == nil || strings.HasSuffix(s, "P") || strings.HasSuffix(s, "T") {
		return 0, errors.New(name + " is not a duration such as PT6H")
	}
	const day = 24 * time.Hour
	var total time.Duration
	for i, unit := range []time.Duration{365 * day, 30 * day, day, time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi("0" + parts[i+1]) // digits, few enough that the sum does not overflow
		total += time.Duration(n) * unit
	}
	if total == 0 {
		return 0, errors.New(name + " is not a duration that can be used")
	}
	return total, nil
}
