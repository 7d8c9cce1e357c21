package jose

import (
	"crypto"
	"slices"
)

// Key is a public key and the algorithms it may be used with.
type Key struct {
	ID     string // kid as published; "" if the set gives none
	Algs   []Alg
	Public crypto.PublicKey // *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey
}

// maxUnnamed is how many keys may be tried because neither the token nor the key has a kid: each try costs a verification.
const maxUnnamed = 4

// Set is an immutable key set. The zero value and nil hold no key.
type Set struct {
	keys  []Key
	byKid map[name][]Key // keys with the kid, then those without; only kids that occur
	noKid map[Alg][]Key  // keys without a kid
	byAlg map[Alg][]Key  // all keys
}

type name struct {
	kid string
	alg Alg
}

// NewSet makes a set. It takes the keys as they are; ParseJWKS and ParsePEM are the ones that judge them.
func NewSet(keys ...Key) *Set {
	s := &Set{keys: slices.Clone(keys), byKid: map[name][]Key{}, noKid: map[Alg][]Key{}, byAlg: map[Alg][]Key{}}
	for _, k := range s.keys {
		for _, alg := range k.Algs {
			s.byAlg[alg] = append(s.byAlg[alg], k)
			if k.ID == "" {
				s.noKid[alg] = append(s.noKid[alg], k)
				continue
			}
			n := name{k.ID, alg}
			s.byKid[n] = append(s.byKid[n], k)
		}
	}
	dropCrowds(s.byAlg)
	dropCrowds(s.noKid)
	for n := range s.byKid {
		s.byKid[n] = append(s.byKid[n], s.noKid[n.alg]...)
	}
	return s
}

// dropCrowds empties the lists that are too long to be tried one by one.
func dropCrowds(byAlg map[Alg][]Key) {
	for alg, keys := range byAlg {
		if len(keys) > maxUnnamed {
			delete(byAlg, alg)
		}
	}
}

// Keys returns all keys; do not change them.
func (s *Set) Keys() []Key {
	if s == nil {
		return nil
	}
	return s.keys
}

// Lookup returns the keys a token with this header may be tried with: those with exactly this kid and the alg; for a token
// without kid, all keys with the alg if they are at most 4, else none; for a token with a kid, also keys without a kid, again
// if they are at most 4. It allocates nothing and costs the same for any number of keys; do not change the result.
func (s *Set) Lookup(kid string, alg Alg) []Key {
	if s == nil {
		return nil
	}
	if kid == "" {
		return s.byAlg[alg]
	}
	if keys, ok := s.byKid[name{kid, alg}]; ok {
		return keys
	}
	return s.noKid[alg]
}
