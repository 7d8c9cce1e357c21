package oidc

import (
	"context"

	"apostille/trust"
)

// ExamineUnverified makes every check that Verify makes, except that of the SIGNATURE, for which no key is looked up: anybody
// can have written such a token. It is there to explain a refusal where keys cannot be had, and for nothing else. What it
// returns must never be issued for.
//
// Errors are *Error. The check "signature" stands among the others as not OK, "not checked". Nothing is remembered, and nothing that Verify
// remembers is used.
func (v *Verifier) ExamineUnverified(ctx context.Context, reg *trust.Registry, raw string, want Want) (_ trust.Subject, err error) {
	defer recovered(&err)
	x := &examination{verifier: v, reg: reg, want: want, raw: raw, now: v.Now(), skip: true}
	if f := x.run(ctx); f != nil {
		return trust.Subject{}, x.refusal(f)
	}
	x.subject.Checks = x.checks
	return x.subject, nil
}
