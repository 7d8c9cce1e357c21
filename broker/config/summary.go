package config

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"apostille/trust"
)

// Summary says in a page who may get what from whom.
type Summary struct {
	Issuer  string         `json:"issuer"`
	Dev     bool           `json:"dev"`
	APIs    int            `json:"apis"`
	Clients int            `json:"clients"`
	Trusts  []TrustSummary `json:"trusts"` // by ID; with "local" if it has rules
	// Federations by ID: what is said of each is of each of its members.
	Federations []TrustSummary `json:"federations,omitempty"`
	Idle        []string       `json:"idle"`     // enabled clients that get nothing from anybody, sorted
	Warnings    []Issue        `json:"warnings"` // of Load
}

// TrustSummary is one trust: where it stands, and the rights that it gives.
type TrustSummary struct {
	ID       string              `json:"id"`
	Name     string              `json:"name,omitempty"`
	Issuer   string              `json:"issuer,omitempty"` // "" for local
	Disabled bool                `json:"disabled"`
	Keys     string              `json:"keys,omitempty"`    // key source; see trust.TrustSpec
	Takes    map[string][]string `json:"takes"`             // type of token → audiences
	SignIn   string              `json:"sign_in,omitempty"` // protocol people sign in with; "" = nobody does
	Rights   []Right             `json:"rights"`
}

// Summarize reads a loaded Config.
func Summarize(c *Config) Summary {
	s := Summary{Issuer: c.Issuer, Dev: c.Dev, APIs: len(c.Policy.APIs), Clients: len(c.Policy.Clients), Trusts: []TrustSummary{}, Warnings: c.Warnings}
	rights, busy := map[string][]Right{}, map[string]bool{}
	for _, r := range rightsOf(c) {
		rights[r.Trust] = append(rights[r.Trust], r)
		busy[r.Client] = true
	}
	for _, id := range c.Registry.TrustIDs() {
		if t, ok := c.Registry.Trust(id); ok && (id != trust.Local || len(rights[id]) > 0) {
			s.Trusts = append(s.Trusts, trustSummary(t, rights[id]))
		}
	}
	for _, id := range c.Registry.FederationIDs() {
		if t, ok := c.Registry.Federation(id); ok {
			s.Federations = append(s.Federations, trustSummary(t, rights[id]))
		}
	}
	s.Idle = []string{}
	for id, client := range c.Policy.Clients {
		if !client.Disabled && !busy[id] {
			s.Idle = append(s.Idle, id)
		}
	}
	slices.Sort(s.Idle)
	return s
}

func trustSummary(t *trust.Trust, rights []Right) TrustSummary {
	s := TrustSummary{
		ID: t.ID, Name: t.Spec.Name, Issuer: t.Spec.Issuer, Disabled: t.Spec.Disabled, Keys: t.Spec.KeySource,
		Takes: map[string][]string{}, Rights: append([]Right{}, rights...),
	}
	if t.Spec.Login != nil {
		s.SignIn = t.Spec.Login.Protocol
	}
	if t.Spec.JWT != nil {
		s.Takes["jwt"] = t.Spec.JWT.Audiences
	}
	if t.Spec.IDToken != nil {
		s.Takes["id_token"] = t.Spec.IDToken.Audiences
	}
	if t.Spec.SAML2 != nil {
		s.Takes["saml2"] = t.Spec.SAML2.Audiences
	}
	return s
}

// String is the text of WriteText.
func (s Summary) String() string {
	var b strings.Builder
	s.WriteText(&b) // a strings.Builder does not fail
	return b.String()
}

// WriteText writes the summary for people. The error is the writer's.
func (s Summary) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %s, %s\n", s.Issuer, count(s.APIs, "API"), count(s.Clients, "client"), count(len(s.Trusts), "trust"))
	if s.Dev {
		b.WriteString("developer mode: http and literal secrets are accepted\n")
	}
	for _, t := range s.Trusts {
		t.write(&b, "trust")
	}
	for _, t := range s.Federations {
		t.write(&b, "federation")
	}
	if len(s.Idle) > 0 {
		fmt.Fprintf(&b, "\nclients that get nothing from anybody: %s\n", strings.Join(s.Idle, ", "))
	}
	if len(s.Warnings) > 0 {
		b.WriteString("\nwarnings\n")
	}
	for _, warning := range s.Warnings {
		fmt.Fprintf(&b, "  %s\n", warning)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t TrustSummary) write(b *strings.Builder, kind string) {
	fmt.Fprintf(b, "\n%s %s", kind, t.ID)
	if t.Name != "" {
		fmt.Fprintf(b, " (%s)", t.Name)
	}
	if t.Disabled {
		b.WriteString(", disabled: all of it is refused")
	}
	b.WriteByte('\n')
	if t.Issuer != "" {
		fmt.Fprintf(b, "  issuer %s, keys %s\n", t.Issuer, shortSource(t.Keys))
	}
	if kind == "federation" {
		fmt.Fprintf(b, "  members by %s\n", t.Keys)
	}
	for _, kind := range []string{"jwt", "id_token", "saml2"} {
		if audiences := t.Takes[kind]; len(audiences) > 0 {
			fmt.Fprintf(b, "  takes %s for %s\n", kind, strings.Join(audiences, ", "))
		}
	}
	if t.SignIn != "" {
		fmt.Fprintf(b, "  people sign in with it (%s)\n", t.SignIn)
	}
	for _, r := range t.Rights {
		fmt.Fprintf(b, "  %s (%s) [%s]\n", r.sentence(), r.terms(), r.Rule)
	}
	if len(t.Rights) == 0 && !t.Disabled {
		b.WriteString("  gives nothing to anybody\n")
	}
}

// shortSource shortens the digests in a key source.
func shortSource(source string) string {
	fields := strings.Fields(source)
	for i, field := range fields {
		kind, digest, ok := strings.Cut(field, ":")
		if ok && (kind == "static" || kind == "ca") && len(digest) > 16 {
			fields[i] = kind + ":" + digest[:16]
		}
	}
	return strings.Join(fields, " ")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
