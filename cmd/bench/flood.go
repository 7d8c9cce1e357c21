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

// measureFlood measures good traffic alone and beside each flood. Without limits the flood shows how many fetches it can cause;
// with the limits that a broker has by itself, what is left of it for others to feel.
func (r *rig) measureFlood(ctx context.Context) error {
	for _, limited := range []bool{false, true} {
		limits := "limits out of reach"
		if limited {
			limits = "default limits"
		}
		r.report.title(fmt.Sprintf("flood: %d bad tokens a second for %d s beside %d good ones, %s", floodRate, floodSeconds, goodRate, limits))
		for i, f := range floods {
			m := floodRun{rig: r, flood: f, name: fmt.Sprintf("flood-%d-%t", i, limited), limited: limited}
			if err := m.measure(ctx); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
		}
	}
	return nil
}

// floodRun is one flood on one broker.
type floodRun struct {
	*rig
	flood
	name    string
	limited bool
}

// Good tokens and bad ones come from different clients at different addresses.
const (
	goodNetwork  = "203.0.113"
	floodNetwork = "198.51.100"
)

func (m *floodRun) measure(ctx context.Context) error {
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
	// Tokens of their own for each stretch: the broker remembers those it has verified.
	quarter := len(m.tokens) / 4
	if _, err := m.goodTraffic(ctx, server, m.tokens[:quarter], 2); err != nil { // warms up
		return err
	}
	quiet, err := m.goodTraffic(ctx, server, m.tokens[quarter:2*quarter], floodSeconds)
	if err != nil {
		return err
	}
	floor, err := m.startFloor(ctx, "")
	if err != nil {
		return err
	}
	defer floor.stop()
	_, crowded, err := m.beside(ctx, floor, server, m.tokens[2*quarter:3*quarter])
	if err != nil {
		return err
	}
	before := net.fetched()
	net.answer.Store(m.answer)
	bad, busy, err := m.beside(ctx, server, server, m.tokens[3*quarter:])
	if err != nil {
		return err
	}
	m.report.figure(m.flood.name, fmt.Sprintf("%.0f/s", bad.Throughput))
	m.report.figure("  good p99 without it", micros(quiet.P99))
	m.report.figure("  good p99, it goes to the floor", micros(crowded.P99))
	m.report.figure("  good p99 beside it", micros(busy.P99))
	if m.limited {
		m.report.atMost("  p99 beside it / without it", ratio(busy.P99, quiet.P99), 2, "%.2f x")
		return nil
	}
	// Each issuer has a bucket: two fetches at once, then one per ten seconds.
	allowed := m.issuers * (2 + floodSeconds/10)
	m.report.atMost("  fetches", float64(net.fetched()-before), float64(allowed), "%.0f")
	return nil
}

// beside floods one server and sends good tokens to another, or to the same.
func (m *floodRun) beside(ctx context.Context, flooded, server *process, tokens []string) (bad, good loadResult, err error) {
	await, err := m.start(ctx, flooded)
	if err != nil {
		return bad, good, err
	}
	good, errGood := m.goodTraffic(ctx, server, tokens, floodSeconds)
	bad, err = await()
	if bad.Statuses[200] > 0 {
		err = errors.Join(err, fmt.Errorf("%d bad tokens were exchanged", bad.Statuses[200]))
	}
	return bad, good, errors.Join(errGood, err)
}

// goodTraffic sends good tokens at a steady rate.
func (m *floodRun) goodTraffic(ctx context.Context, server *process, tokens []string, seconds int) (loadResult, error) {
	form := m.form
	form.network = goodNetwork
	l := load{
		addr: server.addr, requests: form.requests(server.addr, tokens), n: goodRate * seconds, conns: 8, rate: goodRate,
	}
	result, err := l.run(ctx)
	if err != nil {
		return result, err
	}
	return result, result.only(200)
}

// start sends the bad tokens from a process of its own, at low priority since its CPU time would be another machine's; await
// returns what came of them.
func (m *floodRun) start(ctx context.Context, server *process) (await func() (loadResult, error), err error) {
	cmd := exec.CommandContext(ctx, "nice", "-n", "10", m.self, "load", "-url", "http://"+server.addr+"/oauth2/token", "-tokens", m.path("bad.txt"),
		"-client", clientName(1), "-secret", m.form.secret, "-audience", benchAudience, "-scope", benchScope, "-network", floodNetwork,
		"-n", strconv.Itoa(floodRate*floodSeconds), "-rate", strconv.Itoa(floodRate), "-json")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() (result loadResult, err error) {
		if err := cmd.Wait(); err != nil {
			return result, fmt.Errorf("flood: %w: %s", err, stderr.String())
		}
		return result, json.Unmarshal(stdout.Bytes(), &result)
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
