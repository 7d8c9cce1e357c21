package xmlsec

import (
	"crypto"
	"testing"
)

func BenchmarkVerify(b *testing.B) {
	for name, key := range map[string]crypto.Signer{"RSA-2048": rsaKey(), "P-256": p256()} {
		document := must(Sign([]byte(assertion(14)), key, make([]byte, 800)))
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

func BenchmarkParse(b *testing.B) {
	document := must(Sign([]byte(assertion(14)), p256(), make([]byte, 800)))
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		must(Parse(document))
	}
}

func BenchmarkCanonical(b *testing.B) {
	document := must(Sign([]byte(assertion(14)), p256(), make([]byte, 800)))
	e := must(Parse(document))
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		e.Canonical()
	}
}
