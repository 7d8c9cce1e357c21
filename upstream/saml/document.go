package saml

import (
	"encoding/base64"
	"strings"

	"apostille/trust"
	"apostille/trust/xmlsec"
)

// maxAssertion bounds an assertion, in bytes, before anything of it is read.
const maxAssertion = 256 << 10

// decode undoes base64url, padded or not (RFC 7522 §2.1). Line breaks, which the library would pass over, and bits that say nothing are
// refused: one assertion has one spelling, and its padded one.
func decode(encoded string) ([]byte, *fault) {
	if len(encoded) > maxAssertion*4/3+4 {
		return nil, faulty(trust.ReasonTooLarge, checkFormat, "more than 256 KB of assertion")
	}
	bare := strings.TrimRight(encoded, "=")
	if pads := len(encoded) - len(bare); pads > 0 && (pads > 2 || len(encoded)%4 != 0) || strings.ContainsAny(bare, "\r\n") {
		return nil, faulty(trust.ReasonMalformed, checkFormat, "not base64url on one line")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(bare)
	if err != nil {
		return nil, faulty(trust.ReasonMalformed, checkFormat, "not base64url")
	}
	if len(b) > maxAssertion {
		return nil, faulty(trust.ReasonTooLarge, checkFormat, "more than 256 KB of assertion")
	}
	return b, nil
}

// parseAssertion reads a document that is one signed assertion, and nothing that could be taken for another one. What it returns is not
// verified.
func parseAssertion(b []byte) (*xmlsec.Element, *fault) {
	root, err := xmlsec.Parse(b)
	if err != nil {
		return nil, xmlFault(checkFormat, err)
	}
	if root.Is(saml("EncryptedAssertion")) {
		return nil, faulty(trust.ReasonType, checkFormat, "the assertion is encrypted; it is exchanged as plain text, under TLS")
	}
	return root, oneAssertion(root)
}

// oneAssertion wants an Assertion, no other one in it, and one signature at most, where the schema has it.
func oneAssertion(e *xmlsec.Element) *fault {
	if !e.Is(saml("Assertion")) {
		return faulty(trust.ReasonType, checkFormat, quote("not a SAML 2.0 Assertion, but ", e.Name().Local))
	}
	assertions, signatures := count(e)
	switch {
	case assertions != 1:
		return faulty(trust.ReasonMalformed, checkFormat, "more than one assertion in the document")
	case signatures > 1:
		return faulty(trust.ReasonMalformed, checkFormat, "more than one signature in the document")
	case signatures == 1 && !signedAfterIssuer(e):
		return faulty(trust.ReasonMalformed, checkFormat, "the signature does not stand after the Issuer of the assertion")
	}
	return nil
}

// count finds whatever could be taken for an assertion, in any namespace, and the signatures.
func count(e *xmlsec.Element) (assertions, signatures int) {
	for e := range e.Walk() {
		switch n := e.Name(); {
		case n.Local == "Assertion", n.Local == "EncryptedAssertion":
			assertions++
		case n == signatureName:
			signatures++
		}
	}
	return assertions, signatures
}

// signedAfterIssuer says whether the second child is the Signature, where the schema has it.
func signedAfterIssuer(e *xmlsec.Element) bool {
	n := 0
	for c := range e.Children() {
		if n++; n == 2 {
			return c.Is(signatureName)
		}
	}
	return false
}

// claimedIssuer is what the document says its issuer is: it decides whose keys are tried and nothing else.
func claimedIssuer(root *xmlsec.Element) (string, *fault) {
	for c := range root.Children() {
		if c.Is(saml("Issuer")) {
			issuer, err := readIssuer(c)
			if err != nil {
				return "", &fault{trust.ReasonMalformed, checkIssuer, err.Error(), err}
			}
			return issuer, nil
		}
		break
	}
	return "", faulty(trust.ReasonIssuerUnknown, checkIssuer, "the assertion does not begin with its Issuer")
}
