package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"apostille/broker/config"
	"apostille/trust/jose"
	"apostille/upstream/saml"

	"github.com/spf13/cobra"
)

// expiry is a certificate that a trust rests on.
type expiry struct {
	Trust    string    `json:"trust"`
	File     string    `json:"file"`
	Subject  string    `json:"subject"`
	SHA256   string    `json:"sha256"`
	NotAfter time.Time `json:"not_after"`
	Within   bool      `json:"within"` // expires within the time asked for, or has expired
	Words    string    `json:"words"`
}

func (a *app) trustExpiringCommand() *cobra.Command {
	within := spanFlag(30 * 24 * time.Hour)
	cmd := &cobra.Command{
		Use:   "expiring",
		Short: "List the certificates of all trusts by expiry",
		Long: `Reads the certificates that trusts take keys from, and the private TLS roots (ca_file) that they are fetched under, disabled trusts
too. Exit 1 if any expires within the given time: fit for a daily job. (A key imported as a certificate goes on serving after
its expiry: the dates are for people.)`,
		Example: `  apostille trust expiring --within 30d
  apostille trust expiring --within 90d --output json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.trustExpiring(time.Duration(within)) },
	}
	cmd.Flags().Var(&within, "within", "time ahead, such as 30d")
	return cmd
}

func (a *app) trustExpiring(within time.Duration) error {
	cfg, err := a.loaded()
	if err != nil {
		return err
	}
	all, err := expiries(cfg, a.now(), within)
	if err != nil {
		return err
	}
	err = a.print(all, func(w io.Writer) { writeExpiries(w, all) })
	if slices.ContainsFunc(all, func(e expiry) bool { return e.Within }) {
		return errors.Join(err, &exit{exitFailure, nil})
	}
	return err
}

func expiries(cfg *config.Config, now time.Time, within time.Duration) ([]expiry, error) {
	all := []expiry{}
	for _, id := range cfg.Registry.TrustIDs() {
		for _, file := range cfg.CertificateFiles(id) {
			pem, err := readLimited(file)
			if err != nil {
				return nil, err
			}
			if bytes.HasPrefix(bytes.TrimSpace(pem), []byte("<")) {
				m, err := saml.ReadMetadata(pem)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", file, err)
				}
				pem = m.Certificates
			}
			certificates, err := jose.Certificates(pem)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			for _, c := range certificates {
				e := expiry{Trust: id, File: file, Subject: c.Subject, SHA256: c.SHA256, NotAfter: c.NotAfter.UTC()}
				e.Within = !c.NotAfter.After(now.Add(within))
				e.Words = "expires " + away(c.NotAfter, now)
				if now.After(c.NotAfter) {
					e.Words = "EXPIRED " + away(c.NotAfter, now)
				}
				all = append(all, e)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b expiry) int { return a.NotAfter.Compare(b.NotAfter) })
	return all, nil
}

func writeExpiries(w io.Writer, all []expiry) {
	if len(all) == 0 {
		fmt.Fprintln(w, "no trust rests on a certificate")
		return
	}
	rows := [][]string{{"", "TRUST", "NOT AFTER", "", "SUBJECT", "FILE"}}
	for _, e := range all {
		mark := "ok"
		if e.Within {
			mark = "!!"
		}
		rows = append(rows, []string{mark, e.Trust, stamp(e.NotAfter), e.Words, e.Subject, e.File})
	}
	table(w, rows)
}
