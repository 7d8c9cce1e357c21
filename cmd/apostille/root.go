package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"apostille/broker/config"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Exit codes of every command.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2 // usage, or invalid configuration
	exitRefused = 3 // refused by policy
	exitReach   = 4 // cannot reach
)

// exit is an error with an exit code. A nil err says that all has been told already.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

func usage(format string, args ...any) error { return &exit{exitUsage, fmt.Errorf(format, args...)} }

// app is what every command shares.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	configs        []string
	output         string
}

// run is the program: tests and the demo call it as main does.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(stderr, "apostille:", text)
	}
	var e *exit
	var issues config.Issues
	switch {
	case errors.As(err, &e):
		return e.code
	case errors.As(err, &issues):
		return exitUsage
	}
	return exitFailure
}

// root makes the command tree: the frequent ones at the top, then noun and verb.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "apostille",
		Short: "Exchange credentials of other security domains for local tokens, narrowed by rules in TOML",
		Long: `Apostille makes a foreign credential valid at home: it verifies a token of another security domain, decides by rules
in TOML what it is worth here, and issues a local access token for exactly that.`,
		Example: `  apostille demo                     see it work, on this machine only
  apostille init && apostille serve  start a broker
  apostille check                    who may get what, and every fault of the configuration`,
		SilenceUsage: true, SilenceErrors: true,
		Version:           version(),
		PersistentPreRunE: a.environment,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown command %q; see apostille --help", args[0])
			}
			return cmd.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	flags := root.PersistentFlags()
	flags.StringArrayVarP(&a.configs, "config", "c", []string{"apostille.toml"}, "configuration file (repeatable); trust.d/*.toml beside it is read too")
	flags.StringVar(&a.output, "output", "text", "text or json")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exit{exitUsage, err} })
	root.AddCommand(a.commands()...)
	return root
}

// environment fills flags that were not given from APOSTILLE_…: flag over environment over file.
func (a *app) environment(cmd *cobra.Command, _ []string) error {
	var err error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := "APOSTILLE_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value, ok := os.LookupEnv(name); ok && !f.Changed && err == nil {
			if e := f.Value.Set(value); e != nil {
				err = usage("%s: %w", name, e)
			}
		}
	})
	if err == nil && a.output != "text" && a.output != "json" {
		err = usage("--output must be text or json, not %q", a.output)
	}
	return err
}

// print writes v as JSON if asked to, else calls text.
func (a *app) print(v any, text func(io.Writer)) error {
	if a.output != "json" {
		text(a.stdout)
		return nil
	}
	enc := json.NewEncoder(a.stdout)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// load reads the configuration.
func (a *app) load() (*config.Config, error) { return config.Load(a.configs...) }

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return info.Main.Version
}
