package oidc

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream"
)

// Keys finds keys; *keys.Cache implements it, and the keyring does for trust.Local.
type Keys interface {
	// Lookup returns candidate keys and the version of the set they come from. Errors that are keys.ErrUnknown mean that
	// the set has no such key; all others that there is no set.
	Lookup(ctx context.Context, trustID, kid string, alg jose.Alg) ([]jose.Key, uint64, error)
	// Version is the current version of a trust's set; 0 = none that may serve. It never blocks.
	Version(trustID string) uint64
}

// Want says what the caller was told the token is.
type Want struct {
	Type trust.CredentialType // CredentialJWT, CredentialIDToken or CredentialOwnToken
	// OrOwn, with CredentialJWT, lets a token of our own issuer be verified as CredentialOwnToken. It saves callers for
	// whom both are right from peeking.
	OrOwn bool
	// Handle lets an opaque access token stand for one of ours, wherever that may be.
	Handle bool
	Client string // authenticated client; "" if none. A trust without a rule for it refuses before keys are looked up
}

// Error is a refusal. Its text never holds the token.
type Error = upstream.Refusal

// Verifier turns a JWT into a trust.Subject. Safe for concurrent use; do not copy after first use.
type Verifier struct {
	Keys     Keys
	Handles  Handles // nil: no opaque tokens
	Now      func() time.Time
	Capacity int // KiB of verified tokens remembered; 0 = DefaultCapacity, negative = none

	memory atomic.Pointer[memory]
}

// Verify verifies raw under the registry's trusts. Errors are *Error. The subject's maps and slices may be shared with other
// calls: read-only.
//
// A token that was verified before, under the same registry, want and keys, is not verified again; its times are, and the subject
// has no Checks.
func (v *Verifier) Verify(ctx context.Context, reg *trust.Registry, raw string, want Want) (_ trust.Subject, err error) {
	defer recovered(&err)
	m := v.remembered(reg)
	k := m.key(raw, want)
	if r, ok := m.get(k); ok && v.Keys.Version(r.subject.Trust) == r.version {
		if f := r.times.check(v.Now()); f != nil {
			return trust.Subject{}, &Error{Reason: f.reason, Trust: r.subject.Trust, Detail: f.detail,
				Checks: []trust.Check{{Name: checkTimes, Detail: f.detail}}}
		}
		return r.subject, nil
	}
	x := &examination{verifier: v, reg: reg, want: want, raw: raw, now: v.Now(), checks: make([]trust.Check, 0, 12)}
	if f := x.run(ctx); f != nil {
		return trust.Subject{}, x.refusal(f)
	}
	x.subject.Checks = x.checks
	m.put(k, result{subject: x.subject, times: x.times, version: x.version, weight: uint32(len(raw)+1023) / 1024})
	return x.subject, nil
}

// recovered turns a panic in a library into a refusal. A runtime error's text is safe to keep; any other panic value may
// hold parts of the token.
func recovered(err *error) {
	p := recover()
	if p == nil {
		return
	}
	cause := fmt.Errorf("panic of type %T", p)
	if re, ok := p.(runtime.Error); ok {
		cause = fmt.Errorf("panic: %w", re)
	}
	*err = &Error{Reason: trust.ReasonPanic, Detail: "verification failed internally", Cause: cause}
}
