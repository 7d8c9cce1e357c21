package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"apostille/broker/config"

	"github.com/spf13/cobra"
)

func (a *app) checkCommand() *cobra.Command {
	var online bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Find every fault of the configuration, and say who may get what from whom",
		Long: `Loads the configuration exactly as the server does. Faults are told all at once, each with file, line and remedy (exit 2).
With --online each discovery document and key set is fetched as the server would fetch it; exit 4 if one cannot be had.`,
		Example: `  apostille check
  apostille check --online
  apostille check --config /etc/apostille/apostille.toml --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.check(cmd.Context(), online) },
	}
	cmd.Flags().BoolVar(&online, "online", false, "fetch discovery documents and key sets too")
	return cmd
}

// checked is what check answers.
type checked struct {
	OK      bool            `json:"ok"`
	Issues  config.Issues   `json:"issues"`
	Summary *config.Summary `json:"summary,omitempty"`
	Online  []probe         `json:"online,omitempty"`
}

func (a *app) check(ctx context.Context, online bool) error {
	cfg, err := a.loaded()
	var issues config.Issues
	if errors.As(err, &issues) && a.output == "json" {
		return errors.Join(a.print(checked{Issues: issues}, nil), &exit{exitUsage, nil})
	}
	if err != nil {
		return err
	}
	summary := config.Summarize(cfg)
	answer := checked{OK: true, Issues: config.Issues{}, Summary: &summary}
	if online {
		answer.Online = a.askAll(ctx, cfg)
	}
	code := exitOK
	for _, p := range answer.Online {
		if p.Unreachable {
			code = exitReach
		} else if !p.OK && code == exitOK {
			code = exitFailure
		}
	}
	answer.OK = code == exitOK
	err = a.print(answer, func(w io.Writer) {
		_ = summary.WriteText(w) // a closed pipe: there is nobody left to tell
		if online {
			fmt.Fprintln(w, "\nonline")
		}
		for _, p := range answer.Online {
			p.write(w)
		}
	})
	if code != exitOK {
		return errors.Join(err, &exit{code, nil})
	}
	return err
}

// askAll asks every trust's key source, disabled ones too: that is how one is tried before it is live.
func (a *app) askAll(ctx context.Context, cfg *config.Config) []probe {
	guard := guardFor(cfg)
	all := []probe{}
	for _, id := range slices.Sorted(maps.Keys(cfg.Keys)) {
		fmt.Fprintf(a.stderr, "asking for the keys of trust %s\n", id)
		p := ask(ctx, guard, cfg.Keys[id])
		p.Trust = id
		all = append(all, p)
	}
	return all
}
