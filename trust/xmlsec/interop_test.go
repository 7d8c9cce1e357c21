//go:build interop

package xmlsec

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// run runs a command and returns what it printed.
func run(stdin string, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	return out, err
}

// rooms are files that xmlsec1 reads: keys, and documents by name.
type rooms struct{ dir string }

func newRooms(t *testing.T, key crypto.Signer) rooms {
	t.Helper()
	r := rooms{t.TempDir()}
	r.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(key))})))
	r.write("pub.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(key.Public()))})))
	return r
}

func (r rooms) path(name string) string { return filepath.Join(r.dir, name) }

func (r rooms) write(name, content string) string {
	if err := os.WriteFile(r.path(name), []byte(content), 0o600); err != nil {
		panic(err)
	}
	return r.path(name)
}

// idAttrs tells xmlsec1 which elements have IDs.
var idAttrs = []string{"--id-attr:ID", spaceSAML + ":Assertion", "--id-attr:ID", spaceSAMLP + ":Response", "--id-attr:ID", "urn:r:r", "--id-attr:ID", spaceMD + ":EntitiesDescriptor"}

func (r rooms) verify(name, document string) error { return r.verifyFiles(r.write(name, document)) }

func (r rooms) verifyFiles(files ...string) error {
	_, err := run("", "xmlsec1", slices.Concat([]string{"--verify", "--pubkey-pem", r.path("pub.pem")}, idAttrs, files)...)
	return err
}

func TestInteropCanonicalFormIsThatOfLibxml2(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		document := drawDocument(t, false)
		ours := must(Parse([]byte(document))).Canonical()
		want, err := run(document, "xmllint", "--exc-c14n", "-")
		if err != nil {
			t.Fatalf("%v, of %q", err, document)
		}
		if !bytes.Equal(ours, want) {
			t.Errorf("of %q\nours   %q\ntheirs %q", document, ours, want)
		}
	})
}

func TestInteropXmlsec1VerifiesWhatWeSign(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]crypto.Signer{"RSA": rsaKey(), "P-256": p256(), "P-384": p384(), "P-521": p521()} {
		r := newRooms(t, key)
		for _, document := range []string{assertion(14), response(assertion(2)), aggregate(3)} {
			signed := string(must(Sign([]byte(document), key, nil)))
			if err := r.verify("signed.xml", signed); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := r.verify("changed.xml", strings.NewReplacer("alice", "admin", "idp1", "evil").Replace(signed)); err == nil {
				t.Errorf("%s: xmlsec1 verifies anything", name)
			}
		}
	}
}

// template is a signature that xmlsec1, or sealTemplate, fills in.
func template(id, method, hash, prefixes string) string {
	list := func() string {
		if prefixes == "" {
			return ""
		}
		return `<ec:InclusiveNamespaces xmlns:ec="` + exclusive + `" PrefixList="` + prefixes + `"/>`
	}()
	return `<Signature xmlns="` + spaceDSig + `"><SignedInfo><CanonicalizationMethod Algorithm="` + exclusive + `">` + list + `</CanonicalizationMethod>` +
		`<SignatureMethod Algorithm="` + method + `"/><Reference URI="#` + id + `"><Transforms><Transform Algorithm="` + enveloped + `"/>` +
		`<Transform Algorithm="` + exclusive + `">` + list + `</Transform></Transforms><DigestMethod Algorithm="` + hash + `"/>` +
		`<DigestValue></DigestValue></Reference></SignedInfo><SignatureValue></SignatureValue></Signature>`
}

func TestInteropWeVerifyWhatXmlsec1Signs(t *testing.T) {
	t.Parallel()
	for method, key := range map[string]crypto.Signer{
		moreDSig + "rsa-sha256": rsaKey(), moreDSig + "rsa-sha384": rsaKey(), moreDSig + "rsa-sha512": rsaKey(),
		moreDSig + "ecdsa-sha256": p256(), moreDSig + "ecdsa-sha384": p384(), moreDSig + "ecdsa-sha512": p521(),
	} {
		r := newRooms(t, key)
		for hash := range digestMethods {
			for _, prefixes := range []string{"", "xs", "#default xs saml"} {
				document := strings.Replace(assertion(3), "</saml:Issuer>", "</saml:Issuer>"+template("_a1", method, hash, prefixes), 1)
				file := r.write("template.xml", response(document))
				out, err := run("", "xmlsec1", append(append([]string{"--sign", "--privkey-pem", r.path("key.pem")}, idAttrs...), file)...)
				if err != nil {
					t.Fatalf("%s: %v", method, err)
				}
				if _, err := Verify(find(t, read(t, string(out)), "Assertion"), public(key)); err != nil {
					t.Errorf("%s, %s, PrefixList %q: %v", method, hash, prefixes, err)
				}
				if _, err := Verify(find(t, read(t, strings.ReplaceAll(string(out), "alice", "admin")), "Assertion"), public(key)); err == nil {
					t.Errorf("%s: a changed assertion verifies", method)
				}
			}
		}
	}
}

// sealTemplate fills in a template in the text of a document, whose syntax stays as it is.
func sealTemplate(document string, key crypto.Signer) string {
	fill := func(document, name string, value []byte) string {
		return strings.Replace(document, "<"+name+"></"+name+">", "<"+name+">"+base64.StdEncoding.EncodeToString(value)+"</"+name+">", 1)
	}
	root := must(Parse([]byte(document)))
	sig := must(signatureOf(root))
	document = fill(document, "DigestValue", digest(crypto.SHA256, root.canonical(sig, prefixList(sig, "Transform"))))
	sig = must(signatureOf(must(Parse([]byte(document)))))
	_, m, err := methodOf(key)
	if err != nil {
		panic(err)
	}
	return fill(document, "SignatureValue", must(m.sign(key, sig.child(spaceDSig, "SignedInfo").Canonical(prefixList(sig, "CanonicalizationMethod")...))))
}

// Documents of any syntax, with any PrefixList, at any depth of namespaces around the signature.
func TestInteropXmlsec1AgreesOnAnyDocument(t *testing.T) {
	t.Parallel()
	r := newRooms(t, p256())
	rapid.Check(t, func(t *rapid.T) {
		prefixes := strings.Join(rapid.SliceOfDistinct(rapid.SampledFrom([]string{"p", "q", "s", "none", "#default", "r"}), rapid.ID).Draw(t, "list"), " ")
		before, after := drawDocument(t, false), drawDocument(t, false)
		outer := rapid.SampledFrom([]string{` xmlns="urn:d"`, ` xmlns:p="urn:z" xmlns:r="urn:a"`, ``}).Draw(t, "outer")
		document := sealTemplate(`<x:r xmlns:x="urn:r"`+outer+` ID="i">`+before+template("i", moreDSig+"ecdsa-sha256", spaceEnc+"sha256", prefixes)+after+"</x:r>", p256())
		_, err := Verify(must(Parse([]byte(document))), public(p256()))
		if err != nil {
			t.Fatalf("%v, of %s", err, document)
		}
		if err := r.verify("any.xml", document); err != nil {
			t.Errorf("%v, of %s", err, document)
		}
		var s staged
		if err := VerifyStream(strings.NewReader(document), public(p256()), &s); err != nil {
			t.Errorf("as a stream: %v, of %s", err, document)
		}
	})
}

// edits draws one to three edits.
func edits(rng *rand.Rand) []byte {
	b := make([]byte, 4*(1+rng.IntN(3)))
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

var mutants = flag.Int("mutants", 2_000, "how many mutants TestInteropXmlsec1AcceptsTheMutantsThatWeDo makes")

// What we accept, xmlsec1 accepts: mutants are signed again by the genuine key, so that only their shape can be at fault.
func TestInteropXmlsec1AcceptsTheMutantsThatWeDo(t *testing.T) {
	t.Parallel()
	r := newRooms(t, p256())
	rng := rand.New(rand.NewPCG(1, 2))
	seeds := []string{signed(assertion(2)), response(signed(assertion(1))), signed(response(signed(assertion(1)))), signed(aggregate(1))}
	ofRoot := []string{"--node-xpath", "/*/*[local-name()='Signature' and namespace-uri()='" + spaceDSig + "']"}
	const batch = 100 // files a process
	var files []string
	check := func() {
		if len(files) == 0 {
			return
		}
		if err := r.verifyFiles(append(ofRoot, files...)...); err != nil {
			for _, file := range files {
				if err := r.verifyFiles(append(ofRoot, file)...); err != nil {
					t.Errorf("we accept what xmlsec1 refuses: %v\n%s", err, must(os.ReadFile(file)))
				}
			}
		}
		files = files[:0]
	}
	read, accepted := 0, 0
	for n := range *mutants {
		root, err := Parse([]byte(mutate(seeds[n%len(seeds)], edits(rng))))
		if err != nil {
			continue
		}
		resign(root, p256())
		document := root.whole()
		if root, err = Parse(document); err != nil {
			continue
		}
		read++
		if n := root.Name(); !slices.Contains(idAttrs, n.Space+":"+n.Local) {
			continue // xmlsec1 would not find its ID
		}
		if _, err := Verify(root, public(p256())); err != nil {
			continue
		}
		accepted++
		if files = append(files, r.write(fmt.Sprintf("mutant%d.xml", len(files)), string(document))); len(files) == batch {
			check()
		}
	}
	check()
	t.Logf("of %d mutants %d could be read, %d were accepted by both", *mutants, read, accepted)
	if accepted < *mutants/8 {
		t.Errorf("only %d mutants were accepted: this compares nothing", accepted)
	}
}

func TestInteropXmlsec1DecryptsWhatWeEncrypt(t *testing.T) {
	t.Parallel()
	r := newRooms(t, rsaKey())
	data := must(Encrypt([]byte(assertion(2)), &rsaKey().PublicKey))
	file := r.write("encrypted.xml", `<saml:EncryptedAssertion xmlns:saml="`+spaceSAML+`">`+string(data)+`</saml:EncryptedAssertion>`)
	out, err := run("", "xmlsec1", "--decrypt", "--privkey-pem", r.path("key.pem"), file)
	if err != nil {
		t.Fatal(err)
	}
	if got := find(t, read(t, string(out)), "Assertion").Canonical(); !bytes.Equal(got, read(t, assertion(2)).Canonical()) {
		t.Errorf("xmlsec1 decrypted %s", got)
	}
}

func TestInteropWeDecryptWhatXmlsec1Encrypts(t *testing.T) {
	t.Parallel()
	r := newRooms(t, rsaKey())
	r.write("plain.xml", assertion(2))
	for content, session := range map[string]string{spaceEnc11 + "aes128-gcm": "aes-128", spaceEnc11 + "aes192-gcm": "aes-192", spaceEnc11 + "aes256-gcm": "aes-256",
		spaceEnc + "aes128-cbc": "aes-128", spaceEnc + "aes256-cbc": "aes-256"} {
		file := r.write("template.xml", `<xenc:EncryptedData xmlns:xenc="`+spaceEnc+`" Type="`+spaceEnc+`Element"><xenc:EncryptionMethod Algorithm="`+content+`"/>`+
			`<ds:KeyInfo xmlns:ds="`+spaceDSig+`"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="`+oaepMGF1P+`"/><xenc:CipherData><xenc:CipherValue/></xenc:CipherData>`+
			`</xenc:EncryptedKey></ds:KeyInfo><xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>`)
		out, err := run("", "xmlsec1", "--encrypt", "--pubkey-pem", r.path("pub.pem"), "--session-key", session, "--xml-data", r.path("plain.xml"),
			"--node-xpath", "/*", file)
		if err != nil {
			t.Errorf("%s: %v", content, err)
			continue
		}
		_, data, _ := strings.Cut(string(out), "?>")
		e, err := decrypt(read(t, `<saml:EncryptedAssertion xmlns:saml="`+spaceSAML+`">`+data+`</saml:EncryptedAssertion>`), decrypters(), true)
		if err != nil || !bytes.Equal(e.Canonical(), read(t, assertion(2)).Canonical()) {
			t.Errorf("%s: %v", content, err)
		}
	}
}
