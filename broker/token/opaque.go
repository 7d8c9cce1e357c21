package token

import (
	"context"
	"crypto/sha256"

	"apostille/broker/mint"
	"apostille/broker/store"
	"apostille/exchange"
	"apostille/trust"
)

// Opaques keeps what opaque access tokens stand for; broker/store implements it. It MUST be durable when it returns.
type Opaques interface {
	PutOpaque(ctx context.Context, o store.Opaque) error
}

// keepOpaque stores what an opaque token stands for, before anybody can show it.
func (e *Endpoint) keepOpaque(ctx context.Context, d *trust.Decision, t mint.Token) error {
	if t.Claims == nil {
		return nil
	}
	err := e.Opaques.PutOpaque(ctx, store.Opaque{Hash: sha256.Sum256([]byte(t.Raw)), Family: d.Family, Claims: t.Claims, Until: t.Expires})
	if err != nil {
		return &exchange.Refusal{Reason: trust.ReasonStore, Trust: d.Trust, Detail: "keeping an opaque token", Cause: err}
	}
	return nil
}

// Handles finds what opaque tokens stand for; it is VERIFY's way to them (oidc.Handles).
type Handles struct {
	Store interface {
		Opaque(ctx context.Context, h store.Hash) (store.Opaque, bool, error)
	}
}

// Claims implements oidc.Handles. Whether the token was revoked is a standing's to say, as of every token of ours.
func (h Handles) Claims(ctx context.Context, handle string) ([]byte, error) {
	o, ok, err := h.Store.Opaque(ctx, sha256.Sum256([]byte(handle)))
	if err != nil || !ok {
		return nil, err
	}
	return o.Claims, nil
}
