package trust

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Access is one thing that a policy allows: a client may get scopes of an API for the subjects of a trust. A grant
// rule makes one Access per client it names.
type Access struct {
	Trust      string        `json:"trust"`
	Client     string        `json:"client"` // "" = unauthenticated
	Grants     []Grant       `json:"grants"` // ways to ask for it; empty = the client's registration has none of them
	API        string        `json:"api"`
	Scopes     []string      `json:"scopes"`     // sorted; at most these: what rule and registration have in common
	Conditions []string      `json:"conditions"` // in words, all must hold; the trust's own come first
	Lifetime   time.Duration `json:"lifetime"`   // at most, in nanoseconds
	Rule       string        `json:"rule"`       // "head-office.grant[0]"
}

// Access lists who may get what, sorted by trust, client, API and rule. Disabled trusts and clients have none.
func (r *Registry) Access() []Access {
	var out []Access
	for _, t := range slices.Concat(slices.Collect(maps.Values(r.trusts)), slices.Collect(maps.Values(r.federations))) {
		if t.Spec.Disabled {
			continue
		}
		for _, rule := range t.rules {
			if rule.unauthenticated {
				out = append(out, accessOf(t, nil, rule))
			}
			for _, id := range rule.clients {
				if r.clientLive(id) {
					out = append(out, accessOf(t, r.clients[id], rule))
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b Access) int {
		return cmp.Or(cmp.Compare(a.Trust, b.Trust), cmp.Compare(a.Client, b.Client), cmp.Compare(a.API, b.API), cmp.Compare(a.Rule, b.Rule))
	})
	return out
}

// accessOf states one rule for one client; nil is the unauthenticated caller.
func accessOf(t *Trust, c *Client, r *rule) Access {
	a := Access{Trust: t.ID, API: r.api.ID, Lifetime: r.api.Spec.Lifetime, Rule: r.name, Scopes: []string{}, Grants: []Grant{}}
	scopes := slices.Clone(r.scopes)
	for _, m := range r.table {
		scopes = append(scopes, m.ours)
	}
	slices.Sort(scopes)
	for _, s := range slices.Compact(scopes) {
		if c.registered(r.api, s) {
			a.Scopes = append(a.Scopes, s)
		}
	}
	for _, g := range grants {
		if g.reaches(t, c, r) && (c == nil || slices.Contains(c.Spec.Grants, string(g))) {
			a.Grants = append(a.Grants, g)
		}
	}
	if c != nil {
		a.Client = c.ID
		if c.Spec.Lifetime > 0 {
			a.Lifetime = min(a.Lifetime, c.Spec.Lifetime)
		}
	}
	if r.lifetime > 0 {
		a.Lifetime = min(a.Lifetime, r.lifetime)
	}
	a.Conditions = conditionWords(t, r)
	return a
}

// registered says whether a client may ever be given a scope of an API; nil is the unauthenticated caller. Every application is
// registered for identity, and for access while the person is away if it may refresh.
func (c *Client) registered(a *API, scope string) bool {
	if c == nil {
		return true
	}
	if a.ID == UserInfo {
		return scope != "offline_access" || c.MayUse(GrantRefresh)
	}
	return slices.Contains(c.Spec.APIs[a.ID], scope)
}

// reaches says whether a grant can come to a rule: local rules serve our own tokens and clients, others serve foreign credentials that
// the trust takes, and people who may sign in to the client.
func (g Grant) reaches(t *Trust, c *Client, r *rule) bool {
	jwt, saml := t.Spec.JWT != nil || t.Spec.IDToken != nil, t.Spec.SAML2 != nil
	switch g {
	case GrantTokenExchange:
		return !r.signIn && (jwt || saml || t.ID == Local)
	case GrantJWTBearer:
		return !r.signIn && jwt
	case GrantSAML2Bearer:
		return !r.signIn && saml
	case GrantClientCredentials:
		return t.ID == Local && r.table == nil
	case GrantSAMLSSO:
		return r.signIn && c != nil && t.signsInTo(c)
	case GrantCode, GrantRefresh:
		return r.table == nil && c != nil && t.signsInTo(c)
	}
	return false
}

// signsInTo says whether people of the trust may sign in to a client.
func (t *Trust) signsInTo(c *Client) bool {
	return t.Spec.Login != nil && c.Spec.App.SignsIn(t.ID) &&
		slices.ContainsFunc(t.rules, func(r *rule) bool { return r.signIn && slices.Contains(r.clients, c.ID) })
}

func conditionWords(t *Trust, r *rule) []string {
	words := append([]string{}, r.members.words()...)
	for i := range t.require {
		words = append(words, t.require[i].String())
	}
	for i := range r.when {
		words = append(words, r.when[i].String())
	}
	for _, m := range r.table {
		words = append(words, fmt.Sprintf("scope %s for their %s only", m.ours, m.theirs))
	}
	return words
}
