package main

import (
	"bufio"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"
	"time"
)

// runAggregate writes the signed metadata of a made-up federation, and what signs them.
func runAggregate(_ context.Context, args []string, _, stderr io.Writer) error {
	flags := flag.NewFlagSet("aggregate", flag.ContinueOnError)
	flags.SetOutput(stderr)
	n := flags.Int("n", 10000, "members, about 6.5 KB each")
	last := flags.Bool("last", false, "the signature stands at the end, not at the beginning")
	out := flags.String("out", "aggregate.xml", "file to write")
	certificate := flags.String("cert", "registrar.pem", "file for the certificate that signs it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	a, err := newAggregate(*n)
	if err != nil {
		return err
	}
	if err := os.WriteFile(*certificate, a.pem(), 0o644); err != nil {
		return err
	}
	return a.writeFile(*out, *last)
}

// aggregate is a federation in the making. What it writes is in canonical form (Exclusive XML Canonicalization 1.0), so that what is digested is what is
// written: this program signs without any XML library, and so checks the broker's from outside.
type aggregate struct {
	n            int
	edition      int // changes the names of some members
	key          *rsa.PrivateKey
	certificate  []byte
	certificates []string // of members, base64 in lines
	until        time.Time
}

func newAggregate(n int) (*aggregate, error) {
	a := &aggregate{n: n, until: time.Now().Add(14 * 24 * time.Hour).UTC()}
	var err error
	if a.key, a.certificate, err = selfSigned("Registrar"); err != nil {
		return nil, err
	}
	for i := range 4 {
		_, der, err := selfSigned(fmt.Sprintf("idp%d.example", i))
		if err != nil {
			return nil, err
		}
		a.certificates = append(a.certificates, lines(base64.StdEncoding.EncodeToString(der)))
	}
	return a, nil
}

func selfSigned(name string) (*rsa.PrivateKey, []byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, err
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name, Organization: []string{"Made for a measurement"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(10 * 365 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	return key, der, err
}

// lines breaks base64 as metadata have it.
func lines(s string) string {
	var b strings.Builder
	for ; len(s) > 64; s = s[64:] {
		b.WriteString("\n" + s[:64])
	}
	return b.String() + "\n" + s + "\n"
}

func (a *aggregate) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate})
}

func (a *aggregate) writeFile(path string, last bool) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(f, 1<<20)
	return errors.Join(a.write(out, last), out.Flush(), f.Close())
}

// write makes the document twice: once to digest it, once with the signature in it.
func (a *aggregate) write(out io.Writer, last bool) error {
	sum := sha256.New()
	digested := bufio.NewWriterSize(sum, 1<<20)
	a.content(digested, "", "")
	if err := digested.Flush(); err != nil {
		return err
	}
	signature, err := a.signature(sum.Sum(nil))
	if err != nil {
		return err
	}
	if last {
		return a.content(out, "", signature)
	}
	return a.content(out, signature, "")
}

func (a *aggregate) signature(sum []byte) (string, error) {
	const info = `<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>` +
		`<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod><ds:Reference URI="#_aggregate"><ds:Transforms>` +
		`<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms>` +
		`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>%s</ds:DigestValue></ds:Reference></ds:SignedInfo>`
	signed := fmt.Sprintf(info, base64.StdEncoding.EncodeToString(sum))
	hash := sha256.Sum256([]byte(signed))
	value, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, hash[:])
	return `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">` + signed + `<ds:SignatureValue>` + base64.StdEncoding.EncodeToString(value) +
		`</ds:SignatureValue><ds:KeyInfo><ds:X509Data><ds:X509Certificate>` + base64.StdEncoding.EncodeToString(a.certificate) + `</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>`, err
}

// content writes the document around a signature.
func (a *aggregate) content(out io.Writer, first, last string) error {
	_, err := fmt.Fprintf(out, `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_aggregate" Name="https://registrar.bench.example" cacheDuration="PT6H" validUntil="%s">%s`+"\n",
		a.until.Format("2006-01-02T15:04:05Z"), first)
	for i := 0; i < a.n && err == nil; i++ {
		err = a.entity(out, i)
	}
	return errors.Join(err, errorOf(fmt.Fprintf(out, "%s</md:EntitiesDescriptor>", last)))
}

func errorOf(_ int, err error) error { return err }
