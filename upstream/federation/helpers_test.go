package federation

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"apostille/trust/xmlsec"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// registrar signs aggregates; other is somebody else.
var registrar, other = newKey(), newKey()

func newKey() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}

// certificateOf makes a certificate that expired long ago: for metadata only its key counts.
func certificateOf(k *ecdsa.PrivateKey) string {
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "idp"}, NotBefore: noon.Add(-9000 * time.Hour), NotAfter: noon.Add(-8000 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

var leaf, second = newKey(), newKey()

func keyDescriptor(use, certificate string) string {
	return `<md:KeyDescriptor` + use + `><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + certificate + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`
}

var signingKey = keyDescriptor(` use="signing"`, certificateOf(leaf))

func entityID(n int) string { return fmt.Sprintf("https://idp%d.example/saml", n) }

// office is one member. Its pieces are told apart by their comments in the tests that change them.
func office(n int, extra ...string) string {
	return fmt.Sprintf(`<md:EntityDescriptor entityID="%s"><md:Extensions>`+
		`<mdrpi:RegistrationInfo registrationAuthority="https://registry.example/"/>`+
		`<mdattr:EntityAttributes><saml:Attribute Name="http://macedir.org/entity-category"><saml:AttributeValue>http://refeds.org/category/research-and-scholarship</saml:AttributeValue></saml:Attribute></mdattr:EntityAttributes>`+
		`</md:Extensions><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:Extensions><shibmd:Scope regexp="false">idp%d.example</shibmd:Scope>`+
		`<mdui:UIInfo><mdui:DisplayName xml:lang="en">University %d</mdui:DisplayName><mdui:DisplayName xml:lang="de">Universität %d</mdui:DisplayName>`+
		`<mdui:Keywords xml:lang="en">uni%d place+of+%d</mdui:Keywords><mdui:Logo width="80" height="60">https://idp%d.example/logo.png</mdui:Logo></mdui:UIInfo></md:Extensions>`+
		`%s%s<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp%d.example/sso"/>`+
		`</md:IDPSSODescriptor></md:EntityDescriptor>`, entityID(n), n, n, n, n, n, n, signingKey, strings.Join(extra, ""), n)
}

const until = `validUntil="2026-03-16T12:00:00Z"`

func root(attrs string, content ...string) string {
	return `<md:EntitiesDescriptor xmlns:md="` + spaceMD + `" xmlns:mdui="` + spaceUI + `" xmlns:mdattr="` + spaceAttr + `" xmlns:mdrpi="` + spaceRPI +
		`" xmlns:saml="` + spaceSAML + `" xmlns:shibmd="` + spaceShib + `" xmlns:ds="` + spaceDSig + `" ID="_f" ` + attrs + `>` + strings.Join(content, "\n") + `</md:EntitiesDescriptor>`
}

func sign(document string) []byte { return signBy(registrar, document) }

func signBy(k crypto.Signer, document string) []byte {
	out, err := xmlsec.Sign([]byte(document), k, nil)
	if err != nil {
		panic(err)
	}
	return out
}

// site publishes an aggregate.
type site struct {
	*httptest.Server
	mu     sync.Mutex
	answer http.HandlerFunc
	asked  atomic.Int32
}

func newSite(t *testing.T) *site {
	s := &site{}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		s.mu.Lock()
		h := s.answer
		s.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) handle(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = h
}

// publish lets it answer with a document, or 304 to who has it.
func (s *site) publish(document []byte) {
	etag := fmt.Sprintf(`"%d"`, bytesSum(document))
	s.handle(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(document)
	})
}

func bytesSum(b []byte) (n uint64) {
	for _, c := range b {
		n = n*31 + uint64(c)
	}
	return n
}

// clock is a clock that is set.
type clock struct{ at atomic.Pointer[time.Time] }

func newClock() *clock {
	c := &clock{}
	c.set(noon)
	return c
}

func (c *clock) set(at time.Time)        { c.at.Store(&at) }
func (c *clock) advance(d time.Duration) { c.set(c.now().Add(d)) }
func (c *clock) now() time.Time          { return *c.at.Load() }

// lab is Federations with one federation, edu, that a site publishes.
type lab struct {
	*Federations
	site   *site
	clock  *clock
	config Config
	log    *bytes.Buffer
}

func newLab(t *testing.T) *lab {
	l := &lab{site: newSite(t), clock: newClock(), log: &bytes.Buffer{}}
	l.config = Config{
		Dir: t.TempDir(), Now: l.clock.now, Log: slog.New(slog.NewTextHandler(l.log, nil)),
		Client: func(*x509.CertPool, bool) *http.Client { return l.site.Client() },
	}
	l.restart()
	return l
}

func (l *lab) source() Source {
	return Source{URL: l.site.URL + "/md.xml", Keys: []crypto.PublicKey{registrar.Public()}}
}

// restart is another process on the same folder.
func (l *lab) restart() {
	l.Federations = New(l.config)
	l.Replace(map[string]Source{"edu": l.source()})
}

// refresh asks, and expects success.
func (l *lab) refresh(t *testing.T) Outcome {
	t.Helper()
	o, err := l.Refresh(context.Background(), "edu")
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// members lists the entityIDs that are found.
func (l *lab) members() (list []string) {
	for m := range l.Directory().All() {
		list = append(list, m.EntityID)
	}
	return list
}

// sweepNow does what is due, and waits for it.
func (l *lab) sweepNow(t *testing.T) {
	t.Helper()
	var under sync.WaitGroup
	l.sweep(context.Background(), &under)
	under.Wait()
}
