package trust

import (
	"fmt"
	"slices"
	"strings"
)

// verdict says what becomes of one scope.
type verdict int

const (
	scopeUnknown      verdict = iota + 1 // no target defines it
	scopeUnregistered                    // outside the client's registration
	scopeWithheld                        // by every rule, or by their maps
	scopeSplit                           // granted for one target that defines it and withheld for another
	scopeGranted
)

// scopesLeft: what is asked for, narrowed by API, registration and rules.
//
// Each target that defines a scope must give it as it would alone. Nothing asked for means the default scopes of
// the rules whose conditions hold, narrowed in the same way; an application that asked for nothing cannot have
// asked for too much, so that what its registration lacks is then dropped.
func (e *evaluation) scopesLeft() bool {
	if e.home {
		return e.identityLeft()
	}
	wanted, asked := e.wanted()
	e.scopes = make([]string, 0, len(wanted))
	for _, scope := range wanted {
		switch v := e.judge(scope); {
		case (asked || v == scopeUnknown) && !e.askable(scope, v):
			return false
		case v == scopeSplit:
			return e.refuse(ReasonTargetsDisagree, "scopes", "the scope %q would be granted for one target and not for another: ask for one at a time", scope)
		case v == scopeGranted:
			e.scopes = append(e.scopes, scope)
		}
	}
	if len(e.scopes) == 0 && len(wanted) > 0 {
		return e.refuse(ReasonScopeEmpty, "scopes", "nothing is left of %s: the rules, or the scopes of the subject token, allow none of it", strings.Join(wanted, " "))
	}
	slices.Sort(e.scopes)
	for _, a := range e.targets {
		if !e.contributes(a, asked) {
			return false
		}
	}
	if e.q.Explain {
		e.pass("scopes", "issued: "+show(e.scopes))
	}
	return true
}

// askable refuses a scope that must not even be asked for.
func (e *evaluation) askable(scope string, v verdict) bool {
	switch v {
	case scopeUnknown:
		return e.refuse(ReasonScopeUnknown, "scopes", "no target defines the scope %q", scope)
	case scopeUnregistered:
		return e.refuse(ReasonScopeUnregistered, "scopes", "the registration of client %q lacks the scope %q: add it there", e.q.Client, scope)
	}
	return true
}

// wanted lists the scopes to judge, each once, and says whether the request asked for any.
func (e *evaluation) wanted() (scopes []string, asked bool) {
	if len(e.asked) > 0 {
		return e.asked, true
	}
	for _, r := range e.holding {
		scopes = appendNew(scopes, r.defaults)
	}
	return scopes, false
}

func appendNew(list, more []string) []string {
	for _, s := range more {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}

// judge counts how the targets see one scope.
func (e *evaluation) judge(scope string) verdict {
	defined, registered, granted := 0, 0, 0
	for _, a := range e.targets {
		if _, ok := a.Spec.Scopes[scope]; !ok {
			continue
		}
		defined++
		if e.client != nil && !slices.Contains(e.client.Spec.APIs[a.ID], scope) {
			continue
		}
		registered++
		if e.given(a, scope) {
			granted++
		}
	}
	v := scopeGranted
	switch {
	case defined == 0 && e.isLogin() && !e.named():
		v = e.elsewhere(scope)
	case defined == 0:
		v = scopeUnknown
	case registered == 0:
		v = scopeUnregistered
	case granted == 0:
		v = scopeWithheld
	case granted < defined:
		v = scopeSplit
	}
	return v
}

// given says whether any holding rule gives a scope of an API.
func (e *evaluation) given(a *API, scope string) bool {
	found := false
	for _, r := range e.holding {
		if r.api != a {
			continue
		}
		ok := r.yields(&e.q.Subject, scope)
		if e.q.Explain {
			e.note(r.name, "scope "+scope, ok, e.whyScope(r, scope, ok))
		} else if ok {
			return true
		}
		found = found || ok
	}
	return found
}

func (e *evaluation) whyScope(r *rule, scope string, ok bool) string {
	switch {
	case ok:
		return "granted"
	case r.table != nil:
		return fmt.Sprintf("the table gives %q for none of the subject token's scopes %s", scope, show(e.q.Subject.Scopes))
	case !slices.Contains(r.scopes, scope):
		return fmt.Sprintf("the rule grants %s, not %q", show(r.scopes), scope)
	}
	return fmt.Sprintf("the subject token's scopes %s lack %q", show(e.q.Subject.Scopes), scope)
}

// contributes collects the rules that count for one target: every one whose conditions hold, so that their lifetimes and
// claims bind the token whichever scopes it carries. The target needs one that gives something: a scope that is issued; or, when nothing
// was asked for and the rules of the target have no defaults, one that applies to the subject at all.
func (e *evaluation) contributes(a *API, asked bool) bool {
	bare, gives := !asked && e.bare(a), false
	for _, r := range e.holding {
		if r.api == a {
			e.giving = append(e.giving, r)
			gives = gives || bare && r.applies(&e.q.Subject) || e.givesAny(r)
		}
	}
	if gives {
		return true
	}
	if bare {
		return e.refuse(ReasonScopeEmpty, "scopes", "the rules for api %q map scopes, and the subject token carries none of them", a.ID)
	}
	return e.refuse(ReasonNoRule, "scopes", "no rule gives anything for api %q: ask for one of its scopes, or leave it out", a.ID)
}

// givesAny says whether a rule yields any scope that is issued.
func (e *evaluation) givesAny(r *rule) bool {
	return slices.ContainsFunc(e.scopes, func(s string) bool { return r.yields(&e.q.Subject, s) })
}

// bare says that nothing is issued for an API's own scopes and its rules have no defaults.
func (e *evaluation) bare(a *API) bool {
	for s := range a.Spec.Scopes {
		if slices.Contains(e.scopes, s) {
			return false
		}
	}
	return !slices.ContainsFunc(e.holding, func(r *rule) bool { return r.api == a && len(r.defaults) > 0 })
}
