package federation

import "apostille/trust/xmlsec"

// Namespaces.
const (
	spaceXML    = "http://www.w3.org/XML/1998/namespace"
	spaceMD     = "urn:oasis:names:tc:SAML:2.0:metadata"
	spaceSAML   = "urn:oasis:names:tc:SAML:2.0:assertion"
	spaceUI     = "urn:oasis:names:tc:SAML:metadata:ui"
	spaceAttr   = "urn:oasis:names:tc:SAML:metadata:attribute"
	spaceRPI    = "urn:oasis:names:tc:SAML:metadata:rpi"
	spaceShib   = "urn:mace:shibboleth:metadata:1.0"
	spaceDSig   = "http://www.w3.org/2000/09/xmldsig#"
	protocolTwo = "urn:oasis:names:tc:SAML:2.0:protocol"

	bindingRedirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	bindingPost     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"

	hideCategory = "http://refeds.org/category/hide-from-discovery"
)

// md is a name of the metadata schema.
func md(local string) xmlsec.Name { return xmlsec.Name{Space: spaceMD, Local: local} }

// below yields the children of a name, on the way that the names before it lead.
func below(e *xmlsec.Element, way ...xmlsec.Name) func(yield func(*xmlsec.Element) bool) {
	return func(yield func(*xmlsec.Element) bool) { descend(e, way, yield) }
}

func descend(e *xmlsec.Element, way []xmlsec.Name, yield func(*xmlsec.Element) bool) bool {
	if len(way) == 0 {
		return yield(e)
	}
	for c := range e.Children() {
		if c.Is(way[0]) && !descend(c, way[1:], yield) {
			return false
		}
	}
	return true
}
