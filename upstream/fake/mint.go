package fake

import (
	"crypto"
	"crypto/rand"
	"maps"

	"apostille/trust/jose"
)

// MintOption bends one part of a token that Mint makes.
type MintOption func(*draft)

// draft is a token in the making.
type draft struct {
	key    signingKey
	header map[string]any            // members to add, replace or, with nil, remove; kid and typ are not in it
	kid    string                    // as it is written
	typ    string                    // as it is written; "" = none
	sign   func(input []byte) []byte // nil = the key signs
}

// Typ sets the header's typ; "" leaves it out. The default is "JWT".
func Typ(typ string) MintOption { return func(d *draft) { d.typ = typ } }

// Kid names another key than the one that signs; "" leaves the member out.
func Kid(kid string) MintOption { return func(d *draft) { d.kid = kid } }

// By signs with another key, under its own algorithm. The kid stays that of the provider's key, as a forger writes it.
func By(key crypto.Signer, alg jose.Alg) MintOption {
	return func(d *draft) { d.key.signer, d.key.alg = key, alg }
}

// Header sets any header member; nil removes it. Setting alg changes what is written, not how the token is signed.
func Header(name string, value any) MintOption {
	return func(d *draft) {
		if d.header == nil {
			d.header = map[string]any{}
		}
		d.header[name] = value
	}
}

// SignWith makes the signature from the signing input ("header.payload"). Returning nil leaves it empty.
func SignWith(sign func(input []byte) []byte) MintOption { return func(d *draft) { d.sign = sign } }

// Mint signs a token with the current key. It adds iss, iat, exp (Options.Lifetime) and a random jti; claims given replace
// these, and one that is nil leaves the claim out. Mint panics if a claim is not JSON.
func (p *Provider) Mint(claims map[string]any, opts ...MintOption) string {
	now := p.o.Now()
	all := map[string]any{
		"iss": p.o.Issuer,
		"iat": now.Unix(),
		"exp": now.Add(p.o.Lifetime).Unix(),
		"jti": rand.Text(),
	}
	maps.Copy(all, claims)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })

	d := draft{key: p.current(), typ: "JWT"}
	d.kid = d.key.kid
	for _, o := range opts {
		o(&d)
	}
	return d.compact(mustJSON(all))
}

// compact lets jose sign what jose would sign. What it refuses (too large, an odd kid, a key that does not fit) is a token that
// is wrong on purpose, and is put together by hand.
func (d *draft) compact(payload []byte) string {
	if d.header == nil && d.sign == nil {
		if token, err := jose.Sign(d.key.alg, d.kid, d.typ, payload, d.key.signer); err == nil {
			return token
		}
	}
	return d.raw(payload)
}
