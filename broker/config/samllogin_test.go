package config

import (
	"encoding/base64"
	"encoding/pem"
	"maps"
	"slices"
	"strings"
	"testing"

	"apostille/trust"
	"apostille/upstream/saml"
)

// samlOffice is an office that speaks SAML, and an application to sign in to.
const samlOffice = `
[client.shop]
grants = ["authorization_code"]
secret_sha256 = ["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]
redirect_uris = ["https://shop.example/callback"]
first_party = true

[trust.office]
issuer = "urn:office.example"
keys = { certificates = ["office.pem"] }
attribute_scopes = ["office.example"]

[trust.office.login]
protocol = "saml"
sso_url = "https://idp.office.example/sso"
slo_url = "https://idp.office.example/slo"
logout = true

[[trust.office.grant]]
clients = ["shop"]
sign_in = true
`

func TestASAMLLoginIsReadWithItsDefaults(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, withOffice(t, samlOffice))
	got := c.SAMLLogins["office"]
	if len(c.SAMLLogins) != 1 || got.SSOURL != "https://idp.office.example/sso" || got.SSOBinding != saml.BindingRedirect || !got.SignRequests || got.CBC ||
		got.EntityID != "" || !got.Logout || got.LogoutURL == "" {
		t.Errorf("%+v", got)
	}
	if _, there := c.Logins["office"]; there {
		t.Error("it is an OpenID Connect login as well")
	}
	office, _ := c.Registry.Trust("office")
	if office.Spec.Login.Protocol != trust.ProtocolSAML || len(c.Registry.Logins("shop")) != 1 {
		t.Errorf("%+v", office.Spec.Login)
	}
	for _, want := range []string{`sso_binding = "redirect"`, "request_signing = true"} {
		if text := Effective(c); !strings.Contains(text, want) || strings.Contains(text, "response_mode") {
			t.Errorf("what holds is not shown, or what does not: %s\n%s", want, text)
		}
	}
	c = mustLoad(t, withOffice(t, edit(t, samlOffice, `logout = true`, `sso_binding = "post"
request_signing = false
allow_cbc = true
name_id_format = "persistent"
sp_entity_id = "urn:us"
attributes = { "urn:oid:1.2.3" = "email" }`)))
	got = c.SAMLLogins["office"]
	if got.SSOBinding != saml.BindingPost || got.SignRequests || !got.CBC || got.EntityID != "urn:us" ||
		got.NameIDFormat != "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" || !maps.Equal(got.Attributes, map[string]string{"urn:oid:1.2.3": "email"}) {
		t.Errorf("%+v", got)
	}
}

func TestFaultsOfSAMLLoginsAreReportedWhereTheyStand(t *testing.T) {
	t.Parallel()
	const sso = `sso_url = "https://idp.office.example/sso"`
	for _, row := range []struct{ name, old, replacement, path, text string }{
		{"no sso_url", sso, "", "trust.office.login.sso_url", "missing"},
		{"an sso_url without TLS", "https://idp.office.example/sso", "http://idp.office.example/sso", "trust.office.login.sso_url", "not an address"},
		{"a script for a place", "https://idp.office.example/sso", "javascript:alert(1)", "trust.office.login.sso_url", "not an address"},
		{"a key of OpenID Connect", sso, sso + "\nresponse_mode = \"query\"", "trust.office.login.response_mode", "no effect with protocol = saml"},
		{"a client_id", sso, sso + "\nclient_id = \"west\"", "trust.office.login.client_id", "no effect with protocol = saml"},
		{"logout that leads nowhere", `slo_url = "https://idp.office.example/slo"`, "", "trust.office.login.logout", "no effect without slo_url"},
		{"a NameID of no format", sso, sso + "\nname_id_format = \"e-mail\"", "trust.office.login.name_id_format", "expected persistent"},
		{"two attributes for one claim", sso, sso + "\nattributes = { a = \"email\", b = \"email\" }", "trust.office.login.attributes", "two attributes"},
		{"a binding that is not built", sso, sso + "\nsso_binding = \"artifact\"", "trust.office.login.sso_binding", "not allowed"},
		{"keys from a JWK Set", `keys = { certificates = ["office.pem"] }`, `keys = { jwks_file = "good.json" }`, "trust.office.keys", "verified with certificates"},
		{"A21 no certificate", `keys = { certificates = ["office.pem"] }`, `keys = { certificates = [] }`, "trust.office.keys.certificates", "0 elements"},
		{"A87 our issuer as entityID of a login", sso, sso + "\nsp_entity_id = \"https://id.example\"", "trust.office.login.sp_entity_id", "one must not do for both"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			issues := mustFail(t, withOffice(t, edit(t, samlOffice, row.old, row.replacement)))
			for _, got := range issues {
				if got.Path == row.path && strings.Contains(got.Text, row.text) && got.Line > 0 {
					return
				}
			}
			t.Errorf("got %v\nwant path %q, text with %q", issues, row.path, row.text)
		})
	}
	t.Run("a key of SAML under OpenID Connect", func(t *testing.T) {
		t.Parallel()
		issues := mustFail(t, map[string]string{"apostille.toml": edit(t, signIn, `client_id = "west"`, "client_id = \"west\"\n"+sso)})
		if len(issues) != 1 || issues[0].Path != "trust.head-office.login.sso_url" || !strings.Contains(issues[0].Text, "protocol = oidc") {
			t.Errorf("%v", issues)
		}
	})
	t.Run("attribute_scopes without assertions", func(t *testing.T) {
		t.Parallel()
		issues := mustFail(t, map[string]string{"apostille.toml": edit(t, signIn, "[trust.head-office.login]", "[trust.head-office.login]\n") + "\n[trust.other]\nissuer = \"https://other.example\"\nkeys = { discovery = true }\nattribute_scopes = [\"x.example\"]\n[trust.other.exchange]\njwt = { audiences = [\"https://id.example\"] }\n"})
		if len(issues) != 1 || issues[0].Path != "trust.other.attribute_scopes" {
			t.Errorf("%v", issues)
		}
	})
}

func TestMetadataGiveWhatIsNotWritten(t *testing.T) {
	t.Parallel()
	block, _ := pem.Decode([]byte(keyFile(t, "partner-2026.pem")))
	document := `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:office.example"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
		`<md:Extensions><s:Scope xmlns:s="urn:mace:shibboleth:metadata:1.0">from.example</s:Scope></md:Extensions>` +
		`<md:KeyDescriptor><d:KeyInfo xmlns:d="http://www.w3.org/2000/09/xmldsig#"><d:X509Data><d:X509Certificate>` + base64.StdEncoding.EncodeToString(block.Bytes) + `</d:X509Certificate></d:X509Data></d:KeyInfo></md:KeyDescriptor>` +
		`<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://from.example/slo"/>` +
		`<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://from.example/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>`
	files := func(text string) map[string]string {
		m := withOffice(t, text)
		m["idp.xml"] = document
		return m
	}
	byMetadata := edit(t, samlOffice, `keys = { certificates = ["office.pem"] }`, `keys = { metadata_file = "idp.xml" }`)
	bare := strings.NewReplacer("sso_url = \"https://idp.office.example/sso\"\n", "", "slo_url = \"https://idp.office.example/slo\"\n", "", "attribute_scopes = [\"office.example\"]\n", "").Replace(byMetadata)
	c := mustLoad(t, files(bare))
	office, _ := c.Registry.Trust("office")
	if got := c.SAMLLogins["office"]; got.SSOURL != "https://from.example/sso" || got.SSOBinding != saml.BindingPost || got.LogoutURL != "https://from.example/slo" ||
		!slices.Equal(office.Spec.AttributeScopes, []string{"from.example"}) || len(c.Keys["office"].Static.Keys()) != 1 {
		t.Errorf("%+v, scopes %v", got, office.Spec.AttributeScopes)
	}
	c = mustLoad(t, files(byMetadata)) // what is written goes before
	office, _ = c.Registry.Trust("office")
	if got := c.SAMLLogins["office"]; got.SSOURL != "https://idp.office.example/sso" || got.SSOBinding != saml.BindingRedirect || office.Spec.AttributeScopes[0] != "office.example" {
		t.Errorf("%+v, scopes %v", got, office.Spec.AttributeScopes)
	}
	// Of the whole entity they were not seen, and of regular expressions alone none was left: then any domain was right (A68).
	const extensions = `<md:Extensions><s:Scope xmlns:s="urn:mace:shibboleth:metadata:1.0">from.example</s:Scope></md:Extensions>`
	good := document
	document = strings.Replace(strings.Replace(good, extensions, "", 1), `<md:IDPSSODescriptor`, extensions+`<md:IDPSSODescriptor`, 1)
	c = mustLoad(t, files(bare))
	if office, _ = c.Registry.Trust("office"); !slices.Equal(office.Spec.AttributeScopes, []string{"from.example"}) {
		t.Errorf("scopes %v of the entity", office.Spec.AttributeScopes)
	}
	document = strings.Replace(good, `metadata:1.0">from`, `metadata:1.0" regexp="true">from`, 1)
	if issues := mustFail(t, files(bare)); len(issues) != 1 || issues[0].Path != "trust.office.attribute_scopes" || !strings.Contains(issues[0].Text, "regular expressions") {
		t.Errorf("%v", issues)
	}
	mustLoad(t, files(byMetadata)) // which says them
	document = good
	issues := mustFail(t, files(edit(t, byMetadata, "urn:office.example", "urn:other.example")))
	if len(issues) != 1 || issues[0].Path != "trust.office.keys.metadata_file" || !strings.Contains(issues[0].Text, "the issuer of the trust is") {
		t.Errorf("%v", issues)
	}
}
