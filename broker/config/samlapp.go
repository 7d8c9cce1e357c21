package config

import (
	"cmp"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strconv"

	"apostille/trust"
	"apostille/trust/xmlsec"
)

// SAMLApp is how a SAML application is talked to: what its `saml` table says, without what policy knows of it.
type SAMLApp struct {
	Indexed        map[string]string  // AssertionConsumerServiceIndex → its URL
	LogoutURL      string             // its single logout service, by redirect; "" = none
	Signers        []crypto.PublicKey // its messages are verified with
	Recipient      *rsa.PublicKey     // assertions are encrypted to; nil = nobody
	SignedRequests bool               // refuse others
	Encrypt        bool
	NameIDFormat   string // "persistent", "transient" or "emailAddress"
}

// samlApp reads a SAML application.
func (l *loader) samlApp(c *Config, path, id string, client *clientDoc) *trust.SAMLSpec {
	written := client.SAML
	doc := *written // and what the metadata say; `config show` tells what is written
	path += ".saml"
	var app SAMLApp
	if doc.MetadataFile != "" {
		l.samlMetadata(path, &doc, &app)
		written.MetadataFile = l.resolve(path+".metadata_file", doc.MetadataFile)
	}
	for i, file := range doc.Certificates {
		at := elemPath(path+".certificates", i)
		if b, ok := l.read(at, file); ok {
			if err := app.addPEM(b); err != nil {
				l.fault(at, file+": "+err.Error(), "give PEM blocks of type CERTIFICATE, with keys of RSA of 2048 bits or more, or ECDSA")
			}
		}
	}
	if doc.Certificates != nil {
		written.Certificates = l.resolveAll(path+".certificates", doc.Certificates)
	}
	if app.Indexed == nil {
		app.Indexed = make(map[string]string, len(doc.ACS))
		for i, url := range doc.ACS {
			app.Indexed[strconv.Itoa(i)] = url
		}
	}
	if doc.SLOURL != "" {
		l.checkPlace(path+".slo_url", doc.SLOURL)
	}
	unread := l.faulty(path+".certificates") || l.faulty(path+".metadata_file")
	if doc.SignedRequests && len(app.Signers) == 0 && !unread {
		l.fault(path+".signed_requests", "no certificate to verify them with", "add its certificates, or drop it")
	}
	if doc.Encrypt && app.Recipient == nil && !unread {
		l.fault(path+".encrypt", "no certificate with an RSA key to encrypt to", "add its certificates, or drop it")
	}
	if client.Grants != nil {
		l.fault(joinPath("client", id)+".grants", "has no effect on a SAML application", "drop it: its grant is understood")
		client.Grants = nil
	}
	app.LogoutURL, app.SignedRequests, app.Encrypt = doc.SLOURL, doc.SignedRequests, doc.Encrypt
	app.NameIDFormat = cmp.Or(doc.NameIDFormat, "persistent")
	c.SAMLApps[id] = app
	return &trust.SAMLSpec{EntityID: doc.EntityID, ACS: doc.ACS}
}

// addPEM takes the certificates of a file. Their dates and issuers say nothing: they are pinned.
func (a *SAMLApp) addPEM(b []byte) error {
	found := false
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return fmt.Errorf("a PEM block of type %q", block.Type)
		}
		if err := a.addCertificate(block.Bytes, true, true); err != nil {
			return err
		}
		found = true
	}
	if !found {
		return errors.New("no PEM block")
	}
	return nil
}

// addCertificate takes the key of a certificate, DER.
func (a *SAMLApp) addCertificate(der []byte, signs, encrypts bool) error {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return errors.New("not a certificate")
	}
	k, isRSA := cert.PublicKey.(*rsa.PublicKey)
	if isRSA && k.N.BitLen() < 2048 {
		return fmt.Errorf("an RSA key of %d bits", k.N.BitLen())
	}
	if signs {
		a.Signers = append(a.Signers, cert.PublicKey)
	}
	if encrypts && isRSA && a.Recipient == nil {
		a.Recipient = k
	}
	return nil
}

// samlMetadata reads what the metadata file says into the table's own keys.
func (l *loader) samlMetadata(path string, doc *samlAppDoc, app *SAMLApp) {
	at := path + ".metadata_file"
	for _, k := range []stated{{"acs", doc.ACS != nil}, {"certificates", doc.Certificates != nil}, {"slo_url", doc.SLOURL != ""}} {
		if k.set {
			l.fault(path+"."+k.name, "stands beside metadata_file, which says it", "drop one of the two")
		}
	}
	doc.ACS, doc.Certificates = nil, nil
	b, ok := l.read(at, doc.MetadataFile)
	if !ok {
		return
	}
	root, err := xmlsec.Parse(b)
	if err == nil {
		err = app.readMetadata(root, doc)
	}
	if err != nil {
		l.fault(at, doc.MetadataFile+": "+err.Error(), "give the SAML metadata of this one application, as it publishes them")
	}
}
