package trust

import (
	"maps"
	"slices"
)

// IDTokenAlgs are the algorithms an ID token may be signed with; the first is the default (OpenID Connect Core §15.1). Do not change
// them.
var IDTokenAlgs = []string{"RS256", "ES256", "EdDSA"}

// identityWords says what each of IdentityScopes lets an application have (OpenID Connect Core §5.4, §11).
var identityWords = map[string]string{
	"openid":         "Know that it is you",
	"profile":        "See your name and profile",
	"email":          "See your e-mail address",
	"address":        "See your postal address",
	"phone":          "See your telephone number",
	"offline_access": "Keep access while you are away",
}

// userInfoAPI makes the built-in API: the broker itself, whose tokens open the UserInfo endpoint (OpenID Connect Core §5.3).
func userInfoAPI(issuer string) *API {
	return &API{ID: UserInfo, Spec: APISpec{
		Audience: issuer,
		Scopes:   maps.Clone(identityWords),
		Token:    TokenSpec{Alg: TokenAlgs[0], Typ: TokenTyps[0], Format: TokenFormats[0]},
		Lifetime: DefaultLifetime,
	}}
}

// isIdentity says whether a scope is one of IdentityScopes.
func isIdentity(scope string) bool {
	_, ok := slices.BinarySearch(IdentityScopes, scope)
	return ok
}
