package main

import (
	"context"
	"crypto"
	"log/slog"
	"path/filepath"
	"runtime/debug"
	"time"

	"apostille/broker/audit"
	"apostille/broker/config"
	"apostille/trust"
	"apostille/upstream/federation"
	"apostille/upstream/fetch"
	"apostille/upstream/saml"
)

// Bounds of an aggregate. The largest today has some 100 MB.
const (
	maxAggregate     = 512 << 20
	aggregateTimeout = 10 * time.Minute
)

// aggregateGuard makes the guarded client for metadata of federations, which are larger and slower than all else.
func aggregateGuard(cfg *config.Config) *fetch.Guard {
	return fetch.New(fetch.Options{Allow: cfg.Outbound.Allow, Dev: cfg.Dev, Timeout: aggregateTimeout, MaxBody: maxAggregate})
}

// indexDir is where the members of federations are kept: beside the store, or nowhere.
func indexDir(cfg *config.Config) string {
	if cfg.Store.Path == config.MemoryStore {
		return ""
	}
	return filepath.Dir(cfg.Store.Path)
}

// newFederations makes what holds the members of federations.
func (s *server) newFederations(cfg *config.Config) *federation.Federations {
	return federation.New(federation.Config{
		Dir: indexDir(cfg), Client: aggregateGuard(cfg).Client, Now: time.Now, Log: s.log, Gentle: true, OnRefresh: s.refreshed,
		OnChange: func(trust.Directory) {
			s.install(nil)
			debug.FreeOSMemory() // what reading thousands left behind would lie there until traffic has allocated as much again
		},
	})
}

// refreshed counts a refresh, and records what it changed or why it was refused.
func (s *server) refreshed(o federation.Outcome) {
	s.metrics.Refreshed(o.Federation, o.Same, o.Err, o.Header.Members, o.Header.Until)
	if o.Same {
		return
	}
	e := &audit.Event{Event: audit.EventFederation, Trust: o.Federation, Issuer: o.Header.Source, Detail: o.Header.Change.String(), Expires: o.Header.Until}
	if o.Err != nil {
		e.Event, e.Detail = audit.EventFederationRefused, o.Err.Error()
	}
	if err := s.audit.Record(context.Background(), e); err != nil { // nothing is issued by it
		s.log.Error("a refresh is not in the audit trail", slog.String("federation", o.Federation), slog.Any("error", err))
	}
}

// signers finds the keys that verify assertions, of trusts with keys of their own and of members of federations.
type signers struct {
	own     saml.Keys
	members *federation.Federations
	trust   func(id string) (*trust.Trust, bool)
}

// Signers implements saml.Keys.
func (k signers) Signers(ctx context.Context, trustID string) ([]crypto.PublicKey, error) {
	if t, ok := k.trust(trustID); ok {
		if federation, federated := t.Federated(); federated {
			return k.members.Signers(ctx, federation, t.Spec.Issuer)
		}
	}
	return k.own.Signers(ctx, trustID)
}

func (s *server) signers() signers { return signers{s.keys, s.federations, s.trust} }

func (s *server) trust(id string) (*trust.Trust, bool) { return s.policy.Load().Registry.Trust(id) }

// samlLogin says how a trust or a member is talked to: what metadata say completes what the configuration says.
func (s *server) samlLogin(id string) (saml.Login, bool) {
	cfg := s.config.Load()
	l, configured := cfg.SAMLLogins[id]
	t, ok := s.trust(id)
	if !ok {
		return saml.Login{}, false
	}
	federation, federated := t.Federated()
	if !federated {
		return l, configured
	}
	if !configured {
		if l, configured = cfg.FederationLogins[federation]; !configured {
			return saml.Login{}, false
		}
	}
	place, err := s.federations.Place(federation, t.Spec.Issuer)
	if err != nil {
		s.log.Error("where people of a member sign in is not known", "federation", federation, "entity_id", t.Spec.Issuer, "error", err.Error())
	}
	return completed(l, place), true
}

// completed fills in places that were not configured.
func completed(l saml.Login, at federation.Place) saml.Login {
	if l.SSOURL == "" {
		l.SSOURL, l.SSOBinding = at.Redirect, saml.BindingRedirect
		if at.Redirect == "" {
			l.SSOURL, l.SSOBinding = at.Post, saml.BindingPost
		}
	}
	if l.LogoutURL == "" {
		l.LogoutURL = at.Logout
	}
	l.Logout = l.Logout && l.LogoutURL != ""
	return l
}

// configuredLogo says whether the URL of a logo was written in our configuration; one from metadata is a stranger's, and never reaches
// private addresses (THREATS A113).
func configuredLogo(cfg *config.Config, link string) bool {
	for _, t := range cfg.Policy.Trusts {
		if t.Login != nil && t.Login.Logo == link {
			return true
		}
	}
	return false
}
