package mint

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// kind is the JSON type that a standard claim has, and nothing else passes.
type kind int

const (
	text   kind = iota + 1
	link        // a string that is an http(s) URL: applications put it into pages
	number      // of seconds
	object      // of strings
)

// byScope are the standard claims that a scope stands for (OpenID Connect Core §5.1, §5.4), verification flags apart.
var byScope = map[string]map[string]kind{
	"profile": {
		"name": text, "family_name": text, "given_name": text, "middle_name": text, "nickname": text, "preferred_username": text,
		"profile": link, "picture": link, "website": link, "gender": text, "birthdate": text, "zoneinfo": text, "locale": text,
		"updated_at": number,
	},
	"email":   {"email": text},
	"phone":   {"phone_number": text},
	"address": {"address": object},
}

// verified are the flags that say whether a claim was proven (OpenID Connect Core §5.1).
var verified = map[string]string{"email": "email_verified", "phone_number": "phone_number_verified"}

// addressMembers are those of OpenID Connect Core §5.1.1.
var addressMembers = []string{"formatted", "street_address", "locality", "region", "postal_code", "country"}

// PersonClaims are what ID token and userinfo may tell of a person: the standard claims of the granted identity scopes, each only if the
// upstream sent it in its registered JSON type, and what sign-in rules mapped, which goes before. An address of e-mail or a phone
// number is verified only where the upstream said so of this very value, with a true that is a boolean (THREATS A90).
func PersonClaims(theirs map[string]any, scopes []string, mapped map[string]any) map[string]any {
	out := make(map[string]any, len(mapped)+8)
	for _, scope := range scopes {
		for name, k := range byScope[scope] {
			if v := k.of(theirs[name]); v != nil {
				out[name] = v
			}
		}
	}
	maps.Copy(out, mapped)
	for name, flag := range verified {
		delete(out, flag)
		ours, isText := out[name].(string)
		if _, ok := out[name]; !ok {
			continue
		}
		told, _ := theirs[name].(string)
		yes, _ := theirs[flag].(bool)
		out[flag] = yes && isText && told == ours
	}
	return out
}

// StandardClaims are the names that PersonClaims may give for IdentityScopes, sorted; discovery lists them.
func StandardClaims() []string {
	var out []string
	for _, claims := range byScope {
		for name := range claims {
			out = append(out, name)
			if flag := verified[name]; flag != "" {
				out = append(out, flag)
			}
		}
	}
	slices.Sort(out)
	return out
}

// of returns v if it is of the kind; else nil.
func (k kind) of(v any) any {
	switch v := v.(type) {
	case string:
		if k == text && v != "" || k == link && isLink(v) {
			return v
		}
	case json.Number:
		if k == number {
			return v
		}
	case map[string]any:
		if k == object {
			return address(v)
		}
	}
	return nil
}

// isLink keeps out what a page would run rather than show.
func isLink(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}

// address keeps the members that are texts; nil if none is.
func address(v map[string]any) any {
	out := map[string]any{}
	for _, name := range addressMembers {
		if s, ok := v[name].(string); ok && s != "" {
			out[name] = s
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
