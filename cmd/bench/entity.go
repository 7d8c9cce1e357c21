package main

import (
	"fmt"
	"io"
	"strings"
)

// Names are made of these.
var (
	kinds = []string{"University of %s", "%s University of Applied Sciences", "%s Institute of Technology", "College of %s", "%s Medical School", "National Library of %s", "%s Research Centre", "Academy of Arts %s"}
	sides = []string{"North", "South", "East", "West", "Upper", "Lower", "New", "Old", "Great", "Little"}
	stems = []string{"ham", "ville", "port", "stadt", "burg", "field", "mouth", "ford", "bridge", "haven"}
)

// entity writes one identity provider, as those of large federations look: names, keywords, logos and texts in languages, two certificates, an
// organisation, contacts. In canonical form: see aggregate.
func (a *aggregate) entity(out io.Writer, i int) error {
	place := sides[i%10] + stems[i/10%10] + fmt.Sprintf("-%d", i/100)
	if a.edition > 0 && i%100 == 0 {
		place += fmt.Sprintf(" %d", a.edition)
	}
	name := fmt.Sprintf(kinds[i/3%len(kinds)], place)
	host := fmt.Sprintf("idp.site%d.example", i)
	e := strings.NewReplacer("@host@", host, "@domain@", fmt.Sprintf("site%d.example", i), "@name@", name, "@place@", place,
		"@signing@", a.certificates[i%len(a.certificates)], "@encryption@", a.certificates[(i+1)%len(a.certificates)],
		"@authority@", fmt.Sprintf("https://registry%d.example/", i%70), "@text@", words)
	_, err := e.WriteString(out, entityXML)
	return err
}

var words = strings.Repeat("Members of this institution sign in here with the account they have for everything else. ", 4)

const entityXML = `<md:EntityDescriptor entityID="https://@host@/idp/shibboleth">
<md:Extensions>
<mdrpi:RegistrationInfo xmlns:mdrpi="urn:oasis:names:tc:SAML:metadata:rpi" registrationAuthority="@authority@" registrationInstant="2015-04-01T09:00:00Z">
<mdrpi:RegistrationPolicy xml:lang="en">@authority@policy/mrps-20200101.html</mdrpi:RegistrationPolicy>
</mdrpi:RegistrationInfo>
<mdattr:EntityAttributes xmlns:mdattr="urn:oasis:names:tc:SAML:metadata:attribute">
<saml:Attribute xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Name="http://macedir.org/entity-category-support" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri"><saml:AttributeValue>http://refeds.org/category/research-and-scholarship</saml:AttributeValue><saml:AttributeValue>https://refeds.org/category/code-of-conduct/v2</saml:AttributeValue></saml:Attribute>
<saml:Attribute xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" Name="urn:oasis:names:tc:SAML:attribute:assurance-certification" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri"><saml:AttributeValue>https://refeds.org/sirtfi</saml:AttributeValue></saml:Attribute>
</mdattr:EntityAttributes>
</md:Extensions>
<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
<md:Extensions>
<shibmd:Scope xmlns:shibmd="urn:mace:shibboleth:metadata:1.0" regexp="false">@domain@</shibmd:Scope>
<mdui:UIInfo xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui">
<mdui:DisplayName xml:lang="en">@name@</mdui:DisplayName>
<mdui:DisplayName xml:lang="de">Hochschule @place@</mdui:DisplayName>
<mdui:Description xml:lang="en">@text@</mdui:Description>
<mdui:Keywords xml:lang="en">@place@ higher+education</mdui:Keywords>
<mdui:InformationURL xml:lang="en">https://www.@domain@/about</mdui:InformationURL>
<mdui:PrivacyStatementURL xml:lang="en">https://www.@domain@/privacy</mdui:PrivacyStatementURL>
<mdui:Logo height="16" width="16">https://www.@domain@/favicon.png</mdui:Logo>
<mdui:Logo height="80" width="120">https://www.@domain@/images/logo.png</mdui:Logo>
</mdui:UIInfo>
</md:Extensions>
<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>@signing@</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:KeyDescriptor use="encryption"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>@encryption@</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
<md:ArtifactResolutionService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://@host@:8443/idp/profile/SAML2/SOAP/ArtifactResolution" index="1"></md:ArtifactResolutionService>
<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://@host@/idp/profile/SAML2/Redirect/SLO"></md:SingleLogoutService>
<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://@host@/idp/profile/SAML2/POST/SLO"></md:SingleLogoutService>
<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:transient</md:NameIDFormat>
<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://@host@/idp/profile/SAML2/POST/SSO"></md:SingleSignOnService>
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://@host@/idp/profile/SAML2/Redirect/SSO"></md:SingleSignOnService>
</md:IDPSSODescriptor>
<md:Organization><md:OrganizationName xml:lang="en">@name@</md:OrganizationName><md:OrganizationDisplayName xml:lang="en">@name@</md:OrganizationDisplayName><md:OrganizationURL xml:lang="en">https://www.@domain@/</md:OrganizationURL></md:Organization>
<md:ContactPerson contactType="technical"><md:GivenName>Service</md:GivenName><md:SurName>Desk</md:SurName><md:EmailAddress>mailto:helpdesk@@domain@</md:EmailAddress></md:ContactPerson>
<md:ContactPerson contactType="support"><md:GivenName>Service</md:GivenName><md:SurName>Desk</md:SurName><md:EmailAddress>mailto:support@@domain@</md:EmailAddress></md:ContactPerson>
</md:EntityDescriptor>
`
