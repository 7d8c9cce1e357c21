package trust

import (
	"maps"
	"slices"
)

// cloneTrust copies what a TrustSpec points to: the Registry shares no memory with the Spec.
func cloneTrust(s TrustSpec) TrustSpec {
	s.Require = cloneConditions(s.Require)
	s.JWT, s.IDToken = cloneUse(s.JWT), cloneUse(s.IDToken)
	s.Grants = slices.Clone(s.Grants)
	for i := range s.Grants {
		g := &s.Grants[i]
		g.Clients = slices.Clone(g.Clients)
		g.Scopes = slices.Clone(g.Scopes)
		g.ScopeMap = maps.Clone(g.ScopeMap)
		g.DefaultScopes = slices.Clone(g.DefaultScopes)
		g.When = cloneConditions(g.When)
		g.Claims = maps.Clone(g.Claims)
	}
	return s
}

func cloneUse(u *UseSpec) *UseSpec {
	if u == nil {
		return nil
	}
	out := *u
	out.Audiences = slices.Clone(u.Audiences)
	out.Parties = slices.Clone(u.Parties)
	out.Types = slices.Clone(u.Types)
	return &out
}

func cloneConditions(m map[string]ConditionSpec) map[string]ConditionSpec {
	out := maps.Clone(m)
	for k, s := range out {
		s.OneOf, s.NoneOf = slices.Clone(s.OneOf), slices.Clone(s.NoneOf)
		out[k] = s
	}
	return out
}

func cloneLists(m map[string][]string) map[string][]string {
	out := make(map[string][]string, len(m))
	for k, v := range m {
		out[k] = slices.Clone(v)
	}
	return out
}
