package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"apostille/broker/config"
	"apostille/trust/jose"
	"apostille/upstream/fetch"
	"apostille/upstream/keys"
)

// probe is what an upstream's documents say when they are fetched now.
type probe struct {
	Trust       string    `json:"trust,omitempty"`
	Source      string    `json:"source"` // "discovery of URL", "URL" or "files"
	OK          bool      `json:"ok"`
	Problem     string    `json:"problem,omitempty"`
	Unreachable bool      `json:"unreachable"`
	Issuer      string    `json:"issuer,omitempty"` // as the discovery document has it
	IssuerMatch bool      `json:"issuer_match"`     // it is the configured one, byte for byte; true without discovery
	JWKSURL     string    `json:"jwks_url,omitempty"`
	Keys        []keyInfo `json:"keys"`
	Refused     []refused `json:"refused,omitempty"` // keys that were left out
}

type refused struct {
	Kid string `json:"kid"`
	Why string `json:"why"`
}

// guardFor makes the guarded client as the server would; without a configuration it reaches public addresses by https.
func guardFor(cfg *config.Config) *fetch.Guard {
	if cfg == nil {
		return fetch.New(fetch.Options{})
	}
	return fetch.New(fetch.Options{Allow: cfg.Outbound.Allow, Dev: cfg.Dev, Timeout: cfg.Outbound.Timeout})
}

// ask fetches what a key source names.
func ask(ctx context.Context, guard *fetch.Guard, src keys.Source) probe {
	p := probe{IssuerMatch: true, Keys: []keyInfo{}}
	var err error
	switch {
	case src.Static != nil:
		p.Source, p.Keys = "files", keyInfos(src.Static)
	case src.Discovery != "":
		p.Source = "discovery of " + src.Discovery
		err = p.discover(ctx, guard, src)
	default:
		p.Source, p.JWKSURL = src.JWKSURL, src.JWKSURL
		err = p.fetchKeys(ctx, guard, src, true)
	}
	p.OK = err == nil
	if err != nil {
		var failed *fetch.Error
		p.Problem, p.Unreachable = err.Error(), errors.As(err, &failed)
	}
	return p
}

// discover reads the discovery document. OpenID Connect Discovery 1.0 §4.3: its issuer is exactly the one asked for.
func (p *probe) discover(ctx context.Context, guard *fetch.Guard, src keys.Source) error {
	url := strings.TrimSuffix(src.Discovery, "/") + "/.well-known/openid-configuration"
	body, _, err := fetch.Get(ctx, guard.Client(src.Roots, true), url, "application/json")
	if err != nil {
		return err
	}
	doc, err := jose.DecodeObject(body)
	if err != nil {
		return fmt.Errorf("%s is not strict JSON: %w", url, err)
	}
	p.Issuer, _ = doc["issuer"].(string)
	p.JWKSURL, _ = doc["jwks_uri"].(string)
	p.IssuerMatch = p.Issuer == src.Discovery
	switch {
	case !p.IssuerMatch:
		return fmt.Errorf("%s names the issuer %q, and %q was expected, byte for byte", url, p.Issuer, src.Discovery)
	case p.JWKSURL == "":
		return fmt.Errorf("%s names no jwks_uri", url)
	}
	return p.fetchKeys(ctx, guard, src, fetch.SameOrigin(src.Discovery, p.JWKSURL))
}

func (p *probe) fetchKeys(ctx context.Context, guard *fetch.Guard, src keys.Source, configured bool) error {
	body, _, err := fetch.Get(ctx, guard.Client(src.Roots, configured), p.JWKSURL, "application/jwk-set+json", "application/json")
	if err != nil {
		return err
	}
	set, left, err := jose.ParseJWKS(body, src.Algs)
	for _, r := range left {
		p.Refused = append(p.Refused, refused(r))
	}
	if err != nil {
		return fmt.Errorf("the key set at %s: %w", p.JWKSURL, err)
	}
	p.Keys = keyInfos(set)
	return nil
}

func (p *probe) write(w io.Writer) {
	if p.Trust != "" {
		fmt.Fprintf(w, "trust %s: ", p.Trust)
	}
	fmt.Fprintln(w, printable(p.Source))
	if p.Issuer != "" && p.IssuerMatch {
		fmt.Fprintf(w, "  ok  the issuer is %s\n", printable(p.Issuer))
	}
	if p.OK && p.JWKSURL != "" {
		fmt.Fprintf(w, "  ok  %s answers\n", printable(p.JWKSURL))
	}
	for _, k := range p.Keys {
		fmt.Fprintln(w, "  key", k)
	}
	for _, r := range p.Refused {
		fmt.Fprintf(w, "  key left out, kid %s: %s\n", printable(r.Kid), printable(r.Why))
	}
	if p.Problem != "" {
		fmt.Fprintf(w, "  NO  %s\n", printable(p.Problem))
	}
}
