package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"apostille/trust"
	"apostille/upstream/fake"

	"github.com/spf13/cobra"
)

// fakeAssertion is an assertion to make.
type fakeAssertion struct {
	keyFile, issuer, subject, format string
	audience, recipient              string
	attributes                       []string
	lifetime                         time.Duration
	xml                              bool
}

func (a *app) demoAssertionCommand() *cobra.Command {
	var f fakeAssertion
	cmd := &cobra.Command{
		Use:   "assertion",
		Short: "Make a SAML assertion of a fake issuer, to rehearse a trust with",
		Long: `Makes a SAML 2.0 assertion, signed with a key that "apostille demo issuer" made (RS256 or ES256, ES384, ES512), and prints it in
base64url, as a token request carries it. The assertion is a FAKE: whoever has the key can put any name into it.`,
		Example: `  apostille demo assertion --key campus/key.pem --issuer https://idp.campus.example --audience http://localhost:8080 \
      --subject anna --attribute department=logistics
  apostille demo assertion --key campus/key.pem --issuer https://idp.campus.example --audience http://localhost:8080 \
      --subject anna --attribute urn:oid:1.3.6.1.4.1.5923.1.1.1.1=staff --attribute urn:oid:1.3.6.1.4.1.5923.1.1.1.1=member --xml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := demand(cmd, "key", "issuer", "audience", "subject"); err != nil {
				return err
			}
			return a.demoAssertion(f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.keyFile, "key", "", "private key of the issuer, key.pem (required)")
	flags.StringVar(&f.issuer, "issuer", "", "its entityID (required)")
	flags.StringVar(&f.audience, "audience", "", "our issuer (required)")
	flags.StringVar(&f.recipient, "recipient", "", "token endpoint (default: that of the audience)")
	flags.StringVar(&f.subject, "subject", "", "NameID (required)")
	flags.StringVar(&f.format, "format", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", "format of the NameID")
	flags.StringArrayVar(&f.attributes, "attribute", nil, "name=text, repeatable; one name several times has several values")
	flags.DurationVar(&f.lifetime, "lifetime", 5*time.Minute, "from now to NotOnOrAfter")
	flags.BoolVar(&f.xml, "xml", false, "print XML instead")
	return cmd
}

func (a *app) demoAssertion(f fakeAssertion) error {
	key, _, err := readSigningKey(f.keyFile)
	if err != nil {
		return err
	}
	idp, err := fake.IdPWith(f.issuer, key)
	if err != nil {
		return usage("--key %s: %w", f.keyFile, err)
	}
	draft := fake.Assertion{NameID: f.subject, Format: f.format, Audience: f.audience, Recipient: f.recipient, Lifetime: f.lifetime}
	if f.recipient == "" {
		draft.Recipient = f.audience + trust.TokenPath
	}
	if draft.Attributes, err = f.values(); err != nil {
		return err
	}
	document, err := idp.TryAssertion(draft)
	if err != nil {
		return usage("such an assertion cannot be signed: %w", err)
	}
	token := fake.Encode(document)
	return a.print(map[string]any{"assertion": token, "xml": document, "fake": demoNotice}, func(w io.Writer) {
		if f.xml {
			token = document
		}
		fmt.Fprintln(w, token)
	})
}

// values gathers the attributes, in the order in which their names come first.
func (f fakeAssertion) values() ([]fake.Attribute, error) {
	var out []fake.Attribute
	for _, text := range f.attributes {
		name, value, found := strings.Cut(text, "=")
		if !found || name == "" {
			return nil, usage("--attribute must be name=text, not %q", text)
		}
		at := -1
		for i := range out {
			if out[i].Name == name {
				at = i
			}
		}
		if at < 0 {
			out, at = append(out, fake.Attribute{Name: name}), len(out)
		}
		out[at].Values = append(out[at].Values, value)
	}
	return out, nil
}
