package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"apostille/broker/chooser"
	"apostille/broker/config"
	"apostille/trust"
	"apostille/upstream/federation"

	"github.com/spf13/cobra"
)

// membersOf reads what is stored of federations, once; it asks nobody.
func (a *app) membersOf(cfg *config.Config) *federation.Federations {
	if a.members == nil {
		a.members = federation.New(federation.Config{Dir: indexDir(cfg), Client: noNetwork, Now: a.now, Log: discard})
		a.members.Replace(cfg.Federations)
	}
	return a.members
}

func (a *app) federationSearchCommand() *cobra.Command {
	var most int
	cmd := &cobra.Command{
		Use:   "search TEXT",
		Short: "Find members as the picker does, or by entityID or ID",
		Long: `Searches the stored members of all federations as the picker does: by names in any language, keywords, abbreviations and domains, with typos. An exact
entityID, or the ID that stands in the audit trail, finds that one. The ID is what tokens, sessions and idp_hint call it.`,
		Example: "  apostille federation search \"eth zurich\"\n  apostille federation search https://idp.example.edu/saml --output json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := a.loaded()
			if err != nil {
				return err
			}
			found := search(a.membersOf(cfg).Directory(), strings.Join(args, " "), most)
			return a.print(found, found.write)
		},
	}
	cmd.Flags().IntVar(&most, "limit", 20, "how many are printed, at most 50")
	return cmd
}

// memberView is a member of a federation.
type memberView struct {
	ID         string              `json:"id"`
	Federation string              `json:"federation"`
	EntityID   string              `json:"entity_id"`
	Name       string              `json:"name"`
	Keywords   []string            `json:"keywords,omitempty"`
	Scopes     []string            `json:"scopes,omitempty"`
	Hidden     bool                `json:"hidden,omitempty"`
	Authority  string              `json:"registration_authority,omitempty"`
	Attributes map[string][]string `json:"attributes,omitempty"`
}

// found is what a search found.
type found struct {
	Total   int          `json:"total"`
	Members []memberView `json:"members"`
}

func search(d trust.Directory, text string, most int) found {
	out := found{Members: []memberView{}}
	add := func(m *trust.Member) {
		out.Members = append(out.Members, memberView{m.ID, m.Federation, m.EntityID, m.Name, m.Keywords, m.Scopes, m.Hidden, m.Authority, m.Attributes})
	}
	for _, exact := range []func(string) (*trust.Member, bool){d.ByIssuer, d.ByID} {
		if m, ok := exact(text); ok {
			out.Total = 1
			add(m)
			return out
		}
	}
	var offices []chooser.Office // hidden ones are found here
	for m := range d.All() {
		offices = append(offices, chooser.Office{ID: m.ID, Name: m.Name, Issuer: m.EntityID, Domains: m.Scopes, Keywords: m.Keywords})
	}
	ranking := chooser.NewIndex(offices).Rank(chooser.Query{Text: text, PerPage: most})
	out.Total = ranking.Total
	for _, o := range ranking.Results {
		if m, ok := d.ByID(o.ID); ok {
			add(m)
		}
	}
	return out
}

func (f found) write(w io.Writer) {
	rows := [][]string{{"NAME", "ENTITY ID", "SCOPES", "REGISTERED BY", "ID"}}
	for _, m := range f.Members {
		name := m.Name
		if m.Hidden {
			name += " (hidden)"
		}
		rows = append(rows, []string{name, m.EntityID, strings.Join(m.Scopes, " "), m.Authority, m.ID})
	}
	table(w, rows)
	if len(f.Members) == 1 {
		for _, name := range slices.Sorted(maps.Keys(f.Members[0].Attributes)) {
			fmt.Fprintf(w, "  %s: %s\n", printable(name), printable(strings.Join(f.Members[0].Attributes[name], " ")))
		}
	}
	if f.Total > len(f.Members) {
		fmt.Fprintf(w, "%d of %d; --limit shows more\n", len(f.Members), f.Total)
	}
}
