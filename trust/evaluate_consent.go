package trust

import (
	"fmt"
	"slices"
)

// consentGiven: a third-party application gets of what began with a sign-in only what the person allows it. openid itself is not asked
// for: that somebody signs in is theirs to do or not to do.
//
// What lacks consent is dropped and told of, so that the person can be asked. An API of which nothing is left gets no token. While a code
// is decided the sign-in goes on without it; later, when nothing allowed is left, the answer is no (a consent that was withdrawn).
func (e *evaluation) consentGiven() bool {
	if !e.q.Subject.SignedIn || e.client == nil || !e.client.ThirdParty() {
		return true
	}
	gated := len(e.scopes) + countGated(e.identity)
	e.identity = slices.DeleteFunc(e.identity, func(scope string) bool { return scope != "openid" && !e.allowed(e.reg.userinfo, scope) })
	emptied := e.narrowToConsent()
	if e.q.Explain {
		e.note("", "consent", len(e.unconsented) == 0, "not given: "+show(e.unconsented))
	}
	asking := e.q.Grant == GrantCode
	if left := len(e.scopes) + countGated(e.identity); gated > 0 && left == 0 && !asking {
		return e.refuse(ReasonConsent, "consent", "subject %q allows client %q nothing of what it asks for", e.q.Subject.Sub, e.client.ID)
	}
	switch {
	case len(emptied) == 0:
		return true
	case asking:
		e.without(emptied)
		return true
	case !e.named() && slices.Contains(e.identity, "openid"):
		e.goHome()
		return e.pass("target", UserInfo+": nothing else is allowed")
	}
	return e.refuse(ReasonConsent, "consent", "subject %q allows client %q nothing of api %q", e.q.Subject.Sub, e.client.ID, emptied[0].ID)
}

// countGated counts identity scopes that need consent.
func countGated(identity []string) int {
	if slices.Contains(identity, "openid") {
		return len(identity) - 1
	}
	return len(identity)
}

// allowed says whether the person allows the client a scope of an API, and takes note if not.
func (e *evaluation) allowed(a *API, scope string) bool {
	if slices.Contains(e.st.Consented[a.ID], scope) {
		return true
	}
	if e.unconsented == nil {
		e.unconsented = map[string][]string{}
	}
	e.unconsented[a.ID] = append(e.unconsented[a.ID], scope)
	return false
}

// narrowToConsent drops scopes that lack consent for any target that defines them, and returns the targets of which nothing is left.
func (e *evaluation) narrowToConsent() (emptied []*API) {
	before := e.scopes
	e.scopes = make([]string, 0, len(before))
	for _, scope := range before {
		all := true
		for _, a := range e.targets {
			if _, defines := a.Spec.Scopes[scope]; defines {
				all = e.allowed(a, scope) && all
			}
		}
		if all {
			e.scopes = append(e.scopes, scope)
		}
	}
	for _, a := range e.targets {
		if a.definesAny(before) && !a.definesAny(e.scopes) {
			emptied = append(emptied, a)
		}
	}
	return emptied
}

func (a *API) definesAny(scopes []string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool { _, ok := a.Spec.Scopes[scope]; return ok })
}

// without takes targets away; without any left the token is for the broker itself.
func (e *evaluation) without(gone []*API) {
	about := func(a *API) bool { return slices.Contains(gone, a) }
	e.targets = slices.DeleteFunc(slices.Clone(e.targets), about)
	e.giving = slices.DeleteFunc(e.giving, func(r *rule) bool { return about(r.api) })
	if len(e.targets) == 0 {
		e.goHome()
	}
	if e.q.Explain {
		for _, a := range gone {
			e.note("", "target", false, fmt.Sprintf("not %s until the person allows some of it", a.ID))
		}
	}
}
