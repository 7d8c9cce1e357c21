package saml

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"apostille/trust"
	"apostille/upstream"
)

// Paths below our issuer.
const (
	MetadataPath = "/saml/metadata" // GET; the address is our entityID too
	ACSPath      = "/saml/acs"      // POST: assertion consumer service, one for all offices
	LogoutPath   = "/saml/logout"   // GET and POST: single logout service
)

// ServiceProvider signs people in with SAML 2.0 identity providers (SAML Profiles 2.0 §4.1). It implements upstream.Provider and
// upstream.Screener for all trusts whose login speaks "saml". Every field is required. Safe for concurrent use; do
// not copy after first use.
type ServiceProvider struct {
	Issuer  string                             // our issuer
	Configs func(trustID string) (Login, bool) // false = nobody signs in with it
	Keys    Keys                               // of the upstreams
	Own     func() (OwnKeys, error)            // ours
	Now     func() time.Time
	Log     *slog.Logger

	publishing sync.Mutex
	published  map[string]published // signed metadata, by entityID
}

var (
	_ upstream.Provider    = (*ServiceProvider)(nil)
	_ upstream.Screener    = (*ServiceProvider)(nil)
	_ upstream.Unsolicited = (*ServiceProvider)(nil)
)

// OwnKeys are our keys. The first of a list is in use, all are published.
type OwnKeys struct{ Signing, Encryption []OwnKey }

// OwnKey is a key of ours and its certificate, DER.
type OwnKey struct {
	Key         crypto.Signer
	Certificate []byte
}

// decrypters are the keys that others may have encrypted to.
func (k OwnKeys) decrypters() (list []crypto.Decrypter) {
	for _, each := range k.Encryption {
		if d, ok := each.Key.(crypto.Decrypter); ok {
			list = append(list, d)
		}
	}
	return list
}

// Bindings of messages that we send.
const (
	BindingRedirect = "redirect"
	BindingPost     = "post"
)

// Login is how one identity provider is talked to: `[trust.ID.login]` without what policy and the picker know of it.
type Login struct {
	SSOURL     string
	SSOBinding string // BindingRedirect or BindingPost
	LogoutURL  string // its single logout service, by redirect; "" = none
	// EntityID is what it calls us; "" = our issuer + MetadataPath.
	EntityID     string
	NameIDFormat string            // asked for; "" = its choice
	Attributes   map[string]string // further names of attributes: theirs → claim
	SignRequests bool
	CBC          bool // accept AES-CBC, in signed responses only
	Logout       bool // end the session there too
	IdPInitiated bool // take Responses that nobody asked for
}

// party is one identity provider as one call sees it.
type party struct {
	sp    *ServiceProvider
	trust *trust.Trust
	cfg   Login
	now   time.Time
}

// known finds the configuration of a trust that people may sign in with.
func (sp *ServiceProvider) known(t *trust.Trust) (*party, error) {
	if t == nil || t.Spec.Disabled || t.Spec.Login == nil {
		return nil, &upstream.Error{Reason: trust.ReasonTrustNotLive, Detail: "nobody signs in with this trust"}
	}
	cfg, ok := sp.Configs(t.ID)
	if !ok || cfg.SSOURL == "" {
		return nil, &upstream.Error{Reason: trust.ReasonTrustNotLive, Detail: "the login of trust " + t.ID + " is not configured"}
	}
	return &party{sp: sp, trust: t, cfg: cfg, now: sp.Now()}, nil
}

// EntityID is what identity providers call us unless a trust says otherwise. It is not our issuer, which is the audience of assertions that are
// exchanged: an assertion is good for one of the two only (THREATS A87).
func (sp *ServiceProvider) EntityID() string { return sp.Issuer + MetadataPath }

func (p *party) entityID() string {
	if p.cfg.EntityID != "" {
		return p.cfg.EntityID
	}
	return p.sp.EntityID()
}

// signers are the keys of the upstream.
func (p *party) signers(ctx context.Context) ([]crypto.PublicKey, *fault) {
	keys, err := p.sp.Keys.Signers(ctx, p.trust.ID)
	if err == nil && len(keys) == 0 {
		err = errors.New("an empty list")
	}
	if err != nil {
		return nil, &fault{trust.ReasonKeysUnavailable, checkSignature, "the trust's keys cannot be had", err}
	}
	return keys, nil
}

// refusal is a fault as a caller of a Provider sees it.
func refusal(f *fault) error {
	return &upstream.Error{Reason: f.reason, Detail: f.check + ": " + f.detail, Cause: f.cause}
}

// guarded turns a panic into a failed login, and an error that is not *upstream.Error into one. A runtime error's text is safe to keep; any
// other panic value may hold parts of an assertion.
func (sp *ServiceProvider) guarded(err *error) {
	if p := recover(); p != nil {
		cause := fmt.Errorf("panic of type %T", p)
		if re, ok := p.(runtime.Error); ok {
			cause = fmt.Errorf("panic: %w", re)
		}
		sp.Log.Error("panic recovered", slog.String("while", "signing in with an upstream"), slog.String("stack", string(debug.Stack())))
		*err = &upstream.Error{Reason: trust.ReasonPanic, Detail: "the login failed internally", Cause: cause}
		return
	}
	var known *upstream.Error
	if *err != nil && !errors.As(*err, &known) {
		*err = &upstream.Error{Reason: trust.ReasonPanic, Detail: "the login failed internally", Cause: *err}
	}
}
