package trust

import (
	"cmp"
	"slices"
)

// resolve finds the APIs that the request names, sorted by ID, each once. Names that nobody has are left out here
// and refused by targetNamed.
func (e *evaluation) resolve() []*API {
	if len(e.q.Audiences)+len(e.q.Resources) == 0 {
		return nil
	}
	out := make([]*API, 0, len(e.q.Audiences)+len(e.q.Resources))
	for _, name := range e.q.Audiences {
		out = addAPI(out, e.audienceNamed(name))
	}
	for _, name := range e.q.Resources {
		out = addAPI(out, e.resourceNamed(name))
	}
	slices.SortFunc(out, func(a, b *API) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func addAPI(list []*API, a *API) []*API {
	if a == nil || slices.Contains(list, a) {
		return list
	}
	return append(list, a)
}

// audienceNamed finds an API by ID or configured audience; Compile sees to it that this is one API at most. A sign-in may name the
// broker itself.
func (e *evaluation) audienceNamed(name string) *API {
	if e.isLogin() && (name == UserInfo || name == e.reg.issuer) {
		return e.reg.userinfo
	}
	if a, ok := e.reg.apis[name]; ok {
		return a
	}
	return e.reg.byAudience[name]
}

// resourceNamed finds an API by its audience or a listed URI.
func (e *evaluation) resourceNamed(name string) *API {
	if e.isLogin() && name == e.reg.issuer {
		return e.reg.userinfo
	}
	return e.reg.byResource[name]
}

// named says whether the request names its target.
func (e *evaluation) named() bool { return len(e.q.Audiences)+len(e.q.Resources) > 0 }

// targetNamed: every name is known, several APIs fit into one token, and each has a rule for this client.
func (e *evaluation) targetNamed() bool {
	for _, name := range e.q.Audiences {
		if e.audienceNamed(name) == nil {
			return e.refuse(ReasonTargetUnknown, "target", "no api has the name or the audience %q", name)
		}
	}
	for _, name := range e.q.Resources {
		if e.resourceNamed(name) == nil {
			return e.refuse(ReasonTargetUnknown, "target", "no api has the audience or lists the resource %q", name)
		}
	}
	for _, a := range e.targets {
		if !e.targetsAgree(e.targets[0], a) {
			return false
		}
		if a == e.reg.userinfo {
			continue
		}
		if !slices.ContainsFunc(e.rules, func(r *rule) bool { return r.api == a }) {
			return e.refuse(ReasonNoRule, "target", "no rule of trust %q for this client is about api %q: add one", e.trust.ID, a.ID)
		}
		e.pass("target", a.ID)
	}
	return true
}

// targetsAgree: a token for two APIs is one token, so it must look as both want it and answer to one owner.
func (e *evaluation) targetsAgree(a, b *API) bool {
	if a != b && (a == e.reg.userinfo || b == e.reg.userinfo) {
		// The API could use such a token at the UserInfo endpoint.
		return e.refuse(ReasonTargetsDisagree, "target", "a token for an API cannot be for the broker itself too: ask for %q and %q one at a time", a.ID, b.ID)
	}
	if a.Spec.Token != b.Spec.Token {
		return e.refuse(ReasonTargetsDisagree, "target", "apis %q and %q want tokens of different alg or typ: ask for one at a time", a.ID, b.ID)
	}
	if a.Spec.Client != b.Spec.Client {
		return e.refuse(ReasonTargetsDisagree, "target", "apis %q and %q have different owners: ask for one at a time", a.ID, b.ID)
	}
	return true
}

// conditionsMet: each target has a rule whose conditions hold. A request that names no target gets the one API that
// such rules are about.
func (e *evaluation) conditionsMet() bool {
	if e.home {
		return true
	}
	e.holding = make([]*rule, 0, len(e.rules))
	var failed *rule
	for _, r := range e.rules {
		if e.named() && !slices.Contains(e.targets, r.api) {
			continue
		}
		if e.ruleHolds(r) {
			e.holding = append(e.holding, r)
		} else if failed == nil {
			failed = r
		}
	}
	if len(e.holding) == 0 {
		return e.conditionRefused(failed)
	}
	if !e.named() && !e.inferTarget() {
		return false
	}
	for _, a := range e.targets {
		if !slices.ContainsFunc(e.holding, func(r *rule) bool { return r.api == a }) {
			return e.conditionRefused(e.firstOf(a))
		}
	}
	return !e.stays || e.audienceStays()
}

// inferTarget finds the one API that the holding rules are about.
func (e *evaluation) inferTarget() bool {
	first := e.holding[0].api
	for _, r := range e.holding {
		if r.api != first {
			return e.refuse(ReasonTargetAmbiguous, "target", "the request names no target and the rules allow apis %q and %q: name one", first.ID, r.api.ID)
		}
	}
	e.targets = []*API{first}
	return e.pass("target", first.ID)
}

// firstOf finds a rule about an API that targetNamed saw; none of its kind holds.
func (e *evaluation) firstOf(a *API) *rule {
	return e.rules[slices.IndexFunc(e.rules, func(r *rule) bool { return r.api == a })]
}

// ruleHolds tests the conditions of a rule, all of them when each is to be noted.
func (e *evaluation) ruleHolds(r *rule) bool {
	all := true
	for i := range r.when {
		c := &r.when[i]
		ok := c.holds(e.q.Subject.Claims)
		if e.q.Explain {
			e.note(r.name, "when "+c.path.text, ok, c.compare(e.q.Subject.Claims))
		} else if !ok {
			return false
		}
		all = all && ok
	}
	return all
}

// conditionRefused says which condition of a rule stands in the way.
func (e *evaluation) conditionRefused(r *rule) bool {
	at := slices.IndexFunc(r.when, func(c condition) bool { return !c.holds(e.q.Subject.Claims) })
	return e.refuse(ReasonConditions, "conditions", "no rule's conditions hold; of %s: %s", r.name, r.when[at].compare(e.q.Subject.Claims))
}
