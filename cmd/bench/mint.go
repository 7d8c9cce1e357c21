package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"runtime"
	"sync"
	"time"
)

// rsaBits is the size of the upstream's keys.
const rsaBits = 2048

// upstream is a foreign issuer made for the measurement: it mints RS256 tokens.
type upstream struct {
	issuer   string
	audience string
	kid      string
	key      *rsa.PrivateKey
	expires  time.Time // of every token
}

func newUpstream(issuer, audience, kid string) (*upstream, error) {
	key, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return nil, err
	}
	return &upstream{issuer: issuer, audience: audience, kid: kid, key: key, expires: time.Now().Add(time.Hour)}, nil
}

// mint makes n tokens of the upstream that differ in sub and jti.
func (u *upstream) mint(n int) ([]string, error) {
	return parallel(n, func(i int) (string, error) { return u.token(u.issuer, u.kid, fmt.Sprintf("user-%d", i)) })
}

// mintEach makes one token of each of the first n issuers of a source.
func (u *upstream) mintEach(n int, source func(int) (issuer, keys string)) ([]string, error) {
	return parallel(n, func(i int) (string, error) {
		issuer, _ := source(i)
		return u.token(issuer, u.kid, "user")
	})
}

// parallel makes n strings on all cores: a signature costs about a millisecond.
func parallel(n int, one func(i int) (string, error)) ([]string, error) {
	made, errs := make([]string, n), make([]error, n)
	var wg sync.WaitGroup
	workers := runtime.NumCPU()
	for w := range workers {
		wg.Go(func() {
			for i := w; i < n; i += workers {
				made[i], errs[i] = one(i)
			}
		})
	}
	wg.Wait()
	return made, errors.Join(errs...)
}

// token makes one token, signed with the upstream's key whatever issuer and kid it names.
func (u *upstream) token(issuer, kid, subject string) (string, error) {
	input, err := u.unsigned(map[string]any{"alg": "RS256", "kid": kid, "typ": "JWT"}, issuer, subject)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(nil, u.key, crypto.SHA256, digest[:])
	if err != nil {
		return "", err
	}
	return input + "." + encode(signature), nil
}

// unsigned makes the signing input of a token.
func (u *upstream) unsigned(header map[string]any, issuer, subject string) (string, error) {
	h, err := json.Marshal(header)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(map[string]any{
		"iss": issuer, "sub": subject, "aud": u.audience, "exp": u.expires.Unix(), "iat": time.Now().Unix(),
		"jti": rand.Text(), "department": "logistics",
	})
	if err != nil {
		return "", err
	}
	return encode(h) + "." + encode(payload), nil
}

// jwks returns the upstream's key set, with more keys beside its own so that it holds total keys.
func (u *upstream) jwks(total int) ([]byte, error) {
	keys := []map[string]string{publicJWK(u.kid, &u.key.PublicKey)}
	for i := 1; i < total; i++ {
		key, err := rsa.GenerateKey(rand.Reader, rsaBits)
		if err != nil {
			return nil, err
		}
		keys = append(keys, publicJWK(fmt.Sprintf("other-%d", i), &key.PublicKey))
	}
	return json.Marshal(map[string]any{"keys": keys})
}

func publicJWK(kid string, key *rsa.PublicKey) map[string]string {
	return map[string]string{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid,
		"n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
	}
}

// parseRSAKeys reads the RSA keys of a JWK Set by kid.
func parseRSAKeys(set []byte) (map[string]*rsa.PublicKey, error) {
	var doc struct {
		Keys []struct{ Kty, Kid, N, E string }
	}
	if err := json.Unmarshal(set, &doc); err != nil {
		return nil, err
	}
	keys := map[string]*rsa.PublicKey{}
	for _, k := range doc.Keys {
		n, errN := base64.RawURLEncoding.DecodeString(k.N)
		e, errE := base64.RawURLEncoding.DecodeString(k.E)
		if k.Kty != "RSA" || errN != nil || errE != nil {
			continue
		}
		keys[k.Kid] = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	}
	if len(keys) == 0 {
		return nil, errors.New("no RSA key")
	}
	return keys, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
