package config

import (
	"maps"
	"strings"
	"testing"
)

const samlApp = samlOffice + `
[client.wiki]
first_party = true
saml = { entity_id = "https://wiki.example/sp", acs = ["https://wiki.example/acs", "https://wiki.example/acs2"], certificates = ["office.pem"], slo_url = "https://wiki.example/slo", signed_requests = true, encrypt = true }
`

// wikiMetadata is what the wiki publishes; @cert@ is its certificate.
const wikiMetadata = `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="https://wiki.example/sp">
<md:SPSSODescriptor AuthnRequestsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:KeyDescriptor><ds:KeyInfo><ds:X509Data><ds:X509Certificate>@cert@</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://wiki.example/slo"/>
<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact" Location="https://wiki.example/artifact" index="0"/>
<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://wiki.example/acs2" index="2"/>
<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://wiki.example/acs" index="7" isDefault="true"/>
</md:SPSSODescriptor></md:EntityDescriptor>`

func withMetadata(t *testing.T, metadata string) map[string]string {
	files := withOffice(t, "")
	var cert string
	for _, line := range strings.Split(files["office.pem"], "\n") {
		if !strings.HasPrefix(line, "-----") {
			cert += line
		}
	}
	out := withOffice(t, samlOffice+`
[client.wiki]
first_party = true
saml = { metadata_file = "wiki.xml", encrypt = true }
`)
	out["office.pem"] = files["office.pem"]
	out["wiki.xml"] = strings.Replace(metadata, "@cert@", cert, 1)
	return out
}

func TestASAMLApplicationIsReadByItsKeysOrItsMetadata(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files   map[string]string
		indexed map[string]string
	}{
		"keys":     {withOffice(t, samlApp), map[string]string{"0": "https://wiki.example/acs", "1": "https://wiki.example/acs2"}},
		"metadata": {withMetadata(t, wikiMetadata), map[string]string{"7": "https://wiki.example/acs", "2": "https://wiki.example/acs2"}},
	} {
		cfg := mustLoad(t, c.files)
		app, spec := cfg.SAMLApps["wiki"], cfg.Policy.Clients["wiki"]
		if !maps.Equal(app.Indexed, c.indexed) || len(app.Signers) != 1 || app.Recipient == nil || !app.SignedRequests || !app.Encrypt ||
			app.LogoutURL != "https://wiki.example/slo" || app.NameIDFormat != "persistent" {
			t.Errorf("%s: %+v", name, app)
		}
		if s := spec.App.SAML; s.EntityID != "https://wiki.example/sp" || len(s.ACS) != 2 || s.ACS[0] != "https://wiki.example/acs" || spec.Grants[0] != "saml_sso" {
			t.Errorf("%s: %+v", name, spec)
		}
		if _, has := cfg.Credentials["wiki"]; has {
			t.Errorf("%s: it has a credential for the token endpoint", name)
		}
	}
}

func TestASAMLApplicationThatMakesNoSenseIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ old, with, at string }{
		"neither form":            {`entity_id = "https://wiki.example/sp", `, "", "client.wiki.saml"},
		"both forms":              {`saml = { `, `saml = { metadata_file = "office.pem", `, "client.wiki.saml.entity_id"},
		"no place":                {`acs = ["https://wiki.example/acs", "https://wiki.example/acs2"], `, "", "client.wiki.saml.acs"},
		"nothing to verify with":  {`certificates = ["office.pem"], `, "", "client.wiki.saml.signed_requests"},
		"nothing to encrypt to":   {`certificates = ["office.pem"], `, "", "client.wiki.saml.encrypt"},
		"not a certificate":       {`certificates = ["office.pem"], slo`, `certificates = ["apostille.toml"], slo`, "client.wiki.saml.certificates[0]"},
		"a third party":           {"[client.wiki]\nfirst_party = true", "[client.wiki]", "client.wiki.first_party"},
		"a secret besides":        {"[client.wiki]\n", "[client.wiki]\nsecret_sha256 = [\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"]\n", "client.wiki.saml"},
		"grants besides":          {"[client.wiki]\n", "[client.wiki]\ngrants = [\"token_exchange\"]\n", "client.wiki.grants"},
		"script as a logout":      {`slo_url = "https://wiki.example/slo"`, `slo_url = "javascript:alert(1)"`, "client.wiki.saml.slo_url"},
		"a NameID of no use here": {`encrypt = true`, `encrypt = true, name_id_format = "kerberos"`, "client.wiki.saml.name_id_format"},
	} {
		issues := mustFail(t, withOffice(t, edit(t, samlApp, c.old, c.with)))
		if !strings.Contains(issues.Error(), c.at) {
			t.Errorf("%s: %v, wanted a fault at %s", name, issues, c.at)
		}
	}
	for name, c := range map[string][2]string{
		"another document":     {"EntityDescriptor", "EntitiesDescriptor"},
		"an office's metadata": {"SPSSODescriptor", "IDPSSODescriptor"},
		"one index twice":      {`index="7"`, `index="2"`},
		"no certificate":       {"@cert@", "AAAA"},
		"no place for POST":    {"bindings:HTTP-POST", "bindings:PAOS"},
		"a document type":      {"<md:EntityDescriptor", "<!DOCTYPE x><md:EntityDescriptor"},
	} {
		issues := mustFail(t, withMetadata(t, strings.ReplaceAll(wikiMetadata, c[0], c[1])))
		if !strings.Contains(issues.Error(), "client.wiki.saml") {
			t.Errorf("%s: %v", name, issues)
		}
	}
}
