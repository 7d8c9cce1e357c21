package config

import (
	"fmt"
	"slices"
	"strings"

	"apostille/trust"
)

// Right is what one grant rule gives one client.
type Right struct {
	Trust      string   `json:"trust"`
	Client     string   `json:"client"` // "" = unauthenticated
	Grants     []string `json:"grants"` // ways to ask for it, such as "token_exchange"
	API        string   `json:"api"`
	Scopes     []string `json:"scopes"`     // at most these; empty = a token without scopes
	Conditions []string `json:"conditions"` // in words; all must hold
	Lifetime   string   `json:"lifetime"`   // at most, such as "10m"
	Rule       string   `json:"rule"`       // such as "head-office.grant[0]"
}

// rightsOf lists what live trusts give live clients. What no grant of the client can ask for is no right.
func rightsOf(c *Config) []Right {
	rights := []Right{}
	for _, a := range c.Registry.Access() {
		if len(a.Grants) > 0 {
			rights = append(rights, rightOf(a))
		}
	}
	return rights
}

func rightOf(a trust.Access) Right {
	grants := make([]string, len(a.Grants))
	for i, g := range a.Grants {
		grants[i] = string(g)
	}
	return Right{
		Trust: a.Trust, Client: a.Client, Grants: grants, API: a.API, Scopes: a.Scopes,
		Conditions: a.Conditions, Lifetime: shortDuration(a.Lifetime), Rule: a.Rule,
	}
}

// who names the client in a sentence.
func who(client string) string {
	if client == "" {
		return "anybody with its token"
	}
	return client
}

// what names the scopes in a sentence.
func what(scopes ...string) string {
	if text := strings.Join(slices.DeleteFunc(scopes, func(s string) bool { return s == "" }), " "); text != "" {
		return text
	}
	return "a token without scopes"
}

// sentence says what the right is.
func (r Right) sentence() string {
	if r.API == trust.UserInfo {
		return fmt.Sprintf("its people may sign in to %s, which may get %s", r.Client, what(slices.Clone(r.Scopes)...))
	}
	return fmt.Sprintf("%s may get %s of %s", who(r.Client), what(slices.Clone(r.Scopes)...), r.API)
}

// terms says how and under which conditions a right holds.
func (r Right) terms() string {
	text := "by " + strings.Join(r.Grants, ", ") + ", for " + r.Lifetime
	if len(r.Conditions) > 0 {
		text += ", if " + strings.Join(r.Conditions, " and ")
	}
	return text
}
