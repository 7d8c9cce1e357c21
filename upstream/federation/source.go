package federation

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"slices"
	"time"
)

// Defaults of a Source.
const (
	DefaultRefresh     = time.Hour
	DefaultMaxValidity = 60 * 24 * time.Hour

	leastRefresh = time.Minute // a federation that asks for less is asked no more often
)

// Source says where the metadata of one federation come from: exactly one of URL, File and MDQ.
type Source struct {
	URL  string // of the aggregate
	File string // of the aggregate; absolute
	MDQ  string // base URL of a metadata query service: members are at MDQ + "/entities/…"

	Keys        []crypto.PublicKey // pinned, from configuration: one of them signs; at least one
	Roots       *x509.CertPool     // for private TLS roots; nil = system
	Refresh     time.Duration      // how often to ask, unless cacheDuration is shorter; 0 = DefaultRefresh; a file is looked at each minute
	MaxValidity time.Duration      // how far away validUntil may be; 0 = DefaultMaxValidity
	Language    string             // of the names that are shown, where a member has one in it
	Dev         bool               // http places too
}

func (s *Source) name() string {
	switch {
	case s.URL != "":
		return "url:" + s.URL
	case s.File != "":
		return "file:" + s.File
	}
	return "mdq:" + s.MDQ
}

func (s *Source) refresh() time.Duration {
	switch {
	case s.File != "": // a look at its time of change costs nothing
		return leastRefresh
	case s.Refresh == 0:
		return DefaultRefresh
	}
	return s.Refresh
}

func (s *Source) maxValidity() time.Duration {
	if s.MaxValidity == 0 {
		return DefaultMaxValidity
	}
	return s.MaxValidity
}

// equal says whether what was read under one will do under the other.
func (s *Source) equal(o *Source) bool {
	return s.name() == o.name() && s.Language == o.Language && s.Dev == o.Dev && slices.Equal(s.digests(), o.digests()) &&
		s.Roots.Equal(o.Roots) && s.refresh() == o.refresh() && s.maxValidity() == o.maxValidity()
}

// digests name the pinned keys.
func (s *Source) digests() []string {
	var list []string
	for _, k := range s.Keys {
		der, err := x509.MarshalPKIXPublicKey(k)
		if err != nil {
			continue // of no kind that could verify anything
		}
		sum := sha256.Sum256(der)
		list = append(list, hex.EncodeToString(sum[:]))
	}
	slices.Sort(list)
	return list
}

// vouchedFor says whether an index that was stored is one of this source, verified with keys that are all still pinned.
func (s *Source) vouchedFor(h *Header) error {
	pinned := s.digests()
	switch {
	case h.Source != s.name():
		return errors.New("it is of another source: " + h.Source)
	case h.Dev != s.Dev:
		return errors.New("it was made with another setting of dev")
	case len(h.Keys) == 0 || slices.ContainsFunc(h.Keys, func(k string) bool { return !slices.Contains(pinned, k) }):
		return errors.New("it was verified when another certificate was pinned")
	}
	return nil
}
