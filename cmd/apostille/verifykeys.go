package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"apostille/broker/config"
	"apostille/broker/keyring"
	"apostille/broker/store"
	"apostille/exchange"
	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/keys"
	"apostille/upstream/oidc"
	"apostille/upstream/saml"
)

// discard is the log of commands: what they have to say is their output.
var discard = slog.New(slog.DiscardHandler)

// keySupply is where a command has keys from, to verify a token as the server would.
type keySupply struct {
	keys    oidc.Keys
	signers saml.Keys
	source  string // in words
	// unsure says whether a refusal for want of a key is only ours: the server could ask its upstream.
	unsure func(*exchange.Refusal) bool
}

// keysAt picks the supply: a JWK Set file, the upstreams themselves, or what the configuration and the store hold.
func (a *app) keysAt(cfg *config.Config, st storeReader, jwksFile string, online bool) (keySupply, error) {
	switch {
	case jwksFile != "" && online:
		return keySupply{}, usage("--jwks and --online exclude each other")
	case jwksFile != "":
		return fileSupply(jwksFile)
	case online:
		return a.onlineSupply(cfg, st), nil
	}
	return a.storedSupply(cfg, st), nil
}

func fileSupply(path string) (keySupply, error) {
	b, err := readLimited(path)
	if err != nil {
		return keySupply{}, usage("--jwks: %w", err)
	}
	set, _, err := jose.ParseJWKS(b, nil)
	if err != nil {
		return keySupply{}, usage("--jwks %s: %w", path, err)
	}
	return keySupply{keys: oneSet{set}, signers: oneSet{set}, source: "the key set " + path}, nil
}

func (a *app) onlineSupply(cfg *config.Config, st storeReader) keySupply {
	guard := guardFor(cfg)
	cache := keys.New(keys.Config{
		Client: func(roots *x509.CertPool, configured bool) *http.Client { return guard.Client(roots, configured) },
		Now:    a.now, Log: discard,
		OnFetch: func(trustID string, err error) {
			outcome := "fetched"
			if err != nil {
				outcome = err.Error()
			}
			fmt.Fprintf(a.stderr, "keys of trust %s: %s\n", trustID, printable(outcome))
		},
	})
	cache.Replace(cfg.Keys)
	return keySupply{keys: allKeys{upstream: cache, own: ownKeys{st, a.now}}, signers: signers{cache, a.members, cfg.Registry.Trust}, source: "the upstreams, asked now"}
}

func (a *app) storedSupply(cfg *config.Config, st storeReader) keySupply {
	c := keys.Config{Client: noNetwork, Now: a.now, Log: discard}
	source := "the configuration's files"
	if st != nil {
		c.LastGood = readOnlySets{st}
		source = "the configuration's files and the last good sets in the store"
	}
	cache := keys.New(c)
	cache.Replace(cfg.Keys)
	return keySupply{
		keys: allKeys{upstream: cache, own: ownKeys{st, a.now}}, signers: signers{cache, a.members, cfg.Registry.Trust}, source: source,
		unsure: func(r *exchange.Refusal) bool {
			src, foreign := cfg.Keys[r.Trust]
			return r.Reason == trust.ReasonKeyUnknown && foreign && src.Static == nil
		},
	}
}

// verifierAt makes a verifier that remembers nothing.
func (k keySupply) verifierAt(now func() time.Time) *oidc.Verifier {
	return &oidc.Verifier{Keys: k.keys, Now: now, Capacity: -1}
}

// assertionsAt makes a verifier of assertions.
func (k keySupply) assertionsAt(now func() time.Time) *saml.Verifier {
	return &saml.Verifier{Keys: k.signers, Now: now}
}

// oneSet gives every trust the same keys.
type oneSet struct{ set *jose.Set }

func (o oneSet) Lookup(_ context.Context, _, kid string, alg jose.Alg) ([]jose.Key, uint64, error) {
	found := o.set.Lookup(kid, alg)
	if len(found) == 0 {
		return nil, 0, keys.ErrUnknown
	}
	return found, 1, nil
}

func (oneSet) Version(string) uint64 { return 1 }

func (o oneSet) Signers(context.Context, string) ([]crypto.PublicKey, error) {
	signers := make([]crypto.PublicKey, len(o.set.Keys()))
	for i, k := range o.set.Keys() {
		signers[i] = k.Public
	}
	return signers, nil
}

// ownKeys are the broker's published keys, from the store. They need no key file: what verifies is public.
type ownKeys struct {
	store storeReader // nil = none
	now   func() time.Time
}

func (o ownKeys) Lookup(ctx context.Context, _, kid string, alg jose.Alg) ([]jose.Key, uint64, error) {
	if o.store == nil {
		return nil, 0, fmt.Errorf("%w: there is no store with the broker's own keys", keys.ErrUnavailable)
	}
	list, err := o.store.ListKeys(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", keys.ErrUnavailable, err)
	}
	var published []jose.Key
	for _, k := range list {
		public, err := x509.ParsePKIXPublicKey(k.Public)
		if err == nil && k.Purpose == keyring.Tokens.Name && keyring.StateOf(k, o.now()) != keyring.Gone {
			published = append(published, jose.Key{ID: k.ID, Algs: []jose.Alg{jose.Alg(k.Alg)}, Public: public})
		}
	}
	return oneSet{jose.NewSet(published...)}.Lookup(ctx, "", kid, alg)
}

func (ownKeys) Version(string) uint64 { return 1 }

// readOnlySets lets the key cache read the store, and nothing else.
type readOnlySets struct{ store storeReader }

func (r readOnlySets) LoadKeySet(ctx context.Context, source string) (keys.Record, bool, error) {
	set, ok, err := r.store.LoadKeySet(ctx, source)
	return keys.Record(set), ok, err
}

func (readOnlySets) SaveKeySet(context.Context, string, keys.Record) error { return nil }

// errOffline is why a key that is not at hand is not fetched.
var errOffline = errors.New("not asked: offline (--online asks)")

func noNetwork(*x509.CertPool, bool) *http.Client {
	return &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, errOffline })}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// standingOf reads what admins said of a subject. Without a store there can be no such word.
func standingOf(marks []store.SubjectMark, sub string) trust.Standing {
	for _, m := range marks {
		if m.Sub == sub {
			return trust.Standing{Loaded: true, Blocked: m.Blocked, NotBefore: m.NotBefore}
		}
	}
	return trust.Standing{Loaded: true}
}
