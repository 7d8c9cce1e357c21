package fake

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// Member is an identity provider as a federation's metadata describe it. What is empty is left out.
type Member struct {
	EntityID, Name, Keywords, Logo string
	SSO, SLO                       string // by redirect
	Scope, Category, Authority     string
	Certificate                    []byte // DER
}

// Aggregate makes the metadata of a federation that the IdP's key signs: few enough members for one document in memory.
func (p *IdP) Aggregate(until time.Time, members ...Member) string {
	var b strings.Builder
	b.WriteString(`<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui" ` +
		`xmlns:mdattr="urn:oasis:names:tc:SAML:metadata:attribute" xmlns:mdrpi="urn:oasis:names:tc:SAML:metadata:rpi" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ` +
		`xmlns:shibmd="urn:mace:shibboleth:metadata:1.0" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" ID="_federation" validUntil="` + until.UTC().Format("2006-01-02T15:04:05Z") + `">`)
	for _, m := range members {
		m.write(&b)
	}
	b.WriteString(`</md:EntitiesDescriptor>`)
	return p.SignXML(b.String())
}

func (m *Member) write(b *strings.Builder) {
	put := func(format, value string) {
		if value != "" {
			fmt.Fprintf(b, format, escape(value))
		}
	}
	put(`<md:EntityDescriptor entityID="%s"><md:Extensions>`, m.EntityID)
	put(`<mdrpi:RegistrationInfo registrationAuthority="%s"/>`, m.Authority)
	put(`<mdattr:EntityAttributes><saml:Attribute Name="http://macedir.org/entity-category"><saml:AttributeValue>%s</saml:AttributeValue></saml:Attribute></mdattr:EntityAttributes>`, m.Category)
	b.WriteString(`</md:Extensions><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:Extensions>`)
	put(`<shibmd:Scope regexp="false">%s</shibmd:Scope>`, m.Scope)
	b.WriteString(`<mdui:UIInfo>`)
	put(`<mdui:DisplayName xml:lang="en">%s</mdui:DisplayName>`, m.Name)
	put(`<mdui:Keywords xml:lang="en">%s</mdui:Keywords>`, m.Keywords)
	put(`<mdui:Logo height="80" width="80">%s</mdui:Logo>`, m.Logo)
	b.WriteString(`</mdui:UIInfo></md:Extensions>`)
	put(`<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
		base64.StdEncoding.EncodeToString(m.Certificate))
	put(`<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="%s"/>`, m.SLO)
	put(`<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="%s"/>`, m.SSO)
	b.WriteString(`</md:IDPSSODescriptor></md:EntityDescriptor>`)
}
