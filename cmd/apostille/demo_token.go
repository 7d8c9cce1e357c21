package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"apostille/trust/jose"

	"github.com/spf13/cobra"
)

// fakeToken is a token to mint.
type fakeToken struct {
	keyFile, issuer, subject string
	audiences, claims        []string
	typ, kid                 string
	lifetime                 time.Duration
}

func (a *app) demoTokenCommand() *cobra.Command {
	var t fakeToken
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Mint a token of a fake issuer, to rehearse a trust with",
		Long: `Mints a JWT with a key that "apostille demo issuer" made, and prints it. The token is a FAKE: whoever has the key can put any
claim into it. --claim sets a claim: name=text, or name:=JSON for numbers, booleans, arrays and objects.`,
		Example: `  apostille demo token --key partner/key.pem --issuer https://idp.partner.example --audience http://localhost:8080 \
      --subject anna --claim department=logistics
  apostille demo token --key partner/key.pem --issuer https://idp.partner.example --audience http://localhost:8080 \
      --subject anna --claim 'groups:=["staff","night"]' --lifetime 1m`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := demand(cmd, "key", "issuer", "audience", "subject"); err != nil {
				return err
			}
			return a.demoToken(t)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&t.keyFile, "key", "", "private key of the issuer, key.pem (required)")
	flags.StringVar(&t.issuer, "issuer", "", "iss (required)")
	flags.StringArrayVar(&t.audiences, "audience", nil, "aud, repeatable (required)")
	flags.StringVar(&t.subject, "subject", "", "sub (required)")
	flags.StringArrayVar(&t.claims, "claim", nil, "name=text or name:=JSON, repeatable")
	flags.StringVar(&t.typ, "typ", "JWT", "typ of the header")
	flags.StringVar(&t.kid, "kid", "", "kid of the header; default the key's thumbprint, as in jwks.json")
	flags.DurationVar(&t.lifetime, "lifetime", 5*time.Minute, "from now to exp")
	return cmd
}

func (a *app) demoToken(t fakeToken) error {
	claims, err := t.payload(time.Now())
	if err != nil {
		return err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return err
	}
	key, alg, err := readSigningKey(t.keyFile)
	if err != nil {
		return err
	}
	if t.kid == "" {
		if t.kid, err = jose.Thumbprint(key.Public()); err != nil {
			return err
		}
	}
	token, err := jose.Sign(alg, t.kid, t.typ, payload, key)
	if err != nil {
		return fmt.Errorf("signing: %w", err)
	}
	return a.print(map[string]any{"token": token, "claims": claims, "fake": demoNotice}, func(w io.Writer) { fmt.Fprintln(w, token) })
}

// payload makes the claims; --claim wins over what the other flags say, so that wrong tokens can be made too.
func (t fakeToken) payload(now time.Time) (map[string]any, error) {
	claims := map[string]any{
		"iss": t.issuer, "sub": t.subject, "jti": rand.Text(), "iat": now.Unix(), "exp": now.Add(t.lifetime).Unix(),
	}
	if len(t.audiences) == 1 {
		claims["aud"] = t.audiences[0]
	} else {
		claims["aud"] = t.audiences
	}
	for _, c := range t.claims {
		name, value, found := strings.Cut(c, "=")
		if !found || name == "" || name == ":" {
			return nil, usage("--claim must be name=text or name:=JSON, not %q", c)
		}
		name, isJSON := strings.CutSuffix(name, ":")
		if !isJSON {
			claims[name] = value
			continue
		}
		if !json.Valid([]byte(value)) {
			return nil, usage("--claim %s: %q is not JSON; text is written %s=text", name, value, name)
		}
		claims[name] = json.RawMessage(value)
	}
	return claims, nil
}

// readSigningKey reads a PKCS #8 key and says which algorithm it signs with here.
func readSigningKey(path string) (crypto.Signer, jose.Alg, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, "", err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, "", usage("%s holds no PRIVATE KEY in PEM (PKCS #8); apostille demo issuer makes one", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, "", usage("%s: %w", path, err)
	}
	switch key := parsed.(type) {
	case *ecdsa.PrivateKey:
		switch key.Curve {
		case elliptic.P384():
			return key, jose.ES384, nil
		case elliptic.P521():
			return key, jose.ES512, nil
		}
		return key, jose.ES256, nil
	case ed25519.PrivateKey:
		return key, jose.EdDSA, nil
	case crypto.Signer:
		return key, jose.RS256, nil
	}
	return nil, "", usage("%s is not a signing key", path)
}
