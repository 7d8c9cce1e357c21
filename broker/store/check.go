package store

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// What no implementation may store. Every check names the fault and is ErrInvalid; none of them repeats a handle, which may
// be secret.

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// CheckPending says whether p may be stored.
func CheckPending(p Pending) error {
	most := MaxPending
	if p.Vouched {
		most = MaxVouched
	}
	switch {
	case len(p.Value) == 0:
		return invalid("a pending thing without a value")
	case len(p.Value) > most:
		return invalid("a pending thing of %d bytes; %d at most", len(p.Value), most)
	case p.Until.IsZero():
		return invalid("a pending thing without an end")
	}
	return nil
}

// CheckCode says whether c may be stored.
func CheckCode(c Code) error {
	switch {
	case c.Hash == Hash{}:
		return invalid("a code without a hash")
	case c.Until.IsZero():
		return invalid("a code without an end")
	case c.Family != "":
		return invalid("a code that is redeemed already")
	}
	return nil
}

// CheckRedemption says whether f and its first refresh token, if there is one, may be stored together.
func CheckRedemption(f Family, r *Refresh) error {
	switch {
	case f.ID == "":
		return invalid("a family without an ID")
	case f.Until.IsZero():
		return invalid("family %q without an end", f.ID)
	case !f.Ended.IsZero():
		return invalid("family %q has ended before it begins", f.ID)
	case r == nil:
		return nil
	}
	return checkRefresh(*r, f.ID)
}

// checkRefresh: a token names its family or leaves the name to the store.
func checkRefresh(r Refresh, family string) error {
	switch {
	case r.Hash == Hash{}:
		return invalid("a refresh token without a hash")
	case r.Until.IsZero():
		return invalid("a refresh token without an end")
	case r.Family != "" && r.Family != family:
		return invalid("a refresh token of family %q under %q", r.Family, family)
	}
	return nil
}

// Check says whether q may end families: it must select by something.
func (q FamilyQuery) Check() error {
	if q == (FamilyQuery{}) {
		return invalid("a query that selects every family")
	}
	return nil
}

// Check says whether q may be asked: it must select by something.
func (q SessionQuery) Check() error {
	if q == (SessionQuery{}) {
		return invalid("a query that selects every session")
	}
	return nil
}

// CheckSession says whether s may be stored.
func CheckSession(s Session) error {
	switch {
	case s.ID == "":
		return invalid("a session without an ID")
	case s.IdleUntil.IsZero(), s.Until.IsZero():
		return invalid("session %q without an end", s.ID)
	}
	seen := make(map[string]bool, len(s.Identities))
	for _, i := range s.Identities {
		if err := CheckIdentity(i); err != nil {
			return err
		}
		if seen[i.Trust] {
			return invalid("session %q has two identities of %q", s.ID, i.Trust)
		}
		seen[i.Trust] = true
	}
	return nil
}

// CheckIdentity says whether i may be stored.
func CheckIdentity(i Identity) error {
	switch {
	case i.Trust == "", i.Sub == "":
		return invalid("an identity without a trust or a subject")
	case i.Until.IsZero():
		return invalid("an identity of %q without an end", i.Trust)
	}
	return nil
}

// CheckDeliveries says whether a list may be stored.
func CheckDeliveries(list []Delivery) error {
	seen := make(map[string]bool, len(list))
	for _, d := range list {
		switch {
		case d.ID == "":
			return invalid("a delivery without an ID")
		case seen[d.ID]:
			return invalid("delivery %q stands there twice", d.ID)
		}
		seen[d.ID] = true
	}
	return nil
}

const maxAgent = 200

// CutAgent is how Session.Agent is stored: valid UTF-8 of at most 200 bytes. Only people read it, so the rest is dropped.
func CutAgent(agent string) string {
	agent = strings.ToValidUTF8(agent, "")
	if len(agent) <= maxAgent {
		return agent
	}
	n := maxAgent
	for !utf8.RuneStart(agent[n]) {
		n--
	}
	return agent[:n]
}
