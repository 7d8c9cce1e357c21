package trust

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// WithMembers returns the policy with the members that a Directory knows. The policy itself is the same.
func (r *Registry) WithMembers(d Directory) *Registry {
	out := *r
	out.directory = d
	out.members = sync.OnceValue(func() (list []*Trust) {
		for m := range d.All() {
			if t := out.member(m); t != nil && !t.Spec.Disabled {
				list = append(list, t)
			}
		}
		slices.SortFunc(list, byTrustID)
		return list
	})
	out.everyLogin = make(map[string]func() []*Trust, len(r.clients))
	for id, c := range r.clients {
		if c.Spec.App != nil && len(r.federations) > 0 {
			out.everyLogin[id] = sync.OnceValue(func() []*Trust { return out.loginsOf(c) })
		}
	}
	return &out
}

// Members lists the live trusts that federations bring in, sorted by ID. Read-only.
func (r *Registry) Members() []*Trust {
	if r.members == nil {
		return nil
	}
	return r.members()
}

// Federation looks up the trust that the members of a federation are made after.
func (r *Registry) Federation(id string) (*Trust, bool) {
	t, ok := r.federations[id]
	return t, ok
}

// FederationIDs lists the IDs of all federations, sorted; disabled ones are among them.
func (r *Registry) FederationIDs() []string { return sortedKeys(r.federations) }

// member makes a trust of a member; nil if there is none: a trust of that issuer that is configured stands for it, disabled ones too.
func (r *Registry) member(m *Member) *Trust {
	model, ok := r.federations[m.Federation]
	if !ok || r.configured[m.EntityID] || m.EntityID == r.issuer {
		return nil
	}
	t := *model
	t.ID, t.model, t.member = m.ID, model, m
	t.Spec.Name, t.Spec.Issuer, t.Spec.Domain = m.Name, m.EntityID, m.EntityID
	t.Spec.AttributeScopes = scopesOf(m)
	if t.Spec.Login != nil {
		t.Spec.Login = t.Spec.Login.of(m)
	}
	return &t
}

// refined fills in what a configured trust leaves to its entry in a federation. Without the entry it takes no scoped attribute.
func (r *Registry) refined(t *Trust) *Trust {
	if t.Spec.Federation == "" {
		return t
	}
	out := *t
	m, ok := r.directory.ByIssuer(t.Spec.Issuer)
	if !ok || m.Federation != t.Spec.Federation {
		m = &Member{}
	}
	out.Spec.Name = cmp.Or(t.Spec.Name, m.Name)
	if t.Spec.AttributeScopes == nil {
		out.Spec.AttributeScopes = scopesOf(m)
	}
	if t.Spec.Login != nil {
		out.Spec.Login = t.Spec.Login.of(m)
	}
	return &out
}

// scopesOf is never nil, which would mean any.
func scopesOf(m *Member) []string { return append([]string{}, m.Scopes...) }

// of adds what metadata say of a member. What the configuration says comes first.
func (l *LoginSpec) of(m *Member) *LoginSpec {
	out := *l
	out.Logo = cmp.Or(l.Logo, m.Logo)
	out.Hidden = l.Hidden || m.Hidden
	out.Keywords = slices.Concat(l.Keywords, m.Keywords)
	if out.EmailDomains == nil {
		out.EmailDomains = m.Scopes
	}
	return &out
}

// policy is the ID under which the trust's rules are indexed.
func (t *Trust) policy() string {
	if t.model != nil {
		return t.model.ID
	}
	return t.ID
}

// Federated says which federation, if any, a trust's keys and places come from.
func (t *Trust) Federated() (federation string, ok bool) {
	if t.member != nil {
		return t.member.Federation, true
	}
	return t.Spec.Federation, t.Spec.Federation != ""
}

// admittedBy says whether an application lets people of the trust in; of members it names the federation.
func (t *Trust) admittedBy(a *AppSpec) bool { return a.SignsIn(t.policy()) }

// theirs are the rules that concern the trust, if it is a member of a federation.
func (t *Trust) theirs(rules []*rule) []*rule {
	other := func(r *rule) bool { return !r.members.concerns(t.member) }
	if t.member == nil || !slices.ContainsFunc(rules, other) {
		return rules
	}
	return slices.DeleteFunc(slices.Clone(rules), other)
}

func (r *Registry) rulesOf(t *Trust, client string) []*rule {
	return t.theirs(r.rules[ruleKey{t.policy(), client}])
}

func (r *Registry) signInsOf(t *Trust, client string) []*rule {
	return t.theirs(r.signIns[ruleKey{t.policy(), client}])
}

// federated lists the members whose people may sign in to a client.
func (r *Registry) federated(c *Client) (list []*Trust) {
	for _, t := range r.Members() {
		if t.Spec.Login != nil && t.admittedBy(c.Spec.App) && len(r.signInsOf(t, c.ID)) > 0 {
			list = append(list, t)
		}
	}
	return list
}

// loginsOf lists all trusts whose people may sign in to a client.
func (r *Registry) loginsOf(c *Client) []*Trust {
	list := make([]*Trust, 0, len(r.logins[c.ID]))
	for _, t := range r.logins[c.ID] {
		list = append(list, r.refined(t))
	}
	list = append(list, r.federated(c)...)
	slices.SortFunc(list, byTrustID)
	return list
}

func byTrustID(a, b *Trust) int { return strings.Compare(a.ID, b.ID) }
