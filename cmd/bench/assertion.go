package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// office is the upstream as a SAML identity provider: the same key, in a certificate.
type office struct {
	*upstream
	certificate []byte // DER
}

func newOffice(u *upstream) (*office, error) {
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, 1), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, &u.key.PublicKey, u.key)
	return &office{u, der}, err
}

func (o *office) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: o.certificate})
}

// attributes are fourteen, as a university's identity provider sends them.
var attributes = func() string {
	var b strings.Builder
	for i := range 14 {
		fmt.Fprintf(&b, `<saml:Attribute FriendlyName="attribute%d" Name="urn:oid:1.3.6.1.4.1.5923.1.1.1.%d">`+
			`<saml:AttributeValue>value-%02d@office.bench.example</saml:AttributeValue></saml:Attribute>`, i, 100+i, i)
	}
	return b.String()
}()

const stamp = "2006-01-02T15:04:05Z"

// assertion makes one of about 5.7 KB, RSA with SHA-256. The text is written in canonical form, so that it is what is digested.
func (o *office) assertion(i int) (string, error) {
	now, end, id := time.Now().UTC().Format(stamp), o.expires.UTC().Format(stamp), "_"+rand.Text()
	head := fmt.Sprintf(`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="%s" IssueInstant="%s" Version="2.0"><saml:Issuer>%s</saml:Issuer>`, id, now, o.issuer)
	rest := fmt.Sprintf(`<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">user-%d</saml:NameID>`+
		`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="%s" Recipient="%s/oauth2/token"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>`+
		`<saml:Conditions NotBefore="%s" NotOnOrAfter="%s"><saml:AudienceRestriction><saml:Audience>%s</saml:Audience></saml:AudienceRestriction></saml:Conditions>`+
		`<saml:AuthnStatement AuthnInstant="%s" SessionIndex="%s"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`+
		`<saml:AttributeStatement>%s</saml:AttributeStatement></saml:Assertion>`, i, end, o.audience, now, end, o.audience, now, id, attributes)
	digest := sha256.Sum256([]byte(head + rest))
	info := fmt.Sprintf(`<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>`+
		`<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod><ds:Reference URI="#%s"><ds:Transforms>`+
		`<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms>`+
		`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>%s</ds:DigestValue></ds:Reference></ds:SignedInfo>`,
		id, base64.StdEncoding.EncodeToString(digest[:]))
	sum := sha256.Sum256([]byte(info))
	signature, err := rsa.SignPKCS1v15(nil, o.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return encode([]byte(head + fmt.Sprintf(`<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">%s<ds:SignatureValue>%s</ds:SignatureValue>`+
		`<ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>`,
		info, base64.StdEncoding.EncodeToString(signature), base64.StdEncoding.EncodeToString(o.certificate)) + rest)), nil
}

// measureAssertion compares the exchange of assertions with the floor, which exchanges JWTs. Each assertion is accepted once, durably: the mark
// in the store is part of the price.
func (r *rig) measureAssertion(ctx context.Context) error {
	o, err := newOffice(r.up)
	if err != nil {
		return err
	}
	if err := r.write("office.pem", o.pem()); err != nil {
		return err
	}
	made, err := parallel(r.n+warmups, o.assertion)
	if err != nil {
		return err
	}
	r.report.title(fmt.Sprintf("assertion: CPU per exchange of an assertion of %d bytes, medians of %d rounds of %d", len(made[0])*3/4, r.rounds, r.n))
	floor, err := r.startFloor(ctx, "")
	if err != nil {
		return err
	}
	defer floor.stop()
	if err := r.warmUp(ctx, floor); err != nil {
		return err
	}
	var floors, brokers []time.Duration
	for round := range r.rounds {
		base, err := r.exchanges(ctx, floor, r.tokens[warmups:])
		if err != nil {
			return err
		}
		cpu, err := r.assertionRound(ctx, fmt.Sprintf("assertion-%d", round), made)
		if err != nil {
			return err
		}
		floors, brokers = append(floors, base), append(brokers, cpu)
	}
	r.report.figure("floor", micros(median(floors)))
	r.report.figure("broker, assertions", micros(median(brokers)))
	r.report.atMost("assertion / floor", neighbours(brokers, floors), 5, "%.2f x")
	return nil
}

// assertionRound exchanges each assertion once, at a broker with a store of its own.
func (r *rig) assertionRound(ctx context.Context, name string, made []string) (time.Duration, error) {
	server, err := r.startBroker(ctx, name, setup{trusts: 1, clients: 1, assertions: true})
	if err != nil {
		return 0, err
	}
	defer server.stop()
	of := *r
	of.form.tokenType = "urn:ietf:params:oauth:token-type:saml2"
	warm := load{addr: server.addr, requests: of.form.requests(server.addr, made[:warmups]), n: warmups, conns: benchConnections}
	result, err := warm.run(ctx)
	if err == nil {
		err = result.only(200)
	}
	if err != nil {
		return 0, err
	}
	return of.exchanges(ctx, server, made[warmups:])
}
