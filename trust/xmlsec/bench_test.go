package xmlsec

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// An assertion of 5.7 KB, as it comes from an identity provider with its certificate.
func BenchmarkVerify(b *testing.B) {
	for name, key := range map[string]crypto.Signer{"RSA-2048": rsaKey(), "P-256": p256()} {
		document := must(Sign([]byte(assertion(9)), key, make([]byte, 800)))
		keys := public(key)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(document)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Verify(must(Parse(document)), keys); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A federation of 10,000 members in 65 MB.
func BenchmarkVerifyStream(b *testing.B) {
	document := largeAggregate()
	for name, document := range map[string]string{"signature first": document, "signature last": signatureLast(document)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(document)))
			b.ReportAllocs()
			for b.Loop() {
				if err := VerifyStream(strings.NewReader(document), public(rsaKey()), nothing{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type nothing struct{}

func (nothing) Begin(*Element) error { return nil }
func (nothing) Child(*Element) error { return nil }

// largeAggregate signs by hand what is beyond the limits of Sign.
func largeAggregate() string {
	document := aggregate(10_000)
	canonical := canonicalStream(document)
	info := signedInfo("_f1", moreDSig+"rsa-sha256", digest(crypto.SHA256, canonical))
	signature := fmt.Sprintf(`<ds:Signature xmlns:ds="%s">%s<ds:SignatureValue>%s</ds:SignatureValue></ds:Signature>`, spaceDSig, info,
		base64.StdEncoding.EncodeToString(must(method{pkcs1, crypto.SHA256}.sign(rsaKey(), info))))
	at := strings.Index(document, ">") + 1
	return document[:at] + signature + document[at:]
}

func canonicalStream(document string) []byte {
	root := &Element{}
	s := stream{sink: nothing{}, window: window{in: strings.NewReader(document)}, root: root}
	if err := s.begin(); err != nil {
		panic(err)
	}
	s.start(assumed)
	var out []byte
	for {
		s.text(must(s.spaces()))
		if must(s.starts(0, "</")) {
			s.out.endTag(root)
			return append(out, s.out.out...)
		}
		r := reader{src: s.take(must(s.elementEnd()))}
		s.out.element(must(r.element(root.scope, 2)))
		out = append(out, s.out.out...)
		s.out.out = s.out.out[:0]
	}
}

// The same assertion by goxmldsig, as a yardstick: read by etree, its only certificate trusted.
func BenchmarkGoxmldsig(b *testing.B) {
	document := must(Sign([]byte(assertion(9)), rsaKey(), certificate().Raw))
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{certificate()}})
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		doc := etree.NewDocument()
		if err := doc.ReadFromBytes(document); err != nil {
			b.Fatal(err)
		}
		must(ctx.Validate(doc.Root()))
	}
}

func BenchmarkParse(b *testing.B) {
	document := must(Sign([]byte(assertion(9)), p256(), make([]byte, 800)))
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		must(Parse(document))
	}
}

func BenchmarkCanonical(b *testing.B) {
	document := must(Sign([]byte(assertion(9)), p256(), make([]byte, 800)))
	e := must(Parse(document))
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		e.Canonical()
	}
}
