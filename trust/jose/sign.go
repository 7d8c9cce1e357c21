package jose

import (
	"crypto"
	"encoding/base64"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// Sign makes a compact JWS whose header holds alg, kid and typ only (an empty kid or typ is left out). The payload is signed as
// given; marshalling the claims is the caller's. The key may be any crypto.Signer, an opaque one too, that fits alg. The
// error wraps ErrAlgorithm, ErrHeader, ErrTooLarge (the result would exceed MaxToken) or ErrSignature.
func Sign(alg Alg, kid, typ string, payload []byte, key crypto.Signer) (string, error) {
	if err := checkKid(kid); err != nil {
		return "", err
	}
	if err := checkTyp(typ); err != nil {
		return "", err
	}
	header := protected(alg, kid, typ)
	enc := base64.RawURLEncoding
	token := enc.AppendEncode(make([]byte, 0, enc.EncodedLen(len(header)+len(payload))+signatureRoom(alg)), header)
	token = enc.AppendEncode(append(token, '.'), payload)
	signature, err := sign(alg, token, key)
	if err != nil {
		return "", err
	}
	token = enc.AppendEncode(append(token, '.'), signature)
	if len(token) > MaxToken {
		return "", fmt.Errorf("%w: the token would have %d bytes", ErrTooLarge, len(token))
	}
	return string(token), nil
}

// protected is the header we write: these members, in this order, and nothing else.
func protected(alg Alg, kid, typ string) []byte {
	b := appendMember(make([]byte, 0, 128), `{"alg":"`, string(alg))
	if kid != "" {
		b = appendMember(b, `,"kid":"`, kid)
	}
	if typ != "" {
		b = appendMember(b, `,"typ":"`, typ)
	}
	return append(b, '}')
}

// appendMember quotes a value of printable ASCII, in which JSON escapes these two only (RFC 8259 §7).
func appendMember(b []byte, name, value string) []byte {
	b = append(b, name...)
	for i := range len(value) {
		if c := value[i]; c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, value[i])
	}
	return append(b, '"')
}

// signatureRoom is room for two dots and a signature, of an RSA key of 3,072 bits at most; a longer one makes the buffer grow.
func signatureRoom(alg Alg) int {
	switch alg {
	case ES256, EdDSA:
		return 2 + 86
	case ES384, ES512:
		return 2 + 176
	}
	return 2 + 512
}

// sign calls the library with a raw key. jws.Sign would build the header through a generic object, at 25 µs.
func sign(alg Alg, input []byte, key crypto.Signer) (signature []byte, err error) {
	defer recovered(&err)
	if key == nil || !fits(alg, key.Public()) {
		return nil, fmt.Errorf("%w: the key does not fit it", ErrAlgorithm)
	}
	s, err := jws.NewSigner(jwa.SignatureAlgorithm(alg))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if signature, err = s.Sign(input, key); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return signature, nil
}
