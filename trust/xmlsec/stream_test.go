package xmlsec

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

const spaceMD = "urn:oasis:names:tc:SAML:2.0:metadata"

// entity is one of a federation's members, of 6.5 KB with a certificate and names as they are usual.
func entity(n int) string {
	return fmt.Sprintf(`<md:EntityDescriptor entityID="https://idp%d.example/saml">
    <md:Extensions>
      <mdattr:EntityAttributes xmlns:mdattr="urn:oasis:names:tc:SAML:metadata:attribute"><saml:Attribute xmlns:saml="`+spaceSAML+`" Name="http://macedir.org/entity-category">
        <saml:AttributeValue>http://refeds.org/category/research-and-scholarship</saml:AttributeValue></saml:Attribute></mdattr:EntityAttributes>
    </md:Extensions>
    <md:IDPSSODescriptor protocolSupportEnumeration="`+spaceSAMLP+`">
      <md:Extensions><shibmd:Scope regexp="false">idp%d.example</shibmd:Scope>
        <mdui:UIInfo xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui"><mdui:DisplayName xml:lang="en">University of Place %d &amp; Surroundings</mdui:DisplayName>
          <mdui:DisplayName xml:lang="de">Universität Ort %d</mdui:DisplayName></mdui:UIInfo></md:Extensions>
      <md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="`+spaceDSig+`"><ds:X509Data><ds:X509Certificate>
%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
      <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp%d.example/sso"/>
    </md:IDPSSODescriptor>
  </md:EntityDescriptor>`, n, n, n, n, certificateLines, n)
}

var certificateLines = strings.Repeat(strings.Repeat("MIIDazCCAlOgAwIB", 4)+"\n", 80)

func aggregate(n int) string {
	var b strings.Builder
	b.WriteString(`<md:EntitiesDescriptor xmlns:md="` + spaceMD + `" xmlns:shibmd="urn:mace:shibboleth:metadata:1.0" ID="_f1" Name="federation" validUntil="2026-12-31T00:00:00Z">`)
	for i := range n {
		b.WriteString("\n  " + entity(i))
	}
	return b.String() + "\n</md:EntitiesDescriptor>\n"
}

// staged is a Sink that keeps canonical forms.
type staged struct {
	begun    int
	root     *Element
	children []string
	err      error // of Child
}

func (s *staged) Begin(root *Element) error {
	s.begun++
	s.root, s.children = root, nil
	return nil
}

func (s *staged) Child(e *Element) error {
	s.children = append(s.children, string(e.Canonical()))
	return s.err
}

// signatureLast moves the signature to the end of the root.
func signatureLast(document string) string {
	begin, end := strings.Index(document, "<ds:Signature "), strings.Index(document, "</ds:Signature>")+len("</ds:Signature>")
	signature, root := document[begin:end], document[:begin]+document[end:]
	close := strings.LastIndex(root, "</")
	return root[:close] + signature + root[close:]
}

func TestStreamAgreesWithVerify(t *testing.T) {
	t.Parallel()
	list := `<ds:Transform Algorithm="` + exclusive + `"><ec:InclusiveNamespaces xmlns:ec="` + exclusive + `" PrefixList="shibmd #default"/></ds:Transform>`
	document := string(must(Sign([]byte(aggregate(3)), p256(), nil)))
	listed := string(forge(document, transformExclusive, list).whole())
	for _, c := range []struct {
		name, document string
		passes         int
	}{
		{"the signature first", document, 1},
		{"the signature last", signatureLast(document), 1},
		{"a PrefixList, the signature first", listed, 1},
		{"a PrefixList, the signature last", signatureLast(listed), 2},
		{"a declaration and comments", "\uFEFF<?xml version='1.0' encoding='UTF-8'?>\n<!-- > ' -->\n" + document + "<!-- -->\n", 1},
		{"comments among the members", strings.ReplaceAll(document, "<md:EntityD", "<!-- <b> ' - --><md:EntityD"), 1},
		{"brackets in values", string(must(Sign([]byte(strings.Replace(aggregate(2), "federation", "a > b /> 'c'", 1)), p256(), nil))), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, err := Verify(read(t, c.document), public(p256()))
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for e := range v.Element().Children() {
				want = append(want, string(e.Canonical()))
			}
			for reader, in := range map[string]io.ReadSeeker{"whole": strings.NewReader(c.document), "bytewise": bytewise{strings.NewReader(c.document)}} {
				var s staged
				if err := VerifyStream(in, public(otherRSA(), p256()), &s); err != nil {
					t.Fatalf("%s: %v", reader, err)
				}
				if !slices.Equal(s.children, want) {
					t.Errorf("%s: children %q\nwant %q", reader, s.children, want)
				}
				if until, _ := s.root.Attr("validUntil"); until != "2026-12-31T00:00:00Z" || s.begun != c.passes {
					t.Errorf("%s: validUntil %q, %d passes, want %d", reader, until, s.begun, c.passes)
				}
			}
		})
	}
}

// bytewise reads a byte at a time.
type bytewise struct{ io.ReadSeeker }

func (b bytewise) Read(p []byte) (int, error) { return iotest.OneByteReader(b.ReadSeeker).Read(p) }

func TestStreamAgreesWithVerifyOnAnyDocument(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		document := `<r ID="x" xmlns:p="` + drawnSpaces["p"] + `" xmlns="urn:d">`
		for range rapid.IntRange(0, 3).Draw(t, "children") {
			document += rapid.SampledFrom([]string{"", " ", "\r\n", "<!-- x -->", "&#32;"}).Draw(t, "space") + drawDocument(t, false)
		}
		out := must(Sign([]byte(document+"</r>"), p256(), nil))
		for _, document := range []string{string(out), signatureLast(string(out))} {
			v, err := Verify(must(Parse([]byte(document))), public(p256()))
			if err != nil {
				t.Fatal(err)
			}
			var s staged
			if err := VerifyStream(strings.NewReader(document), public(p256()), &s); err != nil {
				t.Fatalf("%v, of %q", err, document)
			}
			var want []string
			for e := range v.Element().Children() {
				want = append(want, string(e.Canonical()))
			}
			if !slices.Equal(s.children, want) {
				t.Errorf("children %q\nwant %q", s.children, want)
			}
		}
	})
}

func TestA41_TamperedAggregatesAreRefused(t *testing.T) {
	t.Parallel()
	first := string(must(Sign([]byte(aggregate(3)), p256(), nil)))
	signature := first[strings.Index(first, "<ds:Signature "):strings.Index(first, "</ds:Signature>")] + "</ds:Signature>"
	for _, document := range []string{first, signatureLast(first)} {
		if err := VerifyStream(strings.NewReader(document), public(p256()), &staged{}); err != nil {
			t.Fatalf("twin: %v", err)
		}
		for _, c := range []struct {
			name, document string
			want           error
		}{
			{"a changed member", strings.Replace(document, "https://idp1.", "https://evil.", 1), ErrSignature},
			{"a changed attribute of the root", strings.Replace(document, "2026-12-31", "2027-12-31", 1), ErrSignature},
			{"a member less", strings.Replace(document, entityOf(document, 1), "", 1), ErrSignature},
			{"a member twice", strings.Replace(document, entityOf(document, 1), entityOf(document, 1)+entityOf(document, 1), 1), ErrSignature},
			{"white space more", strings.Replace(document, "<md:EntityD", "\n<md:EntityD", 1), ErrSignature},
			{"no signature", strings.Replace(document, signature, "", 1), ErrUnsigned},
			{"two signatures", strings.Replace(document, signature, signature+signature, 1), ErrShape},
			{"the signature of another ID", strings.Replace(document, `ID="_f1"`, `ID="_f2"`, 1), ErrShape},
			{"the ID of the root on a member", strings.Replace(document, "<md:EntityDescriptor ", `<md:EntityDescriptor ID="_f1" `, 1), ErrMalformed},
			{"a root without ID", strings.Replace(document, ` ID="_f1"`, ``, 1), ErrUnsigned},
			{"an empty root", `<a ID="_f1"/>`, ErrUnsigned},
			{"text among the members", strings.Replace(document, "<md:EntityD", "x<md:EntityD", 1), ErrMalformed},
			{"a document type", "<!DOCTYPE a>" + document, ErrMalformed},
			{"a document type inside", strings.Replace(document, "<md:EntityD", "<!DOCTYPE a><md:EntityD", 1), ErrMalformed},
			{"a processing instruction", strings.Replace(document, "<md:EntityD", "<?x?><md:EntityD", 1), ErrMalformed},
			{"CDATA", strings.Replace(document, "<md:EntityD", "<![CDATA[ ]]><md:EntityD", 1), ErrMalformed},
			{"not UTF-8", strings.Replace(document, "University", "Universit\xE4t", 1), ErrMalformed},
			{"another end tag", strings.Replace(document, "</md:EntitiesDescriptor", "</md:EntitiesDescripto", 1), ErrMalformed},
			{"an end tag of another prefix", strings.Replace(document, "</md:EntitiesDescriptor", "</EntitiesDescriptor", 1), ErrMalformed},
			{"content after the root", document + "<a/>", ErrMalformed},
			{"text after the root", document + "x", ErrMalformed},
			{"a member beyond the limit", strings.Replace(document, "MIID", strings.Repeat("A", MaxBytes), 1), ErrTooLarge},
			{"a member of too many elements", strings.Replace(document, "<md:Extensions>", "<md:Extensions>"+strings.Repeat("<b/>", maxElements), 1), ErrTooLarge},
			{"a start tag beyond the limit", strings.Replace(document, "federation", strings.Repeat("A", 2*MaxBytes), 1), ErrTooLarge},
			{"nothing", "", ErrMalformed},
		} {
			if err := VerifyStream(strings.NewReader(c.document), public(p256()), &staged{}); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
		}
		for n := 0; n < len(document)-20; n += 997 {
			if err := VerifyStream(strings.NewReader(document[:n]), public(p256()), &staged{}); err == nil {
				t.Errorf("cut after %d bytes, it passes", n)
			}
		}
	}
}

func entityOf(document string, n int) string {
	from := strings.Index(document, fmt.Sprintf(`<md:EntityDescriptor entityID="https://idp%d.`, n))
	return document[from : from+strings.Index(document[from:], "</md:EntityDescriptor>")+len("</md:EntityDescriptor>")]
}

func TestStreamRefusesABadSignatureBeforeTheMembers(t *testing.T) {
	t.Parallel()
	document := must(Sign([]byte(aggregate(100)), p256(), nil))
	in := bytes.NewReader(document)
	var s staged
	if err := VerifyStream(in, []crypto.PublicKey{p384().Public()}, &s); !errors.Is(err, ErrSignature) {
		t.Fatal(err)
	}
	if len(s.children) > 0 || in.Len() < len(document)/2 {
		t.Errorf("%d members and %d of %d bytes were read", len(s.children), len(document)-in.Len(), len(document))
	}
}

func TestStreamPassesErrorsOn(t *testing.T) {
	t.Parallel()
	document := must(Sign([]byte(aggregate(2)), p256(), nil))
	mine := fmt.Errorf("disk full: %w", io.EOF)
	if err := VerifyStream(bytes.NewReader(document), public(p256()), &staged{err: mine}); !errors.Is(err, mine) {
		t.Errorf("the sink's: %v", err)
	}
	if err := VerifyStream(failing{bytes.NewReader(document)}, public(p256()), &staged{}); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("the reader's: %v", err)
	}
}

type failing struct{ io.ReadSeeker }

func (f failing) Read([]byte) (int, error) { return 0, iotest.ErrTimeout }

func TestStreamReadsPrefixesThatAreBoundAnew(t *testing.T) {
	t.Parallel()
	joined := `<md:EntitiesDescriptor xmlns:md="` + spaceMD + `" xmlns:ns1="urn:1" ID="_f1"><md:EntityDescriptor xmlns:ns1="urn:2" ns1:x="1"/></md:EntitiesDescriptor>`
	info := signedInfo("_f1", moreDSig+"ecdsa-sha256", digest(crypto.SHA256,
		[]byte(`<md:EntitiesDescriptor xmlns:md="`+spaceMD+`" ID="_f1"><md:EntityDescriptor xmlns:ns1="urn:2" ns1:x="1"></md:EntityDescriptor></md:EntitiesDescriptor>`)))
	value := must(method{ecDSA, crypto.SHA256}.sign(p256(), info))
	document := strings.Replace(joined, "</md:EntitiesDescriptor>", fmt.Sprintf(`<ds:Signature xmlns:ds="%s">%s<ds:SignatureValue>%s</ds:SignatureValue></ds:Signature></md:EntitiesDescriptor>`,
		spaceDSig, info, base64.StdEncoding.EncodeToString(value)), 1)
	if err := VerifyStream(strings.NewReader(document), public(p256()), &staged{}); err != nil {
		t.Error(err)
	}
	if _, err := Parse([]byte(document)); !errors.Is(err, ErrMalformed) {
		t.Errorf("as a message: %v", err)
	}
}

// swapped reads as another document after it was rewound.
type swapped struct{ documents []string }

func (s *swapped) Seek(int64, int) (int64, error) {
	s.documents = s.documents[1:]
	return 0, nil
}

func (s *swapped) Read(p []byte) (int, error) {
	if s.documents[0] == "" {
		return 0, io.EOF
	}
	n := copy(p, s.documents[0])
	s.documents[0] = s.documents[0][n:]
	return n, nil
}

func TestADocumentThatChangesBetweenTwoPassesIsRefused(t *testing.T) {
	t.Parallel()
	list := func(prefix string) string {
		return `<ds:Transform Algorithm="` + exclusive + `"><ec:InclusiveNamespaces xmlns:ec="` + exclusive + `" PrefixList="` + prefix + `"/></ds:Transform>`
	}
	document := signed(aggregate(2))
	one := signatureLast(string(forge(document, transformExclusive, list("shibmd")).whole()))
	other := signatureLast(string(forge(document, transformExclusive, list("md shibmd")).whole()))
	if err := VerifyStream(&swapped{[]string{one, one}}, public(p256()), &staged{}); err != nil {
		t.Errorf("twin: %v", err)
	}
	for _, second := range []string{other, strings.Replace(one, "idp1", "evil", 1), ""} {
		if err := VerifyStream(&swapped{[]string{one, second}}, public(p256()), &staged{}); err == nil {
			t.Errorf("it passes, changed to %.80q", second)
		}
	}
}
