package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"apostille/broker/keyring"
	"apostille/broker/store"

	"github.com/spf13/cobra"
)

func (a *app) keysCommand() *cobra.Command {
	return noun("keys", "Look at the broker's signing keys and change them", `  apostille keys list
  apostille keys rotate --alg ES256
  apostille keys retire KID --yes`,
		a.keysListCommand(), a.keysRotateCommand(), a.keysRetireCommand())
}

// signingKey is one of the broker's keys.
type signingKey struct {
	Kid     string        `json:"kid"`
	Use     string        `json:"use"`
	Alg     string        `json:"alg"`
	State   keyring.State `json:"state"`
	Created time.Time     `json:"created"`
	Active  *time.Time    `json:"active_at,omitempty"` // signs from
	Retire  *time.Time    `json:"retire_at,omitempty"` // stops signing
	Gone    *time.Time    `json:"gone_at,omitempty"`   // leaves the published set
}

func (a *app) keysListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the signing keys and where each is in its life",
		Long: `Lists the signing keys in the store. standby: published, not scheduled; scheduled: signs from the time shown; active: signs;
retiring: published until its last token has expired.`,
		Example: "  apostille keys list\n  apostille keys list --output json",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.keysList(cmd.Context()) },
	}
}

func (a *app) keysList(ctx context.Context) error {
	list, err := a.storedKeys(ctx)
	if err != nil {
		return err
	}
	return a.showKeys(list)
}

// storedKeys reads the signing keys, and changes nothing.
func (a *app) storedKeys(ctx context.Context) ([]store.Key, error) {
	cfg, err := a.loaded()
	if err != nil {
		return nil, err
	}
	st, err := a.openToLook(ctx, cfg)
	if err != nil {
		return nil, err
	}
	list, err := st.ListKeys(ctx)
	return list, errors.Join(err, st.Close())
}

func (a *app) showKeys(list []store.Key) error {
	now := a.now()
	all := []signingKey{}
	for _, k := range list {
		all = append(all, signingKey{
			Kid: k.ID, Use: k.Purpose, Alg: k.Alg, State: keyring.StateOf(k, now), Created: k.Created,
			Active: given(k.ActiveAt), Retire: given(k.RetireAt), Gone: given(k.GoneAt),
		})
	}
	slices.SortStableFunc(all, func(a, b signingKey) int { return strings.Compare(a.Use+a.Alg, b.Use+b.Alg) })
	return a.print(all, func(w io.Writer) {
		rows := [][]string{{"KID", "USE", "ALG", "STATE", "CREATED", "SIGNS FROM", "SIGNS UNTIL", "PUBLISHED UNTIL"}}
		for _, k := range all {
			rows = append(rows, []string{k.Kid, k.Use, k.Alg, string(k.State), stamp(k.Created), stampOf(k.Active), stampOf(k.Retire), stampOf(k.Gone)})
		}
		table(w, rows)
	})
}

// given is nil for the zero time, which JSON would print as the year 1.
func given(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func stampOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return stamp(*t)
}

func (a *app) keysRotateCommand() *cobra.Command {
	var algs []string
	var use string
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Schedule the next signing key",
		Long: `Schedules the standby key to sign once it has been published for 24 hours, the active key to stop then, and makes a new standby. APIs
notice nothing: the old key stays published until its last token has expired. A running server follows within 2 s.

Keys for SAML (--use saml-signing, saml-encryption) change by this command only. The next one stands in our metadata beside the old one for
7 days before it is used: tell offices that do not fetch the metadata by themselves.`,
		Example: "  apostille keys rotate\n  apostille keys rotate --alg ES256\n  apostille keys rotate --use saml-signing",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := purposeOf(use)
			if err != nil {
				return err
			}
			for _, alg := range algs {
				if !slices.Contains(p.Algs, alg) {
					return usage("--alg must be one of %s, not %q", strings.Join(p.Algs, ", "), alg)
				}
			}
			return a.withRing(cmd.Context(), p, func(ring *keyring.Ring) error {
				list, err := ring.Rotate(cmd.Context(), algs...)
				if err != nil {
					return err
				}
				return a.showKeys(list)
			})
		},
	}
	cmd.Flags().StringArrayVar(&algs, "alg", nil, "algorithm: ES256, RS256 or EdDSA (repeatable; default all)")
	cmd.Flags().StringVar(&use, "use", keyring.Tokens.Name, "what the keys are for: token, saml-signing or saml-encryption")
	return cmd
}

// purposeOf finds what keys are for by its name.
func purposeOf(name string) (keyring.Purpose, error) {
	var names []string
	for _, p := range keyring.Purposes {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return keyring.Purpose{}, usage("--use must be one of %s, not %q", strings.Join(names, ", "), name)
}

// retireWarning is what an admin confirms.
const retireWarning = `RETIRING KEY %s AT ONCE.
  Every token it has signed stops verifying, as soon as an API fetches the key set again (5 minutes with our middleware; some
  gateways keep keys for hours, and accept its tokens until then).
  If it is the active key, the standby signs from now on. APIs that cached the key set without it refuse new tokens until they
  fetch it again.
  This cannot be undone. It is for a key that may be in other hands; otherwise use: apostille keys rotate
`

// retireSAMLWarning is that for keys of SAML.
const retireSAMLWarning = `RETIRING KEY %s AT ONCE.
  Offices that know us by its certificate refuse our requests and logouts, or encrypt what nobody can read any more, until they have our
  metadata again: tell those that do not fetch it by themselves.
  This cannot be undone. It is for a key that may be in other hands; otherwise use: apostille keys rotate --use %s
`

func (a *app) keysRetireCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "retire KID",
		Short: "Take a signing key out at once, in an emergency",
		Long: `Takes a key out of use and out of the published set at once: its tokens stop verifying. For a key that may be in other hands. It says
what breaks, and does nothing without --yes.`,
		Example: "  apostille keys retire Qm9f…        say what would break\n  apostille keys retire Qm9f… --yes",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.keysRetire(cmd.Context(), args[0], yes) },
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	return cmd
}

func (a *app) keysRetire(ctx context.Context, kid string, yes bool) error {
	list, err := a.storedKeys(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(list, func(k store.Key) bool { return k.ID == kid })
	if i < 0 {
		return usage("no signing key has the kid %q; `apostille keys list` lists them", kid)
	}
	p, err := purposeOf(list[i].Purpose)
	if err != nil {
		return err
	}
	if p.Certified {
		fmt.Fprintf(a.stderr, retireSAMLWarning, kid, p.Name)
	} else {
		fmt.Fprintf(a.stderr, retireWarning, kid)
	}
	if !yes {
		return usage("nothing was changed: add --yes to do it")
	}
	return a.withRing(ctx, p, func(ring *keyring.Ring) error {
		list, err := ring.Retire(ctx, kid)
		if err != nil {
			return err
		}
		return a.showKeys(list)
	})
}
