//go:build interop

package saml_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"apostille/trust"
)

var mutants = flag.Int("mutants", 6_000, "how many mutants TestInteropNobodyReadsMutantsOtherwise makes")

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
