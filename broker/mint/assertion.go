package mint

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"apostille/trust"
	"apostille/trust/jose"
	"apostille/trust/xmlsec"
)

// ErrText says that a mapped claim holds a character that XML cannot say (XML 1.0 §2.2).
var ErrText = errors.New("a claim holds a character that an assertion cannot: map another one")

// assertion makes the SAML 2.0 assertion that a decision grants, for a bearer at the API's recipient, and signs it with the key that signs
// now: base64url, as RFC 8693 §3 has it.
func (m *Minter) assertion(d *trust.Decision, t Token) (string, error) {
	document, err := m.assertionXML(d, t)
	if err != nil {
		return "", err
	}
	key, err := m.Keys.Signer(jose.Alg(d.Token.Alg))
	if err != nil {
		return "", err
	}
	// No certificate: who takes our assertions pins our key, and must not believe one that comes along.
	signed, err := xmlsec.Sign([]byte(document), key.Key, nil)
	if err != nil {
		return "", fmt.Errorf("mint: %w", err)
	}
	raw := base64.RawURLEncoding.EncodeToString(signed)
	if len(raw) > MaxToken {
		return "", ErrTooLarge
	}
	return raw, nil
}

const assertionStart = `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="%s" IssueInstant="%s" Version="2.0"><saml:Issuer>%s</saml:Issuer>` +
	`<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" NameQualifier="%s">%s</saml:NameID>` +
	`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="%s" Recipient="%s"/></saml:SubjectConfirmation></saml:Subject>` +
	`<saml:Conditions NotBefore="%s" NotOnOrAfter="%s"><saml:AudienceRestriction><saml:Audience>%s</saml:Audience></saml:AudienceRestriction></saml:Conditions>`

// assertionXML writes what an access token says, in SAML's words; scope, client_id and mapped claims are attributes.
func (m *Minter) assertionXML(d *trust.Decision, t Token) (string, error) {
	issued, expires := samlTime(t.Issued), samlTime(t.Expires)
	var b strings.Builder
	issuer, audience := escaped(m.Issuer), escaped(d.Audience[0])
	fmt.Fprintf(&b, assertionStart, t.ID, issued, issuer, issuer, escaped(d.Sub), expires, escaped(d.Token.Recipient), issued, expires, audience)
	if !d.AuthTime.IsZero() {
		class := d.ACR
		if class == "" {
			class = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
		}
		fmt.Fprintf(&b, `<saml:AuthnStatement AuthnInstant="%s"><saml:AuthnContext><saml:AuthnContextClassRef>%s</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`,
			samlTime(d.AuthTime), escaped(class))
	}
	attributes := map[string]any{"client_id": d.ClientID}
	if len(d.Scopes) > 0 {
		attributes["scope"] = d.Scopes
	}
	maps.Copy(attributes, d.Claims) // never one of ours: those names are reserved
	b.WriteString("<saml:AttributeStatement>")
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if err := writeAttribute(&b, name, attributes[name]); err != nil {
			return "", err
		}
	}
	b.WriteString("</saml:AttributeStatement></saml:Assertion>")
	return b.String(), nil
}

// writeAttribute writes a claim. What is neither text nor a list of texts is written as JSON.
func writeAttribute(b *strings.Builder, name string, value any) error {
	fmt.Fprintf(b, `<saml:Attribute Name="%s">`, escaped(name))
	var values []any
	switch v := value.(type) {
	case []any:
		values = v
	case []string:
		for _, s := range v {
			values = append(values, s)
		}
	default:
		values = []any{v}
	}
	for _, v := range values {
		text, ok := v.(string)
		if !ok {
			j, err := json.Marshal(v)
			if err != nil {
				return fmt.Errorf("mint: claim %s: %w", name, err)
			}
			text = string(j)
		}
		if strings.ContainsFunc(text, unsayable) {
			return fmt.Errorf("mint: claim %s: %w", name, ErrText)
		}
		fmt.Fprintf(b, "<saml:AttributeValue>%s</saml:AttributeValue>", escaped(text))
	}
	b.WriteString("</saml:Attribute>")
	return nil
}

// unsayable also holds for what stands in place of bytes that are no UTF-8: such a value is not what it seems.
func unsayable(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r >= 0xFFFD && r <= 0xFFFF || r >= 0xD800 && r <= 0xDFFF
}

func samlTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder does not fail
	return b.String()
}
