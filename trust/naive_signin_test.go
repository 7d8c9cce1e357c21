package trust

import (
	"slices"
	"time"
)

// naivePerson is what a sign-in asks for besides APIs, and the sign-in rules that hold for it. The zero value is no sign-in.
type naivePerson struct {
	identity map[string]bool
	rules    []namedRule
	home     bool // asks for nothing but identity
	login    bool
}

// person reads a sign-in, and leaves n with what is asked for of APIs.
func (n *naive) person() naivePerson {
	q := n.q
	if q.Subject.Credential != CredentialLogin {
		return naivePerson{}
	}
	p := naivePerson{login: true, identity: map[string]bool{}}
	client, trust := n.spec.Clients[q.Client], n.spec.Trusts[q.Subject.Trust]
	n.fault(ReasonSignIn, client.App == nil || len(client.App.Trusts) > 0 && !slices.Contains(client.App.Trusts, q.Subject.Trust))
	n.fault(ReasonClaimsTooOld, q.Subject.IssuedAt.Add(trust.Login.MaxClaimsAge).Before(q.Now))
	for i, g := range trust.Grants {
		holds := g.SignIn && slices.Contains(g.Clients, q.Client)
		for claim, want := range g.When {
			holds = holds && q.Subject.Claims[claim] == want.Exact
		}
		if holds {
			p.rules = append(p.rules, namedRule{q.Subject.Trust + ".grant[" + string(rune('0'+i)) + "]", g})
		}
	}
	n.fault(ReasonSignIn, len(p.rules) == 0)
	n.q.Scopes = nil
	for _, s := range q.Scopes {
		if !slices.Contains(IdentityScopes, s) {
			n.q.Scopes = append(n.q.Scopes, s)
		} else if s != "offline_access" || slices.Contains(client.Grants, "refresh_token") {
			p.identity[s] = true
		}
	}
	named := n.named()
	n.fault(ReasonTargetsDisagree, named[UserInfo] && len(named) > 1)
	p.home = named == nil && len(n.q.Scopes) == 0 || named[UserInfo] && len(named) == 1
	n.fault(ReasonScopeUnknown, p.home && len(n.q.Scopes) > 0)
	n.fault(ReasonScopeEmpty, p.home && len(q.Scopes) > 0 && len(p.identity) == 0)
	return p
}

// alone says whether a sign-in goes on without what it asked for of APIs, none of which was named.
func (p naivePerson) alone(named map[string]bool, api map[Reason]bool) bool {
	withheld := api[ReasonNoRule] || api[ReasonConditions] || api[ReasonScopeEmpty]
	stays := api[ReasonTargetAmbiguous] || api[ReasonScopeUnknown] || api[ReasonScopeUnregistered]
	return p.login && named == nil && p.identity["openid"] && withheld && !stays
}

// consent takes from a grant what the person does not allow a third-party application. It says whether all APIs are gone.
func (n naive) consent(g *naiveGrant, p naivePerson, named bool, st Standing) (home bool) {
	g.unconsented = map[string]map[string]bool{}
	app := n.spec.Clients[n.q.Client].App
	if app == nil || app.FirstParty || !n.q.Subject.SignedIn {
		return false
	}
	missing := func(api, scope string) bool {
		if slices.Contains(st.Consented[api], scope) {
			return false
		}
		if g.unconsented[api] == nil {
			g.unconsented[api] = map[string]bool{}
		}
		g.unconsented[api][scope] = true
		return true
	}
	before, after, identity := g.scopes, map[string]bool{}, map[string]bool{}
	asked, left := len(before), 0
	for s := range g.identity {
		if s == "openid" {
			identity[s] = true
			continue
		}
		asked++
		if !missing(UserInfo, s) {
			identity[s] = true
			left++
		}
	}
	for s := range before {
		ok := true
		for api := range g.apis {
			if n.spec.APIs[api].Scopes[s] != "" && missing(api, s) {
				ok = false
			}
		}
		if ok {
			after[s] = true
			left++
		}
	}
	g.scopes, g.identity = after, identity
	n.fault(ReasonConsent, asked > 0 && left == 0 && n.q.Grant != GrantCode)
	return n.emptied(g, before, p, named)
}

// emptied takes the APIs away of which consent left nothing, where the grant may go on without them.
func (n naive) emptied(g *naiveGrant, before map[string]bool, p naivePerson, named bool) (home bool) {
	has := func(api string, scopes map[string]bool) bool {
		for s := range scopes {
			if n.spec.APIs[api].Scopes[s] != "" {
				return true
			}
		}
		return false
	}
	kept, gone := map[string]bool{}, false
	for api := range g.apis {
		if has(api, before) && !has(api, g.scopes) {
			gone = true
		} else {
			kept[api] = true
		}
	}
	if gone && n.q.Grant != GrantCode {
		home = p.login && !named && g.identity["openid"]
		n.fault(ReasonConsent, !home)
		return home
	}
	g.apis = kept
	return gone && len(kept) == 0
}

// atHome is a grant for the broker itself.
func (n naive) atHome(g naiveGrant, p naivePerson) naiveGrant {
	g.apis, g.scopes, g.rules, g.claims = map[string]bool{UserInfo: true}, g.identity, map[string]bool{}, map[string]any{}
	g.expires = n.q.Subject.Expires
	lifetimes := []time.Duration{DefaultLifetime, n.spec.Clients[n.q.Client].Lifetime}
	for _, r := range p.rules {
		lifetimes = append(lifetimes, r.Lifetime)
	}
	for _, d := range lifetimes {
		if d > 0 && n.q.Now.Add(d).Before(g.expires) {
			g.expires = n.q.Now.Add(d)
		}
	}
	return g
}

// identify adds what the sign-in rules say.
func (n naive) identify(g *naiveGrant, p naivePerson) {
	g.identityClaims = map[string]any{}
	for _, r := range p.rules {
		g.rules[r.name] = true
		for ours, theirs := range r.Claims {
			v, ok := n.q.Subject.Claims[theirs]
			old, taken := g.identityClaims[ours]
			n.fault(ReasonClaimConflict, ok && taken && old != v)
			if ok {
				g.identityClaims[ours] = v
			}
		}
	}
}
