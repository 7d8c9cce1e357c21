package trust

import (
	"fmt"
	"slices"
	"strings"
)

// grantRule compiles one `[[trust.ID.grant]]` and indexes it by the clients it names. Rule and index are built from
// the trust's own copy of the Spec.
func (c *compiler) grantRule(t *Trust, n int) {
	g := &t.Spec.Grants[n]
	path := t.rulePath(n)
	r := c.newRule(t, n, path)
	if api, ok := c.knownAPI(path+".api", g.API); ok {
		r.api = api
		c.ruleScopes(path, r, g)
		c.ruleRegistrations(path, t, g)
	}
	t.rules = append(t.rules, r)
	if r.unauthenticated {
		c.index(ruleKey{t.ID, ""}, r)
	}
	for _, client := range g.Clients {
		c.index(ruleKey{t.ID, client}, r)
	}
}

// newRule compiles what every kind of rule has: callers, conditions, claims and lifetime.
func (c *compiler) newRule(t *Trust, n int, path string) *rule {
	g := &t.Spec.Grants[n]
	r := &rule{
		name:            fmt.Sprintf("%s.grant[%d]", t.ID, n),
		clients:         g.Clients,
		unauthenticated: g.Unauthenticated,
		signIn:          g.SignIn,
		defaults:        g.DefaultScopes,
		when:            c.conditions(path+".when", g.When),
		lifetime:        g.Lifetime,
		members:         c.ruleMembers(path, t, g.Members),
	}
	c.ruleCallers(path, t, g)
	r.claims = c.ruleClaims(path+".claims", g.Claims)
	if err := durationFault(g.Lifetime); err != nil {
		c.fault(path+".lifetime", durationRemedy, "the lifetime cannot be used: %v", err)
	}
	return r
}

func (c *compiler) index(k ruleKey, r *rule) { c.reg.rules[k] = append(c.reg.rules[k], r) }

// ruleCallers checks for whom the rule is: named clients, or whoever holds the foreign token.
func (c *compiler) ruleCallers(path string, t *Trust, g *GrantSpec) {
	switch {
	case g.Unauthenticated && len(g.Clients) > 0:
		c.fault(path+".unauthenticated", "make two rules of it", "the rule names clients and is unauthenticated too")
	case !g.Unauthenticated && len(g.Clients) == 0:
		c.fault(path+".clients", "name the clients, or write unauthenticated = true", "the rule names no client: it would grant nothing")
	}
	if g.Unauthenticated && t.ID == Local {
		c.fault(path+".unauthenticated", "name the clients", "our own tokens are exchanged by authenticated clients only")
	}
	for i, id := range g.Clients {
		at := fmt.Sprintf("%s.clients[%d]", path, i)
		if strings.Contains(id, "*") {
			c.fault(at, "name each client by itself", "the client %q has a wildcard", id)
		} else if _, ok := c.reg.clients[id]; !ok {
			c.fault(at, "declare the client or correct the name", "there is no client %q", id)
		}
	}
	c.duplicates(path+".clients", g.Clients)
}

// ruleRegistrations checks that each client the rule names could ever get something by it.
func (c *compiler) ruleRegistrations(path string, t *Trust, g *GrantSpec) {
	for i, id := range g.Clients {
		client, ok := c.reg.clients[id]
		if !ok {
			continue
		}
		at := fmt.Sprintf("%s.clients[%d]", path, i)
		if _, ok := client.Spec.APIs[g.API]; !ok {
			c.fault(at, fmt.Sprintf("add it under client.%s.apis, or remove the client here", key(id)),
				"the registration of client %q lacks api %q: the rule would grant it nothing", id, g.API)
		}
		if t.ID == Local && g.ScopeMap != nil && slices.Equal(client.Spec.Grants, []string{string(GrantClientCredentials)}) {
			c.fault(at, "write the scopes as a list, or give the client the grant token_exchange",
				"client %q uses client credentials only, which carry no scopes to map: the rule would grant it nothing", id)
		}
	}
}

// ruleScopes checks and compiles the two forms of `scopes`.
func (c *compiler) ruleScopes(path string, r *rule, g *GrantSpec) {
	if (len(g.Scopes) == 0) == (len(g.ScopeMap) == 0) {
		c.fault(path+".scopes", `write either a list, ["ours"], or a table, { "theirs" = "ours" }`,
			"the rule has %d scopes in a list and %d in a table; one form is needed, and only one", len(g.Scopes), len(g.ScopeMap))
	}
	for i, scope := range g.Scopes {
		c.scopeOf(fmt.Sprintf("%s.scopes[%d]", path, i), r.api, scope)
	}
	c.duplicates(path+".scopes", g.Scopes)
	ours := slices.Clone(g.Scopes)
	for _, theirs := range sortedKeys(g.ScopeMap) {
		at := path + ".scopes." + key(theirs)
		if err := scopeFault(theirs); err != nil {
			c.fault(at, "name each of their scopes by itself, without wildcards", "%v", err)
		}
		c.scopeOf(at, r.api, g.ScopeMap[theirs])
		ours = append(ours, g.ScopeMap[theirs])
		r.table = append(r.table, scopeMapping{theirs, g.ScopeMap[theirs]})
	}
	r.scopes = g.Scopes
	for i, scope := range g.DefaultScopes {
		if !slices.Contains(ours, scope) {
			c.fault(fmt.Sprintf("%s.default_scopes[%d]", path, i), "choose from the rule's own scopes",
				"the rule does not grant %q, so it cannot be a default", scope)
		}
	}
	c.duplicates(path+".default_scopes", g.DefaultScopes)
}

// spelled says how a claim of ours is spelled: as in the first rule that maps it. One token with two spellings would be refused by
// our own front door, and by APIs that use it.
func (c *compiler) spelled(claim string) string {
	if c.mapped == nil {
		c.mapped = map[string]string{"email": "email"} // OpenID Connect Core §5.1, which the front door reads
	}
	folded := strings.ToLower(claim)
	if _, ok := c.mapped[folded]; !ok {
		c.mapped[folded] = claim
	}
	return c.mapped[folded]
}

// ruleClaims checks and compiles the claims that the rule maps.
func (c *compiler) ruleClaims(path string, claims map[string]string) []claimMapping {
	var out []claimMapping
	for _, ours := range sortedKeys(claims) {
		at := path + "." + key(ours)
		if isReserved(ours) {
			c.fault(at, "map it to another name", "the claim %q is reserved: no upstream may choose it", ours)
		} else if err := nameFault(ours); err != nil {
			c.fault(at, "give the claim a name", "the claim %q cannot be used: %v", ours, err)
		} else if as := c.spelled(ours); as != ours {
			c.fault(at, "spell it the same everywhere", "the claim %q is also spelled %q; readers that ignore case would mix them up", ours, as)
		}
		theirs, err := parseClaimPath(claims[ours])
		if err != nil {
			c.fault(at, "name a claim of theirs, or point into one as in /address/country", "%q cannot be used: %v", claims[ours], err)
		}
		out = append(out, claimMapping{ours, theirs})
	}
	return out
}
