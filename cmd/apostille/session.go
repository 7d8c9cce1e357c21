package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"apostille/broker/config"
	"apostille/broker/keyring"
	"apostille/broker/logout"
	"apostille/broker/mint"
	"apostille/broker/store"

	"github.com/spf13/cobra"
)

// maxSessions is how many sessions are listed.
const maxSessions = 1000

func (a *app) sessionCommand() *cobra.Command {
	return noun("session", "List who is signed in, and sign people out", `  apostille session list --trust head-office
  apostille session revoke --sub l3cX…`,
		a.sessionListCommand(), a.sessionRevokeCommand(), a.sessionLogoutsCommand())
}

// whose are the flags that select sessions.
type whose struct{ id, trust, sub string }

func (q *whose) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&q.id, "id", "", "the session of this ID, as list prints it")
	f.StringVar(&q.trust, "trust", "", "people of this trust")
	f.StringVar(&q.sub, "sub", "", "this subject, ours, as in tokens and in the audit record")
}

// check wants a selection: everybody is never meant by leaving it out.
func (q *whose) check(cfg *config.Config) error {
	if *q == (whose{}) {
		return usage("say whose: --id, --trust or --sub")
	}
	if _, ok := cfg.Registry.Trust(q.trust); q.trust != "" && !ok {
		return usage("there is no trust %q", q.trust)
	}
	return nil
}

func (q *whose) sessions() store.SessionQuery {
	return store.SessionQuery{ID: q.id, Trust: q.trust, Sub: q.sub}
}

// sessionView is one person of a session.
type sessionView struct {
	ID       string    `json:"id"`
	Trust    string    `json:"trust"`
	Sub      string    `json:"sub"`
	Agent    string    `json:"agent,omitempty"`
	Remote   string    `json:"remote,omitempty"`
	SignedIn time.Time `json:"signed_in"`
	Seen     time.Time `json:"seen"`
	Until    time.Time `json:"until"`
}

func (a *app) sessionListCommand() *cobra.Command {
	var q whose
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List who is signed in",
		Long:  fmt.Sprintf("Lists living sessions, the newest first, one line for each person of a session; at most %d sessions.", maxSessions),
		Example: `  apostille session list --trust head-office
  apostille session list --sub l3cX… --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(cfg *config.Config, st store.Store) error {
				if err := q.check(cfg); err != nil {
					return err
				}
				list, err := st.ListSessions(cmd.Context(), q.sessions(), maxSessions)
				if err != nil {
					return err
				}
				return a.showSessions(list)
			})
		},
	}
	q.flags(cmd)
	return cmd
}

func (a *app) showSessions(list []store.Session) error {
	all := []sessionView{}
	rows := [][]string{{"ID", "TRUST", "SUB", "BROWSER", "SIGNED IN", "LAST USED"}}
	for _, s := range list {
		for _, i := range s.Identities {
			all = append(all, sessionView{s.ID, i.Trust, i.Sub, s.Agent, s.Remote, i.SignedIn, s.Seen, i.Until})
			rows = append(rows, []string{s.ID, i.Trust, i.Sub, s.Agent, stamp(i.SignedIn), stamp(s.Seen)})
		}
	}
	return a.print(all, func(w io.Writer) {
		if len(all) == 0 {
			fmt.Fprintln(w, "nobody is signed in")
			return
		}
		table(w, rows)
	})
}

// revoked is what session revoke answers.
type revoked struct {
	Sessions     int `json:"sessions"`     // ended, or left by the people meant
	Families     int `json:"families"`     // of refresh and access tokens
	Applications int `json:"applications"` // that a running server tells
}

func (a *app) sessionRevokeCommand() *cobra.Command {
	var q whose
	cmd := &cobra.Command{
		Use:   "revoke",
		Short: "Sign people out",
		Long: `Ends sessions and what began in them, at once: refresh tokens are refused from now on, access tokens at userinfo, introspection and in
exchanges too; APIs that verify locally accept theirs until they expire. A running server tells the applications. People can sign in again:
"subject block" keeps somebody out.`,
		Example: `  apostille session revoke --sub l3cX…
  apostille session revoke --trust head-office
  apostille session revoke --id 9fGk…`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withStore(cmd.Context(), func(cfg *config.Config, st store.Store) error {
				if err := q.check(cfg); err != nil {
					return err
				}
				done, err := a.revoke(cmd.Context(), cfg, st, q)
				if err != nil {
					return err
				}
				return a.print(done, func(w io.Writer) {
					fmt.Fprintf(w, "%d sessions and %d families of tokens ended; %d applications are to be told\n", done.Sessions, done.Families, done.Applications)
				})
			})
		},
	}
	q.flags(cmd)
	return cmd
}

func (a *app) revoke(ctx context.Context, cfg *config.Config, st store.Store, q whose) (revoked, error) {
	kek, err := keyring.ReadKEKFile(cfg.KeyFile)
	if err != nil {
		return revoked{}, &exit{exitUsage, err}
	}
	sessions, families, err := st.EndSessions(ctx, q.sessions())
	if err != nil {
		return revoked{}, err
	}
	if q.id == "" { // refresh tokens may outlive the session they began in
		more, err := st.EndFamilies(ctx, store.FamilyQuery{Trust: q.trust, Sub: q.sub}, "revoked")
		if err != nil {
			return revoked{}, err
		}
		families = append(families, more...)
	}
	tell := &logout.Deliveries{
		Store: st, Registry: func() logout.Registry { return cfg.Registry }, Now: a.now, Log: discard,
		Minter: &mint.Minter{Issuer: cfg.Issuer, Salt: kek.Derive(pairwiseLabel)}, // it names people; the server makes the tokens
	}
	told, err := tell.Ended(ctx, sessions, families)
	return revoked{len(sessions), len(families), len(told)}, err
}
