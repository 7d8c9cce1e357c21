package bearer

import (
	"context"
	"slices"
	"time"
)

// Principal is who a request is made for, as the broker's token says.
type Principal struct {
	Subject  string   // sub: stable per person or service, never an e-mail address; "client:ID" for a client itself
	ClientID string   // client_id: the client the token was issued to
	Origin   string   // idp: the trust the credential came through; "" if the token does not say
	Issuer   string   // iss
	ID       string   // jti
	Audience []string // aud, this API's among them
	Scopes   []string // scope, split
	Expires  time.Time
	Issued   time.Time
	// Claims are all claims of the token, mapped ones included; numbers are json.Number. Read only.
	Claims map[string]any
}

// Has reports whether the token carries a scope.
func (p Principal) Has(scope string) bool { return slices.Contains(p.Scopes, scope) }

type principalKey struct{}

// From returns the principal of a request that went through Require. Elsewhere ok is false.
func From(ctx context.Context) (p Principal, ok bool) {
	p, ok = ctx.Value(principalKey{}).(Principal)
	return p, ok
}
