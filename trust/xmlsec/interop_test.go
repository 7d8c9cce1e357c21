//go:build interop

package xmlsec

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// run runs a command and returns what it printed, of both kinds.
func run(stdin string, name string, args ...string) ([]byte, error) {
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	return cmd.CombinedOutput()
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
