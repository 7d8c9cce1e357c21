//go:build e2e

// The browser tests run a real apostille serve with TLS between real peers, each on a host of its own: npm's oidc-provider twice as home
// offices, npm's openid-client as two applications, and Debian's Chromium in front of them. `make e2e` installs what is missing and
// runs them.
package main_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
)

// world is all parties of a test. No two share a host: cookies ignore ports.
type world struct {
	*authority
	Issuer, Address      string // of the broker
	North, South         string // issuers of the offices that answer
	Away                 string // where nobody listens
	Campus               string // entityID's beginning of the office that speaks SAML
	Portal, Orders       string
	App, SecretSHA256    string
	Branches             []string
	broker, north, south *server
	portal, orders       *server

	chrome *chrome
}

var secretSHA256 = fmt.Sprintf("%x", sha256.Sum256([]byte(interopSecret)))

var cities = strings.Fields("Aarhus Białystok Córdoba Dublin Évora Firenze Göteborg Hämeenlinna İzmir Jönköping København Łódź Málaga Nîmes Örebro " +
	"Porto Québec Reykjavík São_Paulo Tromsø Ústí Västerås Würzburg Ypres Zürich Βόλος Київ Пловдив 札幌 서울")

// newWorld starts one. The broker's certificate authority is in its system's roots, for what it tells applications.
func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	w := &world{authority: newAuthority(t, t.TempDir()), App: interopApp, SecretSHA256: secretSHA256}
	for _, city := range cities {
		w.Branches = append(w.Branches, strings.ReplaceAll(city, "_", " "))
	}
	w.Issuer = w.place(t, "broker", "127.0.0.10")
	w.Address = strings.TrimPrefix(w.Issuer, "https://")
	w.North, w.South = w.place(t, "north", "127.0.0.11"), w.place(t, "south", "127.0.0.12")
	w.Away = w.place(t, "away", "127.0.0.13")
	w.Portal, w.Orders = w.place(t, "portal", "127.0.0.21"), w.place(t, "orders", "127.0.0.22")
	w.configure(t, "apostille.toml")
	w.broker = serveApostille(t, w.dir, "apostille.toml", "SSL_CERT_FILE="+w.file("ca.crt"))
	w.north = w.office(t, "north", w.North, "NAME=the head office")
	w.south = w.office(t, "south", w.South, "NAME=the south", "PAR=0")
	w.portal = w.application(t, "portal", w.Portal, "NAME=Warehouse portal", "SCOPE=openid profile offline_access stock.read")
	w.orders = w.application(t, "orders", w.Orders, "NAME=DDStore orders", "SCOPE=openid profile email", "MODE=form_post")
	w.chrome = startChrome(t, w.authority)
	return w
}

// place gives a party a host, a port and a certificate.
func (w *world) place(t *testing.T, name, ip string) string {
	t.Helper()
	w.serve(t, name, ip)
	return fmt.Sprintf("https://%s:%d", ip, freePort(t))
}

// configure writes the broker's folder, with a file of testdata/e2e as its configuration.
func (w *world) configure(t *testing.T, file string) {
	t.Helper()
	w.command(t, "init", "--dir", "made") // for the key; its trust.d names a head office of its own
	w.command(t, "demo", "issuer", "--issuer", w.Away, "--dir", "branch")
	text, err := os.ReadFile(filepath.Join("testdata", "e2e", file))
	if err != nil {
		t.Fatal(err)
	}
	var config bytes.Buffer
	if err := template.Must(template.New("e2e").Option("missingkey=error").Parse(string(text))).Execute(&config, w); err != nil {
		t.Fatal(err)
	}
	keys, err := os.ReadFile(w.file("branch/jwks.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"apostille.toml": config.Bytes(), "office.secret": []byte(interopSecret), "branch.jwks.json": keys} {
		if err := os.WriteFile(w.file(name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// command runs a command of the program in the broker's folder.
func (w *world) command(t *testing.T, args ...string) {
	t.Helper()
	binary, err := build()
	if err != nil {
		t.Fatalf("apostille does not build: %v", err)
	}
	cmd := exec.Command(binary, args...)
	cmd.Dir = w.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("apostille %v: %v\n%s", args, err, out)
	}
}

// office starts a home office, with the keys that it had before.
func (w *world) office(t *testing.T, id, issuer string, extra ...string) *server {
	t.Helper()
	return w.peer(t, "provider.mjs", id, issuer, append(extra, "KEYS="+w.file(id+".jwks"), "APP="+interopApp, "SERVICE="+interopService,
		"CALLBACK="+w.Issuer+"/login/callback/"+id, "TELL="+w.Issuer+"/login/backchannel/"+id)...)
}

func (w *world) application(t *testing.T, id, at string, extra ...string) *server {
	t.Helper()
	return w.peer(t, "application.mjs", id, at, append(extra, "BROKER="+w.Issuer, "CLIENT="+id)...)
}

// peer runs a script of testdata/interop.
func (w *world) peer(t *testing.T, script, id, at string, extra ...string) *server {
	t.Helper()
	host, port, _ := strings.Cut(strings.TrimPrefix(at, "https://"), ":")
	cmd := exec.Command("node", script)
	cmd.Dir = peers
	cmd.Env = append(os.Environ(), "HOST="+host, "PORT="+port, "CERT="+w.file(id+".crt"), "KEY="+w.file(id+".key"), "SECRET="+interopSecret,
		"NODE_EXTRA_CA_CERTS="+w.file("ca.crt"))
	cmd.Env = append(cmd.Env, extra...)
	return startServer(t, cmd, func(line string) bool { return strings.HasPrefix(line, "listening ") })
}
