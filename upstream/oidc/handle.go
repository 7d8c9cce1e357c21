package oidc

import (
	"context"
	"strings"

	"apostille/trust"
	"apostille/trust/jose"
)

// Handles knows the opaque access tokens that we issued; broker/token implements it.
type Handles interface {
	// Claims returns the claims, as JSON, that a JWT in the place of the handle would carry. No such token, or one that is over, is nil.
	Claims(ctx context.Context, handle string) ([]byte, error)
}

// maxHandle is more than any handle of ours has, in bytes: what is longer is not looked up.
const maxHandle = 64

// isHandle says whether an opaque token may have come. A JWS has dots.
func (x *examination) isHandle() bool {
	return x.want.Handle && x.verifier.Handles != nil && x.raw != "" && len(x.raw) <= maxHandle && !strings.Contains(x.raw, ".")
}

// handle examines an opaque access token of ours. What stands for it is held to all that a JWT of ours is; in the place of a signature, it is
// we who have kept it. Nothing of it is remembered: the next look may find that it is gone.
func (x *examination) handle(ctx context.Context) *fault {
	b, err := x.verifier.Handles.Claims(ctx, x.raw)
	if err != nil {
		return &fault{trust.ReasonStore, checkFormat, "reading an opaque token", err}
	}
	if b == nil {
		return &fault{trust.ReasonMalformed, checkFormat, "neither a JWT nor an opaque token of ours", nil}
	}
	if x.claims, err = jose.DecodeObject(b); err != nil {
		return &fault{trust.ReasonMalformed, checkFormat, "the claims of an opaque token cannot be read", err}
	}
	x.passed(checkFormat, "opaque")
	if f := x.readIssuer(); f != nil {
		return f
	}
	if f := x.kind(); f != nil {
		return f
	}
	return x.readOwn()
}
