package xmlsec

import (
	"crypto"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

func TestWhatIsSignedVerifies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		document string
		key      crypto.Signer
	}{
		{"an assertion with RSA", assertion(14), rsaKey()},
		{"an assertion on P-256", assertion(14), p256()},
		{"an assertion on P-384", assertion(1), p384()},
		{"an assertion on P-521", assertion(1), p521()},
		{"a response", response(assertion(1)), p256()},
		{"an element without children", `<a ID="x"/>`, p256()},
		{"an ID that needs escapes", `<a ID="x&amp;&quot;&lt;y"/>`, p256()},
		{"text around the place of the signature", `<a ID="x"> 1 <Issuer/> 2 <b/> 3 </a>`, p256()},
		{"a default namespace", `<a xmlns="urn:d" ID="x"><b xmlns=""/></a>`, p256()},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, err := Sign([]byte(c.document), c.key, []byte("certificate"))
			if err != nil {
				t.Fatal(err)
			}
			v, err := Verify(read(t, string(out)), public(c.key))
			if err != nil {
				t.Fatalf("%v, of %s", err, out)
			}
			got, want := v.Element().Canonical(), read(t, c.document).Canonical()
			if string(got) != string(want) {
				t.Errorf("verified %s\nwant %s", got, want)
			}
		})
	}
}

func TestWhatGoxmldsigSignsVerifies(t *testing.T) {
	t.Parallel()
	ctx := must(dsig.NewSigningContext(rsaKey(), [][]byte{certificate().Raw}))
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("") // it does not write a PrefixList down
	doc := etree.NewDocument()
	if err := doc.ReadFromString(assertion(3)); err != nil {
		t.Fatal(err)
	}
	doc.SetRoot(must(ctx.SignEnveloped(doc.Root())))
	if _, err := Verify(read(t, string(must(doc.WriteToBytes()))), public(rsaKey())); err != nil {
		t.Error(err)
	}
}
