// Command bench measures what an exchange costs, beside a floor server that does the least an exchange can do.
//
//	bench floor …   serves the floor: the same work with the standard library and nothing around it
//	bench load …    sends exchanges to a URL and reports throughput, latency and server CPU per request
//	bench aggregate …  writes the signed metadata of a made-up federation
//	bench run       starts floor and broker as processes of their own and prints medians, ratios and bars
//
// docs/performance.md says how to read the figures. Everything stays on loopback.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run returns the exit code: 0, 1 for a failure, 2 for wrong usage. A missed bar is printed, it is not a failure.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	commands := map[string]func(context.Context, []string, io.Writer, io.Writer) error{
		"floor": runFloor, "load": runLoad, "run": runAll, "aggregate": runAggregate,
	}
	if len(args) == 0 || commands[args[0]] == nil {
		fmt.Fprintln(stderr, "usage: bench floor|load|run|aggregate [flags]; -h after a command lists its flags")
		return 2
	}
	if err := commands[args[0]](ctx, args[1:], stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "bench "+args[0]+":", err)
		return 1
	}
	return 0
}
