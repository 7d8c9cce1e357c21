package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
)

// demoPortBase is the head office's port; the other parties have the ports after it.
const demoPortBase = 8640

func (a *app) demoCommand() *cobra.Command {
	d := &demo{app: a}
	var script bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work, on this machine only: three home offices, a broker, two applications, an API and a partner",
		Long: `Runs the identity providers of three home offices (one of which speaks SAML), a regional broker, two applications that people sign in to, the warehouse API
that the broker guards and a partner's inventory system in one process on loopback, each on its own host name. It prints where to
click, and the story of one token as commands to copy. The broker is the one that "apostille serve" runs, on a configuration that
is written to a temporary folder. All others are fakes. Ctrl-C ends it and removes the folder.

With --script the story is run, on free ports: each step is printed with its real answer, and the first that is not as told
ends it with exit code 1.`,
		Example: `  apostille demo
  apostille demo --port-base 9100
  apostille demo --script`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if script && !cmd.Flags().Changed("port-base") {
				d.portBase = 0
			}
			if script {
				return d.script(cmd.Context())
			}
			return d.show(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&script, "script", false, "run the story and check every step")
	cmd.Flags().IntVar(&d.portBase, "port-base", demoPortBase, fmt.Sprintf("first of %d ports; 0 = free ones", demoPorts))
	cmd.AddCommand(a.demoIssuerCommand(), a.demoTokenCommand(), a.demoAssertionCommand(), a.demoOfficeCommand(), a.demoAppCommand(), a.demoBrowseCommand())
	return cmd
}

// demo is one performance.
type demo struct {
	app      *app
	portBase int
	edit     func(configFile string) error // tests spoil the configuration here, between writing and serving
}

// show runs the parties, prints the story for people to follow, and waits for Ctrl-C.
func (d *demo) show(ctx context.Context) error {
	return d.perform(ctx, func(ctx context.Context, cast *cast) error {
		printStory(d.app.stdout, cast)
		select {
		case <-ctx.Done():
		case err := <-cast.failed:
			return err
		}
		fmt.Fprintln(d.app.stdout, "\nStopping.")
		return nil
	})
}

// script runs the parties and the story.
func (d *demo) script(ctx context.Context) error {
	return d.perform(ctx, func(ctx context.Context, cast *cast) error {
		return playStory(ctx, d.app, cast)
	})
}

// perform starts the parties in a temporary folder, lets act act, stops them and removes the folder.
func (d *demo) perform(ctx context.Context, act func(context.Context, *cast) error) error {
	folder, err := os.MkdirTemp("", "apostille-demo-")
	if err != nil {
		return err
	}
	cast, err := d.start(ctx, folder)
	if err == nil {
		err = act(ctx, cast)
	}
	cast.stop()
	return errors.Join(err, os.RemoveAll(folder))
}
