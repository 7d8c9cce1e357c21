package saml

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"

	crewjam "github.com/crewjam/saml"

	"apostille/trust/xmlsec"
)

// entityDescriptor is metadata without validUntil: many offices carry it over by hand, and it must not end there one day.
type entityDescriptor struct {
	XMLName  xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:metadata EntityDescriptor"`
	ID       string   `xml:",attr"`
	EntityID string   `xml:"entityID,attr"`
	SP       crewjam.SPSSODescriptor
}

// Metadata is what an identity provider needs to know of us (SAML Metadata 2.0 §2.4.4), signed. entityID "" is EntityID. While a key is
// rotated both are in it. It is signed once: strangers may ask as often as they like.
func (sp *ServiceProvider) Metadata(entityID string) ([]byte, error) {
	own, err := sp.Own()
	if err != nil || len(own.Signing) == 0 {
		return nil, errors.Join(errors.New("no key to sign SAML metadata with"), err)
	}
	if entityID == "" {
		entityID = sp.EntityID()
	}
	sp.publishing.Lock()
	defer sp.publishing.Unlock()
	if done, ok := sp.published[entityID]; ok && done.keys == own.digest() {
		return done.document, nil
	}
	document, err := sp.metadata(entityID, own)
	if err == nil {
		if sp.published == nil {
			sp.published = map[string]published{}
		}
		sp.published[entityID] = published{own.digest(), document}
	}
	return document, err
}

// published is a signed document, and a digest of the keys that it names.
type published struct {
	keys     [sha256.Size]byte
	document []byte
}

// digest is over the certificates, in their order.
func (k OwnKeys) digest() (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, list := range [][]OwnKey{k.Signing, k.Encryption} {
		for _, key := range list {
			one := sha256.Sum256(key.Certificate)
			h.Write(one[:])
		}
		h.Write([]byte{0})
	}
	h.Sum(sum[:0])
	return sum
}

func (sp *ServiceProvider) metadata(entityID string, own OwnKeys) ([]byte, error) {
	yes := true
	role := crewjam.SPSSODescriptor{
		AuthnRequestsSigned: &yes, WantAssertionsSigned: &yes,
		AssertionConsumerServices: []crewjam.IndexedEndpoint{{Binding: crewjam.HTTPPostBinding, Location: sp.Issuer + ACSPath, IsDefault: &yes}},
	}
	role.ProtocolSupportEnumeration = spaceProtocol
	for _, binding := range []string{crewjam.HTTPRedirectBinding, crewjam.HTTPPostBinding} {
		role.SingleLogoutServices = append(role.SingleLogoutServices, crewjam.Endpoint{Binding: binding, Location: sp.Issuer + LogoutPath})
	}
	for _, k := range own.Signing {
		role.KeyDescriptors = append(role.KeyDescriptors, keyDescriptor("signing", k))
	}
	for _, k := range own.Encryption {
		d := keyDescriptor("encryption", k)
		for _, algorithm := range []string{"http://www.w3.org/2009/xmlenc11#aes256-gcm", "http://www.w3.org/2009/xmlenc11#aes128-gcm", "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"} {
			d.EncryptionMethods = append(d.EncryptionMethods, crewjam.EncryptionMethod{Algorithm: algorithm})
		}
		role.KeyDescriptors = append(role.KeyDescriptors, d)
	}
	e := entityDescriptor{EntityID: entityID, SP: role}
	plain, err := xml.Marshal(e)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(plain) // the ID says what is in it, so that the same metadata has the same bytes
	e.ID = "_" + hex.EncodeToString(sum[:16])
	if plain, err = xml.Marshal(e); err != nil {
		return nil, err
	}
	return xmlsec.Sign(plain, own.Signing[0].Key, own.Signing[0].Certificate)
}

func keyDescriptor(use string, k OwnKey) crewjam.KeyDescriptor {
	return crewjam.KeyDescriptor{Use: use, KeyInfo: crewjam.KeyInfo{X509Data: crewjam.X509Data{
		X509Certificates: []crewjam.X509Certificate{{Data: base64.StdEncoding.EncodeToString(k.Certificate)}},
	}}}
}
