package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"apostille/broker/config"
	"apostille/upstream/federation"
	"apostille/upstream/fetch"

	"github.com/spf13/cobra"
)

func (a *app) federationCommand() *cobra.Command {
	return noun("federation", "Look at federations, find their members, and ask for new metadata", `  apostille federation list
  apostille federation search "university of twente"
  apostille federation refresh edu`,
		a.federationListCommand(), a.federationSearchCommand(), a.federationRefreshCommand())
}

// federationView is a federation with what is stored of its metadata.
type federationView struct {
	ID         string                `json:"id"`
	Source     string                `json:"source"`
	Members    int                   `json:"members"`
	LeftOut    map[string]int        `json:"left_out,omitempty"`
	Checked    *time.Time            `json:"checked,omitempty"` // when the source last gave or confirmed them
	Imported   *time.Time            `json:"imported,omitempty"`
	ValidUntil *time.Time            `json:"valid_until,omitempty"`
	Serving    bool                  `json:"serving"`
	Change     federation.Difference `json:"change"`
}

func viewOfStatus(s federation.Status) federationView {
	return federationView{
		ID: s.Federation, Source: s.Source, Members: s.Header.Members, LeftOut: s.Header.LeftOut, Checked: given(s.Checked),
		Imported: given(s.Header.Imported), ValidUntil: given(s.Header.Until), Serving: s.Serving, Change: s.Header.Change,
	}
}

func (a *app) federationListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the federations with the number, age and validity of their members",
		Long: `Lists every federation of the configuration with what is stored of its metadata: how many members, when the source last gave or confirmed
them, until when they are valid, and what the latest change was.`,
		Example: "  apostille federation list\n  apostille federation list --output json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := a.loaded()
			if err != nil {
				return err
			}
			all := []federationView{}
			for _, s := range a.membersOf(cfg).Status() {
				all = append(all, viewOfStatus(s))
			}
			return a.print(all, func(w io.Writer) { writeFederations(w, all, a.now()) })
		},
	}
}

func writeFederations(w io.Writer, all []federationView, now time.Time) {
	rows := [][]string{{"ID", "MEMBERS", "CHECKED", "VALID UNTIL", "LATEST CHANGE", "SOURCE"}}
	for _, f := range all {
		row := []string{f.ID, fmt.Sprint(f.Members), "never", "", f.Change.String(), f.Source}
		switch {
		case strings.HasPrefix(f.Source, "mdq:"):
			row[1], row[2], row[4] = "on demand", "", ""
		case f.Checked == nil:
			row[4] = ""
		default:
			row[2], row[3] = away(*f.Checked, now), stampOf(f.ValidUntil)
			if !f.Serving {
				row[3] += " (EXPIRED: none of its members is found)"
			}
		}
		rows = append(rows, row)
	}
	table(w, rows)
}

func (a *app) federationRefreshCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "refresh [ID]",
		Short: "Ask federations for their metadata now",
		Long: `Asks one federation, or all, for its metadata, verifies them, stores the members beside the store and prints what changed. A server that runs on the
same store takes them within two seconds. Whatever is wrong with the new ones, the last good ones stay. Exit 4 if the source did not answer.`,
		Example: "  apostille federation refresh\n  apostille federation refresh edu --output json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := a.loaded()
			if err != nil {
				return err
			}
			return a.refreshFederations(cmd.Context(), cfg, args)
		},
	}
}

// refreshed is how a refresh ended.
type refreshed struct {
	federationView
	Same  bool   `json:"same"` // the metadata did not change
	Error string `json:"error,omitempty"`
}

func (a *app) refreshFederations(ctx context.Context, cfg *config.Config, ids []string) error {
	if indexDir(cfg) == "" {
		return usage("with store.path = %q nothing is stored that a server could take", config.MemoryStore)
	}
	if len(ids) == 0 {
		ids = slices.Sorted(maps.Keys(cfg.Federations))
	}
	m := federation.New(federation.Config{Dir: indexDir(cfg), Client: aggregateGuard(cfg).Client, Now: a.now, Log: discard})
	m.Replace(cfg.Federations)
	all := []refreshed{}
	var failed error
	for _, id := range ids {
		src, ok := cfg.Federations[id]
		if !ok {
			return usage("there is no federation %q; `apostille federation list` lists them", id)
		}
		if src.MDQ != "" {
			continue // it is asked for one member at a time
		}
		o, err := m.Refresh(ctx, id)
		if err != nil {
			failed = worse(failed, fmt.Errorf("federation %s: %w", id, err))
		}
		all = append(all, refreshed{Same: o.Same, federationView: viewOfRefresh(m, id), Error: textOf(err)})
	}
	return errors.Join(a.print(all, func(w io.Writer) { writeRefreshed(w, all) }), failed)
}

func viewOfRefresh(m *federation.Federations, id string) federationView {
	for _, s := range m.Status() {
		if s.Federation == id {
			return viewOfStatus(s)
		}
	}
	return federationView{ID: id}
}

// worse is the first failure; that a source cannot be reached tells less than that what it gave cannot be used.
func worse(had, err error) error {
	var down *fetch.Error
	if errors.As(err, &down) && had == nil {
		return &exit{exitReach, err}
	}
	var e *exit
	if had == nil || errors.As(had, &e) {
		return err
	}
	return had
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func writeRefreshed(w io.Writer, all []refreshed) {
	for _, r := range all {
		switch {
		case r.Error != "":
			fmt.Fprintf(w, "%s: NOT TAKEN: %s; %d members stay\n", r.ID, printable(r.Error), r.Members)
			continue
		case r.Same:
			fmt.Fprintf(w, "%s: not changed, %d members, valid until %s\n", r.ID, r.Members, stampOf(r.ValidUntil))
			continue
		}
		fmt.Fprintf(w, "%s: %d members, valid until %s: %s\n", r.ID, r.Members, stampOf(r.ValidUntil), r.Change)
		for _, line := range r.Change.Names {
			fmt.Fprintln(w, "  "+printable(line))
		}
		for _, why := range slices.Sorted(maps.Keys(r.LeftOut)) {
			fmt.Fprintf(w, "  left out: %d, %s\n", r.LeftOut[why], why)
		}
	}
}
