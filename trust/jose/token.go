package jose

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// MaxToken is the longest token Parse reads and Sign makes, in bytes.
const MaxToken = 16 << 10

// Token is a parsed, NOT yet verified, compact JWS. Nothing in it may be believed before Verify returned nil.
type Token struct {
	Header Header
	Claims map[string]any // strict: no duplicates, no case variants of registered names; numbers are json.Number

	jws compactJWS
}

// Parse is the front door (RFC 7515 §7.1 and RFC 8725 §3). It accepts at most MaxToken bytes: exactly three non-empty parts of
// canonical base64url without padding, a header of at most 4 KiB with alg, kid and typ (x5t and x5t#S256 are harmless and
// ignored; any other member refuses), and a payload that is one strict JSON object as DecodeObject defines it, in which no
// two names, and no name and a claim we read, differ only in case. The error wraps ErrTooLarge, ErrMalformed, ErrHeader or
// ErrAlgorithm.
func Parse(compact string) (*Token, error) {
	jws, err := parseCompact(compact)
	if err != nil {
		return nil, err
	}
	claims, err := DecodeObject(jws.payload)
	if err != nil {
		return nil, fmt.Errorf("%w: payload: %w", ErrMalformed, err)
	}
	if err := checkNames(claims); err != nil {
		return nil, fmt.Errorf("%w: payload: %w", ErrMalformed, err)
	}
	jws.payload = nil
	return &Token{Header: jws.header, Claims: claims, jws: jws}, nil
}

// compactJWS is a JWS whose payload was not looked at.
type compactJWS struct {
	header       Header
	payload      []byte
	signingInput string // RFC 7515 §5.1 step 8: the first two parts as they came
	signature    []byte
}

func parseCompact(compact string) (compactJWS, error) {
	// 1. Size before anything: splitting and decoding cost what the sender chose.
	if len(compact) > MaxToken {
		return compactJWS{}, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, MaxToken)
	}
	// 2. Three parts, none empty. JSON serialisations have no dot here or fail the alphabet; a JWE has five parts.
	first, rest, _ := strings.Cut(compact, ".")
	second, third, _ := strings.Cut(rest, ".")
	if first == "" || second == "" || third == "" || strings.Contains(third, ".") {
		return compactJWS{}, fmt.Errorf("%w: not three non-empty parts", ErrMalformed)
	}
	// 3. Canonical base64url, so that one token has one spelling.
	var parts [3][]byte
	for i, part := range [3]string{first, second, third} {
		var err error
		if parts[i], err = decodeBase64(part); err != nil {
			return compactJWS{}, fmt.Errorf("%w: not canonical base64url", ErrMalformed)
		}
	}
	// 4. The header, which names the algorithm.
	header, err := parseHeader(parts[0])
	if err != nil {
		return compactJWS{}, err
	}
	return compactJWS{
		header:       header,
		payload:      parts[1],
		signingInput: compact[:len(first)+1+len(second)],
		signature:    parts[2],
	}, nil
}

// strict refuses padding, characters outside the alphabet and non-zero trailing bits.
var strict = base64.RawURLEncoding.Strict()

// decodeBase64 decodes canonical base64url. encoding/base64 skips line breaks even when strict, so they are refused here.
func decodeBase64(s string) ([]byte, error) {
	if i := max(strings.IndexByte(s, '\r'), strings.IndexByte(s, '\n')); i >= 0 {
		return nil, base64.CorruptInputError(i)
	}
	return strict.DecodeString(s)
}
