package main

import "github.com/spf13/cobra"

// commands lists the commands.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.serveCommand(),
		a.demoCommand(),
		a.initCommand(),
		a.checkCommand(),
		a.explainCommand(),
		a.exchangeCommand(),
		a.inspectCommand(),
		a.healthCommand(),
		a.configCommand(),
		a.trustCommand(),
		a.federationCommand(),
		a.keysCommand(),
		a.clientCommand(),
		a.subjectCommand(),
		a.sessionCommand(),
		a.storeCommand(),
		a.auditCommand(),
		a.versionCommand(),
	}
}
