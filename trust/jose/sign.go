package jose

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// protected is the header we write, in this order and nothing else.
type protected struct {
	Alg Alg    `json:"alg"`
	Kid string `json:"kid,omitempty"`
	Typ string `json:"typ,omitempty"`
}

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
	header, err := json.Marshal(protected{alg, kid, typ})
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrHeader, err)
	}
	enc := base64.RawURLEncoding
	token := enc.AppendEncode(make([]byte, 0, enc.EncodedLen(len(header)+len(payload))+maxSignature), header)
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

// maxSignature is room for two dots and the signature of an RSA-3072 key; a longer one makes the buffer grow.
const maxSignature = 2 + 512

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
