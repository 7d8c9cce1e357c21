package fake

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"strings"

	"apostille/trust/xmlsec"
)

// SAMLParty is a service provider as a SAMLProvider knows it.
type SAMLParty struct {
	EntityID    string
	ACS, Logout string             // where Responses are posted to, and logout messages go by redirect
	Keys        []crypto.PublicKey // its requests must be signed by one of them
	Encrypt     *rsa.PublicKey     // assertions may be encrypted to it; nil = not
}

// ReadSAMLParty reads the metadata of one service provider, as an administrator of an identity provider would have it read. The signature is
// not looked at.
func ReadSAMLParty(metadata []byte) (SAMLParty, error) {
	root, err := xmlsec.Parse(metadata)
	if err != nil {
		return SAMLParty{}, err
	}
	p := SAMLParty{}
	p.EntityID, _ = root.Attr("entityID")
	for e := range root.Walk() {
		location, _ := e.Attr("Location")
		binding, _ := e.Attr("Binding")
		switch e.Name().Local {
		case "AssertionConsumerService":
			p.ACS = location
		case "SingleLogoutService":
			if strings.HasSuffix(binding, "HTTP-Redirect") {
				p.Logout = location
			}
		case "KeyDescriptor":
			if err := p.readKey(e); err != nil {
				return SAMLParty{}, err
			}
		}
	}
	if p.EntityID == "" || p.ACS == "" {
		return SAMLParty{}, errors.New("fake: the metadata names no entityID or no AssertionConsumerService")
	}
	return p, nil
}

func (p *SAMLParty) readKey(descriptor *xmlsec.Element) error {
	use, _ := descriptor.Attr("use")
	for e := range descriptor.Walk() {
		if e.Name().Local != "X509Certificate" {
			continue
		}
		text, _ := e.Text()
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return err
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		if key, ok := cert.PublicKey.(*rsa.PublicKey); ok && use == "encryption" && p.Encrypt == nil {
			p.Encrypt = key
		} else if use == "signing" {
			p.Keys = append(p.Keys, cert.PublicKey)
		}
	}
	return nil
}
