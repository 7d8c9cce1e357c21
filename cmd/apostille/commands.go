package main

import "github.com/spf13/cobra"

// commands lists the commands.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.serveCommand(),
		a.initCommand(),
	}
}
