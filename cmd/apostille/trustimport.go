package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"apostille/broker/config"
	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/keys"
	"apostille/upstream/saml"

	"github.com/spf13/cobra"
)

func (a *app) trustImportCommand() *cobra.Command {
	return noun("import", "Print the lines that add a trust, with fingerprints to compare", `  apostille trust import cert hq.pem --id head-office --issuer https://idp.hq.hmart.example
  apostille trust import jwks https://idp.hq.hmart.example/jwks --id head-office
  apostille trust import oidc https://idp.hq.hmart.example --id head-office
  apostille trust import metadata campus.xml --id campus`,
		a.importCommand("cert FILE", "From a PEM certificate or public key",
			"  apostille trust import cert hq.pem --id head-office --issuer https://idp.hq.hmart.example >> trust.d/head-office.toml",
			a.importCert),
		a.importCommand("jwks FILE|URL", "From a JWK Set, on disk or fetched",
			"  apostille trust import jwks hq.jwks.json --id head-office\n  apostille trust import jwks https://idp.hq.hmart.example/jwks --id head-office",
			a.importJWKS),
		a.importCommand("oidc ISSUER", "From an issuer's discovery document",
			"  apostille trust import oidc https://idp.hq.hmart.example --id head-office", a.importOIDC),
		a.importCommand("metadata FILE", "From the SAML metadata of one identity provider",
			"  apostille trust import metadata campus.xml --id campus >> trust.d/campus.toml", a.importMetadata))
}

// importer fills a proposal from what an admin was given.
type importer func(ctx context.Context, cfg *config.Config, from string, p *proposal) error

func (a *app) importCommand(use, short, example string, read importer) *cobra.Command {
	p := &proposal{Keys: []keyInfo{}, Certificates: []certificateInfo{}, Refused: []refused{}}
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Long: short + `. Prints the TOML to add to trust.d/ on standard output, and fingerprints and validity on standard error (with --output
json all of it on standard output). Nothing is written, and nothing is granted: the lines have no rule.`,
		Example: example,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := a.loadedIfAny()
			if err != nil {
				return err
			}
			if !trustID.MatchString(p.ID) || p.ID == trust.Local {
				return usage("--id %q: give the new trust an ID of lower case letters, digits, dot, underscore and hyphen, such as head-office", p.ID)
			}
			if cfg != nil {
				if _, taken := cfg.Registry.Trust(p.ID); taken {
					return usage("there is a trust %q already: choose another --id", p.ID)
				}
				p.audience = cfg.Issuer
			}
			p.now = a.now()
			if err := read(cmd.Context(), cfg, args[0], p); err != nil {
				return err
			}
			p.TOML = p.lines()
			return a.print(p, func(w io.Writer) {
				p.writeNotes(a.stderr)
				fmt.Fprint(w, p.TOML)
			})
		},
	}
	cmd.Flags().StringVar(&p.ID, "id", "", "ID of the new trust")
	cmd.Flags().StringVar(&p.Issuer, "issuer", "", "the exact `iss` of its tokens")
	return cmd
}

func (a *app) importCert(_ context.Context, _ *config.Config, file string, p *proposal) error {
	pem, err := readLimited(file)
	if err != nil {
		return usage("%w", err)
	}
	set, err := jose.ParsePEM(pem, nil)
	if err != nil {
		return usage("%s: %w", file, err)
	}
	certificates, err := jose.Certificates(pem)
	if err != nil {
		return usage("%s: %w", file, err)
	}
	for _, c := range certificates {
		p.Certificates = append(p.Certificates, certificateInfo(c))
	}
	p.Keys = keyInfos(set)
	p.KeySource = "certificates = [" + strconv.Quote(absolute(file)) + "]"
	return nil
}

func (a *app) importMetadata(_ context.Context, _ *config.Config, file string, p *proposal) error {
	document, err := readLimited(file)
	if err != nil {
		return usage("%w", err)
	}
	m, err := saml.ReadMetadata(document)
	if err != nil {
		return usage("%s: %w", file, err)
	}
	set, err := jose.ParsePinnedPEM(m.Certificates, nil)
	if err != nil {
		return usage("%s: %w", file, err)
	}
	certificates, err := jose.Certificates(m.Certificates)
	if err != nil {
		return usage("%s: %w", file, err)
	}
	if p.Issuer != "" && p.Issuer != m.EntityID {
		return usage("--issuer says %q and the metadata %q: they are one", p.Issuer, m.EntityID)
	}
	for _, c := range certificates {
		p.Certificates = append(p.Certificates, certificateInfo(c))
	}
	p.Issuer, p.Keys, p.use = m.EntityID, keyInfos(set), "saml2 = {}   # assertions for us, at our token endpoint"
	p.KeySource = "metadata_file = " + strconv.Quote(absolute(file))
	return nil
}

func (a *app) importJWKS(ctx context.Context, cfg *config.Config, from string, p *proposal) error {
	if strings.Contains(from, "://") {
		p.KeySource = "jwks_url = " + strconv.Quote(from)
		return a.fetched(ctx, cfg, keys.Source{JWKSURL: from}, p)
	}
	b, err := readLimited(from)
	if err != nil {
		return usage("%w", err)
	}
	set, left, err := jose.ParseJWKS(b, nil)
	if err != nil {
		return usage("%s: %w", from, err)
	}
	for _, r := range left {
		p.Refused = append(p.Refused, refused(r))
	}
	p.Keys = keyInfos(set)
	p.KeySource = "jwks_file = " + strconv.Quote(absolute(from))
	return nil
}

func (a *app) importOIDC(ctx context.Context, cfg *config.Config, issuer string, p *proposal) error {
	if p.Issuer != "" && p.Issuer != issuer {
		return usage("--issuer says %q and the argument %q: for oidc they are one", p.Issuer, issuer)
	}
	p.Issuer, p.KeySource = issuer, "discovery = true"
	return a.fetched(ctx, cfg, keys.Source{Discovery: issuer}, p)
}

// fetched asks the upstream through the guarded client. http needs the dev mode of a configuration, as it does when served.
func (a *app) fetched(ctx context.Context, cfg *config.Config, src keys.Source, p *proposal) error {
	found := ask(ctx, guardFor(cfg), src)
	p.Keys, p.Refused = found.Keys, append(p.Refused, found.Refused...)
	if found.OK {
		return nil
	}
	code := exitFailure
	if found.Unreachable {
		code = exitReach
	}
	return &exit{code, fmt.Errorf("%s", found.Problem)}
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
