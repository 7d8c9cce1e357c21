package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"apostille/trust/xmlsec"
)

// Names in SAML metadata, and the two bindings that we speak to applications.
const (
	spaceMetadata = "urn:oasis:names:tc:SAML:2.0:metadata"
	spaceXMLDSig  = "http://www.w3.org/2000/09/xmldsig#"
	bindingPost   = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
	bindingGet    = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
)

func md(local string) xmlsec.Name { return xmlsec.Name{Space: spaceMetadata, Local: local} }

// readMetadata reads an EntityDescriptor with one SPSSODescriptor (SAML Metadata 2.0 §2.4.4). The file is the admin's own word: a signature in
// it is not looked at.
func (a *SAMLApp) readMetadata(root *xmlsec.Element, doc *samlAppDoc) error {
	if !root.Is(md("EntityDescriptor")) {
		return fmt.Errorf("not an EntityDescriptor, but %s", root.Name().Local)
	}
	doc.EntityID, _ = root.Attr("entityID")
	var role *xmlsec.Element
	for c := range root.Children() {
		if !c.Is(md("SPSSODescriptor")) {
			continue
		}
		if role != nil {
			return errors.New("more than one SPSSODescriptor")
		}
		role = c
	}
	if role == nil {
		return errors.New("no SPSSODescriptor: it describes no application")
	}
	if signed, _ := role.Attr("AuthnRequestsSigned"); signed == "true" || signed == "1" {
		doc.SignedRequests = true
	}
	a.Indexed = map[string]string{}
	for c := range role.Children() {
		if err := a.readRole(c, doc); err != nil {
			return err
		}
	}
	return nil
}

func (a *SAMLApp) readRole(c *xmlsec.Element, doc *samlAppDoc) error {
	binding, _ := c.Attr("Binding")
	location, _ := c.Attr("Location")
	switch {
	case c.Is(md("KeyDescriptor")):
		return a.readKeys(c)
	case c.Is(md("SingleLogoutService")) && binding == bindingGet && doc.SLOURL == "":
		doc.SLOURL = location
	case c.Is(md("AssertionConsumerService")) && binding == bindingPost:
		index, _ := c.Attr("index")
		if _, taken := a.Indexed[index]; taken {
			return fmt.Errorf("two AssertionConsumerServices of index %q", index)
		}
		a.Indexed[index] = location
		if first, _ := c.Attr("isDefault"); first == "true" || first == "1" {
			doc.ACS = append([]string{location}, doc.ACS...)
		} else {
			doc.ACS = append(doc.ACS, location)
		}
	}
	return nil
}

// readKeys takes the certificates of a KeyDescriptor; without `use` they are for both ends (SAML Metadata 2.0 §2.4.1.1).
func (a *SAMLApp) readKeys(descriptor *xmlsec.Element) error {
	use, _ := descriptor.Attr("use")
	for e := range descriptor.Walk() {
		if !e.Is(xmlsec.Name{Space: spaceXMLDSig, Local: "X509Certificate"}) {
			continue
		}
		text, _ := e.Text()
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return errors.New("a certificate is not base64")
		}
		if err := a.addCertificate(der, use != "encryption", use != "signing"); err != nil {
			return err
		}
	}
	return nil
}
