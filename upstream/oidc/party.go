package oidc

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"

	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream"
)

// RelyingParty signs people in with OpenID providers by the code flow. It implements upstream.Provider and upstream.LogoutReceiver for all
// trusts whose login speaks "oidc". Every field but Sign is required. Safe for concurrent use; do not copy after first use.
type RelyingParty struct {
	// Configs finds a trust's configuration; false = nobody signs in with it.
	Configs func(trustID string) (LoginConfig, bool)
	Keys    Keys // *keys.Cache
	// Client makes guarded clients, as fetch.Guard does: configured says that the URL was written in our configuration.
	Client func(roots *x509.CertPool, configured bool) *http.Client
	// Sign signs claims with a key that our JWK Set publishes, for client assertions; nil = AuthPrivateKeyJWT refuses.
	Sign func(alg jose.Alg, typ string, claims []byte) (string, error)
	Now  func() time.Time
	Log  *slog.Logger

	discoveries discoveries
}

var (
	_ upstream.Provider       = (*RelyingParty)(nil)
	_ upstream.LogoutReceiver = (*RelyingParty)(nil)
)

// party is one upstream as one call sees it.
type party struct {
	rp    *RelyingParty
	trust *trust.Trust
	cfg   LoginConfig
	meta  *metadata // nil where no endpoint is needed
	now   time.Time
}

// known finds the configuration of a trust that people may sign in with.
func (rp *RelyingParty) known(t *trust.Trust) (*party, error) {
	if t == nil || t.Spec.Disabled || t.Spec.Login == nil {
		return nil, &upstream.Error{Reason: trust.ReasonTrustNotLive, Detail: "nobody signs in with this trust"}
	}
	cfg, ok := rp.Configs(t.ID)
	if !ok || cfg.ClientID == "" {
		return nil, &upstream.Error{Reason: trust.ReasonTrustNotLive, Detail: "the login of trust " + t.ID + " is not configured"}
	}
	return &party{rp: rp, trust: t, cfg: cfg, now: rp.Now()}, nil
}

// reached is known, with the upstream's endpoints.
func (rp *RelyingParty) reached(ctx context.Context, t *trust.Trust) (*party, error) {
	p, err := rp.known(t)
	if err != nil {
		return nil, err
	}
	if p.meta, err = rp.discover(ctx, p); err != nil {
		// No cause: what is behind it may quote the upstream.
		return nil, &upstream.Error{Reason: trust.ReasonUpstreamDown, Detail: err.Error()}
	}
	return p, nil
}

// refusal is a fault as a caller of ours sees it.
func refusal(f *fault) error {
	return &upstream.Error{Reason: f.reason, Detail: f.check + ": " + f.detail, Cause: f.cause}
}

// guarded turns a panic in a library into a failed login, and an error that is not *upstream.Error into one. A runtime error's text is
// safe to keep; any other panic value may hold parts of a token.
func (rp *RelyingParty) guarded(err *error) {
	if p := recover(); p != nil {
		cause := fmt.Errorf("panic of type %T", p)
		if re, ok := p.(runtime.Error); ok {
			cause = fmt.Errorf("panic: %w", re)
		}
		rp.Log.Error("panic recovered", slog.String("while", "signing in with an upstream"), slog.String("stack", string(debug.Stack())))
		*err = &upstream.Error{Reason: trust.ReasonPanic, Detail: "the login failed internally", Cause: cause}
		return
	}
	var known *upstream.Error
	if *err != nil && !errors.As(*err, &known) {
		*err = &upstream.Error{Reason: trust.ReasonPanic, Detail: "the login failed internally", Cause: *err}
	}
}
