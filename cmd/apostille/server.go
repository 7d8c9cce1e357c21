package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"apostille/broker"
	"apostille/broker/account"
	"apostille/broker/audit"
	"apostille/broker/chooser"
	"apostille/broker/clientauth"
	"apostille/broker/config"
	"apostille/broker/keyring"
	"apostille/broker/metrics"
	"apostille/broker/store"
	"apostille/broker/token"
	"apostille/trust"
	"apostille/upstream/federation"
	"apostille/upstream/fetch"
	"apostille/upstream/keys"
	"apostille/upstream/oidc"
	"apostille/upstream/saml"
)

// server is what lives as long as the process. What a reload replaces stands in atomic pointers.
type server struct {
	app     *app
	log     *slog.Logger
	metrics *metrics.Metrics
	started time.Time

	store       store.Store
	ring        *keyring.Ring
	marks       *token.Marks
	audit       *audit.Writer
	recent      *account.Recent // records to audit
	strangers   *audit.Sampler
	guard       *fetch.Guard
	keys        *keys.Cache
	verifier    *oidc.Verifier
	assertions  *saml.Verifier
	federations *federation.Federations
	follower    *broker.Follower
	samlKeys    samlKeys
	kek         *keyring.KEK
	salt        []byte // of pairwise subjects
	signIn      *signIn

	config      atomic.Pointer[config.Config]
	policy      atomic.Pointer[token.Policy]
	offices     atomic.Pointer[offices]
	certificate atomic.Pointer[tls.Certificate]
	reloadError atomic.Pointer[string] // "" or nil: the files on disk are what is served
	stopping    atomic.Bool
	background  sync.WaitGroup

	installing sync.Mutex // one policy at a time is made

	folders map[string]bool // that are watched; of the goroutine of watch alone
}

// apply makes a checked configuration the one that is served. Keys first: a trust must not be asked for before its keys are.
func (s *server) apply(cfg *config.Config) {
	s.keys.Replace(cfg.Keys)
	s.federations.Replace(cfg.Federations)
	s.install(cfg)
}

// install makes policy and picker of a configuration, nil = the one that is served, and of the members that federations have now.
func (s *server) install(cfg *config.Config) {
	s.installing.Lock()
	defer s.installing.Unlock()
	if cfg == nil {
		if cfg = s.config.Load(); cfg == nil {
			return // it starts
		}
	}
	reg := cfg.Registry.WithMembers(s.federations.Directory())
	s.policy.Store(s.newPolicy(cfg, reg))
	s.config.Store(cfg)
	s.offices.Store(newOffices(reg, &chooser.Pages{Page: s.signIn.pages, Logos: s.signIn.logos, FormAction: formAction(cfg.Dev)}))
}

// newPolicy keeps the token buckets if their rates stay: a reload must not refill them.
func (s *server) newPolicy(cfg *config.Config, reg *trust.Registry) *token.Policy {
	p := &token.Policy{Registry: reg, Credentials: make(map[string]clientauth.Credential, len(cfg.Credentials))}
	if old := s.config.Load(); old != nil && old.Limits.PerIP == cfg.Limits.PerIP && old.Limits.PerClient == cfg.Limits.PerClient {
		p.Limits = s.policy.Load().Limits
	} else {
		p.Limits = token.NewLimits(token.Rate(cfg.Limits.PerIP), token.Rate(cfg.Limits.PerClient))
	}
	for id, c := range cfg.Credentials {
		p.Credentials[id] = clientauth.Credential(c)
	}
	return p
}

// firstParty says whether a client's people are asked for no consent.
func (s *server) firstParty(client string) bool {
	c, ok := s.policy.Load().Registry.Client(client)
	return ok && c.Spec.App != nil && c.Spec.App.FirstParty
}

// scopes lists every scope of every API and of the broker itself, for discovery.
func (s *server) scopes() []string {
	out := slices.Clone(trust.IdentityScopes)
	for _, api := range s.config.Load().Policy.APIs {
		for scope := range api.Scopes {
			out = append(out, scope)
		}
	}
	return out
}

func (s *server) close() {
	if err := errors.Join(s.strangers.Flush(context.Background()), s.audit.Close(), s.store.Close()); err != nil {
		s.log.Error("closing", "error", err)
	}
}

// newListener listens in plain or with TLS, whose certificate a reload replaces.
func (s *server) newListener(cfg *config.Config, address string) (net.Listener, error) {
	if cfg.Listener.TLS == nil {
		return net.Listen("tcp", address)
	}
	if err := s.loadCertificate(cfg); err != nil {
		return nil, &exit{exitUsage, err}
	}
	return tls.Listen("tcp", address, &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.certificate.Load(), nil },
	})
}

func (s *server) loadCertificate(cfg *config.Config) error {
	if cfg.Listener.TLS == nil {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(cfg.Listener.TLS.Cert, cfg.Listener.TLS.Key)
	if err != nil {
		return fmt.Errorf("listener.tls: %w", err)
	}
	s.certificate.Store(&pair)
	return nil
}

func newHTTPServer(cfg *config.Config, handler http.Handler, log *slog.Logger) *http.Server {
	l := cfg.Listener
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: l.ReadTimeout,
		ReadTimeout:       l.ReadTimeout,
		WriteTimeout:      l.WriteTimeout,
		IdleTimeout:       l.IdleTimeout,
		MaxHeaderBytes:    int(l.MaxHeader),
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// remote finds the address of who asks. Forwarded headers count only from listed proxies; the right-most address that is not a
// proxy's is the one a proxy of ours saw.
func remote(behind []netip.Prefix) func(*http.Request) string {
	return func(r *http.Request) string {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			return r.RemoteAddr
		}
		if len(behind) == 0 || !within(behind, host) {
			return host
		}
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0; i-- {
			hop := strings.TrimSpace(hops[i])
			if _, err := netip.ParseAddr(hop); err != nil {
				break
			}
			host = hop
			if !within(behind, hop) {
				break
			}
		}
		return host
	}
}

func within(prefixes []netip.Prefix, address string) bool {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	for _, p := range prefixes {
		if p.Contains(ip.Unmap()) {
			return true
		}
	}
	return false
}

// sideHandler serves what operators ask, on a listener of its own.
func (s *server) sideHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, readiness{Status: "ok"}) })
	mux.HandleFunc("GET /readyz", s.ready)
	return mux
}

// readiness is the answer of /readyz.
type readiness struct {
	Status string `json:"status"`           // ok, stopping, or unavailable
	Store  string `json:"store,omitempty"`  // ok, or what is wrong
	Config string `json:"config,omitempty"` // ok, or why the files on disk are not what is served
}

// ready says whether to send requests here. A configuration that could not be reloaded does not take a server out: the old one serves.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	state := readiness{Status: "ok", Store: "ok", Config: "ok"}
	if reason := s.reloadError.Load(); reason != nil && *reason != "" {
		state.Config = *reason
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := s.store.Ping(ctx); err != nil {
		s.log.Error("store", "error", err)
		state.Status, state.Store = "unavailable", "does not answer; see the log"
	}
	if s.stopping.Load() {
		state.Status = "stopping"
	}
	status := http.StatusOK
	if state.Status != "ok" {
		status = http.StatusServiceUnavailable
	}
	answer(w, status, state)
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client went away: nothing is left to tell it
}
