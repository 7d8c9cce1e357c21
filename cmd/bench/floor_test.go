package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func newFloor(t testing.TB) (*floor, *upstream) {
	t.Helper()
	up, err := newUpstream(benchIssuer, benchBroker, "k1")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &floor{
		issuer: benchIssuer, audience: benchBroker, client: benchClient, secret: sha256.Sum256([]byte("secret")),
		keys: map[string]*rsa.PublicKey{"k1": &up.key.PublicKey}, signer: signer, now: time.Now,
	}, up
}

func exchangeAt(f *floor, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	floorHandler(f, nil).ServeHTTP(w, r)
	return w
}

func TestTheFloorIssuesATokenThatItsKeyVerifies(t *testing.T) {
	t.Parallel()
	f, up := newFloor(t)
	tokens, err := up.mint(1)
	if err != nil {
		t.Fatal(err)
	}
	w := exchangeAt(f, floorForm(tokens[0], "secret"))
	var answer struct {
		Token string `json:"access_token"`
		Scope string `json:"scope"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 200 || answer.Scope != benchScope {
		t.Fatalf("status %d, answer %s, error %v", w.Code, w.Body, err)
	}
	parts := strings.Split(answer.Token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		t.Fatalf("signature of %d bytes, error %v", len(signature), err)
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if !ecdsa.Verify(&f.signer.PublicKey, digest[:], r, s) {
		t.Error("the signature does not verify")
	}
	var claims floorClaims
	if err := decodePart(parts[1], &claims); err != nil || claims.Audience != benchAudience || claims.Subject != "user-0" {
		t.Errorf("claims %+v, error %v", claims, err)
	}
}

// The floor must do the work it is a yardstick for.
func TestTheFloorRefusesWhatAnExchangeMustRefuse(t *testing.T) {
	t.Parallel()
	f, up := newFloor(t)
	r := &rig{up: up}
	make1 := func(token string, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	good := make1(up.token(benchIssuer, "k1", "user"))
	expired := *up
	expired.expires = time.Now().Add(-time.Minute)
	elsewhere := *up
	elsewhere.audience = "https://other.example"
	for _, c := range []struct {
		name, token, secret string
		status              int
	}{
		{"a good token with the right secret", good, "secret", 200},
		{"a wrong secret", good, "Secret", 401},
		{"a bad signature", make1(r.forged(benchIssuer, "k1")), "secret", 400},
		{"an unknown key", make1(up.token(benchIssuer, "k2", "user")), "secret", 400},
		{"no signature", make1(unsignedToken(r, benchIssuer)), "secret", 400},
		{"another issuer", make1(up.token("https://other.example", "k1", "user")), "secret", 400},
		{"another audience", make1(elsewhere.token(benchIssuer, "k1", "user")), "secret", 400},
		{"an expired token", make1(expired.token(benchIssuer, "k1", "user")), "secret", 400},
		{"no token", "", "secret", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if w := exchangeAt(f, floorForm(c.token, c.secret)); w.Code != c.status {
				t.Errorf("status %d, wanted %d: %s", w.Code, c.status, w.Body)
			}
		})
	}
}

func floorForm(token, secret string) url.Values {
	return url.Values{
		"subject_token": {token}, "client_id": {benchClient}, "client_secret": {secret}, "audience": {benchAudience},
		"scope": {benchScope},
	}
}

func BenchmarkFloor(b *testing.B) {
	f, up := newFloor(b)
	token, err := up.token(benchIssuer, "k1", "user")
	if err != nil {
		b.Fatal(err)
	}
	form := floorForm(token, "secret")
	for b.Loop() {
		if w := exchangeAt(f, form); w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}

func BenchmarkBareCryptography(b *testing.B) {
	_, up := newFloor(b)
	bare, err := newBareCryptography(up.key)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := bare.once(); err != nil {
			b.Fatal(err)
		}
	}
}
