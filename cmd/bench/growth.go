package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// measureGrowth compares a small broker with a large one in interleaved rounds.
func (r *rig) measureGrowth(ctx context.Context) error {
	r.report.title("growth: CPU per exchange, large / small, interleaved")
	many, err := r.up.jwks(100)
	if err != nil {
		return err
	}
	if err := r.write("jwks-100.json", many); err != nil {
		return err
	}
	small := setup{trusts: 1, clients: 1}
	for _, c := range []struct {
		name  string
		large setup
	}{
		{"5,000 trusts / 1", setup{trusts: 5000, clients: 1}},
		{"5,000 clients / 1", setup{trusts: 1, clients: 5000}},
		{"100 keys of the issuer / 1", setup{trusts: 1, clients: 1, keys: func(int) (string, string) {
			return benchIssuer, fmt.Sprintf("{ jwks_file = %q }", r.path("jwks-100.json"))
		}}},
	} {
		var smalls, larges []time.Duration
		for range r.rounds {
			s, err := r.brokerRound(ctx, "small", small, r.tokens[warmups:])
			if err != nil {
				return err
			}
			l, err := r.brokerRound(ctx, "large", c.large, r.tokens[warmups:])
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			smalls, larges = append(smalls, s), append(larges, l)
		}
		r.report.atMost(c.name, neighbours(larges, smalls), 1.15, "%.2f x")
		if err := os.RemoveAll(r.path("large")); err != nil {
			return err
		}
	}
	return nil
}

// measureJWKS compares the broker's key set with a handler that writes the same bytes.
func (r *rig) measureJWKS(ctx context.Context) error {
	r.report.title("key set: CPU per GET /oauth2/jwks")
	broker, err := r.startBroker(ctx, "exchange", setup{trusts: 1, clients: 1})
	if err != nil {
		return err
	}
	defer broker.stop()
	body, err := fetchBody("http://" + broker.addr + "/oauth2/jwks")
	if err != nil {
		return err
	}
	if err := r.write("published.json", body); err != nil {
		return err
	}
	floor, err := r.startFloor(ctx, r.path("published.json"))
	if err != nil {
		return err
	}
	defer floor.stop()
	var ours, fixed []time.Duration
	for range r.rounds {
		for _, side := range []struct {
			server *process
			into   *[]time.Duration
		}{{floor, &fixed}, {broker, &ours}} {
			l := load{addr: side.server.addr, requests: [][]byte{get(side.server.addr, "/oauth2/jwks")}, n: 4 * r.n, conns: benchConnections}
			result, cpu, err := l.measured(ctx, side.server.pid())
			if err != nil {
				return err
			}
			if err := result.only(200); err != nil {
				return err
			}
			*side.into = append(*side.into, cpu)
		}
	}
	r.report.figure("fixed bytes", micros(median(fixed)))
	r.report.figure("broker", micros(median(ours)))
	r.report.atMost("broker / fixed bytes", neighbours(ours, fixed), 1.5, "%.2f x")
	return nil
}
