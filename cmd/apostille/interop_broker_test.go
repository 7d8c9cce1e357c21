//go:build interop

package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	warehouse     = "https://warehouse.west.example"
	partnerIssuer = "https://partner.example"
)

// broker is a real apostille serve on one port, with its files in a folder of its own, which it keeps over restarts.
type broker struct {
	issuer   string
	dir      string
	robotKey map[string]string // private JWK of the client that proves itself by key
	server   *server
}

// newBroker starts a broker that trusts the head office, and the partner by certificate if there is one.
func newBroker(t *testing.T, headOffice, partnerPEM string) *broker {
	t.Helper()
	b := &broker{issuer: fmt.Sprintf("http://127.0.0.1:%d", freePort(t)), dir: t.TempDir()}
	b.command(t, "init", "--dir", "made") // for the key; its trust.d names a head office of its own
	var robotSet []byte
	b.robotKey, robotSet = newClientKey(t)
	b.write(t, "robot.json", robotSet)
	b.write(t, "interop.toml", []byte(b.toml(headOffice, partnerPEM)))
	b.start(t)
	return b
}

func (b *broker) toml(headOffice, partnerPEM string) string {
	secret := sha256.Sum256([]byte(interopSecret))
	text := fmt.Sprintf(`issuer = %q
dev = true
key_file = "made/apostille.key"

[listener]
address = %q

[api.warehouse]
audience = %q
scopes = { "stock.read" = "See stock levels", "stock.order" = "Order stock" }

[client.portal]
grants = ["token_exchange", "client_credentials"]
apis = { warehouse = ["stock.read", "stock.order"] }
secret_sha256 = ["%x"]

[client.robot]
grants = ["token_exchange"]
apis = { warehouse = ["stock.read"] }
jwks_file = "robot.json"

[[trust.local.grant]]
clients = ["portal"]
api = "warehouse"
scopes = ["stock.order"]

[trust.head-office]
issuer = %q
keys = { discovery = true }

[trust.head-office.exchange]
jwt = { audiences = [%q] }
id_token = { audiences = [%q] }

[[trust.head-office.grant]]
clients = ["portal", "robot"]
api = "warehouse"
scopes = ["stock.read"]
`, b.issuer, strings.TrimPrefix(b.issuer, "http://"), warehouse, secret, headOffice, b.issuer, interopApp)
	if partnerPEM != "" {
		text += fmt.Sprintf(`
[trust.partner]
issuer = %q
keys = { certificates = [%q] }

[trust.partner.exchange]
jwt = { audiences = [%q] }

[[trust.partner.grant]]
clients = ["portal"]
api = "warehouse"
scopes = ["stock.read"]
`, partnerIssuer, partnerPEM, b.issuer)
	}
	return text
}

func (b *broker) command(t *testing.T, args ...string) {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatalf("apostille does not build: %v", err)
	}
	cmd := exec.Command(binary, args...)
	cmd.Dir = b.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("apostille %v: %v\n%s", args, err, out)
	}
}

func (b *broker) start(t *testing.T) {
	t.Helper()
	b.server = serveApostille(t, b.dir, "interop.toml")
}

func (b *broker) restart(t *testing.T) {
	t.Helper()
	b.server.stop()
	b.start(t)
}

func (b *broker) write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// answer is what client.mjs printed of the broker's answer.
type answer struct {
	Answer struct {
		Token      string `json:"access_token"`
		IssuedType string `json:"issued_token_type"`
		TokenType  string `json:"token_type"`
		Expires    int    `json:"expires_in"`
		Scope      string `json:"scope"`
	}
	Error, Description string
}

// exchange exchanges a token as the client would: auth is "basic", "post" or "key".
func (b *broker) exchange(t *testing.T, auth, kind, token, scope string) answer {
	t.Helper()
	return b.token(t, auth, exchangeGrant, map[string]string{
		"subject_token": token, "subject_token_type": tokenTypePrefix + kind, "audience": "warehouse", "scope": scope,
	})
}

func (b *broker) token(t *testing.T, auth, grant string, parameters map[string]string) answer {
	t.Helper()
	settings := map[string]any{"issuer": b.issuer, "auth": auth, "grant": grant, "parameters": parameters}
	if auth == "key" {
		settings["client"], settings["key"] = "robot", b.robotKey
	} else {
		settings["client"], settings["secret"] = "portal", interopSecret
	}
	var a answer
	node(t, &a, "client.mjs", settings)
	return a
}

// verified is what api.mjs printed.
type verified struct {
	Claims  map[string]any
	Header  map[string]any
	Refused string
}

// verify lets an API that knows nothing of us verify a token, with "jose" or "oauth4webapi".
func (b *broker) verify(t *testing.T, with, audience, token string) verified {
	t.Helper()
	var v verified
	node(t, &v, "api.mjs", map[string]any{"with": with, "issuer": b.issuer, "audience": audience, "token": token})
	return v
}

// newClientKey makes a client's key: the private JWK for the client, the public set for the broker.
func newClientKey(t *testing.T) (private map[string]string, public []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	scalar, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	jwk := map[string]string{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "robot-1", "x": encode(point[1:33]), "y": encode(point[33:]),
	}
	public, err = json.Marshal(map[string]any{"keys": []any{jwk}})
	if err != nil {
		t.Fatal(err)
	}
	jwk["d"] = encode(scalar)
	return jwk, public
}
