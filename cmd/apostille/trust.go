package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"apostille/broker/config"
	"apostille/trust"
	"apostille/trust/jose"

	"github.com/spf13/cobra"
)

func (a *app) trustCommand() *cobra.Command {
	return noun("trust", "Look at trust relationships, try them, and prepare new ones", `  apostille trust list
  apostille trust test head-office --subject-token @token.jwt
  apostille trust import oidc https://idp.hq.hmart.example --id head-office
  apostille trust expiring --within 30d`,
		a.trustListCommand(), a.trustShowCommand(), a.trustTestCommand(), a.trustImportCommand(), a.trustExpiringCommand())
}

// trustView is a trust with what is known of its keys on this machine.
type trustView struct {
	config.TrustSummary
	KeyStatus string     `json:"key_status"`
	Fetched   *time.Time `json:"fetched,omitempty"` // when the stored set was fetched
	KeyList   []keyInfo  `json:"key_list"`
}

func (a *app) trustListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the trusts with issuer, uses, keys and rules",
		Long: `Lists every trust of the configuration, disabled ones too. The state of fetched keys is that of the last good set in the store, which a
running server keeps.`,
		Example: "  apostille trust list\n  apostille trust list --output json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := a.trusts(cmd.Context())
			if err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) { writeTrusts(w, all) })
		},
	}
}

func writeTrusts(w io.Writer, all []trustView) {
	rows := [][]string{{"ID", "ISSUER", "TAKES", "RULES", "KEYS FROM", "KEYS"}}
	for _, t := range all {
		id := t.ID
		if t.Disabled {
			id += " (disabled)"
		}
		rows = append(rows, []string{id, t.Issuer, takesWords(t.Takes), fmt.Sprint(len(t.Rights)), sourceWord(t.Keys), t.KeyStatus})
	}
	table(w, rows)
}

// sourceWord is the kind of a key source: discovery, jwks_url or files.
func sourceWord(source string) string {
	kind, _, _ := strings.Cut(source, ":")
	if kind == "static" {
		return "files"
	}
	return kind
}

func (a *app) trustShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "Show one trust: what it takes, its keys, and who gets what",
		Example: "  apostille trust show head-office\n  apostille trust show head-office --output json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := a.trusts(cmd.Context())
			if err != nil {
				return err
			}
			for _, t := range all {
				if t.ID == args[0] {
					return a.print(t, t.write)
				}
			}
			return noTrust(args[0])
		},
	}
}

func noTrust(id string) error {
	return usage("there is no trust %q; `apostille trust list` lists them", id)
}

func (t trustView) write(w io.Writer) {
	name := t.Name
	if name == "" {
		name = t.ID
	}
	state := "live"
	if t.Disabled {
		state = "disabled: all of it is refused"
	}
	table(w, [][]string{
		{"trust", t.ID}, {"name", name}, {"state", state}, {"issuer", t.Issuer}, {"takes", takesWords(t.Takes)},
		{"key source", t.Keys}, {"keys", t.KeyStatus},
	})
	if t.SignIn != "" {
		fmt.Fprintf(w, "people sign in with it (%s)\n", t.SignIn)
	}
	for _, k := range t.KeyList {
		fmt.Fprintln(w, "  key", k)
	}
	fmt.Fprintln(w, "\nwho may get what")
	rows := [][]string{{"  RULE", "CLIENT", "API", "SCOPES", "LIFETIME", "CONDITIONS"}}
	for _, r := range t.Rights {
		client := r.Client
		if client == "" {
			client = "(unauthenticated)"
		}
		rows = append(rows, []string{"  " + r.Rule, client, r.API, joinWords(r.Scopes), r.Lifetime, joinAnd(r.Conditions)})
	}
	if len(rows) == 1 {
		rows = [][]string{{"  nobody anything"}}
	}
	table(w, rows)
}

// trusts lists the trusts with the state of their keys.
func (a *app) trusts(ctx context.Context) ([]trustView, error) {
	cfg, err := a.loaded()
	if err != nil {
		return nil, err
	}
	st, err := a.openToLook(ctx, cfg)
	if err != nil && !errors.Is(err, errNoStore) {
		return nil, err
	}
	if st != nil {
		defer func() { _ = st.Close() }() // it was only read
	}
	all := []trustView{}
	for _, summary := range config.Summarize(cfg).Trusts {
		t := trustView{TrustSummary: summary, KeyList: []keyInfo{}}
		if err := a.keyStatus(ctx, cfg, st, &t); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// keyStatus says which keys a server would find without asking anybody.
func (a *app) keyStatus(ctx context.Context, cfg *config.Config, st storeReader, t *trustView) error {
	src, foreign := cfg.Keys[t.ID]
	switch {
	case strings.HasPrefix(t.Keys, "federation:"):
		t.KeyStatus = "in the metadata of the federation"
		return nil
	case !foreign || t.ID == trust.Local:
		t.KeyStatus = "the broker's own"
		return nil
	case src.Static != nil:
		t.KeyList = keyInfos(src.Static)
		t.KeyStatus = count(len(t.KeyList), "key") + " in the files"
		return nil
	case st == nil:
		t.KeyStatus = "not fetched: there is no store"
		return nil
	case src.StoredAs() == "":
		t.KeyStatus = "never stored"
		return nil
	}
	set, found, err := st.LoadKeySet(ctx, src.StoredAs())
	if err != nil {
		return err
	}
	if !found {
		t.KeyStatus = "not fetched yet"
		return nil
	}
	parsed, _, err := jose.ParseJWKS(set.JWKS, src.Algs)
	if err != nil {
		t.KeyStatus = "the stored set has no usable key: " + err.Error()
		return nil
	}
	t.KeyList, t.Fetched = keyInfos(parsed), &set.Fetched
	t.KeyStatus = count(len(t.KeyList), "key") + " fetched " + away(set.Fetched, a.now())
	if stale := src.MaxStale; stale > 0 && a.now().Sub(set.Fetched) > stale {
		t.KeyStatus += ", too old to serve (max_stale " + span(stale) + ")"
	}
	return nil
}
