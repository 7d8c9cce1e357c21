package saml

// KindOf is the kind of a subject that a NameID names.
func KindOf(issuer, format, qualifier, spQualifier string) string {
	if format == "" {
		format = formatUnspecified
	}
	return (&nameID{format: format, qualifier: qualifier, spQualifier: spQualifier}).kind(issuer)
}
