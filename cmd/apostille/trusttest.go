package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"apostille/broker/config"
	"apostille/exchange"
	"apostille/trust"
	"apostille/upstream/oidc"

	"github.com/spf13/cobra"
)

// trial is a token to be verified under one trust.
type trial struct {
	id        string
	client    string
	token     string
	tokenType string
	at        momentFlag
}

func (a *app) trustTestCommand() *cobra.Command {
	q := &trial{at: momentFlag{now: a.now}}
	cmd := &cobra.Command{
		Use:   "test ID",
		Short: "Verify a token under one trust, with keys asked now, and say each check",
		Long: `Verifies a token as the server would, with the keys that the trust's source gives now, and decides nothing: explain does that.
Verification wants a rule that names the client; without --client, the first client that the trust's rules name stands in.
Exit 3 if it does not verify, 4 if the keys cannot be had.`,
		Example: `  apostille trust test head-office --subject-token @token.jwt
  apostille trust test head-office --subject-token - --subject-token-type id_token < id.jwt`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q.id = args[0]
			return a.trustTest(cmd.Context(), q)
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.client, "client", "", "client that would ask (default: the first that the rules name)")
	f.StringVar(&q.token, "subject-token", "", "the token: @FILE, - for standard input, or text")
	f.StringVar(&q.tokenType, "subject-token-type", "jwt", "jwt, id_token or saml2")
	f.Var(&q.at, "at", "verify for another moment (default now)")
	return cmd
}

// tried is what trust test answers.
type tried struct {
	Trust  string       `json:"trust"`
	Client string       `json:"client"`
	OK     bool         `json:"ok"`
	Reason trust.Reason `json:"reason,omitempty"`
	Detail string       `json:"detail,omitempty"`
	Remedy string       `json:"remedy,omitempty"`
	Checks []checkView  `json:"checks"`
	Sub    string       `json:"sub,omitempty"`
}

func (a *app) trustTest(ctx context.Context, q *trial) error {
	if q.token == "" {
		return usage("--subject-token is missing: give @FILE, - for standard input, or the text itself")
	}
	raw, err := a.credential(q.token)
	if err != nil {
		return err
	}
	kinds := map[string]trust.CredentialType{"jwt": trust.CredentialJWT, "id_token": trust.CredentialIDToken, "saml2": trust.CredentialSAML2}
	want := oidc.Want{Type: kinds[q.tokenType]}
	if want.Type == "" {
		return usage("--subject-token-type must be jwt, id_token or saml2, not %q", q.tokenType)
	}
	cfg, err := a.loaded()
	if err != nil {
		return err
	}
	if _, ok := cfg.Registry.Trust(q.id); !ok || q.id == trust.Local {
		return noTrust(q.id)
	}
	if want.Client, err = standIn(cfg, q); err != nil {
		return err
	}
	supply := a.onlineSupply(cfg, nil)
	var subject trust.Subject
	if want.Type == trust.CredentialSAML2 {
		subject, err = supply.assertionsAt(a.clock(q.at)).Assertion(ctx, cfg.Registry, raw, want.Client)
	} else {
		subject, err = supply.verifierAt(a.clock(q.at)).Verify(ctx, cfg.Registry, raw, want)
	}
	return a.showTrial(q.id, want.Client, subject, err)
}

// standIn finds a client that a rule of the trust names; "" stands for an unauthenticated rule.
func standIn(cfg *config.Config, q *trial) (string, error) {
	if q.client != "" {
		return q.client, nil
	}
	for _, access := range cfg.Registry.Access() {
		if access.Trust == q.id && access.API != trust.UserInfo {
			return access.Client, nil
		}
	}
	return "", usage("trust %s is disabled, or no rule of it names a live client: enable it and write a [[trust.%s.grant]] first", q.id, q.id)
}

func (a *app) showTrial(id, client string, subject trust.Subject, err error) error {
	out := tried{Trust: id, Client: client, OK: err == nil, Checks: []checkView{}, Sub: subject.Sub}
	checks, code := subject.Checks, exitRefused
	if err != nil {
		refusal := exchange.AsRefusal(err)
		checks, out.Reason, out.Detail, out.Remedy = refusal.Checks, refusal.Reason, refusal.Detail, exchange.Remedy(refusal.Reason)
		if refusal.Reason == trust.ReasonKeysUnavailable {
			code = exitReach
		}
	}
	for _, c := range checks {
		out.Checks = append(out.Checks, checkView(c))
	}
	if out.OK && subject.Trust != id {
		out.OK, out.Reason = false, trust.ReasonIssuerUnknown
		out.Detail = fmt.Sprintf("it verifies under trust %s, not %s", subject.Trust, id)
		out.Remedy = "test it under that trust, or tell the two apart by issuer, audience or token type"
	}
	err = a.print(out, out.write)
	if !out.OK {
		return errors.Join(err, &exit{code, nil})
	}
	return err
}

func (t tried) write(w io.Writer) {
	var rows [][]string
	for _, c := range t.Checks {
		rows = append(rows, []string{okWord(c.OK), c.Name, c.Detail})
	}
	table(w, rows)
	if t.OK {
		fmt.Fprintf(w, "\nverified under trust %s; sub %s\n", t.Trust, t.Sub)
		return
	}
	fmt.Fprintf(w, "\nNOT verified: %s: %s\n  - %s\n", t.Reason, printable(t.Detail), t.Remedy)
}
