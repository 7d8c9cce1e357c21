package saml

import (
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"apostille/trust/xmlsec"
)

const (
	spaceMetadata = "urn:oasis:names:tc:SAML:2.0:metadata"
	spaceScope    = "urn:mace:shibboleth:metadata:1.0"
	bindings      = "urn:oasis:names:tc:SAML:2.0:bindings:"
)

func md(local string) xmlsec.Name { return xmlsec.Name{Space: spaceMetadata, Local: local} }

// Metadata is what we take from the metadata of one identity provider (SAML Metadata 2.0 §2.3.2, §2.4.3).
type Metadata struct {
	EntityID string
	// Certificates that it signs with, as PEM: those of KeyDescriptors for signing, and of those for anything. Never none. Only their keys
	// count (SAML Metadata Interoperability Profile 1.0 §2.6.1).
	Certificates []byte

	SSOURL, SSOBinding string   // redirect if it has that, else POST; "" = neither
	LogoutURL          string   // by redirect; "" = none
	Scopes             []string // shibmd:Scope; regular expressions are left out:
	Patterns           bool     // there are some
}

// ReadMetadata reads an EntityDescriptor with one identity provider in it. Neither its signature nor validUntil is looked at: somebody has looked at
// the file and put it where it is read.
func ReadMetadata(document []byte) (*Metadata, error) {
	root, err := xmlsec.Parse(document)
	if err != nil {
		return nil, err
	}
	if !root.Is(md("EntityDescriptor")) {
		return nil, fmt.Errorf("expected one EntityDescriptor, got %s", root.Name().Local)
	}
	m := &Metadata{}
	m.EntityID, _ = root.Attr("entityID")
	if wrong := identifier(m.EntityID, maxSubject); wrong != "" {
		return nil, errors.New("entityID " + wrong)
	}
	found := 0
	for role := range root.Children() {
		if role.Is(md("Extensions")) { // of the entity: for all its roles
			m.readScopes(role)
		}
		protocols, _ := role.Attr("protocolSupportEnumeration")
		if !role.Is(md("IDPSSODescriptor")) || !slices.Contains(strings.Fields(protocols), spaceProtocol) {
			continue
		}
		if found++; found > 1 {
			return nil, errors.New("more than one identity provider in it")
		}
		if err := m.readKeys(role); err != nil {
			return nil, err
		}
		m.readPlaces(role)
	}
	switch {
	case found == 0:
		return nil, errors.New("no identity provider that speaks SAML 2.0 in it")
	case m.Certificates == nil:
		return nil, errors.New("no certificate for signing in it")
	}
	return m, nil
}

// readPlaces finds where people go, and the domains they are of.
func (m *Metadata) readPlaces(role *xmlsec.Element) {
	for e := range role.Children() {
		location, _ := e.Attr("Location")
		binding, _ := e.Attr("Binding")
		switch {
		case e.Is(md("SingleSignOnService")) && binding == bindings+"HTTP-Redirect":
			m.SSOURL, m.SSOBinding = location, BindingRedirect
		case e.Is(md("SingleSignOnService")) && binding == bindings+"HTTP-POST" && m.SSOURL == "":
			m.SSOURL, m.SSOBinding = location, BindingPost
		case e.Is(md("SingleLogoutService")) && binding == bindings+"HTTP-Redirect":
			m.LogoutURL = location
		case e.Is(md("Extensions")):
			m.readScopes(e)
		}
	}
}

func (m *Metadata) readScopes(extensions *xmlsec.Element) {
	for e := range extensions.Children() {
		scope, ok := e.Text()
		switch pattern, _ := e.Attr("regexp"); {
		case !ok || !e.Is(xmlsec.Name{Space: spaceScope, Local: "Scope"}):
		case pattern == "true" || pattern == "1":
			m.Patterns = true
		default:
			m.Scopes = append(m.Scopes, strings.TrimSpace(scope))
		}
	}
}

// readKeys gathers the certificates of a role.
func (m *Metadata) readKeys(role *xmlsec.Element) error {
	for key := range role.Children() {
		use, given := key.Attr("use")
		switch {
		case !key.Is(md("KeyDescriptor")), use == "encryption":
			continue
		case given && use != "signing":
			return errors.New("a KeyDescriptor that is neither for signing nor for encryption")
		}
		for e := range key.Walk() {
			if !e.Is(xmlsec.Name{Space: spaceDSig, Local: "X509Certificate"}) {
				continue
			}
			text, _ := e.Text()
			der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
			if err != nil {
				return errors.New("a certificate that is not base64")
			}
			m.Certificates = append(m.Certificates, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
		}
	}
	return nil
}
