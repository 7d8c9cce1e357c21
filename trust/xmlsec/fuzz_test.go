package xmlsec

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

func FuzzParse(f *testing.F) {
	for _, document := range []string{
		assertion(2), signed(assertion(1)), response(signed(assertion(1))), sealed{}.seal("<a/>"),
		"\uFEFF<?xml version='1.0'?><!-- --><a b='&#10;\r\n' xmlns:p=\"urn:p\">&lt;\r]]&gt;<p:c xmlns='urn:d'/> <!----> <d xml:lang=''/></a> ",
		`<a xmlns="urn:1"><b xmlns=""><p:c xmlns:p="urn:p" p:d="1" d="2"/></b></a>`, `<!DOCTYPE a><a/>`, `<a><![CDATA[x]]></a>`, `<a><?x?></a>`,
	} {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		e, err := Parse(document)
		if err != nil {
			if e != nil || !(errors.Is(err, ErrMalformed) || errors.Is(err, ErrTooLarge)) {
				t.Fatalf("%v with error %v", e, err)
			}
			return
		}
		once := e.Canonical()
		if len(once) == 0 {
			t.Fatal("an empty canonical form")
		}
		again, err := Parse(once)
		if err != nil {
			if errors.Is(err, ErrTooLarge) {
				return // declarations are repeated in the canonical form
			}
			t.Fatalf("the canonical form is refused: %v\n%q", err, once)
		}
		if twice := again.Canonical(); !bytes.Equal(once, twice) {
			t.Fatalf("canonical form is no fixed point\nfirst %q\nthen  %q", once, twice)
		}
		if diff := otherReader(e, once); diff != "" {
			t.Fatalf("encoding/xml sees something else in %q: %s", once, diff)
		}
		if whole, err := Parse(e.whole()); err != nil || !bytes.Equal(whole.Canonical(), once) {
			t.Fatalf("with all declarations: %v", err)
		}
	})
}

// otherReader compares a tree with what encoding/xml reads, and tells the first difference.
func otherReader(e *Element, document []byte) string {
	var ours, theirs []string
	flatten(e, &ours)
	d := xml.NewDecoder(bytes.NewReader(document))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err.Error()
		}
		switch token := token.(type) {
		case xml.StartElement:
			theirs = append(theirs, fmt.Sprintf("<%s %s>", token.Name.Space, token.Name.Local))
			for _, a := range token.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					theirs = append(theirs, fmt.Sprintf("%s %s=%q", a.Name.Space, a.Name.Local, a.Value))
				}
			}
		case xml.EndElement:
			theirs = append(theirs, "/")
		case xml.CharData:
			theirs = append(theirs, fmt.Sprintf("%q", token))
		default:
			return fmt.Sprintf("a token of %T", token)
		}
	}
	for i := range max(len(ours), len(theirs)) {
		if i >= len(ours) || i >= len(theirs) || ours[i] != theirs[i] {
			return fmt.Sprintf("item %d: ours %q, theirs %q", i, ours[i:min(i+1, len(ours))], theirs[i:min(i+1, len(theirs))])
		}
	}
	return ""
}

func flatten(e *Element, out *[]string) {
	text := func(s string) {
		if s != "" {
			*out = append(*out, fmt.Sprintf("%q", s))
		}
	}
	*out = append(*out, fmt.Sprintf("<%s %s>", e.ns.space, e.local))
	c := canonicaliser{}
	c.attributes(e)
	for _, a := range c.sorted {
		*out = append(*out, fmt.Sprintf("%s %s=%q", a.ns.space, a.local, a.value))
	}
	text(e.text)
	for child := e.first; child != nil; child = child.next {
		flatten(child, out)
		text(child.tail)
	}
	*out = append(*out, "/")
}

var certificate = sync.OnceValue(func() *x509.Certificate {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0)}
	der := must(x509.CreateCertificate(rand.Reader, template, template, rsaKey().Public(), rsaKey()))
	return must(x509.ParseCertificate(der))
})

// FuzzVerify signs each document that can be read again, by a genuine key: all that is left to find is what a shape hides. What we accept, goxmldsig must
// accept too, and see the same.
func FuzzVerify(f *testing.F) {
	document := string(must(Sign([]byte(assertion(1)), rsaKey(), certificate().Raw)))
	list := `<ds:Transform Algorithm="` + exclusive + `"><ec:InclusiveNamespaces xmlns:ec="` + exclusive + `" PrefixList="xs saml"/></ds:Transform>`
	for _, seed := range []string{
		document, response(document), string(must(Sign([]byte(response(document)), rsaKey(), nil))),
		strings.Replace(document, transformExclusive, list, 1), strings.Replace(document, ">alice", ">&#13;&#10;alice&#9;", 1),
		strings.Replace(document, "</ds:SignatureValue>", "</ds:SignatureValue><ds:Object>"+strings.ReplaceAll(assertion(0), "_a1", "_b1")+"</ds:Object>", 1),
	} {
		f.Add([]byte(seed), []byte{})
		for what := range byte(7) {
			f.Add([]byte(seed), []byte{what, 3 * what, what, what, what, 9, 5, 1})
		}
	}
	f.Fuzz(func(t *testing.T, document, edits []byte) {
		root, err := Parse([]byte(mutate(string(document), edits)))
		if err != nil {
			return
		}
		resign(root, rsaKey())
		written := root.whole()
		if root, err = Parse(written); err != nil {
			return // beyond a limit by the signatures alone
		}
		for e := range root.Walk() {
			v, err := Verify(e, public(rsaKey()))
			if err != nil {
				if v.Element() != nil {
					t.Fatalf("content with error %v", err)
				}
				continue
			}
			id, _ := e.Attr("ID")
			if got, ok := v.Element().Attr("ID"); !ok || got != id || HasSignature(v.Element()) || !v.Element().Is(e.Name()) {
				t.Fatalf("verified is not the element without its signature: %q", v.Element().Canonical())
			}
			if e == root && tame(root) {
				compareWithGoxmldsig(t, written, v)
			}
		}
	})
}

// tame says whether goxmldsig canonicalises the tree rightly: no default namespace that ends, attributes of one prefix at most on an
// element, fewer than a thousand elements, no #default in a PrefixList, and none for SignedInfo.
func tame(root *Element) bool {
	n := 0
	for e := range root.Walk() {
		n++
		if e.local == "CanonicalizationMethod" && e.first != nil {
			return false
		}
		prefix := ""
		for _, a := range e.attrs {
			if a.ns.prefix != "" && prefix != "" && a.ns.prefix != prefix {
				return false
			}
			prefix = max(prefix, a.ns.prefix)
			if a.local == "PrefixList" && strings.Contains(a.value, "#default") {
				return false
			}
		}
		for b := e.scope; b != nil; b = b.outer {
			if b.space == "" {
				return false
			}
		}
	}
	return n < 900
}

func compareWithGoxmldsig(t *testing.T, document []byte, v Verified) {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(document); err != nil {
		t.Fatalf("etree cannot read it: %v\n%s", err, document)
	}
	ctx := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{certificate()}})
	for _, sig := range doc.Root().ChildElements() {
		for _, info := range sig.ChildElements() {
			if sig.NamespaceURI() == spaceDSig && info.Tag == "KeyInfo" {
				sig.RemoveChild(info) // it would have to hold the certificate
			}
		}
	}
	theirs, err := ctx.Validate(doc.Root())
	if err != nil {
		t.Fatalf("we accept what goxmldsig refuses: %v\n%s", err, document)
	}
	out := etree.NewDocument()
	out.WriteSettings = etree.WriteSettings{CanonicalText: true, CanonicalAttrVal: true, CanonicalEndTags: true} // else a carriage return is lost
	out.SetRoot(theirs)
	seen, err := Parse(must(out.WriteToBytes()))
	if err != nil {
		t.Fatalf("what goxmldsig returns cannot be read: %v", err)
	}
	if ours := v.Element().Canonical(); !bytes.Equal(ours, seen.Canonical()) {
		t.Fatalf("ours   %q\ntheirs %q", ours, seen.Canonical())
	}
}

// FuzzStream compares the two readers of signed documents: what one accepts the other does, with the same content.
func FuzzStream(f *testing.F) {
	first := signed(aggregate(2))
	for _, seed := range []string{first, signatureLast(first), "<?xml version='1.0'?><!-- -->" + first + " ", `<a ID="x"> <b xmlns="urn:b">'></b> <!-- <c --> </a>`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		if root, err := Parse(document); err == nil {
			resign(root, p256())
			document = root.whole()
		}
		var s staged
		streamed := VerifyStream(bytes.NewReader(document), public(p256()), &s)
		root, err := Parse(document)
		var v Verified
		if err == nil {
			v, err = Verify(root, public(p256()))
		}
		switch {
		case streamed != nil && err == nil && v.Element().Spaced():
			t.Fatalf("accepted whole, but as a stream: %v\n%q", streamed, document)
		case streamed == nil && err != nil && !errors.Is(err, ErrTooLarge):
			t.Fatalf("accepted as a stream, but whole: %v\n%q", err, document)
		case streamed == nil && err == nil:
			n := 0
			for e := range v.Element().Children() {
				if n >= len(s.children) || s.children[n] != string(e.Canonical()) {
					t.Fatalf("child %d differs in %q", n, document)
				}
				n++
			}
			if n != len(s.children) {
				t.Fatalf("%d children, as a stream %d, in %q", n, len(s.children), document)
			}
		}
	})
}

func FuzzDecrypt(f *testing.F) {
	for _, seed := range []sealed{{}, {content: spaceEnc + "aes128-cbc"}, {beside: true}, {transport: oaep11, params: sha256Digest}} {
		f.Add([]byte(seed.seal("<a/>")))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		encrypted, err := Parse(document)
		if err != nil {
			return
		}
		if e, err := decrypt(encrypted, decrypters(), true); (e == nil) != errors.Is(err, ErrDecrypt) {
			t.Fatalf("%v, %v", e, err)
		}
	})
}

func FuzzQuery(f *testing.F) {
	f.Add(must(SignQuery("SAMLRequest", []byte(deflated), "state", p256())))
	f.Add("SAMLResponse=AAAA&RelayState=x&x=%41")
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := ParseQuery(raw)
		if err != nil {
			return
		}
		if err := q.Verify(public(p256())); err == nil && !strings.Contains(raw, q.octets[strings.LastIndex(q.octets, "&"):]) {
			t.Fatalf("verified octets %q are not those of %q", q.octets, raw)
		}
		if url, err := SignQuery(q.Parameter, q.Message, q.RelayState, p256()); err != nil {
			t.Fatal(err)
		} else if again, err := ParseQuery(url); err != nil || again.RelayState != q.RelayState || !bytes.Equal(again.Message, q.Message) {
			t.Fatalf("written and read again it is %+v (%v), was %+v", again, err, q)
		}
	})
}
