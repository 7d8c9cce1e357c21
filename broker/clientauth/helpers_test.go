package clientauth_test

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"apostille/broker/clientauth"
	"apostille/broker/oauth"
	"apostille/broker/store/memory"
	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/fake"
)

const (
	issuer  = "https://id.west.example"
	secret  = "correct-horse-battery"
	second  = "the-next-secret"
	strange = "s+cr%t: ü&="
)

var now = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

func fixed() time.Time { return now }

// directory knows four clients.
type directory map[string]*trust.Client

func (d directory) Client(id string) (*trust.Client, bool) {
	c, ok := d[id]
	return c, ok
}

func (d directory) Issuer() string { return issuer }

// bench is an authenticator with clients: portal (two secrets), odd (a secret that needs encoding), robot (keys), off and
// offrobot (disabled), bare (registered with nothing).
type bench struct {
	clients     directory
	credentials map[string]clientauth.Credential
	key         crypto.Signer
	auth        *clientauth.Authenticator
}

func newBench() *bench {
	b := &bench{clients: directory{}, key: fake.NewKey("ES256")}
	for _, id := range []string{"portal", "odd", "robot", "off", "offrobot", "bare"} {
		b.clients[id] = &trust.Client{ID: id, Spec: trust.ClientSpec{Disabled: strings.HasPrefix(id, "off")}}
	}
	hash := func(s ...string) (c clientauth.Credential) {
		for _, s := range s {
			c.SecretSHA256 = append(c.SecretSHA256, sha256.Sum256([]byte(s)))
		}
		return c
	}
	keys := clientauth.Credential{JWKS: jose.NewSet(jose.Key{ID: "r1", Algs: []jose.Alg{"ES256"}, Public: b.key.Public()})}
	b.credentials = map[string]clientauth.Credential{
		"portal": hash(secret, second), "odd": hash(strange), "off": hash(secret), "robot": keys, "offrobot": keys, "bare": {},
		"ghost": hash(secret), // credentials without a client
	}
	b.auth = &clientauth.Authenticator{Replay: memory.New(memory.Options{Now: fixed}), Now: fixed}
	return b
}

func (b *bench) ask(t *testing.T, authorization []string, params ...string) (string, error) {
	t.Helper()
	return b.auth.Authenticate(t.Context(), clientauth.Request{
		Clients: b.clients, Credentials: b.credentials, Authorization: authorization, Params: oauth.ParamsOf(params...),
	})
}

// basic is the header of RFC 6749 §2.3.1: both parts form-encoded.
func basic(id, secret string) []string {
	return rawBasic(url.QueryEscape(id) + ":" + url.QueryEscape(secret))
}

func rawBasic(text string) []string {
	return []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(text))}
}

// claims of a good assertion of robot, changed; nil removes one.
func claims(change map[string]any) map[string]any {
	all := map[string]any{"iss": "robot", "sub": "robot", "aud": issuer, "jti": "1", "exp": now.Add(time.Minute).Unix(), "iat": now.Unix()}
	maps.Copy(all, change)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return all
}

func (b *bench) sign(t *testing.T, typ string, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jose.Sign("ES256", "r1", typ, payload, b.key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (b *bench) assert(t *testing.T, token string, more ...string) (string, error) {
	t.Helper()
	return b.ask(t, nil, append([]string{"client_assertion_type", oauth.AssertionTypeJWT, "client_assertion", token}, more...)...)
}

// refused expects a refusal and returns it.
func refused(t *testing.T, id string, err error, want trust.Reason) *clientauth.Error {
	t.Helper()
	var e *clientauth.Error
	if id != "" || !errors.As(err, &e) || e.Reason != want {
		t.Fatalf("client %q, error %v, wanted %s", id, err, want)
	}
	for _, never := range []string{secret, second, strange, "eyJ"} {
		if strings.Contains(err.Error(), never) || strings.Contains(e.Public, never) {
			t.Errorf("the error holds %q: %v, public %q", never, err, e.Public)
		}
	}
	return e
}

func granted(t *testing.T, id string, err error, want string) {
	t.Helper()
	if err != nil || id != want {
		t.Fatalf("client %q, error %v, wanted %q", id, err, want)
	}
}
