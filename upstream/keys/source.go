package keys

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"apostille/trust/jose"
)

// DefaultMaxStale is how long a last good set serves while its upstream does not answer.
const DefaultMaxStale = 24 * time.Hour

// Source says where the keys of one trust come from: exactly one of Discovery, JWKSURL, Static.
type Source struct {
	Discovery string         // issuer whose {issuer}/.well-known/openid-configuration names the jwks_uri
	JWKSURL   string         // URL of a JWK Set, as configured
	Static    *jose.Set      // from jwks_file or certificates, already parsed; never fetched
	Algs      []jose.Alg     // allowed; empty = all
	Roots     *x509.CertPool // for private TLS roots (ca_file); nil = system
	// RootsID names the content of Roots, e.g. the SHA-256 of the ca_file. A stored last good set is used only by sources
	// with the same one, so that what one certificate authority vouched for never serves a trust that believes another.
	// With Roots but without RootsID nothing is stored.
	RootsID  string
	MaxStale time.Duration // how long a last good set serves while the upstream does not answer; 0 = DefaultMaxStale
}

// equal says that two sources would always hold the same keys: such trusts share one entry and one token bucket.
func (s Source) equal(o Source) bool {
	return s.Discovery == o.Discovery && s.JWKSURL == o.JWKSURL && s.Static == o.Static &&
		slices.Equal(s.Algs, o.Algs) && s.Roots.Equal(o.Roots) && s.RootsID == o.RootsID && s.MaxStale == o.MaxStale
}

// place is the part of a source that can be a map key. Few sources share one: those that differ in roots or algorithms.
type place struct {
	discovery, jwksURL string
	static             *jose.Set
}

func (s Source) place() place { return place{s.Discovery, s.JWKSURL, s.Static} }

// name says what the source is, for people and log lines.
func (s Source) name() string {
	switch {
	case s.Static != nil:
		return "static"
	case s.Discovery != "":
		return "discovery:" + s.Discovery
	}
	return "jwks_url:" + s.JWKSURL
}

// StoredAs is the name under which LastGood keeps the set; "" = not kept.
func (s Source) StoredAs() string {
	switch {
	case s.Static != nil, s.Roots != nil && s.RootsID == "":
		return ""
	case s.Roots != nil:
		return fmt.Sprintf("%s ca:%s", s.name(), s.RootsID)
	}
	return s.name()
}

// check says what is wrong with a source. Configuration refuses such sources with better words; here they only must not
// pass for something else.
func (s Source) check() error {
	n := 0
	for _, set := range []bool{s.Discovery != "", s.JWKSURL != "", s.Static != nil} {
		if set {
			n++
		}
	}
	if n != 1 {
		return fmt.Errorf("a key source has exactly one of discovery, JWKS URL and static keys, this one has %d", n)
	}
	return nil
}
