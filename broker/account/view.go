package account

import (
	"cmp"
	"context"
	"embed"
	"maps"
	"slices"
	"time"

	"apostille/broker/page"
	"apostille/broker/session"
	"apostille/broker/store"
	"apostille/trust"
)

// Messages are the texts of this package's page, for page.Options.
//
//go:embed messages templates
var Messages embed.FS

var accountTemplate = page.MustTemplate(Messages, "templates/account.html")

// view is the dot of the page.
type view struct {
	EndURL, AppsURL string
	People          []person
	Browsers        []browser
	Apps            []app
	Recent          []exchange
}

// person is an identity of this browser.
type person struct{ Name, Office, Since string }

// browser is a session of one of the people.
type browser struct {
	ID, Agent, Remote, Since, Seen string
	Here                           bool
}

// app is an application that holds access of one of the people.
type app struct {
	Sub, Client, Name, Office, Since string
	Scopes                           []word // empty for applications that ask for no consent
}

// word is a scope in words: of its API, or ours (Key) for what the broker itself tells.
type word struct {
	Key  string
	Text map[string]string // by language; "" = any other
}

// exchange is a token that was issued for one of the people.
type exchange struct {
	At, Client string
	For        []string // APIs; none for the broker itself
	Scopes     []word
}

// when is a time as the page shows it: to the minute, in UTC, whose name stands beside it.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04")
}

// view collects what is theirs.
func (e *Endpoint) view(ctx context.Context, s *session.Session) (view, error) {
	v := view{EndURL: e.Base + EndPath, AppsURL: e.Base + AppsPath}
	seen := map[string]bool{}
	for _, i := range s.Identities {
		v.People = append(v.People, e.person(s, i))
		list, err := e.Store.ListSessions(ctx, store.SessionQuery{Trust: i.Trust, Sub: i.Sub}, maxList)
		if err != nil {
			return view{}, err
		}
		for _, one := range list {
			if !seen[one.ID] {
				seen[one.ID] = true
				v.Browsers = append(v.Browsers, browser{ID: one.ID, Agent: one.Agent, Remote: one.Remote, Since: when(one.Created), Seen: when(one.Seen), Here: one.ID == s.ID})
			}
		}
		apps, err := e.apps(ctx, i)
		if err != nil {
			return view{}, err
		}
		v.Apps = append(v.Apps, apps...)
		v.Recent = append(v.Recent, e.recent(i.Sub)...)
	}
	return v, nil
}

func (e *Endpoint) person(s *session.Session, i store.Identity) person {
	p := person{Office: e.office(i.Trust), Since: when(i.SignedIn)}
	if known, ok := s.Identity(i.Trust); ok {
		name, _ := known.Subject.Claims["name"].(string)
		p.Name = page.Clean(name)
	}
	return p
}

// apps lists the applications with a living family or a consent.
func (e *Endpoint) apps(ctx context.Context, i store.Identity) ([]app, error) {
	byClient := map[string]app{}
	families, err := e.Store.ListFamilies(ctx, store.FamilyQuery{Trust: i.Trust, Sub: i.Sub}, maxList)
	if err != nil {
		return nil, err
	}
	for _, f := range families {
		byClient[f.Client] = app{Since: when(f.Created)} // the newest first: the last one written is the oldest
	}
	consents, err := e.Store.ListConsents(ctx, i.Sub)
	if err != nil {
		return nil, err
	}
	for _, c := range consents {
		a := byClient[c.Client]
		a.Since, a.Scopes = when(c.Given), e.words(c.Scopes)
		byClient[c.Client] = a
	}
	var list []app
	for client, a := range byClient {
		a.Sub, a.Client, a.Name, a.Office = i.Sub, client, e.client(client), e.office(i.Trust)
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b app) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Client, b.Client)) })
	return list, nil
}

// words says what scopes mean, as their APIs do.
func (e *Endpoint) words(scopes map[string][]string) (list []word) {
	for _, id := range slices.Sorted(maps.Keys(scopes)) {
		api, ok := e.Registry().API(id)
		for _, scope := range scopes[id] {
			w := word{Text: map[string]string{"": scope}} // of an API that is gone, or has dropped it
			switch {
			case id == trust.UserInfo && slices.Contains(trust.IdentityScopes, scope):
				w.Key = "account.scope." + scope
			case ok:
				w.Text = api.Words(scope)
			}
			list = append(list, w)
		}
	}
	return list
}

func (e *Endpoint) recent(sub string) (list []exchange) {
	for _, t := range e.Recent.Of(sub) {
		x := exchange{At: when(t.At), Client: e.client(t.Client)}
		scopes := map[string][]string{} // by API
		for _, scope := range t.Scopes {
			if slices.Contains(trust.IdentityScopes, scope) {
				scopes[trust.UserInfo] = append(scopes[trust.UserInfo], scope)
			}
		}
		for _, audience := range t.Audiences {
			api, ok := e.Registry().ByAudience(audience)
			switch {
			case ok:
				x.For = append(x.For, api.ID)
				scopes[api.ID] = defined(api, t.Scopes)
			case audience != e.Registry().Issuer():
				x.For = append(x.For, audience) // of an API that is gone
			}
		}
		x.Scopes = e.words(scopes)
		list = append(list, x)
	}
	return list
}

// defined are those of the scopes that an API defines.
func defined(api *trust.API, scopes []string) []string {
	return slices.DeleteFunc(slices.Clone(scopes), func(scope string) bool { return api.Spec.Scopes[scope] == "" })
}

func (e *Endpoint) client(id string) string {
	if c, ok := e.Registry().Client(id); ok {
		return c.Title()
	}
	return id
}

func (e *Endpoint) office(id string) string {
	if t, ok := e.Registry().Trust(id); ok {
		return t.Title()
	}
	return id
}
