package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
	"strings"

	"apostille/trust/jose"
)

// keyInfo describes a public key to a person who compares it.
type keyInfo struct {
	Kid        string   `json:"kid"` // "" if the set gives none
	Type       string   `json:"type"`
	Algs       []string `json:"algs"`       // it may be used with
	Thumbprint string   `json:"thumbprint"` // RFC 7638, SHA-256
}

func keyInfos(set *jose.Set) []keyInfo {
	out := []keyInfo{}
	if set == nil {
		return out
	}
	for _, k := range set.Keys() {
		info := keyInfo{Kid: k.ID, Type: keyType(k.Public)}
		for _, alg := range k.Algs {
			info.Algs = append(info.Algs, string(alg))
		}
		if thumbprint, err := jose.Thumbprint(k.Public); err == nil {
			info.Thumbprint = thumbprint
		}
		out = append(out, info)
	}
	return out
}

func keyType(key crypto.PublicKey) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "EC " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return "unknown"
}

func (k keyInfo) String() string {
	kid := k.Kid
	if kid == "" {
		kid = "(none)"
	}
	return fmt.Sprintf("%s for %s, kid %s, thumbprint %s", k.Type, strings.Join(k.Algs, " "), printable(kid), k.Thumbprint)
}
