package oidc

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/keys"
)

// verifySignature tries each candidate key of the trust.
func (x *examination) verifySignature(ctx context.Context) *fault {
	if x.skip {
		x.checks = append(x.checks, trust.Check{Name: checkSignature, Detail: "not checked"})
		return nil
	}
	h := x.token.Header
	candidates, version, err := x.verifier.Keys.Lookup(ctx, x.trustID, h.Kid, h.Alg)
	switch {
	case errors.Is(err, keys.ErrUnknown):
		return &fault{trust.ReasonKeyUnknown, checkSignature, quote("the trust has no key for "+string(h.Alg)+" with kid ", h.Kid), err}
	case err != nil:
		return &fault{trust.ReasonKeysUnavailable, checkSignature, "the trust's keys cannot be had", err}
	}
	err = error(jose.ErrSignature)
	for _, k := range candidates {
		if err = x.token.Verify(k); err == nil {
			x.version = version
			return x.passed(checkSignature, quote(string(h.Alg)+" by key ", k.ID))
		}
	}
	if errors.Is(err, jose.ErrAlgorithm) {
		return &fault{trust.ReasonAlgorithm, checkSignature, "the key is not for " + string(h.Alg), err}
	}
	return &fault{trust.ReasonSignature, checkSignature, "no key of the trust made this signature", err}
}

// verifyIDToken has go-oidc verify the token as well, over our keys: both have to agree. Our own rules have held before.
func (x *examination) verifyIDToken(ctx context.Context) *fault {
	set := &keySet{x: x}
	v := gooidc.NewVerifier(x.subject.Issuer, set, &gooidc.Config{
		// aud was checked entry by entry; go-oidc would look for one client id.
		SkipClientIDCheck:    true,
		SupportedSigningAlgs: []string{string(x.token.Header.Alg)},
		// go-oidc allows no skew on exp.
		Now: func() time.Time { return x.now.Add(-trust.Skew) },
	})
	t, err := v.Verify(ctx, x.raw)
	switch {
	case set.fault != nil:
		return set.fault
	case err != nil:
		return &fault{trust.ReasonClaim, checkIDToken, "go-oidc refuses the ID token", err}
	case t.Issuer != x.subject.Issuer || t.Subject != x.claims["sub"]:
		return &fault{trust.ReasonClaim, checkIDToken, "go-oidc reads the ID token differently", nil}
	}
	return x.passed(checkIDToken, "go-oidc agrees")
}

// keySet is our keys for go-oidc. Its own RemoteKeySet fetches for every bad token and never forgets a key.
type keySet struct {
	x     *examination
	fault *fault
}

// VerifySignature implements go-oidc's KeySet for the one token under examination.
func (s *keySet) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	if raw != s.x.raw {
		return nil, errors.New("another token")
	}
	if s.fault = s.x.verifySignature(ctx); s.fault != nil {
		return nil, errors.New(s.fault.detail)
	}
	_, rest, _ := strings.Cut(raw, ".")
	payload, _, _ := strings.Cut(rest, ".")
	return base64.RawURLEncoding.DecodeString(payload)
}
