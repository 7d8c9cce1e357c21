//go:build interop

// The interop tests run a real apostille serve between real peers: npm's oidc-provider as head office, oauth4webapi as
// client, jose and oauth4webapi as verifiers of a regional API, openssl as a partner without any server. `make interop`
// installs the packages and runs them.
package main_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// accepted expects a granted answer whose token both verifiers accept, and that it is for the warehouse only.
func (b *broker) accepted(t *testing.T, a answer, scope string) verified {
	t.Helper()
	if a.Error != "" {
		t.Fatalf("refused: %s: %s", a.Error, a.Description)
	}
	if a.Answer.Scope != scope || !strings.EqualFold(a.Answer.TokenType, "Bearer") || a.Answer.Expires <= 0 {
		t.Errorf("answer %+v, wanted scope %q", a.Answer, scope)
	}
	v := b.verify(t, "jose", warehouse, a.Answer.Token)
	if v.Refused != "" || v.Claims["scope"] != scope || v.Header["typ"] != "at+jwt" {
		t.Fatalf("jose: refused %q, claims %v, header %v", v.Refused, v.Claims, v.Header)
	}
	if again := b.verify(t, "oauth4webapi", warehouse, a.Answer.Token); again.Refused != "" {
		t.Errorf("oauth4webapi: refused %q", again.Refused)
	}
	if other := b.verify(t, "jose", "https://elsewhere.example", a.Answer.Token); other.Refused == "" {
		t.Error("an API it is not for accepted the token")
	}
	return v
}

func TestInteropAnIDTokenOfTheCodeFlowIsExchanged(t *testing.T) {
	t.Parallel()
	office := newHeadOffice(t)
	b := newBroker(t, office.issuer, "")
	token := office.idToken(t)

	a := b.exchange(t, "basic", "id_token", token, "stock.read")
	v := b.accepted(t, a, "stock.read")
	if a.Answer.IssuedType != tokenTypePrefix+"access_token" || v.Claims["idp"] != "head-office" || v.Claims["sub"] == "alice" {
		t.Errorf("issued type %q, claims %v", a.Answer.IssuedType, v.Claims)
	}
	if again := b.verify(t, "jose", warehouse, token); again.Refused == "" {
		t.Error("the API accepted the head office's own token")
	}
	if more := b.exchange(t, "basic", "id_token", token, "stock.order"); more.Error == "" {
		t.Errorf("no rule grants stock.order, yet: %+v", more.Answer)
	}
}

func TestInteropAJWTAccessTokenIsExchanged(t *testing.T) {
	t.Parallel()
	office := newHeadOffice(t)
	b := newBroker(t, office.issuer, "")

	b.accepted(t, b.exchange(t, "post", "access_token", office.accessToken(t, b.issuer), "stock.read"), "stock.read")
	if other := b.exchange(t, "post", "access_token", office.accessToken(t, "https://other.example"), "stock.read"); other.Error != "invalid_request" {
		t.Errorf("a token for another audience: %+v", other)
	}
}

func TestInteropAClientProvesItselfByKey(t *testing.T) {
	t.Parallel()
	office := newHeadOffice(t)
	b := newBroker(t, office.issuer, "")

	v := b.accepted(t, b.exchange(t, "key", "access_token", office.accessToken(t, b.issuer), "stock.read"), "stock.read")
	if v.Claims["client_id"] != "robot" {
		t.Errorf("claims %v", v.Claims)
	}
}

func TestInteropAClientAsksForItself(t *testing.T) {
	t.Parallel()
	office := newHeadOffice(t)
	b := newBroker(t, office.issuer, "")

	v := b.accepted(t, b.token(t, "basic", "client_credentials", map[string]string{"scope": "stock.order"}), "stock.order")
	if v.Claims["sub"] != "client:portal" {
		t.Errorf("claims %v", v.Claims)
	}
}

func TestInteropTheFirstTokenWithARotatedKeyIsExchanged(t *testing.T) {
	t.Parallel()
	office := newHeadOffice(t)
	b := newBroker(t, office.issuer, "")
	b.accepted(t, b.exchange(t, "basic", "access_token", office.accessToken(t, b.issuer), "stock.read"), "stock.read")

	office.rotate(t)
	b.accepted(t, b.exchange(t, "basic", "access_token", office.accessToken(t, b.issuer), "stock.read"), "stock.read")
}

func TestInteropKeysOutliveAnOutageAndARestart(t *testing.T) {
	t.Parallel()
	office := newHeadOffice(t)
	b := newBroker(t, office.issuer, "")
	during, after := office.accessToken(t, b.issuer), office.accessToken(t, b.issuer)
	b.accepted(t, b.exchange(t, "basic", "access_token", office.accessToken(t, b.issuer), "stock.read"), "stock.read")

	office.server.stop()
	b.accepted(t, b.exchange(t, "basic", "access_token", during, "stock.read"), "stock.read")
	b.restart(t)
	b.accepted(t, b.exchange(t, "basic", "access_token", after, "stock.read"), "stock.read")
}

func TestInteropATokenSignedByOpenSSLIsExchangedByItsCertificate(t *testing.T) {
	t.Parallel()
	office := newHeadOffice(t)
	dir := t.TempDir()
	key, certificate := filepath.Join(dir, "partner.pem"), filepath.Join(dir, "partner.crt")
	openssl(t, nil, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "30", "-subj", "/CN=partner",
		"-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", certificate)
	stranger := filepath.Join(dir, "stranger.pem")
	openssl(t, nil, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", stranger)
	b := newBroker(t, office.issuer, certificate)

	b.accepted(t, b.exchange(t, "basic", "jwt", b.signedByOpenSSL(t, key), "stock.read"), "stock.read")
	if forged := b.exchange(t, "basic", "jwt", b.signedByOpenSSL(t, stranger), "stock.read"); forged.Error != "invalid_request" {
		t.Errorf("a token signed with another key: %+v", forged)
	}
}

// signedByOpenSSL makes a partner's token for the broker with openssl dgst.
func (b *broker) signedByOpenSSL(t *testing.T, key string) string {
	t.Helper()
	part := func(v any) string {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	now := time.Now().Unix()
	input := part(map[string]any{"alg": "RS256", "typ": "JWT"}) + "." + part(map[string]any{
		"iss": partnerIssuer, "sub": "ddstore-17", "aud": b.issuer, "iat": now, "exp": now + 300,
	})
	return input + "." + base64.RawURLEncoding.EncodeToString(openssl(t, []byte(input), "dgst", "-sha256", "-sign", key))
}

func openssl(t *testing.T, stdin []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("openssl", args...)
	cmd.Stdin = strings.NewReader(string(stdin))
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl %s: %v", args[0], err)
	}
	return out
}

// The peers themselves must do what the tests above rest on.
func TestInteropPeersWorkByThemselves(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(filepath.Join(peers, "node_modules")); err != nil {
		t.Fatal("npm packages are missing; make interop installs them")
	}
	office := newHeadOffice(t)
	const audience = "http://127.0.0.1:9"
	api := &broker{issuer: office.issuer}

	token := office.accessToken(t, audience)
	if v := api.verify(t, "jose", audience, token); v.Refused != "" || v.Claims["aud"] != audience {
		t.Fatalf("the head office's token: refused %q, claims %v", v.Refused, v.Claims)
	}
	if strings.Count(office.idToken(t), ".") != 2 {
		t.Error("the code flow gave no ID token")
	}
	office.rotate(t)
	if v := api.verify(t, "jose", audience, token); v.Refused == "" {
		t.Error("a token of before the rotation still verifies")
	}
	if v := api.verify(t, "jose", audience, office.accessToken(t, audience)); v.Refused != "" {
		t.Errorf("a token of after the rotation: refused %q", v.Refused)
	}
}
