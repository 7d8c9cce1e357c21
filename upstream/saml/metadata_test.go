package saml_test

import (
	"bytes"
	"encoding/pem"
	"strings"
	"testing"

	"apostille/upstream/saml"
)

func keyDescriptor(use string, cert []byte) string {
	block, _ := pem.Decode(cert)
	lines := strings.Split(strings.TrimSpace(string(pem.EncodeToMemory(block))), "\n")
	if use != "" {
		use = ` use="` + use + `"`
	}
	return `<md:KeyDescriptor` + use + `><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + "\n  " + strings.Join(lines[1:len(lines)-1], "\n  ") + "\n" +
		`</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`
}

func entityDescriptor(keys string) string {
	return `<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="` + them + `">` +
		`<md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` + keyDescriptor("signing", rogue.PEM()) + `</md:SPSSODescriptor>` +
		`<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:1.1:protocol urn:oasis:names:tc:SAML:2.0:protocol">` + keys +
		`<md:SingleSignOnService Binding="x" Location="https://idp.hq.example/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>`
}

func TestMetadataNamesTheCertificatesThatSign(t *testing.T) {
	t.Parallel()
	next := office.PEM()
	for name, c := range map[string]struct {
		keys string
		want []byte
	}{
		"for signing":         {keyDescriptor("signing", office.PEM()), office.PEM()},
		"for anything":        {keyDescriptor("", office.PEM()), office.PEM()},
		"two, while it rolls": {keyDescriptor("signing", office.PEM()) + keyDescriptor("signing", next), append(office.PEM(), next...)},
		"beside encryption":   {keyDescriptor("encryption", rogue.PEM()) + keyDescriptor("signing", office.PEM()), office.PEM()},
	} {
		m, err := saml.ReadMetadata([]byte(entityDescriptor(c.keys)))
		if err != nil || m.EntityID != them || !bytes.Equal(m.Certificates, c.want) {
			t.Errorf("%s: %+v, error %v", name, m, err)
		}
	}
}

func TestA21_A41_MetadataThatNamesNobodyIsRefused(t *testing.T) {
	t.Parallel()
	good := entityDescriptor(keyDescriptor("signing", office.PEM()))
	for _, c := range []struct{ name, document, says string }{
		{"keys for encryption only", entityDescriptor(keyDescriptor("encryption", office.PEM())), "no certificate for signing"},
		{"no keys", entityDescriptor(""), "no certificate for signing"},
		{"keys for something else", entityDescriptor(keyDescriptor("other", office.PEM())), "neither for signing"},
		{"a certificate that is none", entityDescriptor(strings.Replace(keyDescriptor("signing", office.PEM()), "\n  M", "\n  !", 1)), "not base64"},
		{"a service provider only", strings.ReplaceAll(good, "IDPSSODescriptor", "AttributeAuthorityDescriptor"), "no identity provider"},
		{"an older protocol only", strings.Replace(good, "urn:oasis:names:tc:SAML:1.1:protocol urn:oasis:names:tc:SAML:2.0:protocol", "urn:oasis:names:tc:SAML:1.1:protocol", 1), "no identity provider"},
		{"two identity providers", strings.Replace(good, "</md:EntityDescriptor>", `<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"/></md:EntityDescriptor>`, 1), "more than one"},
		{"a federation", `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"/>`, "got EntitiesDescriptor"},
		{"no entityID", strings.Replace(good, `entityID="`+them+`"`, "", 1), "entityID is empty"},
		{"a document type", `<!DOCTYPE x>` + good, "not accepted"},
	} {
		if m, err := saml.ReadMetadata([]byte(c.document)); err == nil || m != nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %+v, error %v", c.name, m, err)
		}
	}
}
