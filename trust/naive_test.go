package trust

import (
	"slices"
	"strings"
	"time"
)

// naive is Evaluate again, from the words of the design and in another shape: it reads the Spec, not the Registry, has
// no stages, and collects every fault it can find. A request is granted if there is none. It is slow and knows
// only what the generator of the property test draws: conditions are exact strings on top-level claims.
type naive struct {
	spec   Spec
	q      Request
	faults map[Reason]bool
	// anywhere: no API is named, so that a scope of any is known.
	anywhere bool
}

// naiveGrant is what may be issued.
type naiveGrant struct {
	scopes  map[string]bool
	apis    map[string]bool
	rules   map[string]bool
	expires time.Time
	claims  map[string]any

	identity       map[string]bool
	identityClaims map[string]any
	unconsented    map[string]map[string]bool
}

type namedRule struct {
	name string
	GrantSpec
}

func naiveDecide(spec Spec, q Request, st Standing) (naiveGrant, map[Reason]bool) {
	n := naive{spec, q, map[Reason]bool{}, false}
	n.fault(ReasonStandingUnknown, !st.Loaded)
	n.fault(ReasonSubjectBlocked, st.Blocked)
	n.fault(ReasonRevoked, st.Revoked)
	issued := q.Subject.IssuedAt
	if q.Subject.Credential == CredentialClient {
		issued = q.Now
	}
	n.fault(ReasonNotBefore, !st.NotBefore.IsZero() && issued.Before(st.NotBefore))
	n.who()

	p := n.person()
	named := n.named()
	g := naiveGrant{identity: p.identity, apis: map[string]bool{}}
	home := p.home
	var rules []namedRule
	if !home {
		api := naive{spec, n.q, map[Reason]bool{}, p.login && named == nil}
		rules = api.ofAPIs(named, &g)
		if home = p.alone(named, api.faults); !home {
			for r := range api.faults {
				n.faults[r] = true
			}
		}
	}
	if home {
		g.apis, g.scopes = map[string]bool{}, map[string]bool{}
	}
	home = n.consent(&g, p, named != nil, st) || home
	if home {
		g = n.atHome(g, p)
	} else {
		later := naive{spec, n.q, map[Reason]bool{}, false}
		g.rules, g.expires, g.claims = later.terms(g.apis, rules, g.scopes)
		n.fault(ReasonClaimConflict, later.faults[ReasonClaimConflict])
	}
	n.identify(&g, p)
	if g.identity == nil {
		g.identity = map[string]bool{}
	}
	return g, n.faults
}

// ofAPIs decides what is asked for of APIs.
func (n naive) ofAPIs(named map[string]bool, g *naiveGrant) []namedRule {
	rules := n.rules(named)
	g.apis = named
	if named == nil {
		g.apis = map[string]bool{}
		for _, r := range rules {
			g.apis[r.API] = true
		}
		n.fault(ReasonTargetAmbiguous, len(g.apis) > 1)
		n.fault(ReasonConditions, len(g.apis) == 0)
	}
	n.whereTo(g.apis)
	g.scopes = n.scopes(g.apis, rules)
	n.terms(g.apis, rules, g.scopes)
	delete(n.faults, ReasonClaimConflict) // for the APIs that consent leaves to say
	return rules
}

func (n naive) fault(r Reason, when bool) {
	if when {
		n.faults[r] = true
	}
}

func (n naive) alive(trust string) bool {
	t, ok := n.spec.Trusts[trust]
	return ok && !t.Disabled
}

// who finds the faults of subject, client and grant.
func (n naive) who() {
	s := n.q.Subject
	n.fault(ReasonTrustNotLive, !n.alive(s.Trust) || !n.alive(s.Origin))
	for claim, want := range n.spec.Trusts[s.Trust].Require {
		n.fault(ReasonRequire, s.Claims[claim] != want.Exact)
	}
	if id, ok := strings.CutPrefix(s.Sub, "client:"); ok && s.Credential == CredentialOwnToken {
		n.fault(ReasonTrustNotLive, n.spec.Clients[id].Disabled)
	}
	if n.q.Client != "" {
		c, ok := n.spec.Clients[n.q.Client]
		n.fault(ReasonClientUnknown, !ok || c.Disabled)
		n.fault(ReasonGrantNotAllowed, !slices.Contains(c.Grants, string(n.q.Grant)))
	}
	if s.Credential == CredentialOwnToken {
		n.fault(ReasonChainTooLong, s.Links >= 5)
	}
	n.fault(ReasonLifetime, s.Credential != CredentialClient && !s.Expires.After(n.q.Now))
}

// named lists what audience and resource name; nil if they name nothing.
func (n naive) named() map[string]bool {
	var out map[string]bool
	add := func(name string, audience bool) {
		if out == nil {
			out = map[string]bool{}
		}
		known := n.q.Subject.Credential == CredentialLogin && (audience && name == UserInfo || name == n.spec.Issuer)
		if known {
			out[UserInfo] = true
		}
		for id, a := range n.spec.APIs {
			if name == a.Audience || audience && name == id || !audience && slices.Contains(a.Resources, name) {
				out[id], known = true, true
			}
		}
		n.fault(ReasonTargetUnknown, !known)
	}
	for _, a := range n.q.Audiences {
		add(a, true)
	}
	for _, r := range n.q.Resources {
		add(r, false)
	}
	return out
}

// rules lists those whose conditions hold for this client and one of the targets (nil: any).
func (n naive) rules(targets map[string]bool) []namedRule {
	var out []namedRule
	about, held := map[string]bool{}, map[string]bool{}
	for i, g := range n.spec.Trusts[n.q.Subject.Trust].Grants {
		mine := slices.Contains(g.Clients, n.q.Client) || n.q.Client == "" && g.Unauthenticated
		if !mine || g.SignIn || g.ScopeMap != nil && n.q.Subject.Credential == CredentialClient || targets != nil && !targets[g.API] {
			continue
		}
		about[g.API] = true
		holds := true
		for claim, want := range g.When {
			holds = holds && n.q.Subject.Claims[claim] == want.Exact
		}
		if holds {
			held[g.API] = true
			out = append(out, namedRule{n.q.Subject.Trust + ".grant[" + string(rune('0'+i)) + "]", g})
		}
	}
	n.fault(ReasonNoRule, len(about) == 0)
	n.fault(ReasonClientRequired, len(about) == 0 && n.q.Client == "")
	for api := range targets {
		n.fault(ReasonNoRule, !about[api])
		n.fault(ReasonConditions, !held[api])
	}
	return out
}

// whereTo finds the faults of the set of targets.
func (n naive) whereTo(targets map[string]bool) {
	owned := len(n.q.Subject.Audience) > 0
	for _, aud := range n.q.Subject.Audience {
		owner := ""
		for _, a := range n.spec.APIs {
			if a.Audience == aud {
				owner = a.Client
			}
		}
		owned = owned && owner != "" && owner == n.q.Client
	}
	own := n.q.Subject.Credential == CredentialOwnToken
	n.fault(ReasonNotHolder, own && !owned && (n.q.Client == "" || n.q.Client != n.q.Subject.ClientID))
	for a := range targets {
		n.fault(ReasonNotHolder, own && !owned && !slices.Contains(n.q.Subject.Audience, n.spec.APIs[a].Audience))
		for b := range targets {
			n.fault(ReasonTargetsDisagree, n.spec.APIs[a].Token != n.spec.APIs[b].Token || n.spec.APIs[a].Client != n.spec.APIs[b].Client)
		}
	}
}

// gives lists what one rule can give this subject.
func (n naive) gives(r namedRule) map[string]bool {
	out := map[string]bool{}
	for _, s := range r.Scopes {
		out[s] = n.q.Subject.Credential != CredentialOwnToken || slices.Contains(n.q.Subject.Scopes, s)
	}
	for theirs, ours := range r.ScopeMap {
		out[ours] = out[ours] || n.q.Subject.HasScopes && slices.Contains(n.q.Subject.Scopes, theirs)
	}
	return out
}

// scopes lists what is issued: what every target that knows the scope would give alone.
func (n naive) scopes(targets map[string]bool, rules []namedRule) map[string]bool {
	wanted := map[string]bool{}
	for _, s := range n.q.Scopes {
		wanted[s] = true
	}
	for _, r := range rules {
		for _, s := range r.DefaultScopes {
			if len(n.q.Scopes) == 0 {
				wanted[s] = true
			}
		}
	}
	out := map[string]bool{}
	for s := range wanted {
		var defined, registered, granted []string
		for api := range targets {
			if n.spec.APIs[api].Scopes[s] == "" {
				continue
			}
			defined = append(defined, api)
			if n.q.Client != "" && !slices.Contains(n.spec.Clients[n.q.Client].APIs[api], s) {
				continue
			}
			registered = append(registered, api)
			if slices.ContainsFunc(rules, func(r namedRule) bool { return r.API == api && n.gives(r)[s] }) {
				granted = append(granted, api)
			}
		}
		if n.anywhere && len(defined) == 0 {
			n.elsewhere(s)
			continue
		}
		n.fault(ReasonScopeUnknown, len(defined) == 0)
		n.fault(ReasonScopeUnregistered, len(defined) > 0 && len(registered) == 0 && len(n.q.Scopes) > 0)
		n.fault(ReasonTargetsDisagree, len(granted) > 0 && len(granted) < len(defined))
		if len(granted) > 0 {
			out[s] = true
		}
	}
	n.fault(ReasonScopeEmpty, len(out) == 0 && len(wanted) > 0)
	return out
}

// elsewhere judges a scope that no target defines.
func (n naive) elsewhere(scope string) {
	known, registered := false, false
	for id, a := range n.spec.APIs {
		known = known || a.Scopes[scope] != ""
		registered = registered || slices.Contains(n.spec.Clients[n.q.Client].APIs[id], scope)
	}
	n.fault(ReasonScopeUnknown, !known)
	n.fault(ReasonScopeUnregistered, known && !registered)
}

// terms finds the rules that contribute, and what they say of time and claims.
func (n naive) terms(targets map[string]bool, rules []namedRule, issued map[string]bool) (map[string]bool, time.Time, map[string]any) {
	counting, claims := map[string]bool{}, map[string]any{}
	end := n.q.Now.Add(MaxLifetime)
	bound := func(d time.Duration) {
		if d > 0 && n.q.Now.Add(d).Before(end) {
			end = n.q.Now.Add(d)
		}
	}
	if e := n.q.Subject.Expires; !e.IsZero() {
		end = e
	}
	bound(n.spec.Clients[n.q.Client].Lifetime)
	for api := range targets {
		bound(max(n.spec.APIs[api].Lifetime, 0))
		if n.spec.APIs[api].Lifetime == 0 {
			bound(DefaultLifetime)
		}
		some := false
		for _, r := range rules {
			if r.API != api {
				continue
			}
			some, counting[r.name] = some || n.counts(r, rules, issued), true
			bound(r.Lifetime)
			for ours, theirs := range r.Claims {
				v, ok := n.q.Subject.Claims[theirs]
				old, taken := claims[ours]
				n.fault(ReasonClaimConflict, ok && taken && old != v)
				if ok {
					claims[ours] = v
				}
			}
		}
		n.fault(ReasonNoRule, !some)
		n.fault(ReasonScopeEmpty, !some)
	}
	return counting, end, claims
}

// counts says whether a rule gives its target anything.
func (n naive) counts(r namedRule, rules []namedRule, issued map[string]bool) bool {
	gives, any := n.gives(r), false
	for s := range issued {
		if gives[s] {
			return true
		}
		any = any || n.spec.APIs[r.API].Scopes[s] != ""
	}
	defaults := slices.ContainsFunc(rules, func(o namedRule) bool { return o.API == r.API && len(o.DefaultScopes) > 0 })
	if any || defaults || len(n.q.Scopes) > 0 {
		return false
	}
	for _, given := range gives {
		if given {
			return true
		}
	}
	return r.ScopeMap == nil
}
