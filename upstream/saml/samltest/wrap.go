package samltest

import (
	"regexp"
	"strings"
)

// Wrapping is one document in which forged content stands beside what was signed.
type Wrapping struct {
	ID       string // of docs/threats.md
	Name     string
	Document string
}

// Admin is the NameID that forged content names.
const Admin = "admin"

var (
	signatureXML = regexp.MustCompile(`(?s)<ds:Signature .*?</ds:Signature>`)
	nameXML      = regexp.MustCompile(`(<saml:NameID[^>]*>)[^<]*`)
	idXML        = regexp.MustCompile(` ID="([^"]*)"`)
)

// signed is a signed message taken apart.
type signed struct{ whole, bare, signature string }

func takeApart(message string) signed {
	sig := signatureXML.FindString(message)
	if sig == "" {
		panic("samltest: the message has no ds:Signature")
	}
	return signed{whole: message, bare: strings.Replace(message, sig, "", 1), signature: sig}
}

// forged is the message without its signature, about the admin and with IDs of its own.
func (s signed) forged() string { return idXML.ReplaceAllString(s.sameID(), ` ID="${1}-forged"`) }

// sameID is the forged message with the ID of the genuine one.
func (s signed) sameID() string { return nameXML.ReplaceAllString(s.bare, "${1}"+Admin) }

// with puts XML behind the Issuer, where a signature belongs.
func with(message, xml string) string {
	return strings.Replace(message, "</saml:Issuer>", "</saml:Issuer>"+xml, 1)
}

// inside puts XML in front of the last end tag.
func inside(message, xml string) string {
	at := strings.LastIndex(message, "</")
	return message[:at] + xml + message[at:]
}

func object(xml string) string { return "<ds:Object>" + xml + "</ds:Object>" }

// Assertions wraps a signed assertion in ways that keep an Assertion as the root, as the token endpoint takes it.
func Assertions(message string) []Wrapping {
	s := takeApart(message)
	evil := s.forged()
	attribute := `<saml:AttributeStatement><saml:Attribute Name="x"><saml:AttributeValue>` + s.whole + `</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>`
	data := strings.Replace(evil, "</saml:SubjectConfirmationData>", s.whole+"</saml:SubjectConfirmationData>", 1)
	return []Wrapping{
		{"A03", "XSW4: the forged assertion encloses the signed one", inside(evil, s.whole)},
		{"A03", "XSW4 in Advice", strings.Replace(evil, "</saml:Conditions>", "</saml:Conditions><saml:Advice>"+s.whole+"</saml:Advice>", 1)},
		{"A03", "XSW4 in a value", inside(evil, attribute)},
		{"A03", "XSW4 in the confirmation", data},
		{"A04", "XSW5: the forged assertion keeps the signature, the genuine one follows", inside(with(evil, s.signature), s.bare)},
		{"A04", "XSW5, the genuine one first", with(with(evil, s.signature), s.bare)},
		{"A04", "XSW6: the genuine one inside the signature", with(evil, inside(s.signature, s.bare))},
		{"A04", "the signature deep inside", inside(evil, "<saml:Advice>"+s.signature+"</saml:Advice>")},
		{"A04", "the signature as first child", strings.Replace(s.bare, "<saml:Issuer>", s.signature+"<saml:Issuer>", 1)},
		{"A05", "XSW7: the signed one in Extensions", with(evil, `<samlp:Extensions xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol">`+s.whole+`</samlp:Extensions>`)},
		{"A06", "XSW8: the genuine one in an Object of the signature", with(evil, inside(s.signature, object(s.bare)))},
		{"A06", "XSW8 the other way round", with(s.bare, inside(s.signature, object(evil)))},
		{"A06", "XSW10: one ID twice, the genuine one in an Object", with(s.sameID(), inside(s.signature, object(s.bare)))},
		{"A06", "one ID twice, the genuine one follows", inside(with(s.sameID(), s.signature), s.bare)},
		{"A10", "two signatures", with(s.bare, s.signature+s.signature)},
		{"A02", "two assertions, one in the other's place", s.whole + evil},
	}
}

// Responses wraps a signed assertion in a Response; envelope makes one around XML, with its Status.
func Responses(message string, envelope func(xml string) string) []Wrapping {
	s := takeApart(message)
	evil := s.forged()
	return []Wrapping{
		{"A02", "XSW3: the forged assertion before the signed one", envelope(evil + s.whole)},
		{"A02", "XSW3 the other way round", envelope(s.whole + evil)},
		{"A03", "XSW4: the forged assertion encloses the signed one in a Response", envelope(inside(evil, s.whole))},
		{"A04", "XSW5 in a Response", envelope(with(evil, s.signature) + s.bare)},
		{"A04", "XSW6 in a Response", envelope(with(evil, inside(s.signature, s.bare)))},
		{"A05", "XSW7: the forged one in Extensions", envelope(`<samlp:Extensions>` + evil + `</samlp:Extensions>` + s.whole)},
		{"A06", "XSW8 in a Response", envelope(with(evil, inside(s.signature, object(s.bare))))},
		{"A06", "XSW10: a clone of the signature under the Response", envelope(inside(s.signature, object(s.bare)) + s.sameID())},
		{"A08", "an encrypted assertion before the signed one", envelope(`<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"></saml:EncryptedAssertion>` + s.whole)},
		{"A23", "a Response that nobody signed", envelope(s.whole)},
	}
}

// Enveloped wraps a signed Response: the forged one is the root.
func Enveloped(response string) []Wrapping {
	s := takeApart(response)
	evil := s.forged()
	return []Wrapping{
		{"A01", "XSW1: the genuine Response inside the signature of a forged one", with(evil, inside(s.signature, s.bare))},
		{"A01", "XSW2: the genuine Response beside the signature of a forged one", with(evil, s.bare+s.signature)},
		{"A01", "XSW2, behind it", inside(with(evil, s.signature), s.bare)},
		{"A06", "the forged assertion in an Object of a signed Response", with(s.bare, inside(s.signature, object(evil)))},
	}
}

// Envelope makes a Response of an issuer, for a recipient, around XML.
func Envelope(issuer, recipient, status, instant, xml string) string {
	return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r" Version="2.0" IssueInstant="` + instant + `" Destination="` + recipient + `">` +
		`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` + issuer + `</saml:Issuer>` +
		`<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:` + status + `"></samlp:StatusCode></samlp:Status>` + xml + `</samlp:Response>`
}
