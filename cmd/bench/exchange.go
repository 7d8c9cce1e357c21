package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// measureFloor compares the floor with the cryptography it cannot leave out.
func (r *rig) measureFloor(ctx context.Context) error {
	r.report.title("floor: a bare handler beside its own cryptography (CPU per exchange)")
	bare, err := newBareCryptography(r.up.key)
	if err != nil {
		return err
	}
	server, err := r.startFloor(ctx, "")
	if err != nil {
		return err
	}
	defer server.stop()
	if err := r.warmUp(ctx, server); err != nil {
		return err
	}
	var floors, bares []time.Duration
	for range r.rounds {
		cpu, err := r.exchanges(ctx, server, r.tokens[warmups:])
		if err != nil {
			return err
		}
		once, err := bare.measure(r.n)
		if err != nil {
			return err
		}
		floors, bares = append(floors, cpu), append(bares, once)
	}
	r.report.figure("bare cryptography", micros(median(bares)))
	r.report.figure("floor", micros(median(floors)))
	r.report.atMost("floor / bare cryptography", neighbours(floors, bares), 2.2, "%.2f x")
	return nil
}

// measureExchange interleaves rounds of floor and broker, so that what the machine does meanwhile touches both.
func (r *rig) measureExchange(ctx context.Context) error {
	r.report.title(fmt.Sprintf("exchange: CPU per request, %d connections, medians of %d rounds of %d", benchConnections, r.rounds, r.n))
	floor, err := r.startFloor(ctx, "")
	if err != nil {
		return err
	}
	defer floor.stop()
	if err := r.warmUp(ctx, floor); err != nil {
		return err
	}
	kinds := []struct {
		name           string
		tokens         []string
		bar            float64
		brokers, bases []time.Duration
	}{
		{name: "distinct", tokens: r.tokens[warmups:], bar: 1.5},
		{name: "repeated", tokens: r.tokens[:1], bar: 1.0},
	}
	for range r.rounds {
		for i := range kinds {
			k := &kinds[i]
			base, err := r.exchanges(ctx, floor, r.tokens[warmups:])
			if err != nil {
				return err
			}
			cpu, err := r.brokerRound(ctx, "exchange", setup{trusts: 1, clients: 1}, k.tokens)
			if err != nil {
				return err
			}
			k.bases, k.brokers = append(k.bases, base), append(k.brokers, cpu)
		}
	}
	r.report.figure("floor", micros(median(slices.Concat(kinds[0].bases, kinds[1].bases))))
	for _, k := range kinds {
		r.report.figure("broker, "+k.name, micros(median(k.brokers)))
		r.report.atMost(k.name+" / floor", neighbours(k.brokers, k.bases), k.bar, "%.2f x")
	}
	return nil
}

// brokerRound measures one round on a fresh broker: a process that has seen the tokens before would answer from its
// cache of verified tokens.
func (r *rig) brokerRound(ctx context.Context, name string, s setup, tokens []string) (time.Duration, error) {
	server, err := r.startBroker(ctx, name, s)
	if err != nil {
		return 0, err
	}
	defer server.stop()
	if err := r.warmUp(ctx, server); err != nil {
		return 0, err
	}
	return r.exchanges(ctx, server, tokens)
}

func (r *rig) warmUp(ctx context.Context, server *process) error {
	l := load{addr: server.addr, requests: r.form.requests(server.addr, r.tokens[:warmups]), n: 2 * warmups, conns: benchConnections}
	result, err := l.run(ctx)
	if err != nil {
		return err
	}
	return result.only(200)
}

// exchanges sends one round and returns the server's CPU time per exchange. Every one must succeed.
func (r *rig) exchanges(ctx context.Context, server *process, tokens []string) (time.Duration, error) {
	l := load{addr: server.addr, requests: r.form.requests(server.addr, tokens), n: r.n, conns: benchConnections}
	result, cpu, err := l.measured(ctx, server.pid())
	if err != nil {
		return 0, err
	}
	return cpu, result.only(200)
}
