package saml_test

import (
	"fmt"
	"strings"
	"testing"

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
