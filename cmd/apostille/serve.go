package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"apostille/broker"
	"apostille/broker/account"
	"apostille/broker/audit"
	"apostille/broker/clientauth"
	"apostille/broker/config"
	"apostille/broker/family"
	"apostille/broker/keyring"
	"apostille/broker/metrics"
	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/broker/store/memory"
	"apostille/broker/store/sqlite"
	"apostille/broker/token"
	"apostille/exchange"
	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/fetch"
	"apostille/upstream/keys"
	"apostille/upstream/oidc"
	"apostille/upstream/saml"

	"github.com/spf13/cobra"
)

func (a *app) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Run the broker",
		Long: `Runs the broker until it is told to stop (SIGTERM, SIGINT). The configuration is loaded again on SIGHUP and when its files
have not changed for a second; a faulty one leaves the old one serving and says so in the log, in /readyz and in a metric.`,
		Example: `  apostille serve
  apostille serve --config /etc/apostille/apostille.toml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context()) },
	}
}

// gcPercent lets garbage grow to twice what lives. Nearly all that a request allocates dies with it and little is kept, so that Go's
// default would collect every hundred exchanges, for a tenth of their cost. The variable GOGC overrides it.
const gcPercent = 200

// serve wires the parts: store, upstreams, broker, listeners.
func (a *app) serve(ctx context.Context) error {
	started := time.Now()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	cfg, err := a.load()
	if err != nil {
		return &exit{exitUsage, err}
	}
	s := &server{app: a, log: newLog(a.stderr, cfg.Log), metrics: metrics.New(), started: started}
	for _, w := range cfg.Warnings {
		s.log.Warn("configuration", "file", w.File, "line", w.Line, "path", w.Path, "problem", w.Text, "remedy", w.Remedy)
	}
	if err := s.openStore(ctx, cfg); err != nil {
		return err
	}
	defer s.close()
	if err := s.openUpstreams(cfg); err != nil {
		return err
	}
	handler, err := s.newBroker(cfg)
	if err != nil {
		return err
	}
	// What requests rest on lives until the last of them is answered, which is after ctx has ended.
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.background.Go(func() { s.keys.Run(serving) })
	s.background.Go(func() { s.federations.Run(serving) })
	s.background.Go(func() { s.follower.Run(serving) })
	s.background.Go(func() { s.signIn.tell.Run(serving) })
	s.background.Go(func() { s.watch(serving) })
	defer s.background.Wait()
	defer cancel()
	return s.listen(ctx, cfg, handler)
}

// openStore opens what is remembered: the store, the signing keys in it, and the audit trail.
func (s *server) openStore(ctx context.Context, cfg *config.Config) error {
	var err error
	if cfg.Store.Path == config.MemoryStore {
		s.store = memory.New(memory.Options{Now: time.Now, MaxPending: cfg.Login.Unfinished})
	} else if s.store, err = sqlite.Open(ctx, cfg.Store.Path, sqlite.Options{Now: time.Now, Log: s.log, MaxPending: cfg.Login.Unfinished}); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	if s.kek, err = keyring.ReadKEKFile(cfg.KeyFile); err != nil {
		return &exit{exitUsage, errors.Join(err, s.store.Close())}
	}
	s.salt = s.kek.Derive(pairwiseLabel)
	s.ring, err = keyring.Open(ctx, keyring.Config{Store: s.store, KEK: s.kek, Now: time.Now, Log: s.log})
	if err != nil {
		return errors.Join(err, s.store.Close())
	}
	s.marks = &token.Marks{Subjects: s.store, Now: time.Now}
	if err := s.marks.Refresh(ctx); err != nil {
		return errors.Join(err, s.store.Close())
	}
	if s.audit, err = openAudit(cfg.Audit, s.app.stdout); err != nil {
		return errors.Join(fmt.Errorf("audit: %w", err), s.store.Close())
	}
	s.recent = account.NewRecent(s.audit)
	s.strangers = audit.Sampled(s.audit, audit.SampleOptions{PerSecond: strangersPerSecond, OnDrop: s.metrics.SampledOut})
	s.follower = &broker.Follower{
		Versions: s.store, Confirm: s.marks.Confirm, Every: time.Second, Log: s.log,
		Refresh: []func(context.Context) error{s.ring.Refresh, s.samlKeys.Refresh, s.marks.Refresh},
	}
	return nil
}

// openUpstreams makes the one guarded client and the one key cache. No upstream is waited for.
func (s *server) openUpstreams(cfg *config.Config) error {
	s.guard = fetch.New(fetch.Options{Allow: cfg.Outbound.Allow, Dev: cfg.Dev, Timeout: cfg.Outbound.Timeout})
	s.keys = keys.New(keys.Config{
		Client: s.guard.Client,
		// Half of the places at most: upstreams that are down must leave the others room.
		MaxWaiting: max(1, cfg.Limits.Concurrent/2),
		LastGood:   lastGood{s.store}, Now: time.Now, Log: s.log, OnFetch: s.metrics.Fetched,
	})
	s.federations = s.newFederations(cfg)
	s.assertions = &saml.Verifier{Keys: s.signers(), Now: time.Now}
	s.verifier = &oidc.Verifier{Keys: s.verifyingKeys(), Handles: token.Handles{Store: s.store}, Now: time.Now}
	var err error
	if s.signIn, err = s.newSignIn(cfg); err != nil {
		return err
	}
	s.apply(cfg)
	return nil
}

// newBroker makes the handler.
func (s *server) newBroker(cfg *config.Config) (http.Handler, error) {
	grants := map[trust.Grant]token.Grant{
		trust.GrantTokenExchange:     exchange.TokenExchange{Verifier: s.verifier, Assertions: s.assertions},
		trust.GrantJWTBearer:         exchange.JWTBearer{Verifier: s.verifier},
		trust.GrantSAML2Bearer:       exchange.SAML2Bearer{Assertions: s.assertions},
		trust.GrantClientCredentials: exchange.ClientCredentials{},
		trust.GrantCode:              family.CodeGrant{Families: s.signIn.families},
		trust.GrantRefresh:           family.RefreshGrant{Families: s.signIn.families},
	}
	endpoint := &token.Endpoint{
		Policy:    s.policy.Load,
		Grants:    grants,
		Clients:   &clientauth.Authenticator{Replay: s.store, Now: time.Now},
		Standings: s.signIn.standings,
		Replay:    s.store,
		Minter:    s.signIn.minter,
		Opaques:   s.store,
		Audit:     s.recent,
		Sampled:   s.strangers,
		Gate:      token.NewGate(cfg.Limits.Concurrent),
		Remote:    remote(cfg.Listener.Behind),
		Observer:  s.metrics,
		Now:       time.Now,
		Log:       s.log,
		MaxBody:   cfg.Listener.MaxBody,
	}
	deps := broker.Deps{
		Issuer: cfg.Issuer, Token: endpoint, Keys: s.ring, Scopes: s.scopes, Log: s.log,
		Grants: []string{
			oauth.GrantTypeCode, oauth.GrantTypeRefresh, oauth.GrantTypeTokenExchange, oauth.GrantTypeJWTBearer, oauth.GrantTypeSAML2Bearer,
			oauth.GrantTypeClientCredentials,
		},
	}
	s.mount(cfg, &deps, endpoint)
	return broker.New(deps)
}

// listen serves until ctx ends, then lets requests finish.
func (s *server) listen(ctx context.Context, cfg *config.Config, handler http.Handler) error {
	main, err := s.newListener(cfg, cfg.Listener.Address)
	if err != nil {
		return err
	}
	public := newHTTPServer(cfg, handler, s.log)
	servers := []*http.Server{public}
	failed := make(chan error, 2)
	s.background.Go(func() { failed <- public.Serve(main) })
	if cfg.Metrics.Address != "" {
		side, err := net.Listen("tcp", cfg.Metrics.Address)
		if err != nil {
			return errors.Join(err, public.Close())
		}
		operators := newHTTPServer(cfg, s.sideHandler(), s.log)
		servers = append(servers, operators)
		s.background.Go(func() { failed <- operators.Serve(side) })
		s.log.Info("listening", "listener", "metrics", "addr", side.Addr().String())
	}
	s.log.Info("listening", "listener", "main", "addr", main.Addr().String(), "issuer", cfg.Issuer, "took", time.Since(s.started).String())
	s.background.Go(debug.FreeOSMemory) // what starting left behind would lie there until traffic has allocated as much again
	select {
	case err = <-failed:
	case <-ctx.Done():
		s.stopping.Store(true) // readiness flips before the first connection is closed
		s.log.Info("stopping")
	}
	graceful, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWait)
	defer cancel()
	for _, server := range servers {
		err = errors.Join(err, server.Shutdown(graceful))
	}
	return err
}

const (
	shutdownWait       = 15 * time.Second
	strangersPerSecond = 20 // audit records of refusals before client and issuer are known
)

// verifyingKeys finds keys of upstreams, and our own for the built-in trust.
func (s *server) verifyingKeys() oidc.Keys { return allKeys{upstream: s.keys, own: s.ring} }

type allKeys struct{ upstream, own oidc.Keys }

func (k allKeys) of(trustID string) oidc.Keys {
	if trustID == trust.Local {
		return k.own
	}
	return k.upstream
}

func (k allKeys) Lookup(ctx context.Context, trustID, kid string, alg jose.Alg) ([]jose.Key, uint64, error) {
	found, version, err := k.of(trustID).Lookup(ctx, trustID, kid, alg)
	if err == nil && len(found) == 0 { // the key ring knows no errors of upstreams
		err = keys.ErrUnknown
	}
	return found, version, err
}

func (k allKeys) Version(trustID string) uint64 { return k.of(trustID).Version(trustID) }

// lastGood lets the key cache keep its records in the store.
type lastGood struct{ store store.KeySets }

func (l lastGood) LoadKeySet(ctx context.Context, source string) (keys.Record, bool, error) {
	r, ok, err := l.store.LoadKeySet(ctx, source)
	return keys.Record(r), ok, err
}

func (l lastGood) SaveKeySet(ctx context.Context, source string, r keys.Record) error {
	return l.store.SaveKeySet(ctx, source, store.KeySet(r))
}

// openAudit opens the audit trail: a file, or standard output.
func openAudit(c config.Audit, stdout io.Writer) (*audit.Writer, error) {
	if c.File != "-" {
		return audit.OpenFile(c.File, audit.Options{})
	}
	return audit.NewWriter(stdout, audit.Options{}), nil
}

func newLog(w io.Writer, c config.Log) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.Level)) // checked by config; unset is info
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}
