package authorize

import (
	"maps"
	"slices"

	"apostille/trust"
)

// tick is the value of a box that stands for a scope of an API. Neither has a space in it.
func tick(api, scope string) string { return api + " " + scope }

// choose is what was ticked of what was offered. Boxes that were not offered count for nothing.
func choose(offered map[string][]string, ticked []string) map[string][]string {
	chosen := map[string][]string{}
	for api, scopes := range offered {
		for _, scope := range scopes {
			if contains(ticked, tick(api, scope)) {
				chosen[api] = append(chosen[api], scope)
			}
		}
	}
	return chosen
}

// consentPage is the dot of the consent page.
type consentPage struct {
	Action, Sealed string
	Client         string
	Target         string // where the answer goes: host, or scheme of a native application
	Office         string
	Person         string // "" if the office told no name
	Confirm        bool   // nothing to allow: is it you who opened the application?
	Groups         []group
}

// group is what is asked of one API; the broker itself comes first, without a name.
type group struct {
	API   string
	Lines []line
}

// line is one scope: in the words of its API, or in ours (Key) for what the broker itself tells.
type line struct {
	Value, Key string
	Text       map[string]string // by language; "" = any other
	New        bool              // was not allowed before, when something else was
}

// shown is the order of what the broker itself tells, as a person thinks of it.
var shown = []string{"profile", "email", "phone", "address", "offline_access"}

func (c *call) consentPage(ask *question, action, sealed string) consentPage {
	q := c.request
	out := consentPage{
		Action: action, Sealed: sealed, Client: q.client.Title(), Target: q.target(), Confirm: !q.client.ThirdParty(),
		Person: person(ask.Who.Subject.Claims), Office: ask.Who.Office.Title(),
	}
	apis := slices.Sorted(maps.Keys(ask.Offered))
	slices.SortStableFunc(apis, func(a, b string) int { // the broker's own first
		return map[bool]int{true: 1}[b == trust.UserInfo] - map[bool]int{true: 1}[a == trust.UserInfo]
	})
	for _, api := range apis {
		out.Groups = append(out.Groups, c.group(api, ask))
	}
	return out
}

func (c *call) group(id string, ask *question) group {
	var g group
	api, known := c.policy.Registry.API(id)
	if id != trust.UserInfo {
		g.API = id
	}
	scopes := slices.Clone(ask.Offered[id])
	slices.SortStableFunc(scopes, func(a, b string) int { return slices.Index(shown, a) - slices.Index(shown, b) })
	for _, scope := range scopes {
		l := line{Value: tick(id, scope), New: len(ask.Given) > 0 && !contains(ask.Given[id], scope)}
		switch {
		case id == trust.UserInfo:
			l.Key = "authorize.scope." + scope
		case known:
			l.Text = api.Words(scope)
		}
		g.Lines = append(g.Lines, l)
	}
	return g
}

// person is what somebody is called by their office; "" if it says nothing.
func person(claims map[string]any) string {
	for _, name := range []string{"name", "preferred_username", "email"} {
		if s, ok := claims[name].(string); ok && s != "" {
			return s
		}
	}
	return ""
}
