package jose

import (
	"crypto"
	"errors"
	"fmt"
	"slices"
)

// Limits of a key set, JWKS or PEM.
const (
	maxSetBytes = 256 << 10
	maxSetKeys  = 100
)

// Refused is a key of a set that was left out, and why, in words fit for an admin.
type Refused struct {
	Kid string // "" if the key has none, or one that is not fit to be shown
	Why string
}

// ParseJWKS reads a JWK Set (RFC 7517 §5) of at most 256 KiB and 100 keys. Keys that are not public, strong, for signatures and
// unambiguous are left out and reported: secret members, use other than sig, key_ops without verify, an alg that does not
// fit or is not allowed, RSA outside 2048 to 8192 bits, points off the curve, ROCA keys, and every key of a kid that stands for
// different keys (one key listed twice is one key, with the algorithms of both). A key without alg gets every allowed
// algorithm that fits its type. allowed narrows the algorithms; an empty list means all of Alg. A set that is not strict JSON or
// has no usable key is an error; what was refused is returned with it.
func ParseJWKS(b []byte, allowed []Alg) (*Set, []Refused, error) {
	if len(b) > maxSetBytes {
		return nil, nil, fmt.Errorf("key set is larger than %d bytes", maxSetBytes)
	}
	if err := checkAllowed(allowed); err != nil {
		return nil, nil, err
	}
	doc, err := DecodeObject(b)
	if err != nil {
		return nil, nil, fmt.Errorf("key set: %w", err)
	}
	list, ok := doc["keys"].([]any)
	if !ok {
		return nil, nil, errors.New(`key set has no "keys" array`)
	}
	if len(list) > maxSetKeys {
		return nil, nil, fmt.Errorf("key set has more than %d keys", maxSetKeys)
	}
	keys, refused := readKeys(list, allowed)
	keys, ambiguous := unambiguous(keys)
	refused = append(refused, ambiguous...)
	if len(keys) == 0 {
		return nil, refused, fmt.Errorf("key set has no usable key (%d refused)", len(refused))
	}
	return NewSet(keys...), refused, nil
}

func readKeys(list []any, allowed []Alg) (keys []Key, refused []Refused) {
	for i, member := range list {
		object, ok := member.(map[string]any)
		if !ok {
			refused = append(refused, Refused{Why: fmt.Sprintf("key %d: not an object", i)})
			continue
		}
		k, err := jwk(object).key(allowed)
		if err != nil {
			kid, _ := object["kid"].(string)
			if checkKid(kid) != nil {
				kid = ""
			}
			refused = append(refused, Refused{Kid: kid, Why: fmt.Sprintf("key %d: %v", i, err)})
			continue
		}
		keys = append(keys, k)
	}
	return keys, refused
}

// unambiguous merges keys that are listed twice and drops every key of a kid that names different ones: which of them the
// issuer meant is not ours to guess.
func unambiguous(keys []Key) (clear []Key, refused []Refused) {
	clashes := map[string]bool{}
	var merged []Key
	for _, k := range keys {
		same := slices.IndexFunc(merged, func(m Key) bool { return m.ID == k.ID && equal(m.Public, k.Public) })
		if same >= 0 {
			merged[same].Algs = union(merged[same].Algs, k.Algs)
			continue
		}
		if k.ID != "" && slices.ContainsFunc(merged, func(m Key) bool { return m.ID == k.ID }) {
			clashes[k.ID] = true
		}
		merged = append(merged, k)
	}
	for _, k := range merged {
		if clashes[k.ID] {
			refused = append(refused, Refused{Kid: k.ID, Why: "kid stands for different keys"})
			continue
		}
		clear = append(clear, k)
	}
	return clear, refused
}

func equal(a, b crypto.PublicKey) bool {
	comparable, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && comparable.Equal(b)
}

func union(a, b []Alg) []Alg {
	for _, alg := range b {
		if !slices.Contains(a, alg) {
			a = append(a, alg)
		}
	}
	return a
}
