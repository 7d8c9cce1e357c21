//go:build interop

package saml_test

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"apostille/trust"
	"apostille/trust/xmlsec"
)

var (
	keyInfo = regexp.MustCompile(`(?s)<(?:[\w.-]+:)?KeyInfo[\s>].*?</(?:[\w.-]+:)?KeyInfo\s*>`)
	invalid = regexp.MustCompile(`(?m)^(.*) fails to validate$`)
)

// other is what read.php says of a file.
type other struct {
	Refused    string
	Issuer     string
	Name       string
	Format     string
	Attributes map[string][]any
	Audiences  []string
	Request    string `json:"inresponseto"`
}

// court has others judge files that we accept: xmlsec1 every signature, and simplesamlphp's library what they say.
type court struct{ dir string }

func newCourt(t *testing.T, key crypto.PublicKey) *court {
	t.Helper()
	c := &court{t.TempDir()}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, "pub.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	return c
}

func (c *court) write(t *testing.T, name, content string) string {
	t.Helper()
	file := filepath.Join(c.dir, name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Where signatures may be.
var places = []string{"/*", "/*/*[local-name()='Assertion']"}

// verify has xmlsec1 verify every signature of the files, a hundred files a process.
func (c *court) verify(t *testing.T, files []string) {
	t.Helper()
	for _, place := range places {
		var signed []string
		for _, file := range files {
			if signedAt(t, file, place) {
				signed = append(signed, file)
			}
		}
		for batch := range slices.Chunk(signed, 100) {
			if c.xmlsec1(place, batch...) == nil {
				continue
			}
			for _, file := range batch {
				if err := c.xmlsec1(place, file); err != nil {
					t.Errorf("we accept what xmlsec1 refuses: %v\n%s", err, contentOf(t, file))
				}
			}
		}
	}
}

func (c *court) xmlsec1(place string, files ...string) error {
	args := []string{"--verify", "--enabled-key-data", "key-name", "--pubkey-pem", filepath.Join(c.dir, "pub.pem"), "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
		"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:Response", "--node-xpath", place + "/*[local-name()='Signature']"}
	out, err := exec.Command("xmlsec1", append(args, files...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %.500s", err, out)
	}
	return nil
}

func contentOf(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func signedAt(t *testing.T, file, place string) bool {
	t.Helper()
	root, err := xmlsec.Parse([]byte(contentOf(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	if place == places[0] {
		return xmlsec.HasSignature(root)
	}
	for e := range root.Children() {
		if e.Name().Local == "Assertion" {
			return xmlsec.HasSignature(e)
		}
	}
	return false
}

// validate compares files with the schema, without KeyInfo: that is nothing to us, and may be anything.
func (c *court) validate(t *testing.T, files []string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(c.dir, "plain"), 0o700); err != nil {
		t.Fatal(err)
	}
	args := []string{"--noout", "--nonet", "--schema", "/usr/share/simplesamlphp/schemas/saml-schema-protocol-2.0.xsd"}
	for batch := range slices.Chunk(files, 200) {
		plain := make([]string, len(batch))
		for i, file := range batch {
			plain[i] = c.write(t, filepath.Join("plain", filepath.Base(file)), keyInfo.ReplaceAllString(contentOf(t, file), ""))
		}
		out, err := exec.Command("xmllint", append(args, plain...)...).CombinedOutput()
		if err == nil {
			continue
		}
		bad := invalid.FindAllStringSubmatch(string(out), -1)
		if len(bad) == 0 {
			t.Fatalf("%v: %.500s", err, out)
		}
		for _, file := range bad {
			out, _ := exec.Command("xmllint", append(args, file[1])...).CombinedOutput()
			if !slices.ContainsFunc(strings.Split(string(out), "\n"), matters) {
				continue
			}
			t.Errorf("we accept what the schema does not know: %s\n%s", out, contentOf(t, file[1]))
		}
	}
}

// matters says whether a complaint of the schema is one of ours as well. An AttributeValue may be of any type (SAML Core 2.0 §2.7.3.1.1): what is
// not text is no claim, whatever xsi:type says of it. Nobody follows a URI, so that it may be any text.
func matters(complaint string) bool {
	return strings.Contains(complaint, "Schemas validity error") && !strings.Contains(complaint, "element AttributeValue:") &&
		!strings.Contains(complaint, "'xs:anyURI'") && !strings.Contains(complaint, "not 'nillable'")
}

// readings are what simplesamlphp's library reads in all files.
func (c *court) readings(t *testing.T) (list map[string]other) {
	t.Helper()
	out, err := exec.Command("php", filepath.Join(scripts, "simplesamlphp", "read.php"), c.dir).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := json.Unmarshal(out, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// differs says what another reader sees otherwise. It drops spaces around the values of attributes, and reads some that are XML, which
// are no claims here.
func differs(s trust.Subject, o other) string {
	format, _ := s.Claims["name_id_format"].(string)
	if o.Format == "" { // SAML Core 2.0 §8.3.1
		o.Format = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	}
	switch {
	case o.Refused != "":
		return "it refuses: " + o.Refused
	case o.Name != s.Value || o.Issuer != s.Issuer || o.Format != format:
		return fmt.Sprintf("it sees %q (%s) of %q, we see %q (%s) of %q", o.Name, o.Format, o.Issuer, s.Value, format, s.Issuer)
	case !slices.Contains(o.Audiences, us+"/saml/metadata"):
		return fmt.Sprintf("it sees the audiences %q", o.Audiences)
	}
	for name, values := range o.Attributes {
		ours := textsOf(s.Claims[name])
		if theirs, text := allText(values); text && !slices.Equal(ours, theirs) || !text && ours != nil {
			return fmt.Sprintf("it sees %q in %s, we see %q", values, name, ours)
		}
	}
	for name := range s.Claims {
		if strings.HasPrefix(name, "urn:oid:") && o.Attributes[name] == nil {
			return "it sees no " + name
		}
	}
	return ""
}

// textsOf are the values of a claim, without spaces around them.
func textsOf(claim any) (list []string) {
	switch v := claim.(type) {
	case string:
		list = append(list, strings.TrimSpace(v))
	case []any:
		for _, each := range v {
			list = append(list, textsOf(each)...)
		}
	}
	return list
}

// allText are values, if all of them are text.
func allText(values []any) (list []string, ok bool) {
	for _, v := range values {
		switch v := v.(type) {
		case nil: // xsi:nil
		case string:
			list = append(list, v)
		default:
			return nil, false
		}
	}
	return list, true
}
