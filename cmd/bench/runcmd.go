package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
)

// part is one measurement of a run.
type part struct {
	name    string
	broker  bool // needs the broker
	measure func(*rig, context.Context) error
}

var parts = []part{
	{"floor", false, (*rig).measureFloor},
	{"exchange", true, (*rig).measureExchange},
	{"assertion", true, (*rig).measureAssertion},
	{"claims", false, (*rig).measureClaims},
	{"jwks", true, (*rig).measureJWKS},
	{"growth", true, (*rig).measureGrowth},
	{"start", true, (*rig).measureStart},
	{"flood", true, (*rig).measureFlood},
	{"federation", true, (*rig).measureFederation},
}

// runAll measures the chosen parts and prints figures beside their bars.
func runAll(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(stderr)
	chosen := flags.String("parts", strings.Join(names, ","), "what to measure, separated by commas")
	n := flags.Int("n", 10000, "exchanges of one round, each with a token of its own")
	rounds := flags.Int("rounds", 5, "interleaved rounds; medians are printed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	want := strings.Split(*chosen, ",")
	for _, name := range want {
		if !slices.Contains(names, name) {
			return fmt.Errorf("-parts: %q is none of %s", name, strings.Join(names, ", "))
		}
	}
	dir, err := os.MkdirTemp("", "apostille-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Fprintf(stdout, "%s, %d CPUs\n", runtime.Version(), runtime.NumCPU())
	r, err := newRig(dir, *n, *rounds, stdout)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if !slices.Contains(want, p.name) {
			continue
		}
		if p.broker && r.broker == "" {
			if err := r.buildBroker(ctx); err != nil {
				return err
			}
		}
		if err := p.measure(r, ctx); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	r.report.end()
	return nil
}
