package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
)

// jwk is one decoded member of a key set (RFC 7517 §4).
type jwk map[string]any

// key reads a JWK as a public signature key; the error says, fit for an admin, why it is none. Members we do not know are
// ignored, as RFC 7517 §4 asks.
func (j jwk) key(allowed []Alg) (Key, error) {
	if err := j.checkUse(); err != nil {
		return Key{}, err
	}
	kid, err := j.text("kid")
	if err != nil {
		return Key{}, err
	}
	if err := checkKid(kid); err != nil {
		return Key{}, fmt.Errorf("kid is longer than %d bytes or not printable ASCII", maxKid)
	}
	pub, err := j.public()
	if err != nil {
		return Key{}, err
	}
	if err := checkPublic(pub); err != nil {
		return Key{}, err
	}
	algs, err := j.algs(pub, allowed)
	return Key{ID: kid, Algs: algs, Public: pub}, err
}

// privateMembers are those of RFC 7518 §6 that no public key has. A set with one in it has leaked that key.
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// checkUse refuses keys that are secret or not for signatures (RFC 7517 §4.2, §4.3).
func (j jwk) checkUse() error {
	for _, m := range privateMembers {
		if _, ok := j[m]; ok {
			return errors.New("key is secret: it has a private or symmetric member and must be considered leaked")
		}
	}
	if use, ok := j["use"]; ok && use != "sig" {
		return errors.New(`use is not "sig"`)
	}
	if ops, ok := j["key_ops"]; ok {
		list, _ := ops.([]any)
		if !slices.Contains(list, any("verify")) {
			return errors.New(`key_ops lacks "verify"`)
		}
	}
	return nil
}

// algs are the algorithms of the key: the one it names, or every allowed one that fits if it names none.
func (j jwk) algs(pub crypto.PublicKey, allowed []Alg) ([]Alg, error) {
	fit := narrow(pub, allowed)
	named, err := j.text("alg")
	if err != nil {
		return nil, err
	}
	if _, ok := j["alg"]; !ok {
		if len(fit) == 0 {
			return nil, errors.New("no allowed algorithm fits the key")
		}
		return fit, nil
	}
	switch alg := Alg(named); {
	case !alg.Valid():
		return nil, fmt.Errorf("alg is none of %v", allAlgs)
	case !fits(alg, pub):
		return nil, fmt.Errorf("alg %s does not fit the key's type or curve", alg)
	case !slices.Contains(fit, alg):
		return nil, fmt.Errorf("alg %s is not allowed here", alg)
	default:
		return []Alg{alg}, nil
	}
}

// public reads the key itself (RFC 7518 §6.2, §6.3; RFC 8037 §2).
func (j jwk) public() (crypto.PublicKey, error) {
	switch j["kty"] {
	case "RSA":
		return j.rsa()
	case "EC":
		return j.ec()
	case "OKP":
		if j["crv"] != "Ed25519" {
			return nil, errors.New("crv is not Ed25519")
		}
		x, err := j.octets("x")
		return ed25519.PublicKey(x), err
	case "oct":
		return nil, errors.New("key is secret: kty oct")
	}
	return nil, errors.New("kty is not RSA, EC or OKP")
}

func (j jwk) rsa() (crypto.PublicKey, error) {
	n, err := j.octets("n")
	if err != nil {
		return nil, err
	}
	e, err := j.octets("e")
	if err != nil {
		return nil, err
	}
	exponent := new(big.Int).SetBytes(e)
	if !exponent.IsInt64() || exponent.Int64() > math.MaxInt32 {
		return nil, errors.New("RSA exponent is larger than 2147483647")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, nil
}

func (j jwk) ec() (crypto.PublicKey, error) {
	var curve elliptic.Curve
	switch j["crv"] {
	case "P-256":
		curve = elliptic.P256()
	case "P-384":
		curve = elliptic.P384()
	case "P-521":
		curve = elliptic.P521()
	default:
		return nil, errors.New("crv is not P-256, P-384 or P-521")
	}
	x, err := j.octets("x")
	if err != nil {
		return nil, err
	}
	y, err := j.octets("y")
	if err != nil {
		return nil, err
	}
	// RFC 7518 §6.2.1.2: the length is that of the curve's field.
	if size := (curve.Params().BitSize + 7) / 8; len(x) != size || len(y) != size {
		return nil, fmt.Errorf("x or y is not %d bytes long", size)
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
	if err != nil {
		return nil, errors.New("point is not on the curve")
	}
	return pub, nil
}

// text returns a string member, "" if it is absent.
func (j jwk) text(member string) (string, error) {
	v, ok := j[member]
	s, isString := v.(string)
	if ok && !isString {
		return "", fmt.Errorf("%s is not a string", member)
	}
	return s, nil
}

// octets returns a base64url member.
func (j jwk) octets(member string) ([]byte, error) {
	s, ok := j[member].(string)
	if !ok || s == "" {
		return nil, fmt.Errorf("%s is missing", member)
	}
	b, err := decodeBase64(s)
	if err != nil {
		return nil, fmt.Errorf("%s is not canonical base64url", member)
	}
	return b, nil
}
