package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"apostille/broker/audit"

	"github.com/spf13/cobra"
)

func (a *app) auditCommand() *cobra.Command {
	return noun("audit", "Search the record of decisions", "  apostille audit search --id CORRELATION-ID\n  apostille audit search --client warehouse-portal --since 2d",
		a.auditSearchCommand())
}

func (a *app) auditSearchCommand() *cobra.Command {
	var f audit.Filter
	since, until := momentFlag{now: a.now}, momentFlag{now: a.now}
	cmd := &cobra.Command{
		Use:   "search [FILE]",
		Short: "Find decisions: by correlation id, client, trust, subject, reason or time",
		Long: `Reads the audit file of the configuration, or FILE (- is standard input, for rotated and collected files), and prints the decisions
that agree with every flag. The whole reason of a refusal stands there, under the id that the client was given.
Lines that are no records, such as one torn by a crash, are told on standard error and passed over.`,
		Example: `  apostille audit search --id 7mzvw3k5q2…
  apostille audit search --client warehouse-portal --reason conditions_not_met --since 2d
  zcat audit.jsonl.1.gz | apostille audit search - --sub l3cX… --output json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f.Since, f.Until = since.Time, until.Time
			return a.auditSearch(f, args)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.ID, "id", "", "correlation id")
	flags.StringVar(&f.Client, "client", "", "client_id, or trust:ID for an unauthenticated exchange")
	flags.StringVar(&f.Trust, "trust", "", "trust")
	flags.StringVar(&f.Subject, "sub", "", "our subject")
	flags.StringVar(&f.Reason, "reason", "", "reason code of a refusal")
	flags.Var(&since, "since", "from this time on: RFC 3339, a date, or 2d for two days ago")
	flags.Var(&until, "until", "before this time")
	return cmd
}

func (a *app) auditSearch(f audit.Filter, args []string) error {
	from, err := a.auditTrail(args)
	if err != nil {
		return err
	}
	defer func() { _ = from.Close() }() // it was only read
	found := []audit.Event{}
	for event, err := range audit.Search(from, f) {
		switch {
		case errors.Is(err, audit.ErrLine):
			fmt.Fprintln(a.stderr, err)
		case err != nil:
			return err
		default:
			found = append(found, event)
		}
	}
	return a.print(found, func(w io.Writer) { writeEvents(w, found) })
}

// auditTrail opens what to search in.
func (a *app) auditTrail(args []string) (io.ReadCloser, error) {
	if len(args) == 1 && args[0] == "-" {
		return io.NopCloser(a.stdin), nil
	}
	if len(args) == 1 {
		f, err := os.Open(args[0])
		if err != nil {
			return nil, usage("%w", err)
		}
		return f, nil
	}
	cfg, err := a.loaded()
	if err != nil {
		return nil, err
	}
	if cfg.Audit.File == "-" {
		return nil, usage("the audit trail goes to the server's standard output: name the FILE it is collected in, or - for standard input")
	}
	f, err := os.Open(cfg.Audit.File)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: the server makes it at its first start", err)
	}
	return f, err
}

func writeEvents(w io.Writer, found []audit.Event) {
	if len(found) == 0 {
		fmt.Fprintln(w, "no decision agrees with all of that")
		return
	}
	rows := [][]string{{"TIME", "ID", "EVENT", "CLIENT", "TRUST", "GRANTED OR REASON"}}
	for _, e := range found {
		outcome := strings.Join(e.Granted, " ")
		if e.Reason != "" {
			outcome = e.Reason + ": " + e.Detail
		}
		rows = append(rows, []string{stamp(e.Time), e.ID, e.Event, e.Client, e.Trust, outcome})
	}
	table(w, rows)
}
