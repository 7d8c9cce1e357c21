package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"apostille/broker/config"
	"apostille/trust"

	"github.com/spf13/cobra"
)

func (a *app) clientCommand() *cobra.Command {
	return noun("client", "List clients, and make the secret of a new one", `  apostille client new warehouse-portal --api warehouse --scope stock.read
  apostille client list`,
		a.clientNewCommand(), a.clientListCommand())
}

// newClient is a client to be added.
type newClient struct {
	ID     string   `json:"client_id"`
	Secret string   `json:"client_secret"` // shown once
	Grants []string `json:"grants"`
	API    string   `json:"api,omitempty"`
	Scopes []string `json:"scopes"`
	// Of an application.
	RedirectURIs []string `json:"redirect_uris,omitempty"`
	FirstParty   bool     `json:"first_party,omitempty"`
	TOML         string   `json:"toml"`
}

func (a *app) clientNewCommand() *cobra.Command {
	c := newClient{Scopes: []string{}}
	cmd := &cobra.Command{
		Use:   "new ID",
		Short: "Make a client secret, and print the lines that add the client",
		Long: `Makes a secret (256 bits) and prints it once, with the TOML lines to add: they hold its SHA-256 only. Nothing is written. To change
the secret of a client that exists, add the new hash beside the old one, hand the secret out, then drop the old hash.`,
		Example: `  apostille client new warehouse-portal --api warehouse --scope stock.read
  apostille client new ddstore --grant client_credentials --api warehouse --scope "stock.read stock.order"
  apostille client new portal --redirect-uri https://portal.example/callback --api warehouse --scope stock.read`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.ID = args[0]
			if len(c.RedirectURIs) > 0 && !cmd.Flags().Changed("grant") {
				c.Grants = []string{string(trust.GrantCode), string(trust.GrantRefresh)}
			}
			return a.clientNew(c)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.API, "api", "", "API it may get tokens for")
	f.StringArrayVar(&c.Scopes, "scope", nil, "scopes it may ever be given there, separated by spaces (repeatable)")
	f.StringArrayVar(&c.Grants, "grant", []string{string(trust.GrantTokenExchange)}, "one of "+strings.Join(trust.GrantNames(), ", ")+" (repeatable)")
	f.StringArrayVar(&c.RedirectURIs, "redirect-uri", nil, "where people return to after signing in to it (repeatable); its grants are then authorization_code and refresh_token")
	f.BoolVar(&c.FirstParty, "first-party", false, "with --redirect-uri: people are asked for no consent")
	return cmd
}

func (a *app) clientNew(c newClient) error {
	cfg, err := a.loadedIfAny()
	if err != nil {
		return err
	}
	c.Scopes = strings.Fields(strings.Join(c.Scopes, " "))
	if err := c.check(cfg); err != nil {
		return err
	}
	var hash string
	c.Secret, hash = newSecret()
	c.TOML = c.lines(hash)
	return a.print(c, func(w io.Writer) {
		fmt.Fprintf(w, "secret of client %s, shown once: %s\n\nadd to the configuration:\n\n%s", c.ID, c.Secret, c.TOML)
		if cfg != nil && c.replaces(cfg) {
			fmt.Fprintf(w, "\nclient %s exists: add only the new hash to its secret_sha256, beside the old one\n", c.ID)
		}
	})
}

// check refuses what the configuration would refuse when the lines are added.
func (c *newClient) check(cfg *config.Config) error {
	for _, g := range c.Grants {
		if !slices.Contains(trust.GrantNames(), g) {
			return usage("--grant must be one of %s, not %q", strings.Join(trust.GrantNames(), ", "), g)
		}
	}
	if c.FirstParty && len(c.RedirectURIs) == 0 {
		return usage("--first-party without --redirect-uri: nobody signs in to the client")
	}
	if c.API == "" && len(c.Scopes) > 0 {
		return usage("--scope without --api: scopes belong to an API")
	}
	if cfg == nil || c.API == "" {
		return nil
	}
	api, ok := cfg.Policy.APIs[c.API]
	if !ok {
		return usage("there is no api %q; the configuration has: %s", c.API, strings.Join(cfg.Registry.APIIDs(), ", "))
	}
	for _, scope := range c.Scopes {
		if _, ok := api.Scopes[scope]; !ok {
			return usage("api %s has no scope %q; it has: %s", c.API, scope, strings.Join(sortedKeys(api.Scopes), ", "))
		}
	}
	return nil
}

func (c *newClient) replaces(cfg *config.Config) bool {
	_, ok := cfg.Registry.Client(c.ID)
	return ok
}

func (c *newClient) lines(hash string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[client.%s]\nsecret_sha256 = [%q]\ngrants        = %s\n", tomlKey(c.ID), hash, tomlStrings(c.Grants))
	if c.API != "" {
		fmt.Fprintf(&b, "apis          = { %s = %s }\n", tomlKey(c.API), tomlStrings(c.Scopes))
	}
	if len(c.RedirectURIs) > 0 {
		fmt.Fprintf(&b, "redirect_uris = %s\n", tomlStrings(c.RedirectURIs))
	}
	if c.FirstParty {
		b.WriteString("first_party   = true\n")
	}
	return b.String()
}

// clientView is a client of the configuration.
type clientView struct {
	ID       string              `json:"client_id"`
	Name     string              `json:"name,omitempty"`
	Disabled bool                `json:"disabled"`
	Proof    string              `json:"authentication"`
	Grants   []string            `json:"grants"`
	APIs     map[string][]string `json:"apis"`
}

func (a *app) clientListCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the clients with their grants and registrations",
		Example: "  apostille client list\n  apostille client list --output json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := a.loaded()
			if err != nil {
				return err
			}
			all := clientsOf(cfg)
			return a.print(all, func(w io.Writer) { writeClients(w, all) })
		},
	}
}

func clientsOf(cfg *config.Config) []clientView {
	all := []clientView{}
	for _, id := range cfg.Registry.ClientIDs() {
		client, _ := cfg.Registry.Client(id)
		spec := client.Spec
		all = append(all, clientView{id, spec.Name, spec.Disabled, proof(cfg.Credentials[id]), spec.Grants, spec.APIs})
	}
	return all
}

func proof(c config.Credential) string {
	if c.JWKS != nil {
		return "private_key_jwt, " + count(len(c.JWKS.Keys()), "key")
	}
	return count(len(c.SecretSHA256), "secret")
}

func writeClients(w io.Writer, all []clientView) {
	rows := [][]string{{"ID", "AUTHENTICATION", "GRANTS", "REGISTRATION"}}
	for _, c := range all {
		id := c.ID
		if c.Disabled {
			id += " (disabled)"
		}
		var apis []string
		for _, api := range sortedKeys(c.APIs) {
			apis = append(apis, strings.TrimSuffix(api+": "+strings.Join(c.APIs[api], " "), ": "))
		}
		rows = append(rows, []string{id, c.Proof, strings.Join(c.Grants, " "), strings.Join(apis, "; ")})
	}
	table(w, rows)
}
