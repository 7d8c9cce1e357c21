package fake

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// Assertion is a SAML 2.0 assertion in the making: one that holds for a bearer at Recipient for five minutes from now on, unless the fields say
// otherwise.
type Assertion struct {
	ID                  string // "" = random
	Issuer              string
	NameID, Format      string // Format "" = unspecified
	Audience, Recipient string
	Attributes          []Attribute
	Now                 time.Time     // zero = now
	Lifetime            time.Duration // 0 = five minutes
	SessionEnd          time.Time     // zero = not said
	SessionIndex        string        // "" = made of ID
	InResponseTo        string        // "" = to nothing
	AuthnAt             time.Time     // zero = Now
	Class               string        // authentication context; "" = a password over TLS

	// Bend changes the XML before it is signed; nil = nothing.
	Bend func(document string) string
}

// Attribute is one of its attributes.
type Attribute struct {
	Name   string
	Values []string
}

// Encode is an assertion as a form carries it (RFC 7522 §2.1).
func Encode(document string) string { return base64.RawURLEncoding.EncodeToString([]byte(document)) }

const stamp = "2006-01-02T15:04:05.000Z"

// XML is the assertion without a signature.
func (a Assertion) XML() string {
	if a.Now.IsZero() {
		a.Now = time.Now()
	}
	if a.Lifetime == 0 {
		a.Lifetime = 5 * time.Minute
	}
	if a.ID == "" {
		a.ID = "_" + rand.Text()
	}
	if a.SessionIndex == "" {
		a.SessionIndex = a.ID + "-s"
	}
	if a.AuthnAt.IsZero() {
		a.AuthnAt = a.Now
	}
	if a.Class == "" {
		a.Class = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
	}
	answers := ""
	if a.InResponseTo != "" {
		answers = ` InResponseTo="` + escape(a.InResponseTo) + `"`
	}
	now, end := a.Now.UTC(), a.Now.UTC().Add(a.Lifetime).Format(stamp)
	format := a.Format
	if format == "" {
		format = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
	}
	session := ""
	if !a.SessionEnd.IsZero() {
		session = ` SessionNotOnOrAfter="` + a.SessionEnd.UTC().Format(stamp) + `"`
	}
	document := fmt.Sprintf(`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xs="http://www.w3.org/2001/XMLSchema" `+
		`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="%s" IssueInstant="%s" Version="2.0">`+
		`<saml:Issuer>%s</saml:Issuer>`+
		`<saml:Subject><saml:NameID Format="%s">%s</saml:NameID>`+
		`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">`+
		`<saml:SubjectConfirmationData%s NotOnOrAfter="%s" Recipient="%s"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>`+
		`<saml:Conditions NotBefore="%s" NotOnOrAfter="%s"><saml:AudienceRestriction><saml:Audience>%s</saml:Audience></saml:AudienceRestriction></saml:Conditions>`+
		`<saml:AuthnStatement AuthnInstant="%s" SessionIndex="%s"%s><saml:AuthnContext>`+
		`<saml:AuthnContextClassRef>%s</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`+
		`%s</saml:Assertion>`,
		a.ID, now.Format(stamp), escape(a.Issuer), escape(format), escape(a.NameID), answers, end, escape(a.Recipient),
		now.Format(stamp), end, escape(a.Audience), a.AuthnAt.UTC().Format(stamp), escape(a.SessionIndex), session, escape(a.Class), a.statement())
	if a.Bend != nil {
		document = a.Bend(document)
	}
	return document
}

// statement is the AttributeStatement.
func (a Assertion) statement() string {
	if len(a.Attributes) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("<saml:AttributeStatement>")
	for _, at := range a.Attributes {
		format := "basic"
		if strings.Contains(at.Name, ":") {
			format = "uri"
		}
		fmt.Fprintf(&b, `<saml:Attribute Name="%s" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:%s">`, escape(at.Name), format)
		for _, v := range at.Values {
			fmt.Fprintf(&b, `<saml:AttributeValue xsi:type="xs:string">%s</saml:AttributeValue>`, escape(v))
		}
		b.WriteString("</saml:Attribute>")
	}
	b.WriteString("</saml:AttributeStatement>")
	return b.String()
}

func escape(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		panic("fake: " + err.Error())
	}
	return b.String()
}
