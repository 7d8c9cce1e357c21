package saml_test

import (
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"apostille/trust/xmlsec"
	"apostille/upstream"
	"apostille/upstream/fake"
)

// large is an assertion of about 5.7 KB with fourteen attributes, as a university's is.
func large() fake.Assertion {
	a := draft()
	for i := range 11 {
		a.Attributes = append(a.Attributes, fake.Attribute{
			Name: fmt.Sprintf("urn:oid:1.3.6.1.4.1.5923.1.1.1.%d", 100+i), Values: []string{strings.Repeat("v", 24)},
		})
	}
	return a
}

func BenchmarkAssertion(b *testing.B) {
	v, reg := world(b, nil)
	encoded := fake.Encode(office.Assertion(large()))
	b.ReportAllocs()
	b.SetBytes(int64(len(encoded)))
	for b.Loop() {
		if _, err := v.Assertion(b.Context(), reg, encoded, "portal"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSignIn is what a login costs between the browser's two visits: the request, signed, and the answer to it.
func BenchmarkSignIn(b *testing.B) {
	sp, tr := provider(b, nil, nil)
	b.Run("request", func(b *testing.B) {
		for b.Loop() {
			if _, err := sp.Begin(b.Context(), tr, "state", acs, upstream.Ask{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	start, err := sp.Begin(b.Context(), tr, "state", acs, upstream.Ask{})
	if err != nil {
		b.Fatal(err)
	}
	a := draft()
	a.Audience, a.Recipient, a.InResponseTo = sp.EntityID(), acs, string(start.Secret)
	plain := office.Assertion(a)
	hidden, err := xmlsec.Encrypt([]byte(plain), ourKey().Key.Public().(*rsa.PublicKey))
	if err != nil {
		b.Fatal(err)
	}
	for name, inside := range map[string]string{
		"answer": plain, "answer encrypted": `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` + string(hidden) + `</saml:EncryptedAssertion>`,
	} {
		response := fake.ResponseTo(them, acs, string(start.Secret), noon, inside)
		in := upstream.Answer{Secret: start.Secret, Begun: noon, Params: url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(response))}}}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := sp.Finish(b.Context(), tr, acs, in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
