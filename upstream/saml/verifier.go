package saml

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"runtime"
	"time"

	"apostille/trust"
	"apostille/trust/xmlsec"
)

// Keys finds the keys of a trust; *keys.Cache implements it.
type Keys interface {
	// Signers returns every key that the trust's issuer signs with. An error means that there is none to be had.
	Signers(ctx context.Context, trustID string) ([]crypto.PublicKey, error)
}

// Verifier turns assertions into subjects. Safe for concurrent use.
type Verifier struct {
	Keys Keys
	Now  func() time.Time
}

// Assertion verifies an assertion as RFC 7522 and RFC 8693 carry it, base64url, for an authenticated client ("" = none). Errors are *Error.
// The subject is OneTime: its (Issuer, TokenID) MUST be claimed before anything is issued.
func (v *Verifier) Assertion(ctx context.Context, reg *trust.Registry, encoded, client string) (_ trust.Subject, err error) {
	defer recovered(&err)
	x := &examination{verifier: v, reg: reg, client: client, now: v.Now(), checks: make([]trust.Check, 0, 12)}
	b, f := decode(encoded)
	if f == nil {
		f = x.run(ctx, b)
	}
	if f != nil {
		return trust.Subject{}, x.refusal(f)
	}
	x.subject.Checks = x.checks
	return x.subject, nil
}

// recovered turns a panic into a refusal. A runtime error's text is safe to keep; any other panic value may hold parts of the assertion.
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

// verify has the signature checked, and returns what was signed.
func (v *Verifier) verify(ctx context.Context, t *trust.Trust, root *xmlsec.Element) (xmlsec.Verified, *fault) {
	if !xmlsec.HasSignature(root) { // before anybody is asked for keys
		return xmlsec.Verified{}, xmlFault(checkSignature, xmlsec.ErrUnsigned)
	}
	keys, err := v.Keys.Signers(ctx, t.ID)
	if err == nil && len(keys) == 0 {
		err = errors.New("an empty list")
	}
	if err != nil {
		return xmlsec.Verified{}, &fault{trust.ReasonKeysUnavailable, checkSignature, "the trust's keys cannot be had", err}
	}
	signed, err := xmlsec.Verify(root, keys)
	if err != nil {
		return xmlsec.Verified{}, xmlFault(checkSignature, err)
	}
	return signed, nil
}
