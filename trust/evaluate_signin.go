package trust

import (
	"slices"
	"strings"
	"time"
)

// claimsFresh: what rests on a sign-in, a code of its session as well as a refresh, goes on with what the upstream said then, for so long
// and no longer.
func (e *evaluation) claimsFresh() bool {
	if !e.isLogin() {
		return true
	}
	if until := e.trust.ClaimsUntil(&e.q.Subject); e.q.Now.After(until) {
		most := e.trust.Spec.Login.MaxClaimsAge
		return e.refuse(ReasonClaimsTooOld, "claims age", "the claims are of %s, more than %v ago: the person must sign in again",
			until.Add(-most).UTC().Format(time.RFC3339), most)
	}
	return e.pass("claims age", "fresh enough")
}

// ClaimsUntil is how long the claims of a sign-in with the trust may be relied on.
func (t *Trust) ClaimsUntil(s *Subject) time.Time {
	since := s.ClaimsAt
	if since.IsZero() {
		since = s.IssuedAt
	}
	return since.Add(t.Spec.Login.MaxClaimsAge)
}

// signInMay: the application lets people of the trust in, and a sign-in rule that names it holds for this person. It splits what is
// asked for into identity and scopes of APIs.
func (e *evaluation) signInMay() bool {
	if !e.isLogin() {
		e.asked = appendNew(nil, e.q.Scopes)
		return true
	}
	if !e.trust.admittedBy(e.client.Spec.App) {
		return e.refuse(ReasonSignIn, "sign-in", "client %q does not let people of trust %q in: add it to its trusts", e.client.ID, e.trust.ID)
	}
	rules := e.reg.signInsOf(e.trust, e.client.ID)
	if len(rules) == 0 {
		return e.refuse(ReasonSignIn, "sign-in", "trust %q has no sign_in rule for client %q: add the client to one", e.trust.ID, e.client.ID)
	}
	for _, r := range rules {
		ok := e.ruleHolds(r)
		if ok {
			e.signIns = append(e.signIns, r)
		}
		if e.q.Explain {
			e.note(r.name, "sign-in", ok, "names "+show(r.clients))
		}
	}
	if len(e.signIns) == 0 {
		failed := rules[0]
		at := slices.IndexFunc(failed.when, func(c condition) bool { return !c.holds(e.q.Subject.Claims) })
		return e.refuse(ReasonSignIn, "sign-in", "no sign_in rule's conditions hold; of %s: %s", failed.name, failed.when[at].compare(e.q.Subject.Claims))
	}
	e.split()
	return true
}

// split tells identity from scopes of APIs. Every application is registered for identity; to ask for access while the person is away it
// must be able to refresh. Without an API, named or by a scope, the token is for the broker itself.
func (e *evaluation) split() {
	e.identity = []string{}
	for _, scope := range e.q.Scopes {
		switch {
		case !isIdentity(scope):
			e.asked = appendNew(e.asked, []string{scope})
		case e.client.registered(e.reg.userinfo, scope):
			e.identity = appendNew(e.identity, []string{scope})
		}
	}
	slices.Sort(e.identity)
	if !e.named() && len(e.asked) == 0 || slices.Equal(e.targets, []*API{e.reg.userinfo}) {
		e.goHome()
	}
}

// goHome makes the broker itself the target.
func (e *evaluation) goHome() {
	e.home, e.targets, e.giving, e.scopes = true, []*API{e.reg.userinfo}, nil, nil
}

// identityLeft is scopesLeft where the broker itself is the target.
func (e *evaluation) identityLeft() bool {
	switch {
	case e.named() && len(e.asked) > 0:
		return e.refuse(ReasonScopeUnknown, "scopes", "the broker itself defines no scope %q", e.asked[0])
	case len(e.identity) == 0 && len(e.q.Scopes) > 0:
		return e.refuse(ReasonScopeEmpty, "scopes", "nothing is left of %s: the client may not use the grant %s", strings.Join(e.q.Scopes, " "), GrantRefresh)
	}
	if e.q.Explain {
		e.pass("scopes", "issued: "+show(e.identity))
	}
	return true
}

// signInAlone turns a refusal of what is asked for besides a sign-in into a sign-in without it: the person may come in, no API was
// named, and the rules give nothing of the scopes. The answer's scope says what is left. Scopes that nobody knows, or that the client
// is not registered for, refuse all the same.
func (e *evaluation) signInAlone() bool {
	withheld := e.d.Reason == ReasonNoRule || e.d.Reason == ReasonConditions || e.d.Reason == ReasonScopeEmpty
	if !withheld || e.home || e.named() || !slices.Contains(e.identity, "openid") {
		return false
	}
	for _, scope := range e.asked {
		if !e.askable(scope, e.elsewhere(scope)) {
			return false
		}
	}
	e.d.Reason, e.d.Detail = "", ""
	e.goHome()
	return e.pass("target", UserInfo+": the rules give nothing else of what is asked for")
}

// elsewhere judges a scope that no target defines where no target was named: some other API may define it.
func (e *evaluation) elsewhere(scope string) verdict {
	for _, scopes := range e.client.Spec.APIs {
		if slices.Contains(scopes, scope) {
			return scopeWithheld
		}
	}
	if e.reg.defined[scope] {
		return scopeUnregistered
	}
	return scopeUnknown
}
