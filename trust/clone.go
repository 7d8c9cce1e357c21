package trust

import (
	"maps"
	"slices"
)

// cloneTrust copies what a TrustSpec points to: the Registry shares no memory with the Spec.
func cloneTrust(s TrustSpec) TrustSpec {
	s.Require = cloneConditions(s.Require)
	s.JWT, s.IDToken = cloneUse(s.JWT), cloneUse(s.IDToken)
	s.SAML2 = cloneAssertion(s.SAML2)
	s.Login = cloneLogin(s.Login)
	s.AttributeScopes = slices.Clone(s.AttributeScopes)
	s.Grants = slices.Clone(s.Grants)
	for i := range s.Grants {
		g := &s.Grants[i]
		g.Clients = slices.Clone(g.Clients)
		g.Scopes = slices.Clone(g.Scopes)
		g.ScopeMap = maps.Clone(g.ScopeMap)
		g.DefaultScopes = slices.Clone(g.DefaultScopes)
		g.When = cloneConditions(g.When)
		if g.Members != nil {
			g.Members = &MemberSpec{slices.Clone(g.Members.Categories), slices.Clone(g.Members.Authorities), cloneLists(g.Members.Attributes)}
		}
		g.Claims = maps.Clone(g.Claims)
	}
	return s
}

func cloneWords(words map[string]map[string]string) map[string]map[string]string {
	out := maps.Clone(words)
	for scope := range out {
		out[scope] = maps.Clone(out[scope])
	}
	return out
}

func cloneLogin(l *LoginSpec) *LoginSpec {
	if l == nil {
		return nil
	}
	out := *l
	out.EmailDomains = slices.Clone(l.EmailDomains)
	out.Keywords = slices.Clone(l.Keywords)
	out.ACR = maps.Clone(l.ACR)
	return &out
}

func cloneApp(a *AppSpec) *AppSpec {
	if a == nil {
		return nil
	}
	out := *a
	out.RedirectURIs = slices.Clone(a.RedirectURIs)
	out.Trusts = slices.Clone(a.Trusts)
	out.PostLogoutURIs = slices.Clone(a.PostLogoutURIs)
	out.Origins = slices.Clone(a.Origins)
	if a.SAML != nil {
		out.SAML = &SAMLSpec{EntityID: a.SAML.EntityID, ACS: slices.Clone(a.SAML.ACS)}
	}
	if a.RefreshGrace != nil {
		grace := *a.RefreshGrace
		out.RefreshGrace = &grace
	}
	return &out
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

func cloneAssertion(a *AssertionSpec) *AssertionSpec {
	if a == nil {
		return nil
	}
	out := *a
	out.Audiences = slices.Clone(a.Audiences)
	out.Recipients = slices.Clone(a.Recipients)
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
