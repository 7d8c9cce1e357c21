package fake

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"

	"apostille/trust/jose"
	"apostille/trust/xmlsec"
)

// IdP makes SAML 2.0 assertions, right or wrong. As everything here it is a FAKE, and says so in its certificate.
type IdP struct {
	EntityID string
	Key      crypto.Signer

	certificate []byte // DER
}

// NewIdP makes one with a key of its own that fits alg: RSA, or ECDSA.
func NewIdP(entityID string, alg jose.Alg) *IdP {
	p, err := IdPWith(entityID, NewKey(alg))
	if err != nil {
		panic("fake: " + err.Error())
	}
	return p
}

// IdPWith makes one that signs with a key.
func IdPWith(entityID string, key crypto.Signer) (*IdP, error) {
	now := time.Now()
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "FAKE identity provider"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &IdP{EntityID: entityID, Key: key, certificate: der}, nil
}

// PEM is the certificate, for `certificates` of a trust.
func (p *IdP) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.certificate})
}

// Assertion makes an assertion by the IdP: XML, signed. It panics where TryAssertion fails.
func (p *IdP) Assertion(a Assertion) string {
	document, err := p.TryAssertion(a)
	if err != nil {
		panic("fake: " + err.Error())
	}
	return document
}

// TryAssertion makes an assertion from what people wrote: an error says what of it trust/xmlsec does not sign.
func (p *IdP) TryAssertion(a Assertion) (string, error) {
	if a.Issuer == "" {
		a.Issuer = p.EntityID
	}
	signed, err := xmlsec.Sign([]byte(a.XML()), p.Key, p.certificate)
	return string(signed), err
}

// SignXML signs a document over its root. It panics for one that trust/xmlsec does not read.
func (p *IdP) SignXML(document string) string {
	signed, err := xmlsec.Sign([]byte(document), p.Key, p.certificate)
	if err != nil {
		panic("fake: " + err.Error())
	}
	return string(signed)
}

// Certificate is the certificate, DER.
func (p *IdP) Certificate() []byte { return p.certificate }
