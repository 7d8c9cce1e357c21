package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// floor is the yardstick: the least that a token exchange can do, on net/http and the standard library alone. It parses
// the form, checks a client secret, verifies an RS256 token with a key it already holds, signs an ES256 token and
// answers JSON. It has no policy, audit, metrics, limits or strictness, and is no example for a server.
//
// FROZEN: every figure in the project's history is a ratio to this code. A change here makes old and new figures
// incomparable, so it is mended only if it stops compiling.
type floor struct {
	issuer   string // of the subject tokens
	audience string // of the subject tokens
	client   string
	secret   [sha256.Size]byte // SHA-256 of the client secret
	keys     map[string]*rsa.PublicKey
	signer   *ecdsa.PrivateKey // P-256
	now      func() time.Time
}

type floorClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	Expires  int64  `json:"exp"`
	IssuedAt int64  `json:"iat,omitempty"`
	Client   string `json:"client_id,omitempty"`
	Scope    string `json:"scope,omitempty"`
	ID       string `json:"jti,omitempty"`
}

var errFloorToken = errors.New("token not acceptable")

func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		floorRefuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	sum := sha256.Sum256([]byte(r.PostForm.Get("client_secret")))
	if r.PostForm.Get("client_id") != f.client || subtle.ConstantTimeCompare(sum[:], f.secret[:]) != 1 {
		floorRefuse(w, http.StatusUnauthorized, "invalid_client")
		return
	}
	subject, err := f.verify(r.PostForm.Get("subject_token"))
	if err != nil {
		floorRefuse(w, http.StatusBadRequest, "invalid_request")
		return
	}
	token, err := f.sign(subject, r.PostForm.Get("audience"), r.PostForm.Get("scope"))
	if err != nil {
		floorRefuse(w, http.StatusInternalServerError, "server_error")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"access_token":      token,
		"issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
		"token_type":        "Bearer",
		"expires_in":        300,
		"scope":             r.PostForm.Get("scope"),
	})
}

func (f *floor) verify(token string) (claims floorClaims, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims, errFloorToken
	}
	var header struct{ Alg, Kid string }
	if err := decodePart(parts[0], &header); err != nil {
		return claims, err
	}
	key := f.keys[header.Kid]
	if header.Alg != "RS256" || key == nil {
		return claims, errFloorToken
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return claims, err
	}
	digest := sha256.Sum256([]byte(token[:len(parts[0])+1+len(parts[1])]))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature); err != nil {
		return claims, err
	}
	if err := decodePart(parts[1], &claims); err != nil {
		return claims, err
	}
	if claims.Issuer != f.issuer || claims.Audience != f.audience || claims.Expires <= f.now().Unix() {
		return claims, errFloorToken
	}
	return claims, nil
}

func (f *floor) sign(subject floorClaims, audience, scope string) (string, error) {
	now := f.now().Unix()
	header, err := json.Marshal(map[string]string{"alg": "ES256", "kid": "floor", "typ": "at+jwt"})
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(floorClaims{
		Issuer: "https://floor.example", Subject: subject.Subject, Audience: audience, Expires: now + 300, IssuedAt: now,
		Client: f.client, Scope: scope, ID: rand.Text(),
	})
	if err != nil {
		return "", err
	}
	input := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, f.signer, digest[:])
	if err != nil {
		return "", err
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return input + "." + base64.RawURLEncoding.EncodeToString(signature[:]), nil
}

func decodePart(part string, v any) error {
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

func floorRefuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code})
}
