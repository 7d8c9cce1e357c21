package trust

import (
	"fmt"
	"reflect"
	"time"
)

// claimsAgree maps claims by the contributing rules, and by the sign-in rules for ID token and userinfo. An absent claim is not mapped; two rules that map different
// values to one claim leave nothing to choose by.
func (e *evaluation) claimsAgree() bool {
	return e.mapClaims(e.giving, &e.claims) && e.mapClaims(e.signIns, &e.identityClaims)
}

// mapClaims maps the claims of some rules into one set, which stays nil if there are none.
func (e *evaluation) mapClaims(rules []*rule, into *map[string]any) bool {
	var from map[string]*rule
	for _, r := range rules {
		for _, m := range r.claims {
			v, ok := m.path.find(e.q.Subject.Claims)
			if e.q.Explain {
				e.note(r.name, "claim "+m.ours, true, mapped(m, v, ok))
			}
			if !ok {
				continue
			}
			if from == nil {
				from = map[string]*rule{}
				*into = map[string]any{}
			}
			if other, taken := from[m.ours]; taken && !reflect.DeepEqual((*into)[m.ours], v) {
				return e.refuse(ReasonClaimConflict, "claims", "%s and %s map different values to the claim %q: change one of them", other.name, r.name, m.ours)
			}
			from[m.ours], (*into)[m.ours] = r, v
		}
	}
	return true
}

func mapped(m claimMapping, v any, ok bool) string {
	if !ok {
		return m.path.text + " is absent: not mapped"
	}
	return m.path.text + " = " + show(v)
}

// timeLeft finds the least of the bounds: each API's, the client's, each contributing rule's, and the expiry of the
// credential, which no grant outlives.
func (e *evaluation) timeLeft() bool {
	s := &e.q.Subject
	if e.q.Now.IsZero() {
		return e.refuse(ReasonLifetime, "lifetime", "the request carries no time")
	}
	if s.Expires.IsZero() && s.Credential != CredentialClient {
		return e.refuse(ReasonLifetime, "lifetime", "the credential has no expiry, so nothing bounds the token")
	}
	lifetime, bound := e.leastLifetime()
	expires := e.q.Now.Add(lifetime)
	if !s.Expires.IsZero() && s.Expires.Before(expires) {
		expires, bound = s.Expires, "the subject token's expiry"
	}
	if !expires.After(e.q.Now) {
		return e.refuse(ReasonLifetime, "lifetime", "nothing is left of %s, %s", bound, expires.UTC().Format(time.RFC3339))
	}
	e.expires = expires
	if e.q.Explain {
		e.pass("lifetime", fmt.Sprintf("%v, by %s", expires.Sub(e.q.Now), bound))
	}
	return true
}

// leastLifetime finds the least configured bound and says whose it is.
func (e *evaluation) leastLifetime() (least time.Duration, bound string) {
	least, bound = e.targets[0].Spec.Lifetime, "the API"
	for _, a := range e.targets {
		least = min(least, a.Spec.Lifetime)
	}
	if e.client != nil && e.client.Spec.Lifetime > 0 && e.client.Spec.Lifetime < least {
		least, bound = e.client.Spec.Lifetime, "the client"
	}
	binding := e.giving
	if e.home {
		binding = e.signIns
	}
	for _, r := range binding {
		if r.lifetime > 0 && r.lifetime < least {
			least, bound = r.lifetime, r.name
		}
	}
	return least, bound
}
