package authorize

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"testing"
	"time"

	"apostille/trust/jose"
)

// ring is a signing key, published under the ID "k".
type ring struct{ key *ecdsa.PrivateKey }

func newRing(t *testing.T) ring {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return ring{key}
}

func (r ring) Lookup(_ context.Context, _, kid string, _ jose.Alg) ([]jose.Key, uint64, error) {
	if kid != "k" {
		return nil, 0, nil
	}
	return []jose.Key{{ID: "k", Public: &r.key.PublicKey, Algs: []jose.Alg{jose.ES256}}}, 1, nil
}

func (r ring) sign(t *testing.T, kid, typ string, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := jose.Sign(jose.ES256, kid, typ, payload, r.key)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// OpenID conformance: oidcc-id-token-hint.
func TestAnIDTokenHintNamesWhoAnswers(t *testing.T) {
	t.Parallel()
	mine, stranger := newRing(t), newRing(t)
	idToken := func(set map[string]any) map[string]any {
		c := map[string]any{"iss": issuer, "sub": "ada", "aud": "portal", "iat": noon.Add(-time.Hour).Unix(), "exp": noon.Add(-time.Minute).Unix()}
		maps.Copy(c, set)
		return c
	}
	for _, c := range []struct {
		name string
		raw  string
		set  []string
		code string // "" = ada answers
	}{
		{"an expired one of the person", mine.sign(t, "k", "JWT", idToken(nil)), nil, ""},
		{"with prompt none", mine.sign(t, "k", "JWT", idToken(nil)), []string{"prompt", "none"}, ""},
		{"of another person", mine.sign(t, "k", "JWT", idToken(map[string]any{"sub": "eve"})), []string{"prompt", "none"}, codeLogin},
		{"of another person than claims want", mine.sign(t, "k", "JWT", idToken(nil)),
			[]string{"prompt", "none", "claims", `{"id_token":{"sub":{"value":"bob"}}}`}, codeLogin},
		{"signed by a stranger", stranger.sign(t, "k", "JWT", idToken(nil)), nil, "invalid_request"},
		{"signed with a key that is gone", mine.sign(t, "old", "JWT", idToken(nil)), nil, codeLogin},
		{"of another issuer", mine.sign(t, "k", "JWT", idToken(map[string]any{"iss": "https://evil.example"})), nil, "invalid_request"},
		{"for another client", mine.sign(t, "k", "JWT", idToken(map[string]any{"aud": "shop"})), nil, "invalid_request"},
		{"an access token", mine.sign(t, "k", "at+jwt", idToken(nil)), nil, "invalid_request"},
		{"an access token that says JWT", mine.sign(t, "k", "JWT", idToken(map[string]any{"scope": "a", "client_id": "portal"})), nil, "invalid_request"},
		{"a logout token", mine.sign(t, "k", "JWT", idToken(map[string]any{"events": map[string]any{}})), nil, "invalid_request"},
		{"without a sub", mine.sign(t, "k", "JWT", idToken(map[string]any{"sub": ""})), nil, "invalid_request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.Keys = mine
			b.signIn(t, "hq", "ada", time.Hour)
			b.signIn(t, "west", "bob", 0)
			w := b.get(portal(append(c.set, "id_token_hint", c.raw)...).Encode())
			if c.code != "" {
				refused(t, w, portalURI, c.code)
				return
			}
			granted(t, w, portalURI)
			if b.issued[0].Subject.Sub != "ada" {
				t.Errorf("%s answers", b.issued[0].Subject.Sub)
			}
		})
	}
}

func TestAHintOfAPairwiseSubjectIsComparedAsSuch(t *testing.T) {
	t.Parallel()
	mine, b := newRing(t), newBench(t)
	b.Keys = mine
	b.signIn(t, "hq", "ada", 0)
	hint := func(sub string) string {
		return with(good("sectored", portalURI), "prompt", "none", "id_token_hint",
			mine.sign(t, "k", "JWT", map[string]any{"iss": issuer, "sub": sub, "aud": "sectored"})).Encode()
	}
	granted(t, b.get(hint("west/ada")), portalURI)
	refused(t, b.get(hint("ada")), portalURI, codeLogin)
	if b.issued[0].Subject.Sub != "ada" {
		t.Error("the code is not of the public subject")
	}
}
