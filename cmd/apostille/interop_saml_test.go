//go:build interop

package main

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"apostille/broker/oauth"
	"apostille/trust"
	"apostille/upstream/fake"
)

// What xmlsec1 signs is exchanged, and what we issue it verifies.
func TestInteropXMLSec1(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	dir := t.TempDir()
	private, err := x509.MarshalPKCS8PrivateKey(a.idp.Key)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	writeFile(t, filepath.Join(dir, "cert.pem"), a.idp.PEM())
	for _, c := range []struct{ name, before, after string }{
		{"with a prefix list", "", ""},
		{"by RSA with SHA-512", "xmldsig-more#rsa-sha256", "xmldsig-more#rsa-sha512"},
		{"with a digest by SHA-512", "2001/04/xmlenc#sha256", "2001/04/xmlenc#sha512"},
	} {
		t.Run(c.name, func(t *testing.T) {
			template := strings.Replace(xmlsecTemplate(), c.before, c.after, 1)
			file := filepath.Join(dir, strings.ReplaceAll(c.name, " ", "-")+".xml")
			writeFile(t, file, []byte(template))
			signed, err := exec.Command("xmlsec1", "--sign", "--privkey-pem", filepath.Join(dir, "key.pem")+","+filepath.Join(dir, "cert.pem"),
				"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", file).Output()
			if err != nil {
				t.Fatalf("xmlsec1: %v", err)
			}
			out := a.ask(t, "portal", exchangeForm(fake.Encode(string(signed)), "saml2"), nil)
			if out.Status != http.StatusOK {
				t.Errorf("%d %s %+v", out.Status, out.Body, out.Audit)
			}
		})
	}
	t.Run("verifies ours", func(t *testing.T) {
		key, err := a.server.ring.Signer("ES256")
		if err != nil {
			t.Fatal(err)
		}
		public, err := x509.MarshalPKIXPublicKey(key.Key.Public())
		if err != nil {
			t.Fatal(err)
		}
		form := exchangeForm(a.partner.Mint(foreignClaims(a.partner)), "jwt")
		form.Set("audience", "ledger")
		form.Set("scope", "book.read")
		form.Set("requested_token_type", oauth.TokenTypeSAML2)
		out := a.ask(t, "gateway", form, nil)
		document, err := base64.RawURLEncoding.DecodeString(out.Token.AccessToken)
		if err != nil || len(document) == 0 {
			t.Fatalf("%d %s", out.Status, out.Body)
		}
		writeFile(t, filepath.Join(dir, "pub.pem"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
		for name, text := range map[string]string{"good": string(document), "bent": strings.Replace(string(document), "book.read", "book.burn", 1)} {
			file := filepath.Join(dir, name+".xml")
			writeFile(t, file, []byte(text))
			said, err := exec.Command("xmlsec1", "--verify", "--pubkey-pem", filepath.Join(dir, "pub.pem"),
				"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", file).CombinedOutput()
			if (err == nil) != (name == "good") {
				t.Errorf("%s: %v: %s", name, err, said)
			}
		}
	})
}

// xmlsecTemplate is an assertion as other products write it: the default namespace, indented, with a prefix list, to be signed by xmlsec1.
func xmlsecTemplate() string {
	now, end := time.Now().UTC().Format(time.RFC3339), time.Now().UTC().Add(5*time.Minute).Format(time.RFC3339)
	return strings.NewReplacer("@now@", now, "@end@", end, "@us@", ours, "@endpoint@", ours+trust.TokenPath, "@id@", "_"+rand.Text()).Replace(`<?xml version="1.0" encoding="UTF-8"?>
<!-- made for a test -->
<Assertion xmlns="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xs="http://www.w3.org/2001/XMLSchema" ID="@id@" Version="2.0" IssueInstant="@now@">
  <Issuer>http://idp.campus.example/metadata</Issuer>
  <Signature xmlns="http://www.w3.org/2000/09/xmldsig#">
    <SignedInfo>
      <CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>
      <SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>
      <Reference URI="#@id@">
        <Transforms>
          <Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>
          <Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"><ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="xs"/></Transform>
        </Transforms>
        <DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
        <DigestValue/>
      </Reference>
    </SignedInfo>
    <SignatureValue/>
    <KeyInfo><X509Data/></KeyInfo>
  </Signature>
  <Subject>
    <NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified">kim</NameID>
    <SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
      <SubjectConfirmationData NotOnOrAfter="@end@" Recipient="@endpoint@"/>
    </SubjectConfirmation>
  </Subject>
  <Conditions NotBefore="@now@" NotOnOrAfter="@end@">
    <AudienceRestriction><Audience>@us@</Audience></AudienceRestriction>
  </Conditions>
  <AttributeStatement>
    <Attribute Name="department" FriendlyName="dept">
      <AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">logistics</AttributeValue>
    </Attribute>
  </AttributeStatement>
</Assertion>
`)
}
