package oidc

import (
	"time"

	"apostille/trust"
	"apostille/upstream"
)

// fresh holds the upstream to what was asked of it: after prompt=login the person authenticated since the login began, after max_age at
// most that long before (OpenID Connect Core 1.0 §3.1.3.7, 13.). An upstream that does not say when cannot show it.
func (x *examination) fresh(a upstream.Answer) *fault {
	if !a.Ask.Force && !a.Ask.HasMaxAge {
		return nil
	}
	begun := a.Begun
	if begun.IsZero() {
		begun = x.now
	}
	oldest := begun
	if !a.Ask.Force {
		oldest = begun.Add(-max(a.Ask.MaxAge, 0))
	}
	at := x.subject.AuthTime
	switch {
	case at.IsZero():
		return &fault{trust.ReasonLoginRequired, checkFresh, "a fresh login was asked for, and the upstream says no auth_time", nil}
	case at.Before(oldest.Add(-trust.Skew)):
		return &fault{trust.ReasonLoginRequired, checkFresh, "a login since " + oldest.UTC().Format(time.RFC3339) +
			" was asked for, and the upstream's is of " + at.UTC().Format(time.RFC3339), nil}
	}
	return x.passed(checkFresh, "authenticated at "+at.UTC().Format(time.RFC3339))
}
