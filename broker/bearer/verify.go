package bearer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"apostille/broker/oauth"
	"apostille/trust/jose"
	"apostille/upstream/keys"
)

// verify turns a token into a Principal. The steps before the signature read only what chooses the key or refuses; no claim
// is used for anything else before step 5.
func (g *Guard) verify(ctx context.Context, raw string) (Principal, *oauth.Error) {
	// 1. One strict compact JWS.
	t, err := jose.Parse(raw)
	if err != nil {
		return Principal{}, g.invalidToken(unreadable(err), err)
	}
	// 2. The issuer, so that a foreign token costs neither a look-up nor a fetch.
	if iss, _ := t.Claims["iss"].(string); iss != g.c.Issuer {
		return Principal{}, g.foreign(t.Claims["iss"])
	}
	// 3. Kind and algorithm are ours to say, not the token's (RFC 9068 §4, RFC 8725 §3.1, §3.11).
	if t.Header.Typ != g.typ {
		return Principal{}, g.invalidToken(notAccessToken, fmt.Errorf("typ is %.20q, want %q", t.Header.Typ, g.typ))
	}
	if !slices.Contains(g.c.Algs, t.Header.Alg) {
		return Principal{}, g.invalidToken("signed with an algorithm that is not accepted here", fmt.Errorf("alg is %s", t.Header.Alg))
	}
	// 4. The signature.
	if refusal := g.signature(ctx, t); refusal != nil {
		return Principal{}, refusal
	}
	// 5. What it says.
	p, fault := g.read(t.Claims)
	if fault != nil {
		return Principal{}, g.invalidToken(fault.description, fault.cause)
	}
	return p, nil
}

func unreadable(err error) string {
	switch {
	case errors.Is(err, jose.ErrTooLarge):
		return "the access token is too large"
	case errors.Is(err, jose.ErrAlgorithm):
		return "signed with an algorithm that is not accepted here"
	}
	return "the access token is malformed"
}

func (g *Guard) signature(ctx context.Context, t *jose.Token) *oauth.Error {
	candidates, _, err := g.keys.Lookup(ctx, TrustID, t.Header.Kid, t.Header.Alg)
	switch {
	case errors.Is(err, keys.ErrUnavailable), err != nil && ctx.Err() != nil:
		return g.unavailable(err)
	case err != nil || len(candidates) == 0:
		if err == nil {
			err = keys.ErrUnknown
		}
		return g.invalidToken("the signing key is not known (yet)", fmt.Errorf("kid %.64q, alg %s: %w", t.Header.Kid, t.Header.Alg, err))
	}
	err = jose.ErrSignature
	for _, k := range candidates {
		if err = t.Verify(k); err == nil {
			return nil
		}
	}
	return g.invalidToken("the signature is invalid", err)
}
