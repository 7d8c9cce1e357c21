package config

// CertificateFiles lists the files of certificates that a trust rests on, absolute: PEM or SAML metadata that its keys come from, or the ca_file
// that vouches for where they are fetched. nil if there are none.
func (c *Config) CertificateFiles(trustID string) []string {
	t := c.doc.Trusts[trustID]
	switch {
	case t == nil:
		return nil
	case t.CAFile != "":
		return []string{t.CAFile}
	case t.Keys != nil && t.Keys.MetadataFile != "":
		return []string{t.Keys.MetadataFile}
	case t.Keys != nil:
		return t.Keys.Certificates
	}
	return nil
}
