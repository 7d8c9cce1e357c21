package trust

import (
	"slices"
	"time"
)

// rule is a compiled grant rule.
type rule struct {
	name            string // "head-office.grant[0]"
	clients         []string
	unauthenticated bool
	signIn          bool // grants IdentityScopes of the built-in API to people who sign in
	api             *API
	scopes          []string       // list form; nil when table is used
	table           []scopeMapping // table form, sorted by theirs
	defaults        []string
	when            []condition // sorted by claim path
	claims          []claimMapping
	lifetime        time.Duration // 0 = no bound of its own
	members         *MemberSpec   // of a federation; nil = all
}

// scopeMapping is one `theirs = ours` of a scope table.
type scopeMapping struct{ theirs, ours string }

// claimMapping is one `ours = path of theirs`.
type claimMapping struct {
	ours string
	path claimPath
}

// names says whether the rule is about a client; "" asks for an unauthenticated rule.
func (r *rule) names(clientID string) bool {
	if clientID == "" {
		return r.unauthenticated
	}
	return slices.Contains(r.clients, clientID)
}

// yields says whether the rule gives the subject a scope of ours.
//
// A list gives it for who the subject is. A table gives it only if the subject token carries the scope it is mapped
// from. An own token's scopes bound both forms: the list is then the identity map, so that a chain only shrinks.
func (r *rule) yields(s *Subject, scope string) bool {
	if r.table != nil {
		return slices.ContainsFunc(r.table, func(m scopeMapping) bool {
			return m.ours == scope && s.carries(m.theirs)
		})
	}
	if s.Credential == CredentialOwnToken && !s.carries(scope) {
		return false
	}
	return slices.Contains(r.scopes, scope)
}

// applies says whether the rule gives the subject anything at all, be it a token without scopes: a table gives
// nothing to a credential that carries none of the scopes it maps.
func (r *rule) applies(s *Subject) bool {
	return r.table == nil || slices.ContainsFunc(r.table, func(m scopeMapping) bool { return s.carries(m.theirs) })
}

// carries says whether the credential itself has a scope. A sign-in has none.
func (s *Subject) carries(scope string) bool {
	return s.HasScopes && s.Credential != CredentialLogin && slices.Contains(s.Scopes, scope)
}
