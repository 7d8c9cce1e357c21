package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// measureStart measures starts without network: upstreams answer while the broker runs first, then they are gone, and
// the broker starts from the key sets it has stored. People may sign in with each of them. A start counts only if tokens of the
// issuers can be exchanged then.
func (r *rig) measureStart(ctx context.Context) error {
	r.report.title("start with stored keys and no network (medians of 5)")
	for _, c := range []struct {
		trusts int
		bar    float64 // milliseconds
	}{{3, 100}, {5000, 1000}} {
		name := fmt.Sprintf("start-%d", c.trusts)
		s, tokens, err := r.storeKeys(ctx, name, c.trusts)
		if err != nil {
			return fmt.Errorf("%d trusts, first run: %w", c.trusts, err)
		}
		var starts []time.Duration
		for range 5 {
			took, err := r.startOnce(ctx, name, s, tokens)
			if err != nil {
				return fmt.Errorf("%d trusts: %w", c.trusts, err)
			}
			starts = append(starts, took)
		}
		r.report.atMost(fmt.Sprintf("start with %d trusts", c.trusts), float64(median(starts))/float64(time.Millisecond), c.bar, "%.0f ms")
	}
	return r.measureIdle(ctx)
}

// storeKeys runs a broker that fetches the keys of each issuer, then takes the upstreams away. Keys are fetched when a token
// needs them, so it exchanges one of each, at a rate that a disk keeps up with, and again while the broker answers 503
// because it fetches and stores only so many sets at a time.
func (r *rig) storeKeys(ctx context.Context, name string, trusts int) (setup, []string, error) {
	net, err := newUpstreams(r.up)
	if err != nil {
		return setup{}, nil, err
	}
	defer net.close()
	s := setup{trusts: trusts, clients: 1, dev: true, login: true, keys: net.discovered}
	tokens, err := r.up.mintEach(trusts, s.keys)
	if err != nil {
		return s, nil, err
	}
	server, err := r.startBroker(ctx, name, s)
	if err != nil {
		return s, nil, err
	}
	defer server.stop()
	for deadline := time.Now().Add(2 * time.Minute); ; {
		err := r.exchangeEach(ctx, server, tokens, storeRate)
		if err == nil || ctx.Err() != nil || time.Now().After(deadline) {
			return s, tokens, errors.Join(err, pause(ctx, 2*time.Second)) // the last sets reach the store
		}
	}
}

func (r *rig) startOnce(ctx context.Context, name string, s setup, tokens []string) (time.Duration, error) {
	server, err := r.startBroker(ctx, name, s)
	if err != nil {
		return 0, err
	}
	defer server.stop()
	return server.ready, r.exchangeEach(ctx, server, tokens, 0)
}

// storeRate is how many key sets a second the first run fetches and stores.
const storeRate = 250

func (r *rig) exchangeEach(ctx context.Context, server *process, tokens []string, rate float64) error {
	l := load{addr: server.addr, requests: r.form.requests(server.addr, tokens), n: len(tokens), conns: benchConnections, rate: rate}
	result, err := l.run(ctx)
	if err != nil {
		return err
	}
	return result.only(200)
}

// measureIdle measures the memory of a broker that has started and waits.
func (r *rig) measureIdle(ctx context.Context) error {
	server, err := r.startBroker(ctx, "idle", setup{trusts: 3, clients: 1, login: true})
	if err != nil {
		return err
	}
	defer server.stop()
	if err := pause(ctx, 5*time.Second); err != nil {
		return err
	}
	resident, err := residentBytes(server.pid())
	if err != nil {
		return err
	}
	r.report.atMost("idle memory, 3 trusts", float64(resident)/(1<<20), 30, "%.1f MiB")
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func fetchBody(url string) ([]byte, error) {
	response, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d", url, response.StatusCode)
	}
	return io.ReadAll(response.Body)
}
