package jose

import (
	"fmt"
	"strings"
)

// Limits of a header, in bytes.
const (
	maxHeader = 4 << 10
	maxKid    = 256
	maxTyp    = 64
)

// Header holds the members we read. Others refuse, except those Parse documents as harmless.
type Header struct {
	Alg Alg
	Kid string // "" if absent or empty
	Typ string // lower case, "application/" removed (RFC 7515 §4.1.9); "" if absent or empty
}

// parseHeader reads the decoded first part of a token.
func parseHeader(b []byte) (Header, error) {
	if len(b) > maxHeader {
		return Header{}, fmt.Errorf("%w: header longer than %d bytes", ErrHeader, maxHeader)
	}
	members, err := DecodeObject(b)
	if err != nil {
		return Header{}, fmt.Errorf("%w: header: %w", ErrMalformed, err)
	}
	var h Header
	for name, v := range members {
		if err := h.set(name, v); err != nil {
			return Header{}, err
		}
	}
	if !h.Alg.Valid() {
		return Header{}, fmt.Errorf("%w: header names none of %v", ErrAlgorithm, allAlgs)
	}
	return h, nil
}

// set takes one member. What is not listed here refuses: crit, b64, jwk, jku, x5u, x5c, zip, enc, p2c, cty and whatever is
// invented next, because ignoring a member that another reader obeys is how checks are bypassed.
func (h *Header) set(name string, v any) error {
	s, isString := v.(string)
	switch name {
	case "alg", "kid", "typ", "x5t", "x5t#S256":
		if !isString {
			return fmt.Errorf("%w: %s is not a string", ErrHeader, name)
		}
	default:
		return fmt.Errorf("%w: a member other than alg, kid, typ, x5t", ErrHeader)
	}
	switch name {
	case "alg":
		h.Alg = Alg(s)
	case "kid":
		h.Kid = s
		return checkKid(s)
	case "typ":
		h.Typ = strings.TrimPrefix(strings.ToLower(s), "application/")
		if h.Typ == "" && s != "" {
			return fmt.Errorf("%w: typ without a subtype", ErrHeader) // would read as absent
		}
		return checkTyp(s)
	}
	return nil
}

// checkKid keeps kid what it is, an opaque map key: no control characters for logs, no length for an index to carry.
func checkKid(kid string) error {
	if len(kid) > maxKid || !isPrintable(kid) {
		return fmt.Errorf("%w: kid is longer than %d bytes or not printable ASCII", ErrHeader, maxKid)
	}
	return nil
}

func checkTyp(typ string) error {
	if len(typ) > maxTyp || !isPrintable(typ) {
		return fmt.Errorf("%w: typ is longer than %d bytes or not printable ASCII", ErrHeader, maxTyp)
	}
	return nil
}

func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
