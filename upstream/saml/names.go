package saml

import "apostille/trust/xmlsec"

// Namespaces.
const (
	spaceAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	spaceDSig      = "http://www.w3.org/2000/09/xmldsig#"
	spaceXSI       = "http://www.w3.org/2001/XMLSchema-instance"
)

// saml is a name of the assertion schema.
func saml(local string) xmlsec.Name { return xmlsec.Name{Space: spaceAssertion, Local: local} }

const (
	methodBearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer"

	formatUnspecified = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	formatTransient   = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
	formatPersistent  = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
	formatEntity      = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
)
