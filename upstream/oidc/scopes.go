package oidc

import (
	"slices"
	"strings"

	"apostille/trust"
)

// readScopes reads `scope` (RFC 9068 §2.2.3: space-separated) and `scp` (a string or an array, as several products have
// it). A token with both must say the same twice.
func (x *examination) readScopes() *fault {
	scope, f := x.claims.text("scope", checkScopes)
	if f != nil {
		return f
	}
	entries, f := x.claims.texts("scp", checkScopes)
	if f != nil {
		return f
	}
	inScope, inSCP := scopeSet(scope), scopeSet(strings.Join(entries, " "))
	hasScope, hasSCP := x.claims.has("scope"), x.claims.has("scp")
	if hasScope && hasSCP && !slices.Equal(inScope, inSCP) {
		return &fault{trust.ReasonClaim, checkScopes, "scope and scp differ", nil}
	}
	if !hasScope && !hasSCP {
		return nil
	}
	scopes := inScope
	if hasSCP {
		scopes = inSCP
	}
	for _, s := range scopes {
		if !scopeToken(s) {
			return &fault{trust.ReasonClaim, checkScopes, "a scope holds characters that RFC 6749 §3.3 does not allow", nil}
		}
	}
	x.subject.Scopes, x.subject.HasScopes = scopes, true
	return x.passed(checkScopes, strings.Join(scopes, " "))
}

// scopeSet splits, sorts and drops repetitions.
func scopeSet(s string) []string {
	var set []string
	for one := range strings.SplitSeq(s, " ") {
		if one != "" {
			set = append(set, one)
		}
	}
	slices.Sort(set)
	return slices.Compact(set)
}

// scopeToken is RFC 6749 §3.3: printable ASCII without space, quote and backslash.
func scopeToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}
