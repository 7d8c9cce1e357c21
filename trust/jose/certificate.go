package jose

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Certificate describes a certificate to a person who decides whether to trust its key.
type Certificate struct {
	Subject   string // RFC 2253 form; characters that do not print are replaced by "?"
	Serial    string // hex with colons, like the fingerprints
	NotBefore time.Time
	NotAfter  time.Time
	SHA256    string // fingerprint of the certificate, upper-case hex with colons, as openssl x509 -fingerprint -sha256 prints it
	KeySHA256 string // the same of its SubjectPublicKeyInfo: it stays when the certificate is renewed for the same key
}

// Certificates describes the certificates in PEM text, in their order. PUBLIC KEY blocks are passed over; private keys and damaged
// blocks are refused, as ParsePEM does. It judges no certificate: ParsePEM says which can be used.
func Certificates(pem []byte) ([]Certificate, error) {
	blocks, err := pemBlocks(pem)
	if err != nil {
		return nil, err
	}
	var certs []Certificate
	for i, block := range blocks {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("PEM block %d: not a certificate that can be read", i+1)
		}
		certs = append(certs, describe(c))
	}
	return certs, nil
}

func describe(c *x509.Certificate) Certificate {
	whole, key := sha256.Sum256(c.Raw), sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return Certificate{
		Subject:   strings.Map(printable, c.Subject.String()),
		Serial:    colons(c.SerialNumber.Bytes()),
		NotBefore: c.NotBefore,
		NotAfter:  c.NotAfter,
		SHA256:    colons(whole[:]),
		KeySHA256: colons(key[:]),
	}
}

// printable keeps a subject, which strangers wrote, from steering a terminal.
func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return '?'
}

func colons(b []byte) string {
	var out strings.Builder
	for i, octet := range b {
		if i > 0 {
			out.WriteByte(':')
		}
		out.WriteString(strings.ToUpper(hex.EncodeToString([]byte{octet})))
	}
	return out.String()
}
