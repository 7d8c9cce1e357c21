package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"apostille/broker/config"
	"apostille/upstream/federation"

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

// defaultConfig is read when --config names nothing.
const defaultConfig = "apostille.toml"

// app is what every command shares.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time
	configs        []string
	output         string
	stdinUser      string                  // what read standard input
	members        *federation.Federations // as stored; see membersOf
}

// run is the program: tests and the demo call it as main does.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, now: time.Now}
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
	flags.StringArrayVarP(&a.configs, "config", "c", []string{defaultConfig}, "configuration file (repeatable); trust.d/*.toml beside it is read too")
	flags.StringVar(&a.output, "output", "text", "text or json")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("%w; see %s --help (an argument that begins with - goes after --)", err, cmd.CommandPath())
	})
	root.AddCommand(a.commands()...)
	strictArgs(root)
	return root
}

// strictArgs makes wrong arguments a usage error with the way out, everywhere.
func strictArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usage("%w; see %s --help", err, cmd.CommandPath())
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		strictArgs(sub)
	}
}

// noun groups verbs; alone it shows them.
func noun(name, short, example string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: name, Short: short, Example: example, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("unknown command %q; see %s --help", cmd.CommandPath()+" "+args[0], cmd.CommandPath())
			}
			return cmd.Help()
		},
	}
	cmd.AddCommand(verbs...)
	return cmd
}

// environment fills flags that were not given from APOSTILLE_…: flag over environment over file.
func (a *app) environment(cmd *cobra.Command, _ []string) error {
	var err error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "yes" || f.Name == "help" {
			return // a confirmation is given each time
		}
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

// loaded is load for commands that cannot do without: a missing file is told with the way out.
func (a *app) loaded() (*config.Config, error) {
	cfg, err := a.load()
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, &exit{exitUsage, fmt.Errorf("%w; `apostille init` writes a configuration, --config names another", err)}
	case err != nil:
		return nil, &exit{exitUsage, err}
	}
	a.knowMembers(cfg)
	return cfg, nil
}

// knowMembers lets a command find members of federations as the server does.
func (a *app) knowMembers(cfg *config.Config) {
	if len(cfg.Federations) > 0 {
		cfg.Registry = cfg.Registry.WithMembers(a.membersOf(cfg).Directory())
	}
}

// loadedIfAny is loaded for commands that only do better with a configuration: without a file at the default place it is nil.
func (a *app) loadedIfAny() (*config.Config, error) {
	cfg, err := a.load()
	if errors.Is(err, os.ErrNotExist) && slices.Equal(a.configs, []string{defaultConfig}) {
		return nil, nil
	}
	if err != nil {
		return nil, &exit{exitUsage, err}
	}
	a.knowMembers(cfg)
	return cfg, nil
}
