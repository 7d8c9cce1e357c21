package config

import (
	"encoding/base64"
	"encoding/pem"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const officeByCertificate = `
[trust.office]
issuer = "http://sts.office.example/adfs/services/trust"
keys = { certificates = ["office.pem"] }

[trust.office.exchange]
saml2 = {}

[[trust.office.grant]]
clients = ["portal"]
api = "warehouse"
scopes = ["stock.read"]
`

func withOffice(t testing.TB, text string) map[string]string {
	t.Helper()
	return map[string]string{
		"apostille.toml": base + text, "office.pem": keyFile(t, "partner-2026.pem"), "good.json": keyFile(t, "head-office.jwks.json"),
		"other.xml": metadataOf(t, "https://other.example"),
	}
}

// metadataOf is the metadata of an identity provider that signs with partner-2026.pem.
func metadataOf(t testing.TB, entityID string) string {
	t.Helper()
	block, _ := pem.Decode([]byte(keyFile(t, "partner-2026.pem")))
	return `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="` + entityID + `">` +
		`<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` +
		base64.StdEncoding.EncodeToString(block.Bytes) + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor></md:IDPSSODescriptor></md:EntityDescriptor>`
}

func TestKeysOfMetadataAreThoseOfItsCertificates(t *testing.T) {
	t.Parallel()
	byMetadata := edit(t, officeByCertificate, `{ certificates = ["office.pem"] }`, `{ metadata_file = "other.xml" }`)
	byMetadata = edit(t, byMetadata, "http://sts.office.example/adfs/services/trust", "https://other.example")
	c := mustLoad(t, withOffice(t, byMetadata))
	set := c.Keys["office"].Static
	if set == nil || len(set.Keys()) != 1 || !strings.HasPrefix(c.Policy.Trusts["office"].KeySource, "static:") {
		t.Errorf("%+v", c.Keys["office"])
	}
	if files := c.CertificateFiles("office"); len(files) != 1 || filepath.Base(files[0]) != "other.xml" {
		t.Errorf("%v", files)
	}
	forJWTs := edit(t, byMetadata, "saml2 = {}", `jwt = { audiences = ["https://id.example"] }`)
	if issues := mustFail(t, withOffice(t, forJWTs)); len(issues) != 1 || issues[0].Path != "trust.office.keys.metadata_file" {
		t.Errorf("%+v", issues)
	}
}

func TestAssertionsOfATrustAreForUsAtOurTokenEndpoint(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, withOffice(t, officeByCertificate))
	office, _ := c.Registry.Trust("office")
	use := office.Spec.SAML2
	if use == nil || !slices.Equal(use.Audiences, []string{"https://id.example"}) || !slices.Equal(use.Recipients, []string{"https://id.example/oauth2/token"}) ||
		use.MaxAge != time.Hour || !office.ByNameID() {
		t.Errorf("%+v", use)
	}
	text := edit(t, officeByCertificate, "saml2 = {}", `saml2 = { audiences = ["https://app.example/sp"], recipients = ["https://app.example/acs"], max_age = "5m" }`)
	c = mustLoad(t, withOffice(t, edit(t, text, `keys =`, "subject = \"mail\"\nkeys =")))
	office, _ = c.Registry.Trust("office")
	use = office.Spec.SAML2
	if !slices.Equal(use.Audiences, []string{"https://app.example/sp"}) || use.MaxAge != 5*time.Minute || office.ByNameID() ||
		!slices.Equal(use.Recipients, []string{"https://id.example/oauth2/token", "https://app.example/acs"}) {
		t.Errorf("%+v", use)
	}
	if text := Effective(c); !strings.Contains(text, `saml2 = { audiences = ["https://app.example/sp"], recipients = ["https://app.example/acs"], max_age = "5m" }`) {
		t.Errorf("it is not shown:\n%s", text)
	}
}

func TestWhatATrustInAssertionsMayNotSay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, old, replacement, path, text string }{
		{"A87_the endpoint of sign-ins as recipient", "saml2 = {}", `saml2 = { recipients = ["https://id.example/saml/acs"] }`, "trust.office.exchange.saml2.recipients[0]", "below our issuer"},
		{"A87_the service provider of sign-ins as audience", "saml2 = {}", `saml2 = { audiences = ["https://id.example/saml"] }`, "trust.office.exchange.saml2.audiences[0]", "below our issuer"},
		{"A21_no certificates", `"office.pem"`, ``, "trust.office.keys.certificates", "0 elements"},
		{"keys from a key set", `{ certificates = ["office.pem"] }`, `{ jwks_file = "good.json" }`, "trust.office.keys", "come from elsewhere"},
		{"algorithms of JWTs", `keys =`, "algorithms = [\"RS256\"]\nkeys =", "trust.office.algorithms", "no effect"},
		{"a use of JWTs only", "saml2 = {}", `saml2 = { one_time = true }`, "trust.office.exchange.saml2.one_time", "unknown key"},
		{"metadata that is none", `{ certificates = ["office.pem"] }`, `{ metadata_file = "good.json" }`, "trust.office.keys.metadata_file", "XML not accepted"},
		{"A41_metadata of another issuer", `{ certificates = ["office.pem"] }`, `{ metadata_file = "other.xml" }`, "trust.office.keys.metadata_file", "it is of \"https://other.example\""},
		{"our own issuer", `"http://sts.office.example/adfs/services/trust"`, `"https://id.example"`, "trust.office.issuer", "our own"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			issues := mustFail(t, withOffice(t, edit(t, officeByCertificate, c.old, c.replacement)))
			if len(issues) != 1 || issues[0].Path != c.path || !strings.Contains(issues[0].Text, c.text) || issues[0].Remedy == "" {
				t.Errorf("%+v", issues)
			}
		})
	}
}
