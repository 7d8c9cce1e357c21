// Command apostille is a federation and token-exchange broker: it exchanges credentials of other security domains for local
// access tokens, narrowed by rules in TOML. This package is the only place that wires the parts together.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
