package saml_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"apostille/upstream/fake"
)

// costly is what a stranger may send, in bytes.
const costly = 255 << 10

// A stranger's 255 KB that name an issuer of ours, and a signature by nobody, cost less than 1 MB and 3 ms, from base64 on.
func TestA28_L14_CostlyAssertionsAreCheap(t *testing.T) {
	if raceDetector {
		t.Skip("figures of the race detector")
	}
	good := rogue.Assertion(draft())
	fill := func(at, piece string) string {
		n := (costly - len(good)) / len(piece)
		return strings.Replace(good, at, strings.Repeat(piece, n)+at, 1)
	}
	most := func(at, piece string, n int) string {
		s := strings.Replace(good, at, strings.Repeat(piece, n)+at, 1)
		return strings.Replace(s, at, strings.Repeat(" ", costly-len(s))+at, 1)
	}
	v, reg := world(t, nil)
	for name, document := range map[string]string{
		"values beyond the limit":   fill("</saml:Attribute>", "<saml:AttributeValue></saml:AttributeValue>"),
		"values to the limit":       most("</saml:Attribute>", `<saml:AttributeValue xsi:type="xs:string">v</saml:AttributeValue>`, 2_400),
		"attributes to the limit":   most("</saml:AttributeStatement>", `<saml:Attribute Name="x"><saml:AttributeValue>&amp;</saml:AttributeValue></saml:Attribute>`, 1_200),
		"confirmations":             most("</saml:Subject>", `<saml:SubjectConfirmation Method="x"></saml:SubjectConfirmation>`, 2_400),
		"one long value":            most("</saml:NameID>", "x", 1),
		"references":                fill("</saml:NameID>", "&amp;"),
		"signatures":                fill("<saml:Subject>", `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"></ds:Signature>`),
		"a long KeyInfo":            most("</ds:KeyInfo>", `<ds:KeyName>x</ds:KeyName>`, 2_400),
		"a long signature":          fill("</ds:SignatureValue>", "AAAA"),
		"assertions in assertions":  fill("</saml:Conditions>", "<saml:Assertion></saml:Assertion>"),
		"a document without an end": strings.Repeat("<saml:Assertion>", costly/16),
	} {
		encoded := fake.Encode(document[:min(len(document), costly)])
		var before, after runtime.MemStats
		best := time.Hour
		runtime.ReadMemStats(&before)
		const times = 5
		for range times {
			began := time.Now()
			if _, err := v.Assertion(t.Context(), reg, encoded, "portal"); err == nil {
				t.Fatalf("%s: accepted", name)
			}
			best = min(best, time.Since(began))
		}
		runtime.ReadMemStats(&after)
		bytes := (after.TotalAlloc - before.TotalAlloc) / times
		if best > 3*time.Millisecond || bytes > 1<<20 {
			t.Errorf("%s: %v, %d KB", name, best, bytes>>10)
		}
		t.Logf("%s: %v, %d KB", name, best, bytes>>10)
	}
}
