//go:build interop

package saml_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"apostille/trust"
	"apostille/upstream"
	"apostille/upstream/fake"
	"apostille/upstream/keys"
	"apostille/upstream/saml"
)

// scripts is testdata/interop, relative to this package.
var scripts = filepath.Join("..", "..", "testdata", "interop")

// peer is a real SAML office, and us in front of it.
type peer struct {
	sp    *saml.ServiceProvider
	trust *trust.Trust
	cfg   saml.Login
	dir   string
	keys  []crypto.PublicKey
	key   crypto.Signer // the office's; tests sign mutants with it

	entity string
	answer func(t *testing.T, start upstream.Start) url.Values // what the browser posts in the end
}

// newPeer is an office without its program.
func newPeer(t *testing.T, entity, sso string) *peer {
	t.Helper()
	p := &peer{dir: t.TempDir(), entity: entity, cfg: saml.Login{SSOURL: sso, SSOBinding: saml.BindingRedirect, SignRequests: true, Logout: true, LogoutURL: sso}}
	reg, problems := trust.Compile(trust.Spec{
		Issuer:  us,
		Clients: map[string]trust.ClientSpec{"portal": {Grants: []string{"authorization_code"}, App: &trust.AppSpec{RedirectURIs: []string{"https://portal.example/callback"}}}},
		Trusts: map[string]trust.TrustSpec{"peer": {
			Issuer: entity, KeySource: "static:1", Login: &trust.LoginSpec{Protocol: trust.ProtocolSAML},
			Grants: []trust.GrantSpec{{Clients: []string{"portal"}, SignIn: true}},
		}},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	p.trust, _ = reg.Trust("peer")
	own := saml.OwnKey{Key: ourKey().Key, Certificate: ourKey().Certificate()}
	p.sp = &saml.ServiceProvider{
		Issuer: us, Configs: func(string) (saml.Login, bool) { return p.cfg, true }, Keys: p, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Own: func() (saml.OwnKeys, error) {
			return saml.OwnKeys{Signing: []saml.OwnKey{own}, Encryption: []saml.OwnKey{own}}, nil
		},
	}
	metadata, err := p.sp.Metadata("")
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, "us.xml", metadata)
	return p
}

// newKeys makes the office's key, as files.
func (p *peer) newKeys(t *testing.T) {
	t.Helper()
	idp := fake.NewIdP(p.entity, "RS256")
	der, err := x509.MarshalPKCS8PrivateKey(idp.Key)
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, "idp.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	p.write(t, "idp.crt", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: idp.Certificate()}))
	p.key = idp.Key
}

func (p *peer) write(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(p.file(name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (p *peer) file(name string) string { return filepath.Join(p.dir, name) }

func (p *peer) read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(p.file(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// message is a Response, and the login that it answers.
type message struct {
	document string
	begun    time.Time
	secret   []byte
}

// signIn signs somebody in at the office, to where our ACS would hear of it.
func (p *peer) signIn(t *testing.T) message {
	t.Helper()
	begun := time.Now()
	start, err := p.sp.Begin(t.Context(), p.trust, "state-of-a-login", acs, upstream.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	form := p.answer(t, start)
	document, err := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
	if err != nil {
		t.Fatal(err)
	}
	return message{string(document), begun, start.Secret}
}

// judge is the verdict on a Response, at a key that signs for the office.
func (p *peer) judge(t *testing.T, m message, document string, key crypto.PublicKey) (trust.Subject, error) {
	t.Helper()
	p.keys = []crypto.PublicKey{key}
	l, err := p.sp.Finish(t.Context(), p.trust, acs, upstream.Answer{
		Secret: m.secret, Begun: m.begun, Params: url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(document))}},
	})
	return l.Subject, err
}

// newSimpleSAMLphp is Debian's, signed in to in a browser that knows forms and cookies.
func newSimpleSAMLphp(t *testing.T, settings ...string) *peer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	p := newPeer(t, "http://"+at+"/saml2/idp/metadata.php", "http://"+at+"/saml2/idp/SSOService.php")
	cmd := exec.Command(filepath.Join(scripts, "simplesamlphp", "serve"))
	cmd.Env = append(append(os.Environ(), "DIR="+p.dir, "LISTEN="+at), settings...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	awaitServer(t, at)
	p.write(t, "sp/us.xml", []byte(p.read(t, "us.xml")))
	block, _ := pem.Decode([]byte(p.read(t, "cert/idp.key")))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	p.key = key.(*rsa.PrivateKey)
	p.answer = func(t *testing.T, start upstream.Start) url.Values {
		b := fake.NewBrowser(http.DefaultTransport)
		b.Stop = func(u *url.URL) bool { return strings.HasPrefix(u.String(), us) }
		page, err := b.Open(start.URL)
		if start.Form != nil {
			ours := &fake.Page{URL: &url.URL{Scheme: "https", Host: "id.west.example"}}
			page, err = b.Send(ours, fake.Form{Action: start.URL, Method: http.MethodPost, Fields: start.Form}, nil)
		}
		for err == nil && page.Status != 0 && len(page.Forms()) > 0 {
			page, err = b.Send(page, page.Forms()[0], map[bool]url.Values{true: {"username": {"bo"}, "password": {"bo"}}}[strings.Contains(page.Body, `name="password"`)])
		}
		if err != nil || page.Status != 0 {
			t.Fatalf("%v at %v: %s", err, page.Hops, page.Body)
		}
		return page.Posted
	}
	return p
}

// awaitServer returns when somebody listens there.
func awaitServer(t *testing.T, at string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) { // a process of somebody else's
		c, err := net.Dial("tcp", at)
		if err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// Bo is whom all offices sign in; his name has letters that are escaped. The scripted ones name him thus.
const (
	boName      = "persistent-bo"
	boDisplayed = `Bo Jürgens <b&b> "q"`
)

// newScripted is an office that one script is, which answers one request a run; sign is "assertion" or "message".
func newScripted(t *testing.T, sign string, encrypt bool, run func(p *peer, settings map[string]any) *exec.Cmd) *peer {
	t.Helper()
	p := newPeer(t, "https://office.example/idp", "https://office.example/sso")
	p.newKeys(t)
	p.answer = func(t *testing.T, start upstream.Start) url.Values {
		settings := map[string]any{"entity": p.entity, "sso": p.cfg.SSOURL, "acs": acs, "url": start.URL, "name": boName, "sign": sign, "encrypt": encrypt}
		cmd := run(p, settings)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", cmd.Args[:2], err, stderr.String())
		}
		var answer struct{ Response string }
		if err := json.Unmarshal(out, &answer); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		return url.Values{"SAMLResponse": {answer.Response}}
	}
	return p
}

func newSamlify(t *testing.T, sign string, encrypt bool) *peer {
	t.Helper()
	return newScripted(t, sign, encrypt, func(p *peer, s map[string]any) *exec.Cmd {
		maps.Copy(s, map[string]any{"key": p.read(t, "idp.key"), "certificate": p.read(t, "idp.crt"), "sp": p.read(t, "us.xml")})
		s["attributes"] = map[string]string{"urn:oid:2.16.840.1.113730.3.1.241": boDisplayed, "urn:oid:0.9.2342.19200300.100.1.3": "bo@office.example"}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("node", "samlify.mjs", string(text))
		cmd.Dir = scripts
		return cmd
	})
}

func newPySAML2(t *testing.T, sign string) *peer {
	t.Helper()
	return newScripted(t, sign, false, func(p *peer, s map[string]any) *exec.Cmd {
		maps.Copy(s, map[string]any{"key": p.file("idp.key"), "certificate": p.file("idp.crt"), "sp": p.file("us.xml")})
		s["attributes"] = map[string][]string{"displayName": {boDisplayed}, "mail": {"bo@office.example", "b.jurgens@office.example"}}
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		p.write(t, "settings.json", text)
		return exec.Command(filepath.Join(scripts, "pysaml2.py"), p.file("settings.json"))
	})
}

// Signers implements saml.Keys.
func (p *peer) Signers(context.Context, string) ([]crypto.PublicKey, error) {
	if len(p.keys) == 0 {
		return nil, keys.ErrUnavailable
	}
	return p.keys, nil
}
