package xmlsec

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// The keys of the tests; RSA is made once because it is slow.
var (
	rsaKey   = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	otherRSA = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	p256     = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p384     = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	p521     = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func public(keys ...crypto.Signer) (public []crypto.PublicKey) {
	for _, k := range keys {
		public = append(public, k.Public())
	}
	return public
}

const (
	spaceSAML  = "urn:oasis:names:tc:SAML:2.0:assertion"
	spaceSAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
)

// assertion is one without signature, with as many attributes as asked for.
func assertion(attributes int) string {
	var b strings.Builder
	b.WriteString(`<saml:Assertion xmlns:saml="` + spaceSAML + `" xmlns:xs="http://www.w3.org/2001/XMLSchema" ` +
		`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="_a1" Version="2.0" IssueInstant="2026-11-30T12:00:00Z">
  <saml:Issuer>https://idp.hq.hmart.example/saml</saml:Issuer>
  <saml:Subject>
    <saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">alice</saml:NameID>
    <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
      <saml:SubjectConfirmationData NotOnOrAfter="2026-11-30T12:05:00Z" Recipient="https://id.west.hmart.example/token"/>
    </saml:SubjectConfirmation>
  </saml:Subject>
  <saml:Conditions NotBefore="2026-11-30T12:00:00Z" NotOnOrAfter="2026-11-30T12:05:00Z">
    <saml:AudienceRestriction><saml:Audience>https://id.west.hmart.example</saml:Audience></saml:AudienceRestriction>
  </saml:Conditions>
  <saml:AttributeStatement>`)
	for i := range attributes {
		fmt.Fprintf(&b, `
    <saml:Attribute Name="urn:oid:1.3.6.1.4.1.5923.1.1.1.%d" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri" FriendlyName="attribute%d">
      <saml:AttributeValue xsi:type="xs:string">value %d &amp; more &lt;text&gt;</saml:AttributeValue>
    </saml:Attribute>`, i, i, i)
	}
	b.WriteString("\n  </saml:AttributeStatement>\n</saml:Assertion>")
	return b.String()
}

// response wraps content in a Response without signature.
func response(content string) string {
	return `<samlp:Response xmlns:samlp="` + spaceSAMLP + `" ID="_r1" Version="2.0">` + content + `</samlp:Response>`
}

// signed signs a document with the P-256 key.
func signed(document string) string { return string(must(Sign([]byte(document), p256(), nil))) }

// read parses, as a test's own document must.
func read(t testing.TB, document string) *Element {
	t.Helper()
	e, err := Parse([]byte(document))
	if err != nil {
		t.Fatalf("%v, reading %.300s", err, document)
	}
	return e
}

// find returns the first element of the local name.
func find(t testing.TB, e *Element, local string) *Element {
	t.Helper()
	for each := range e.Walk() {
		if each.Name().Local == local {
			return each
		}
	}
	t.Fatalf("no %s", local)
	return nil
}
