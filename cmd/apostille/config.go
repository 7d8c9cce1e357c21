package main

import (
	"fmt"
	"io"

	"apostille/broker/config"

	"github.com/spf13/cobra"
)

func (a *app) configCommand() *cobra.Command {
	return noun("config", "Show, compare and explain configuration", `  apostille config show --effective
  apostille config diff old.toml new.toml
  apostille config reference`,
		a.configShowCommand(), a.configDiffCommand(), a.configSchemaCommand(), a.configReferenceCommand())
}

func (a *app) configShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show the whole configuration: files merged, defaults filled in, secrets redacted",
		Long: `Shows the configuration that takes effect, as TOML to read and compare: files merged, defaults filled in, paths absolute. Of a
client secret only the first digits of its hash are shown, always; --redact and --effective are accepted to say so.`,
		Example: `  apostille config show --effective
  apostille config show --output json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.configShow() },
	}
	cmd.Flags().Bool("effective", true, "with defaults filled in; there is no other form")
	cmd.Flags().Bool("redact", true, "without secrets; there is no other form")
	return cmd
}

func (a *app) configShow() error {
	cfg, err := a.loaded()
	if err != nil {
		return err
	}
	shown := struct {
		Files []string `json:"files"`
		TOML  string   `json:"toml"`
	}{cfg.Files, config.Effective(cfg)}
	return a.print(shown, func(w io.Writer) { fmt.Fprint(w, shown.TOML) })
}

func (a *app) configDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff OLD NEW",
		Short: "Say who gains and who loses access between two configurations",
		Long: `Loads two main files, each with the trust.d/ beside it, and says who gains access, who loses it, whose is on other terms, and which
settings change.`,
		Example: `  apostille config diff /etc/apostille/apostille.toml ./apostille.toml
  git worktree add ../live live && apostille config diff ../live/apostille.toml apostille.toml`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error { return a.configDiff(args[0], args[1]) },
	}
}

func (a *app) configDiff(before, after string) error {
	var both [2]*config.Config
	for i, path := range []string{before, after} {
		cfg, err := config.Load(path)
		if err != nil {
			return &exit{exitUsage, err}
		}
		both[i] = cfg
	}
	diff := config.Compare(both[0], both[1])
	return a.print(diff, func(w io.Writer) { _ = diff.WriteText(w) }) // a closed pipe: there is nobody left to tell
}

func (a *app) configSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema of the configuration, for editors",
		Example: "  apostille config schema > apostille.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(config.Schema())
			return err
		},
	}
}

func (a *app) configReferenceCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "reference",
		Short:   "Print every key with its type, default and meaning, in Markdown",
		Example: "  apostille config reference > docs/configuration.md",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			markdown := struct {
				Markdown string `json:"markdown"`
			}{config.Reference()}
			return a.print(markdown, func(w io.Writer) { fmt.Fprint(w, markdown.Markdown) })
		},
	}
}
