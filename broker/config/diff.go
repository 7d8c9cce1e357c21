package config

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"apostille/trust/jose"
)

// Diff says what a new configuration does: to whom it gives and takes access, and which settings it changes.
type Diff struct {
	Gains   []AccessChange `json:"gains"`
	Losses  []AccessChange `json:"losses"`
	Altered []AccessChange `json:"altered"` // the same access on other terms
	Changes []Change       `json:"changes"` // settings, by path; who gets what by a grant rule shows as access instead
}

// AccessChange is one scope of one API for one client and trust. Before and After hold the terms of each
// rule that gives it, in words, sorted; empty where it does not exist.
type AccessChange struct {
	Trust  string   `json:"trust"`
	Client string   `json:"client"` // "" = unauthenticated
	API    string   `json:"api"`
	Scope  string   `json:"scope"` // "" = a token without scopes
	Before []string `json:"before"`
	After  []string `json:"after"`
}

// Change is one setting. Before or After is "" where it is not set.
type Change struct {
	Path   string `json:"path"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Compare says what loading after instead of before changes.
func Compare(before, after *Config) Diff {
	d := Diff{Gains: []AccessChange{}, Losses: []AccessChange{}, Altered: []AccessChange{}, Changes: []Change{}}
	was, is := termsOf(before), termsOf(after)
	for _, a := range slices.SortedFunc(union(was, is), compareAccess) {
		change := AccessChange{Trust: a.trust, Client: a.client, API: a.api, Scope: a.scope, Before: was[a], After: is[a]}
		switch {
		case len(was[a]) == 0:
			d.Gains = append(d.Gains, change)
		case len(is[a]) == 0:
			d.Losses = append(d.Losses, change)
		case !slices.Equal(was[a], is[a]):
			d.Altered = append(d.Altered, change)
		}
	}
	old, now := settingsOf(before), settingsOf(after)
	for _, path := range slices.SortedFunc(union(old, now), strings.Compare) {
		if old[path] != now[path] {
			d.Changes = append(d.Changes, Change{Path: path, Before: old[path], After: now[path]})
		}
	}
	return d
}

// access is what a Diff counts by.
type access struct{ trust, client, api, scope string }

func compareAccess(a, b access) int {
	return slices.Compare([]string{a.trust, a.client, a.api, a.scope}, []string{b.trust, b.client, b.api, b.scope})
}

func termsOf(c *Config) map[access][]string {
	terms := map[access][]string{}
	for _, r := range rightsOf(c) {
		scopes := r.Scopes
		if len(scopes) == 0 {
			scopes = []string{""}
		}
		for _, scope := range scopes {
			a := access{r.Trust, r.Client, r.API, scope}
			if text := r.terms(); !slices.Contains(terms[a], text) {
				terms[a] = append(terms[a], text)
			}
		}
	}
	for _, list := range terms {
		slices.Sort(list)
	}
	return terms
}

// union yields the keys of both maps, each once.
func union[K comparable, V any](a, b map[K]V) func(func(K) bool) {
	all := make(map[K]struct{}, len(a)+len(b))
	for k := range a {
		all[k] = struct{}{}
	}
	for k := range b {
		all[k] = struct{}{}
	}
	return maps.Keys(all)
}

// settingsOf flattens a configuration: path → TOML value. What shows as access is left out, key files
// are stated by what is in them, and paths start at the main file, so that a copy elsewhere compares equal.
func settingsOf(c *Config) map[string]string {
	out := map[string]string{}
	flatten(keyTable(), reflect.ValueOf(&c.doc).Elem(), "", out)
	here := strings.TrimSuffix(quote(c.Dir+string(filepath.Separator)), `"`)
	for path, value := range out {
		out[path] = strings.ReplaceAll(value, here, `"`)
	}
	for id, t := range c.Policy.Trusts {
		if t.KeySource != "" {
			out[joinPath("trust", id)+".keys"] = shortSource(t.KeySource)
		}
	}
	for id, credential := range c.Credentials {
		if credential.JWKS != nil {
			out[joinPath("client", id)+".jwks_file"] = fingerprint(credential.JWKS)
		}
	}
	return out
}

func fingerprint(set *jose.Set) string {
	b, err := jose.MarshalJWKS(set)
	if err != nil {
		return "keys that cannot be written"
	}
	return "sha256:" + digestOf(b)[:16]
}

// besideAccess keeps the keys of a grant rule that do not show as access: what goes into a token, not who gets it.
func besideAccess(table []key) []key {
	return slices.DeleteFunc(slices.Clone(table), func(k key) bool { return k.Name != "claims" && k.Name != "default_scopes" })
}

func flatten(table []key, v reflect.Value, path string, out map[string]string) {
	eachField(table, v, func(k *key, field reflect.Value) {
		at := joinPath(path, k.Name)
		switch {
		case field.IsZero():
		case k.Kind == kindTables:
			for i := range field.Len() {
				flatten(besideAccess(k.Fields), field.Index(i), elemPath(at, i), out)
			}
		case k.Kind == kindNamed:
			eachNamed(k, field, func(id string, fields []key, elem reflect.Value) {
				flatten(fields, elem, joinPath(at, id), out)
			})
		case k.ownSection():
			flatten(k.Fields, reflect.Indirect(field), at, out)
		default:
			out[at] = literal(k, field)
		}
	})
}

// Empty says that nothing changes.
func (d Diff) Empty() bool {
	return len(d.Gains)+len(d.Losses)+len(d.Altered)+len(d.Changes) == 0
}

// String is the text of WriteText.
func (d Diff) String() string {
	var b strings.Builder
	d.WriteText(&b) // a strings.Builder does not fail
	return b.String()
}

// WriteText writes the diff for people. The error is the writer's.
func (d Diff) WriteText(w io.Writer) error {
	var b strings.Builder
	if d.Empty() {
		b.WriteString("nothing changes\n")
	}
	writeAccess(&b, "gains access", "+", d.Gains)
	writeAccess(&b, "loses access", "-", d.Losses)
	writeAccess(&b, "access on other terms", "~", d.Altered)
	if len(d.Changes) > 0 {
		b.WriteString("settings\n")
	}
	for _, c := range d.Changes {
		fmt.Fprintf(&b, "  ~ %s: %s → %s\n", c.Path, orUnset(c.Before), orUnset(c.After))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeAccess(b *strings.Builder, title, sign string, changes []AccessChange) {
	if len(changes) > 0 {
		b.WriteString(title + "\n")
	}
	for _, c := range changes {
		fmt.Fprintf(b, "  %s %s: %s, %s of %s\n", sign, c.Trust, who(c.Client), what(c.Scope), c.API)
		for _, terms := range c.Before {
			fmt.Fprintf(b, "      was %s\n", terms)
		}
		for _, terms := range c.After {
			fmt.Fprintf(b, "      now %s\n", terms)
		}
	}
}

func orUnset(value string) string {
	if value == "" {
		return "(not set)"
	}
	return value
}
