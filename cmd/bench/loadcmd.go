package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"time"
)

// runLoad sends exchanges to a token endpoint on loopback and prints what came of it.
func runLoad(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(stderr)
	target := flags.String("url", "", "token endpoint, such as http://127.0.0.1:8080/oauth2/token")
	tokens := flags.String("tokens", "", "file with one subject token a line")
	n := flags.Int("n", 10000, "requests in all; tokens are used in turn")
	conns := flags.Int("c", 32, "keep-alive connections")
	rate := flags.Float64("rate", 0, "requests a second; 0 = as fast as answers come")
	within := flags.Duration("within", 0, "end after this time, whatever is left of -n; 0 = send all")
	pid := flags.Int("pid", 0, "process id of the server, to report its CPU time per request")
	asJSON := flags.Bool("json", false, "print JSON")
	var form exchangeForm
	flags.StringVar(&form.client, "client", "", "client id")
	flags.StringVar(&form.secret, "secret", "", "client secret")
	flags.StringVar(&form.audience, "audience", "", "audience to ask for")
	flags.StringVar(&form.scope, "scope", "", "scope to ask for")
	flags.StringVar(&form.network, "network", "", "first three bytes of 100 addresses that X-Forwarded-For names in turn")
	if err := flags.Parse(args); err != nil {
		return err
	}
	addr, err := loopback(*target)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(*tokens)
	if err != nil {
		return err
	}
	l := load{addr: addr, requests: form.requests(addr, nonEmptyLines(string(text))), n: *n, conns: *conns, rate: *rate, within: *within}
	result, cpu, err := l.measured(ctx, *pid)
	if err != nil {
		return err
	}
	if *asJSON {
		return json.NewEncoder(stdout).Encode(result)
	}
	fmt.Fprintf(stdout, "%d requests in %v, %.0f/s, p50 %v, p99 %v, statuses %v\n", result.Requests,
		result.Elapsed.Round(time.Millisecond), result.Throughput, result.P50.Round(time.Microsecond),
		result.P99.Round(time.Microsecond), result.Statuses)
	if *pid != 0 {
		fmt.Fprintf(stdout, "server CPU %v per request\n", cpu)
	}
	return nil
}

// measured runs the load and returns the CPU time per request of the process pid as well (0 for pid 0).
func (l load) measured(ctx context.Context, pid int) (result loadResult, perRequest time.Duration, err error) {
	var before, after time.Duration
	if pid != 0 {
		if before, err = cpuTime(pid); err != nil {
			return result, 0, err
		}
	}
	if result, err = l.run(ctx); err != nil || pid == 0 {
		return result, 0, err
	}
	after, err = cpuTime(pid)
	return result, (after - before) / time.Duration(result.Requests), err
}

// loopback returns host:port of a URL whose host is a loopback address: load is for one's own machine.
func loopback(target string) (string, error) {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" || u.Path != "/oauth2/token" {
		return "", errors.New("-url wants http://127.0.0.1:PORT/oauth2/token")
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() {
		return "", errors.New("-url is not on a loopback address")
	}
	return u.Host, nil
}
