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

// measureFlood measures good traffic alone and beside each flood, and counts the fetches that the flood causes.
func (r *rig) measureFlood(ctx context.Context) error {
	r.report.title(fmt.Sprintf("flood: %d bad tokens a second for %d s beside %d good ones", floodRate, floodSeconds, goodRate))
	for i, f := range floods {
		if err := r.measureOneFlood(ctx, fmt.Sprintf("flood-%d", i), f); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

func (r *rig) measureOneFlood(ctx context.Context, name string, f flood) error {
	net, err := newUpstreams(r.up)
	if err != nil {
		return err
	}
	defer net.close()
	if err := r.writeBadTokens(f); err != nil {
		return err
	}
	server, err := r.startBroker(ctx, name, setup{trusts: floodIssuers, clients: 1, dev: true, keys: net.source})
	if err != nil {
		return err
	}
	defer server.stop()
	if err := r.warmUp(ctx, server); err != nil {
		return err
	}
	half := warmups + r.n/2 // tokens of their own for each half: the broker remembers those it has verified
	quiet, err := r.goodTraffic(ctx, server, r.tokens[warmups:half])
	if err != nil {
		return err
	}
	before := net.fetched()
	net.answer.Store(f.answer)
	await, err := r.startFlood(ctx, server)
	if err != nil {
		return err
	}
	busy, err := r.goodTraffic(ctx, server, r.tokens[half:])
	fetches := net.fetched() - before
	bad, errFlood := await()
	if err := errors.Join(err, errFlood); err != nil {
		return err
	}
	if bad.Statuses[200] > 0 {
		return fmt.Errorf("%d bad tokens were exchanged", bad.Statuses[200])
	}
	r.reportFlood(f, bad, quiet, busy, fetches)
	return nil
}

func (r *rig) reportFlood(f flood, bad, quiet, busy loadResult, fetches int64) {
	r.report.figure(f.name, fmt.Sprintf("%.0f/s", bad.Throughput))
	r.report.figure("  good p99, quiet and beside it", micros(quiet.P99)+", "+micros(busy.P99))
	// Each issuer has a bucket: two fetches at once, then one per ten seconds.
	allowed := f.issuers * (2 + floodSeconds/10)
	r.report.atMost("  fetches", float64(fetches), float64(allowed), "%.0f")
	r.report.atMost("  p99 / quiet", ratio(busy.P99, quiet.P99), 2, "%.2f x")
}

// goodTraffic sends distinct good tokens at a steady rate for as long as a flood lasts.
func (r *rig) goodTraffic(ctx context.Context, server *process, tokens []string) (loadResult, error) {
	l := load{
		addr: server.addr, requests: r.form.requests(server.addr, tokens), n: goodRate * floodSeconds, conns: 8, rate: goodRate,
	}
	result, err := l.run(ctx)
	if err != nil {
		return result, err
	}
	return result, result.only(200)
}

// startFlood sends the bad tokens from a process of its own, at low priority since its CPU time would be another
// machine's; await returns what came of them.
func (r *rig) startFlood(ctx context.Context, server *process) (await func() (loadResult, error), err error) {
	cmd := exec.CommandContext(ctx, "nice", "-n", "10", r.self, "load", "-url", "http://"+server.addr+"/oauth2/token", "-tokens", r.path("bad.txt"),
		"-client", benchClient, "-secret", r.form.secret, "-audience", benchAudience, "-scope", benchScope,
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
