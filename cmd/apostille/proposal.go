package main

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// proposal is a trust to be added, with what a person compares before adding it.
type proposal struct {
	ID           string            `json:"id"`
	Issuer       string            `json:"issuer"` // "" = to be filled in
	KeySource    string            `json:"key_source"`
	Keys         []keyInfo         `json:"keys"`
	Certificates []certificateInfo `json:"certificates"`
	Refused      []refused         `json:"refused"`
	TOML         string            `json:"toml"`

	audience string
	use      string // line of TOML under exchange; "" = JWTs for the audience
	now      time.Time
}

// certificateInfo is a jose.Certificate as it is printed.
type certificateInfo struct {
	Subject   string    `json:"subject"`
	Serial    string    `json:"serial"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	SHA256    string    `json:"sha256"`
	KeySHA256 string    `json:"key_sha256"` // of the SubjectPublicKeyInfo
}

// trustID is what the ID of a trust looks like.
var trustID = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// lines is the TOML to add.
func (p *proposal) lines() string {
	var b strings.Builder
	fmt.Fprintf(&b, "[trust.%s]\n", tomlKey(p.ID))
	if p.Issuer == "" {
		b.WriteString("issuer = \"\"                 # fill in: the exact `iss` of its tokens\n")
	} else {
		fmt.Fprintf(&b, "issuer = %s\n", strconv.Quote(p.Issuer))
	}
	fmt.Fprintf(&b, "keys   = { %s }\n", p.KeySource)
	for _, k := range p.Keys {
		fmt.Fprintf(&b, "# key %s\n", k)
	}
	for _, c := range p.Certificates {
		fmt.Fprintf(&b, "# certificate %s, until %s, SHA-256 %s\n", c.Subject, stamp(c.NotAfter), c.SHA256)
	}
	use := p.use
	if use == "" {
		use = "jwt = { audiences = [" + strconv.Quote(p.audience) + "] }   # the `aud` of its tokens, each entry"
	}
	fmt.Fprintf(&b, "\n  [trust.%s.exchange]\n  %s\n", tomlKey(p.ID), use)
	fmt.Fprintf(&b, `
  # [[trust.%s.grant]]         # without a rule it gives nothing
  # clients = ["…"]
  # api     = "…"
  # scopes  = ["…"]
`, tomlKey(p.ID))
	return b.String()
}

// writeNotes prints what a person compares.
func (p *proposal) writeNotes(w io.Writer) {
	for _, c := range p.Certificates {
		validity := "expires " + away(c.NotAfter, p.now)
		switch {
		case p.now.After(c.NotAfter):
			validity = "EXPIRED " + away(c.NotAfter, p.now)
		case p.now.Before(c.NotBefore):
			validity = "NOT VALID YET, from " + stamp(c.NotBefore)
		}
		fmt.Fprintf(w, "certificate of %s\n  serial   %s\n  valid    %s to %s, %s\n  SHA-256  %s\n  key      %s\n",
			c.Subject, c.Serial, stamp(c.NotBefore), stamp(c.NotAfter), validity, c.SHA256, c.KeySHA256)
	}
	for _, k := range p.Keys {
		fmt.Fprintln(w, "key", k)
	}
	for _, r := range p.Refused {
		fmt.Fprintf(w, "key left out, kid %s: %s\n", printable(r.Kid), printable(r.Why))
	}
	fmt.Fprint(w, "\nCompare these fingerprints with the issuer's admin by another channel (telephone, letter) before you add the lines below.\n\n")
}
