package config

// CertificateFiles lists the PEM files that a trust rests on, absolute: the certificates its keys come from, or the ca_file
// that vouches for where they are fetched. nil if there are none.
func (c *Config) CertificateFiles(trustID string) []string {
	t := c.doc.Trusts[trustID]
	switch {
	case t == nil:
		return nil
	case t.CAFile != "":
		return []string{t.CAFile}
	case t.Keys != nil:
		return t.Keys.Certificates
	}
	return nil
}
