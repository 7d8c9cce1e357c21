package saml

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"apostille/trust/xmlsec"
)

// Limits of what is read into a subject, in bytes.
const (
	maxSubject = 1024
	maxID      = 256
)

// nameID is a NameID (SAML Core 2.0 §2.2.3).
type nameID struct{ format, qualifier, spQualifier, value string }

func readNameID(e *xmlsec.Element) (*nameID, error) {
	value, err := text(e, "Format NameQualifier SPNameQualifier SPProvidedID")
	if err != nil {
		return nil, err
	}
	n := &nameID{value: value, format: formatUnspecified}
	if format, ok := e.Attr("Format"); ok {
		n.format = format
	}
	n.qualifier, _ = e.Attr("NameQualifier")
	n.spQualifier, _ = e.Attr("SPNameQualifier")
	return n, nil
}

// kind is the part of the account's key that stands beside issuer and value: format and both qualifiers, of which a persistent
// identifier's first is the issuer where it is left out (SAML Core 2.0 §8.3.7). Escaped, so that no two different ones read the same.
func (n *nameID) kind(issuer string) string {
	qualifier := n.qualifier
	if qualifier == "" && n.format == formatPersistent {
		qualifier = issuer
	}
	return strings.TrimRight("NameID "+url.PathEscape(n.format)+" "+url.PathEscape(qualifier)+" "+url.PathEscape(n.spQualifier), " ")
}

// identifier checks a value that names somebody or something: not empty, not long, and nothing in it that a person or a
// log would not show.
func identifier(s string, limit int) string {
	switch {
	case s == "":
		return "is empty"
	case len(s) > limit:
		return "is longer than " + strconv.Itoa(limit) + " bytes"
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return "holds control characters"
	case strings.TrimSpace(s) != s:
		return "has white space around it"
	}
	return ""
}
