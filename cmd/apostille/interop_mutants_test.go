//go:build interop

package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"apostille/trust"
	"apostille/upstream/fake"
	"apostille/upstream/saml"
)

var mutants = flag.Int("mutants", 300, "edited assertions that xmlsec1 signs; some 25 ms each")

// pieces are put into assertions, at a start or an end of a tag most of the time.
var pieces = []string{
	"<!-- x -->", "<!---->", "<?x y?>", "<![CDATA[x]]>", "&#65;", "&amp;", "&lt;", " ", "\n", "\r\n", "x", "admin", "<x/>", "<NameID>admin</NameID>", "<saml:NameID xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">admin</saml:NameID>",
	"<Issuer>http://idp.campus.example/metadata</Issuer>", "<Subject/>", "<Advice/>", "<Assertion ID=\"_x\"/>", "<OneTimeUse/>", "<Condition/>", "<ProxyRestriction Count=\"1\"/>",
	"<Audience>https://other.example</Audience>", "<AudienceRestriction><Audience>https://other.example</Audience></AudienceRestriction>",
	"<AttributeValue>sales</AttributeValue>", "<Attribute Name=\"department\"><AttributeValue>sales</AttributeValue></Attribute>", " xmlns:p=\"urn:p\"", " xmlns=\"urn:p\"", " p:ID=\"_x\"", " Id=\"_x\"", " Version=\"2.0\"",
	" xml:lang=\"en\"", " Format=\"urn:x\"", " NotOnOrAfter=\"2099-01-01T00:00:00Z\"", " xml:space=\"preserve\"", "\u00a0", "\u200b", "é", "é", "<!DOCTYPE x>",
}

// Mutants of an assertion, signed by xmlsec1: where we accept one, libxml2 reads the same person and department in it, once.
func TestInteropMutantsAreReadAlike(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	private, err := x509.MarshalPKCS8PrivateKey(idp.Key)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	v := &saml.Verifier{Keys: pinnedTo{idp.Key.Public()}, Now: time.Now}
	reg := campusPolicy(t)
	random := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	signed, accepted := 0, 0
	for n := range *mutants {
		text := xmlsecTemplate()
		if n > 0 {
			text = mutate(random, text)
		}
		in, out := filepath.Join(dir, "in.xml"), filepath.Join(dir, "out.xml")
		writeFile(t, in, []byte(text))
		if exec.Command("xmlsec1", "--sign", "--privkey-pem", filepath.Join(dir, "key.pem"),
			"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion", "--output", out, in).Run() != nil {
			continue
		}
		signed++
		document := string(content(t, dir, "out.xml"))
		s, err := v.Assertion(t.Context(), reg, fake.Encode(document), "portal")
		if err != nil {
			if n == 0 {
				t.Fatalf("the assertion itself: %v", err)
			}
			continue
		}
		accepted++
		read, err := exec.Command("xmllint", "--nonet", "--xpath",
			`concat(count(//*[local-name()="Subject"]/*[local-name()="NameID"])+count(//*[local-name()="Assertion"])+count(//*[local-name()="Subject"])+count(//*[local-name()="Issuer"]),"|",string(//*[local-name()="Subject"]/*[local-name()="NameID"]),"|",`+
				`string(//*[local-name()="Attribute" and @Name="department"]/*[local-name()="AttributeValue"]),"|",string(//*[local-name()="Issuer"]))`, out).Output()
		got := strings.Split(strings.TrimSuffix(string(read), "\n"), "|")
		department := s.Claims["department"]
		if list, several := department.([]any); several {
			department = list[0]
		}
		if department == nil && len(got) == 4 {
			department = got[2] // a value that holds elements is no claim
		}
		if want := fmt.Sprint("4|", s.Value, "|", department, "|", s.Issuer); err != nil || strings.Join(got, "|") != want {
			t.Errorf("libxml2 reads %q (%v), we %q, in\n%s", got, err, want, document)
		}
	}
	t.Logf("%d mutants: xmlsec1 signed %d, we accepted %d", *mutants, signed, accepted)
	if accepted == 0 || signed < *mutants/4 {
		t.Errorf("too few come so far: %d signed, %d accepted", signed, accepted)
	}
}

// mutate edits at most twice.
func mutate(r *rand.Rand, text string) string {
	for range r.IntN(3) {
		at := r.IntN(len(text))
		if r.IntN(4) > 0 {
			if i := strings.IndexAny(text[at:], "<>"); i >= 0 {
				at += i + r.IntN(2)
			}
		}
		switch r.IntN(6) {
		case 0:
			text = text[:at] + text[min(len(text), at+1+r.IntN(8)):]
		case 1: // an element, or what looks like one, once more
			if end := strings.Index(text[at:], ">"); end >= 0 {
				text = text[:at] + text[at:at+end+1] + text[at:]
			}
		default:
			text = text[:at] + pieces[r.IntN(len(pieces))] + text[at:]
		}
	}
	return text
}

type pinnedTo []crypto.PublicKey

func (p pinnedTo) Signers(context.Context, string) ([]crypto.PublicKey, error) { return p, nil }

// campusPolicy trusts the arenas' SAML office.
func campusPolicy(t *testing.T) *trust.Registry {
	t.Helper()
	reg, problems := trust.Compile(trust.Spec{
		Issuer:  ours,
		APIs:    map[string]trust.APISpec{"warehouse": {Audience: warehouseAud, Scopes: map[string]string{"stock.read": "See stock"}}},
		Clients: map[string]trust.ClientSpec{"portal": {Grants: []string{"token_exchange"}, APIs: map[string][]string{"warehouse": {"stock.read"}}}},
		Trusts: map[string]trust.TrustSpec{"campus": {
			Issuer: idp.EntityID, KeySource: "pinned", SAML2: &trust.AssertionSpec{},
			Grants: []trust.GrantSpec{{Clients: []string{"portal"}, API: "warehouse", Scopes: []string{"stock.read"}}},
		}},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return reg
}
