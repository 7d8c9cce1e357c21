//go:build interop

package saml_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
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

var mutants = flag.Int("mutants", 6_000, "how many mutants TestInteropNobodyReadsMutantsOtherwise makes")

var (
	signatureBlock = regexp.MustCompile(`(?s)<(?:[\w.-]+:)?Signature[\s>].*?</(?:[\w.-]+:)?Signature\s*>`)
	referenced     = regexp.MustCompile(`URI="#([^"]*)"`)
	digestValue    = regexp.MustCompile(`(<(?:[\w.-]+:)?DigestValue[^>]*>)[^<]*`)
	signatureValue = regexp.MustCompile(`(<(?:[\w.-]+:)?SignatureValue[^>]*>)[^<]*`)
	token          = regexp.MustCompile(`<[^>]*>|[^<]+`)
	tagName        = regexp.MustCompile(`^</?[^\s/>]+`)
	keyInfo        = regexp.MustCompile(`(?s)<(?:[\w.-]+:)?KeyInfo[\s>].*?</(?:[\w.-]+:)?KeyInfo\s*>`)
	invalid        = regexp.MustCompile(`(?m)^(.*) fails to validate$`)
	attributeText  = regexp.MustCompile(`\s[\w:.-]+="[^"]*"`)
)

// seal fills in the digests and signature values of a document that may be any, whose syntax stays as it is: the inner signature first.
func seal(document string, key *ecdsa.PrivateKey) string {
	for n := len(signatureBlock.FindAllString(document, -1)) - 1; n >= 0; n-- {
		document = sealBlock(document, n, key)
	}
	return document
}

func sealBlock(document string, n int, key *ecdsa.PrivateKey) string {
	at := signatureBlock.FindAllStringIndex(document, -1)[n]
	before, block, after := document[:at[0]], document[at[0]:at[1]], document[at[1]:]
	id := referenced.FindStringSubmatch(block)
	bare, err := xmlsec.Parse([]byte(before + after))
	if id == nil || err != nil {
		return document
	}
	for e := range bare.Walk() {
		if have, _ := e.Attr("ID"); have == id[1] {
			sum := sha256.Sum256(e.Canonical())
			block = digestValue.ReplaceAllString(block, "${1}"+base64.StdEncoding.EncodeToString(sum[:]))
		}
	}
	root, err := xmlsec.Parse([]byte(before + block + after))
	if err != nil {
		return document
	}
	for e := range root.Walk() {
		if e.Name().Local == "SignedInfo" && strings.Contains(string(e.Canonical()), `URI="#`+id[1]+`"`) {
			block = signatureValue.ReplaceAllString(block, "${1}"+base64.StdEncoding.EncodeToString(signECDSA(e.Canonical(), key)))
		}
	}
	return before + block + after
}

// signECDSA signs as XML signatures want it: both numbers, one behind the other.
func signECDSA(content []byte, key *ecdsa.PrivateKey) []byte {
	sum := sha256.Sum256(content)
	r, s, err := ecdsa.Sign(crand.Reader, key, sum[:])
	if err != nil {
		panic(err)
	}
	return slices.Concat(padded(r), padded(s))
}

func padded(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }

// What edits put between tokens and into text, into start tags, and in place of names.
var (
	snippets = []string{" ", "\n", "\t", "<!--c-->", "&amp;", "&#65;", "&#xD;", "&#x10FFFF;", "\r\n", "é", "admin", "<![CDATA[admin]]>", "<?p i?>", "&x;", "]]>", "<a/>",
		`<saml:NameID>admin</saml:NameID>`, `<saml:AttributeValue>admin</saml:AttributeValue>`, `<saml:Advice/>`, `<saml:OneTimeUse/>`, `<x xmlns="urn:x">admin</x>`,
		`<saml:Attribute Name="role"><saml:AttributeValue>admin</saml:AttributeValue></saml:Attribute>`}
	attributes = []string{` xml:lang="en"`, ` xml:space="preserve"`, ` xmlns:q="urn:q"`, ` xmlns=""`, ` xmlns:saml="urn:q"`, ` ID="_again"`, ` Name="mail"`, ` FriendlyName="uid"`,
		` NameQualifier="q"`, ` SPNameQualifier="q"`, ` Format="urn:f"`, ` NotOnOrAfter="2099-01-01T00:00:00Z"`, ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"`,
		` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="0"`, ` id="_x"`, ` saml:Name="x"`, ` a='"' `, "\n"}
	names = []string{"NameID", "Attribute", "AttributeValue", "Audience", "Assertion", "Issuer", "Conditions", "Subject", "Advice"}
)

// mutate makes one to three edits of tokens.
func mutate(rng *rand.Rand, document string) string {
	for range 1 + rng.IntN(3) {
		tokens := token.FindAllString(document, -1)
		if len(tokens) == 0 {
			return document
		}
		i := rng.IntN(len(tokens))
		edit(rng, tokens, i)
		document = strings.Join(tokens, "")
	}
	return document
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

func edit(rng *rand.Rand, tokens []string, i int) {
	text, start := !strings.HasPrefix(tokens[i], "<"), strings.HasPrefix(tokens[i], "<") && !strings.HasPrefix(tokens[i], "</")
	end := i + elementAt(tokens[i:])
	switch op := rng.IntN(10); {
	case op < 3 && text: // into the text
		at := rng.IntN(len(tokens[i]) + 1)
		tokens[i] = tokens[i][:at] + pick(rng, snippets) + tokens[i][at:]
	case op < 3 && start: // into the tag
		name := tagName.FindString(tokens[i])
		tokens[i] = name + pick(rng, attributes) + tokens[i][len(name):]
	case op == 3 && start: // without one of its attributes
		all := attributeText.FindAllStringIndex(tokens[i], -1)
		if len(all) > 0 {
			a := pick(rng, all)
			tokens[i] = tokens[i][:a[0]] + tokens[i][a[1]:]
		}
	case op == 4 && start && end > i: // twice
		tokens[i] = strings.Join(tokens[i:end], "") + tokens[i]
	case op == 5 && start && end > i: // gone
		clear(tokens[i:end])
	case op == 6 && start && end > i: // somewhere else
		moved := strings.Join(tokens[i:end], "")
		clear(tokens[i:end])
		j := rng.IntN(len(tokens))
		tokens[j] += moved
	case op == 7 && start && end > i+1: // by another name
		prefix, _, _ := strings.Cut(strings.TrimPrefix(tagName.FindString(tokens[i]), "<"), ":")
		rest := tokens[i][len(tagName.FindString(tokens[i])):]
		name := prefix + ":" + pick(rng, names)
		tokens[i], tokens[end-1] = "<"+name+rest, "</"+name+">"
	case op == 8: // a byte
		at := rng.IntN(len(tokens[i]))
		tokens[i] = tokens[i][:at] + string(rune(32+rng.IntN(95))) + tokens[i][at+1:]
	default:
		tokens[i] += pick(rng, snippets)
	}
}

// elementAt is how many tokens the element takes that the first one starts; 0 if it starts none, or does not end.
func elementAt(tokens []string) int {
	depth := 0
	for n, t := range tokens {
		switch {
		case strings.HasPrefix(t, "</"):
			depth--
		case strings.HasPrefix(t, "<") && !strings.HasSuffix(t, "/>") && !strings.HasPrefix(t, "<!") && !strings.HasPrefix(t, "<?"):
			depth++
		}
		if depth <= 0 {
			return n + 1
		}
	}
	return 0
}

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

// Messages of three real offices are edited and signed again by the right key, so that only their meaning can be at fault. What we accept,
// xmlsec1, the schema and simplesamlphp's own library accept, and the last sees the same person in it.
func TestInteropNobodyReadsMutantsOtherwise(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	seeds := []*peer{newSimpleSAMLphp(t), newSamlify(t, "assertion", false), newSamlify(t, "message", false), newPySAML2(t, "assertion"), newPySAML2(t, "message")}
	c := newCourt(t, key.Public())
	accepted := map[string]trust.Subject{}
	var files []string
	keep := func(name, document string, s trust.Subject) {
		accepted[name] = s
		files = append(files, c.write(t, name, document))
	}
	messages := make([]message, len(seeds))
	for i, p := range seeds {
		messages[i] = p.signIn(t)
		messages[i].document = strings.ReplaceAll(messages[i].document, "#rsa-sha256", "#ecdsa-sha256")
		document := seal(messages[i].document, key)
		s, err := p.judge(t, messages[i], document, key.Public())
		if err != nil {
			t.Fatalf("without edits: %v\n%s", why(err), document)
		}
		keep(fmt.Sprintf("unedited%d.xml", i), document, s)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range *mutants {
		i := n % len(seeds)
		document := seal(mutate(rng, messages[i].document), key)
		if s, err := seeds[i].judge(t, messages[i], document, key.Public()); err == nil {
			keep(fmt.Sprintf("mutant%d.xml", n), document, s)
		}
	}
	c.verify(t, files)
	c.validate(t, files)
	for name, o := range c.readings(t) {
		if what := differs(accepted[name], o); what != "" {
			t.Errorf("%s: %s\n%s", name, what, contentOf(t, filepath.Join(c.dir, name)))
		}
	}
	t.Logf("of %d mutants %d were accepted, and read alike", *mutants, len(accepted)-len(seeds))
	if len(accepted) < *mutants/10 {
		t.Errorf("only %d mutants were accepted: this compares nothing", len(accepted))
	}
}
