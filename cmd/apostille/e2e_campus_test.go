//go:build e2e

package main_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// newCampus is a world whose one office is Debian's simplesamlphp. It knows the broker twice: as what people sign in with, by the metadata that
// the broker publishes; and as what takes assertions for tokens, whose entityID is the issuer.
func newCampus(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	w := &world{authority: newAuthority(t, t.TempDir()), App: interopApp, SecretSHA256: secretSHA256}
	w.Issuer = w.place(t, "broker", "127.0.0.10")
	w.Address = strings.TrimPrefix(w.Issuer, "https://")
	w.Campus, w.Away = w.place(t, "campus-tls", "127.0.0.14"), "https://127.0.0.13:9"
	w.Portal, w.Orders = w.place(t, "portal", "127.0.0.21"), w.place(t, "orders", "127.0.0.22")
	w.campus(t)
	if err := os.WriteFile(w.file("campus.xml"), []byte(w.fetch(t, w.Campus+"/saml2/idp/metadata.php")), 0o600); err != nil {
		t.Fatal(err)
	}
	w.configure(t, "saml.toml")
	w.broker = serveApostille(t, w.dir, "apostille.toml", "SSL_CERT_FILE="+w.file("ca.crt"))
	w.knownAs(t, "people.xml", w.fetch(t, w.Issuer+"/saml/metadata"))
	w.knownAs(t, "tokens.xml", fmt.Sprintf(tokenParty, w.Issuer, w.Issuer))
	w.portal = w.application(t, "portal", w.Portal, "NAME=Warehouse portal", "SCOPE=openid profile offline_access stock.read")
	w.orders = w.application(t, "orders", w.Orders, "NAME=DDStore orders", "SCOPE=openid profile")
	w.chrome = startChrome(t, w.authority)
	return w
}

// tokenParty is what an office writes down by hand to make assertions that are exchanged.
const tokenParty = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%s">
  <SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" WantAssertionsSigned="true">
    <AssertionConsumerService index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="%s/oauth2/token"/>
  </SPSSODescriptor>
</EntityDescriptor>`

// campus starts the office, and TLS in front of it.
func (w *world) campus(t *testing.T) {
	t.Helper()
	inside := fmt.Sprintf("127.0.0.14:%d", freePort(t))
	cmd := exec.Command(filepath.Join(peers, "simplesamlphp", "serve"))
	cmd.Env = append(os.Environ(), "DIR="+w.file("campus"), "BASE="+w.Campus, "LISTEN="+inside)
	startServer(t, cmd, func(line string) bool { return strings.HasSuffix(line, "started") })
	certificate, err := tls.LoadX509KeyPair(w.file("campus-tls.crt"), w.file("campus-tls.key"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", strings.TrimPrefix(w.Campus, "https://"), &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	front := &http.Server{
		Handler:  &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: inside}) }},
		ErrorLog: log.New(io.Discard, "", 0), // browsers that leave
	}
	go func() { _ = front.Serve(l) }()
	t.Cleanup(func() { _ = front.Close() })
}

// knownAs tells the office of a party.
func (w *world) knownAs(t *testing.T, file, metadata string) {
	t.Helper()
	if err := os.WriteFile(w.file(filepath.Join("campus", "sp", file)), []byte(metadata), 0o600); err != nil {
		t.Fatal(err)
	}
}

// client is a client that believes the authority.
func (w *world) client() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: w.roots()}, DisableKeepAlives: true}}
}

func (w *world) fetch(t *testing.T, link string) string {
	t.Helper()
	resp, err := w.client().Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v\n%s", link, resp.StatusCode, err, body)
	}
	return string(body)
}
