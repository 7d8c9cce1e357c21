package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// The flood and the good traffic beside it.
const (
	floodRate    = 10000 // bad tokens a second
	floodSeconds = 10
	floodIssuers = 50
	goodRate     = 200 // exchanges a second
	goodSeconds  = 5   // of one stretch
)

// flood is one kind of bad tokens.
type flood struct {
	name    string
	issuers int
	answer  int32 // how the upstreams' key sets answer meanwhile
	token   func(r *rig, issuer string) (string, error)
}

var floods = []flood{
	{"no signature", 1, answerWell, unsignedToken},
	{"known kid, bad signature", 1, answerWell, badSignatureToken},
	{"random kid", 1, answerWell, randomKidToken},
	{"random kid, 50 issuers", floodIssuers, answerWell, randomKidToken},
	{"random kid, 50 issuers, key sets answer 500", floodIssuers, answerError, randomKidToken},
	{"random kid, 50 issuers, key sets take 30 s", floodIssuers, answerSlowly, randomKidToken},
}

// crowds are how many connections a flood comes by. The bar is for the first, the others show where it ends.
var crowds = []int{benchConnections, 1000, 4000}

// Good tokens and bad ones come from different clients at different addresses.
const (
	goodNetwork  = "203.0.113"
	floodNetwork = "198.51.100"
)

// measureFlood shows what each flood costs others. Without limits: how many fetches of keys it can cause. With the limits that a broker
// has by itself: what is left of it for good traffic to feel.
func (r *rig) measureFlood(ctx context.Context) error {
	r.report.title(fmt.Sprintf("flood: fetches that %d bad tokens a second cause in %d s, limits out of reach", floodRate, floodSeconds))
	for i, f := range floods {
		m := floodRun{rig: r, flood: f, name: fmt.Sprintf("fetches-%d", i), conns: benchConnections}
		if err := m.run(ctx, m.countFetches); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	r.report.title(fmt.Sprintf("flood: p99 of %d good exchanges a second beside %d bad tokens / without them, default limits, medians of %d rounds of %d s",
		goodRate, floodRate, r.rounds, goodSeconds))
	for i, f := range floods {
		for _, conns := range crowds {
			if conns > benchConnections && i != floodOfCrowds {
				continue
			}
			m := floodRun{rig: r, flood: f, name: fmt.Sprintf("p99-%d-%d", i, conns), conns: conns, limited: true}
			if err := m.run(ctx, m.compareP99); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
		}
	}
	return nil
}

// floodOfCrowds is the flood that comes by each of the crowds.
const floodOfCrowds = 1

// floodRun is one flood on one broker.
type floodRun struct {
	*rig
	flood
	name    string
	conns   int
	limited bool
}

// run starts a broker whose issuers publish their keys, warms it up, and measures.
func (m *floodRun) run(ctx context.Context, measure func(context.Context, *process, *upstreams) error) error {
	net, err := newUpstreams(m.up)
	if err != nil {
		return err
	}
	defer net.close()
	if err := m.writeBadTokens(m.flood); err != nil {
		return err
	}
	server, err := m.startBroker(ctx, m.name, setup{trusts: floodIssuers, clients: 2, dev: true, keys: net.source, limited: m.limited})
	if err != nil {
		return err
	}
	defer server.stop()
	if _, err := m.goodTraffic(ctx, server, m.tokens[:goodRate]); err != nil {
		return err
	}
	net.answer.Store(m.answer)
	return measure(ctx, server, net)
}

// countFetches floods the broker and holds what it fetched meanwhile against what its buckets allow: each issuer's gives two fetches at
// once, then one per ten seconds.
func (m *floodRun) countFetches(ctx context.Context, server *process, net *upstreams) error {
	before := net.fetched()
	await, err := m.start(ctx, server, floodSeconds*time.Second)
	if err != nil {
		return err
	}
	bad, err := await()
	if err != nil {
		return err
	}
	m.report.atMost(fmt.Sprintf("%s, %.0f/s", m.flood.name, bad.Throughput), float64(net.fetched()-before), float64(m.issuers*(2+floodSeconds/10)), "%.0f")
	return nil
}

// compareP99 alternates good traffic alone with good traffic beside the flood. Each stretch has tokens of its own, since the broker
// remembers those that it has verified.
func (m *floodRun) compareP99(ctx context.Context, server *process, _ *upstreams) error {
	stretch := min(goodRate*goodSeconds, (len(m.tokens)-goodRate)/(2*m.rounds))
	var quiet, beside []time.Duration
	var answered float64
	for i := range m.rounds {
		tokens := m.tokens[goodRate+2*i*stretch:]
		alone, err := m.goodTraffic(ctx, server, tokens[:stretch])
		if err != nil {
			return err
		}
		await, err := m.start(ctx, server, time.Duration(stretch)*time.Second/goodRate)
		if err != nil {
			return err
		}
		good, errGood := m.goodTraffic(ctx, server, tokens[stretch:2*stretch])
		bad, err := await()
		if err := errors.Join(errGood, err); err != nil {
			return err
		}
		quiet, beside = append(quiet, alone.P99), append(beside, good.P99)
		answered += bad.Throughput / float64(m.rounds)
	}
	m.report.figure(fmt.Sprintf("%s, %d connections, answered", m.flood.name, m.conns), fmt.Sprintf("%.0f/s", answered))
	m.report.figure("  good p99 without it, beside it", micros(median(quiet))+", "+micros(median(beside)))
	if m.conns > benchConnections {
		m.report.figure("  beside / without", fmt.Sprintf("%.2f x", neighbours(beside, quiet)))
		return nil
	}
	m.report.atMost("  beside / without", neighbours(beside, quiet), 2, "%.2f x")
	return nil
}

// goodTraffic sends good tokens at a steady rate.
func (m *floodRun) goodTraffic(ctx context.Context, server *process, tokens []string) (loadResult, error) {
	form := m.form
	form.network = goodNetwork
	l := load{addr: server.addr, requests: form.requests(server.addr, tokens), n: len(tokens), conns: 8, rate: goodRate}
	result, err := l.run(ctx)
	if err != nil {
		return result, err
	}
	return result, result.only(200)
}

// start sends bad tokens for a time from a process of its own, at low priority since its CPU time would be another machine's; await
// returns what came of them.
func (m *floodRun) start(ctx context.Context, server *process, within time.Duration) (await func() (loadResult, error), err error) {
	cmd := exec.CommandContext(ctx, "nice", "-n", "10", m.self, "load", "-url", "http://"+server.addr+"/oauth2/token", "-tokens", m.path("bad.txt"),
		"-client", clientName(1), "-secret", m.form.secret, "-audience", benchAudience, "-scope", benchScope, "-network", floodNetwork,
		"-n", strconv.Itoa(floodRate*floodSeconds), "-rate", strconv.Itoa(floodRate), "-within", within.String(), "-c", strconv.Itoa(m.conns), "-json")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() (result loadResult, err error) {
		if err := cmd.Wait(); err != nil {
			return result, fmt.Errorf("flood: %w: %s", err, stderr.String())
		}
		if err := json.Unmarshal(stdout.Bytes(), &result); err != nil {
			return result, err
		}
		if result.Statuses[200] > 0 {
			return result, fmt.Errorf("%d bad tokens were exchanged", result.Statuses[200])
		}
		return result, nil
	}, nil
}

func (r *rig) writeBadTokens(f flood) error {
	tokens := make([]string, floodRate)
	for i := range tokens {
		var err error
		if tokens[i], err = f.token(r, issuerName(i%f.issuers)); err != nil {
			return err
		}
	}
	return r.write("bad.txt", []byte(strings.Join(tokens, "\n")))
}

func unsignedToken(r *rig, issuer string) (string, error) {
	input, err := r.up.unsigned(map[string]any{"alg": "none", "typ": "JWT"}, issuer, "user-"+strconv.FormatInt(time.Now().UnixNano(), 36))
	return input + ".", err
}

func badSignatureToken(r *rig, issuer string) (string, error) { return r.forged(issuer, r.up.kid) }

func randomKidToken(r *rig, issuer string) (string, error) { return r.forged(issuer, rand.Text()) }

// forged makes a token whose signature is 256 random bytes.
func (r *rig) forged(issuer, kid string) (string, error) {
	input, err := r.up.unsigned(map[string]any{"alg": "RS256", "kid": kid, "typ": "JWT"}, issuer, "user")
	if err != nil {
		return "", err
	}
	signature := make([]byte, rsaBits/8)
	_, _ = rand.Read(signature)
	signature[0] = 0 // below any modulus, so that the whole verification is done
	return input + "." + encode(signature), nil
}
