package main

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"apostille/trust/jose"
	"apostille/upstream/fake"

	"github.com/spf13/cobra"
)

// fakeAlgs are the algorithms of fake issuers: one for each type of key, so that the key alone tells it.
var fakeAlgs = []jose.Alg{jose.ES256, jose.ES384, jose.ES512, jose.RS256, jose.EdDSA}

// fakeCertificateLife is how long the certificate of a fake issuer is valid.
const fakeCertificateLife = 90 * 24 * time.Hour

func (a *app) demoIssuerCommand() *cobra.Command {
	var issuer, dir, alg string
	cmd := &cobra.Command{
		Use:   "issuer",
		Short: "Make the keys of a fake issuer, to rehearse a trust with",
		Long: `Writes the key pair of a FAKE issuer: key.pem (private), jwks.json (what an issuer publishes) and cert.pem (a self-signed
certificate of the same key). A trust takes either of the last two; "apostille demo token" signs with the first. Nothing runs
at the issuer's address, and nothing needs to. Never trust such an issuer beyond a rehearsal: whoever reads key.pem can say anything.`,
		Example: `  apostille demo issuer --issuer https://idp.partner.example --dir partner
  apostille demo issuer --issuer https://idp.partner.example --dir partner --alg RS256`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := demand(cmd, "issuer", "dir"); err != nil {
				return err
			}
			return a.demoIssuer(issuer, dir, jose.Alg(alg))
		},
	}
	cmd.Flags().StringVar(&issuer, "issuer", "", "issuer identifier, as its tokens will have it in iss (required)")
	cmd.Flags().StringVar(&dir, "dir", "", "folder to write into; made if it is not there (required)")
	cmd.Flags().StringVar(&alg, "alg", string(jose.ES256), "signature algorithm the key is for")
	return cmd
}

// fakeIssuer is what demo issuer answers.
type fakeIssuer struct {
	Issuer string   `json:"issuer"`
	Kid    string   `json:"kid"`
	Files  []string `json:"files"`
	Fake   string   `json:"fake"`
}

func (a *app) demoIssuer(issuer, dir string, alg jose.Alg) error {
	if u, err := url.Parse(issuer); err != nil || u.Host == "" {
		return usage("--issuer must be a URL such as https://idp.partner.example, not %q", issuer)
	}
	if !slices.Contains(fakeAlgs, alg) {
		return usage("--alg must be one of %v, not %q", fakeAlgs, alg)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	files, kid, err := fakeKeyFiles(issuer, alg)
	if err != nil {
		return err
	}
	made := fakeIssuer{Issuer: issuer, Kid: kid, Fake: demoNotice}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := writeNew(path, string(f.text), f.mode); err != nil {
			return err
		}
		made.Files = append(made.Files, path)
	}
	return a.print(made, func(w io.Writer) {
		fmt.Fprintf(w, "%s: the keys of issuer %s\n", demoNotice, issuer)
		for _, f := range made.Files {
			fmt.Fprintln(w, "wrote", f)
		}
	})
}

type keyFile struct {
	name string
	mode os.FileMode
	text []byte
}

// fakeKeyFiles makes one key and the three forms of it.
func fakeKeyFiles(issuer string, alg jose.Alg) (files []keyFile, kid string, err error) {
	key := fake.NewKey(alg)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, "", err
	}
	if kid, err = jose.Thumbprint(key.Public()); err != nil {
		return nil, "", err
	}
	jwks, err := jose.MarshalJWKS(jose.NewSet(jose.Key{ID: kid, Algs: []jose.Alg{alg}, Public: key.Public()}))
	if err != nil {
		return nil, "", err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, "", err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Organization: []string{demoNotice}, CommonName: issuer},
		NotBefore: now.Add(-time.Minute), NotAfter: now.Add(fakeCertificateLife),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true, // a leaf: it signs tokens, not certificates
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, "", err
	}
	return []keyFile{
		{"key.pem", 0o600, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})},
		{"jwks.json", 0o644, append(jwks, '\n')},
		{"cert.pem", 0o644, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})},
	}, kid, nil
}

// demand refuses to run without flags that have no sensible default.
func demand(cmd *cobra.Command, names ...string) error {
	for _, name := range names {
		if value := cmd.Flag(name).Value.String(); value == "" || value == "[]" {
			return usage("--%s is missing; see %s --help", name, cmd.CommandPath())
		}
	}
	return nil
}
