package upstream

import (
	"context"
	"net/url"

	"apostille/trust"
)

// Protocols is a Provider for every trust, by the protocol of its login.
type Protocols map[string]Provider

var (
	_ Screener    = Protocols{}
	_ Unsolicited = Protocols{}
)

func (p Protocols) of(t *trust.Trust) (Provider, error) {
	if t != nil && t.Spec.Login != nil {
		if provider := p[t.Spec.Login.Protocol]; provider != nil {
			return provider, nil
		}
	}
	return nil, &Error{Reason: trust.ReasonTrustNotLive, Detail: "nobody signs in with this trust"}
}

// Begin implements Provider.
func (p Protocols) Begin(ctx context.Context, t *trust.Trust, state, redirect string, ask Ask) (Start, error) {
	provider, err := p.of(t)
	if err != nil {
		return Start{}, err
	}
	return provider.Begin(ctx, t, state, redirect, ask)
}

// Finish implements Provider.
func (p Protocols) Finish(ctx context.Context, t *trust.Trust, redirect string, a Answer) (Login, error) {
	provider, err := p.of(t)
	if err != nil {
		return Login{}, err
	}
	return provider.Finish(ctx, t, redirect, a)
}

// Screen implements Screener; answers of a Provider that is none are refused, for they are small.
func (p Protocols) Screen(ctx context.Context, t *trust.Trust, redirect string, a Answer) (id string, err error) {
	provider, err := p.of(t)
	if err != nil {
		return "", err
	}
	if s, ok := provider.(Screener); ok {
		return s.Screen(ctx, t, redirect, a)
	}
	return "", &Error{Reason: trust.ReasonTooLarge, Detail: "an answer of this size is not expected"}
}

// Sender implements Unsolicited, by SAML: no other protocol knows such answers.
func (p Protocols) Sender(ctx context.Context, trusts func(issuer string) []*trust.Trust, redirect string, params url.Values) (*trust.Trust, error) {
	if u, ok := p[trust.ProtocolSAML].(Unsolicited); ok {
		return u.Sender(ctx, trusts, redirect, params)
	}
	return nil, &Error{Reason: trust.ReasonLoginState, Detail: "nobody asked for this answer"}
}
