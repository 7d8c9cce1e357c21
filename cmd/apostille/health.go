package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/spf13/cobra"
)

// healthWait bounds how long health waits for an answer: an orchestrator asks every few seconds.
const healthWait = 5 * time.Second

func (a *app) healthCommand() *cobra.Command {
	var url string
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running server whether it is ready",
		Long: `Asks /readyz of the metrics listener that the configuration names, on this machine. Exit 0: ready; 1: it answers and is not; 4: it
does not answer.`,
		Example: `  apostille health
  apostille health --url http://127.0.0.1:9090/readyz --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.health(cmd.Context(), url) },
	}
	cmd.Flags().StringVar(&url, "url", "", "address of /readyz (default: from [metrics] address)")
	return cmd
}

func (a *app) health(ctx context.Context, url string) error {
	if url == "" {
		cfg, err := a.loaded()
		if err != nil {
			return err
		}
		if url, err = readyURL(cfg.Metrics.Address); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, healthWait)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return usage("--url %q is not a URL", url)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return &exit{exitReach, fmt.Errorf("no answer: %w; is the server running?", err)}
	}
	defer response.Body.Close()
	var state readiness
	if err := json.NewDecoder(io.LimitReader(response.Body, maxInput)).Decode(&state); err != nil || state.Status == "" {
		return &exit{exitFailure, fmt.Errorf("%s answers %s, which is not a broker's readiness", url, response.Status)}
	}
	err = a.print(state, func(w io.Writer) {
		table(w, [][]string{{"status", state.Status}, {"store", state.Store}, {"config", state.Config}})
	})
	if response.StatusCode != http.StatusOK {
		return errors.Join(err, &exit{exitFailure, nil})
	}
	return err
}

// readyURL finds /readyz of a listener on this machine: one on every address is asked on loopback.
func readyURL(address string) (string, error) {
	if address == "" {
		return "", usage("the configuration has no [metrics] address: set it, or give --url")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", usage("metrics.address %q is not host:port", address)
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port) + "/readyz", nil
}
