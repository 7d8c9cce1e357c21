package samlidp

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"apostille/broker/audit"
	"apostille/broker/page"
	"apostille/trust"
	"apostille/trust/xmlsec"
)

// assertionLife is how long an assertion may be presented: the browser takes it along at once.
const assertionLife = 5 * time.Minute

const classUnspecified = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"

// assertion is what a Response says of a person.
type assertion struct {
	name       nameID
	attributes map[string]any
	session    string // SessionIndex
	class      string
	at         time.Time // of the authentication
	until      time.Time // of the session
	expires    time.Time // it may be presented until then
}

const assertionXML = `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="%[1]s" IssueInstant="%[2]s" Version="2.0"><saml:Issuer>%[3]s</saml:Issuer>` +
	`<saml:Subject><saml:NameID Format="%[4]s" NameQualifier="%[3]s" SPNameQualifier="%[5]s">%[6]s</saml:NameID>` +
	`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData InResponseTo="%[7]s" NotOnOrAfter="%[8]s" Recipient="%[9]s"/></saml:SubjectConfirmation></saml:Subject>` +
	`<saml:Conditions NotBefore="%[2]s" NotOnOrAfter="%[8]s"><saml:AudienceRestriction><saml:Audience>%[5]s</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
	`<saml:AuthnStatement AuthnInstant="%[10]s" SessionIndex="%[11]s" SessionNotOnOrAfter="%[12]s"><saml:AuthnContext><saml:AuthnContextClassRef>%[13]s</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`

// xml writes it. What is neither text nor a list of texts is written as JSON.
func (a *assertion) xml(c *call, id, issuer string) (string, error) {
	class := a.class
	if class == "" {
		class = classUnspecified
	}
	var b strings.Builder
	fmt.Fprintf(&b, assertionXML, id, when(c.started), escaped(issuer), a.name.format, escaped(c.client.Spec.App.SAML.EntityID), escaped(a.name.value),
		escaped(c.asked.ID), when(a.expires), escaped(c.asked.ACS), when(a.at), a.session, when(a.until), escaped(class))
	if len(a.attributes) > 0 {
		b.WriteString("<saml:AttributeStatement>")
		for _, name := range slices.Sorted(maps.Keys(a.attributes)) {
			if err := writeAttribute(&b, name, a.attributes[name]); err != nil {
				return "", err
			}
		}
		b.WriteString("</saml:AttributeStatement>")
	}
	b.WriteString("</saml:Assertion>")
	return b.String(), nil
}

func writeAttribute(b *strings.Builder, name string, value any) error {
	format := "basic"
	if strings.Contains(name, ":") {
		format = "uri"
	}
	fmt.Fprintf(b, `<saml:Attribute Name="%s" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:%s">`, escaped(name), format)
	values, ok := value.([]any)
	if !ok {
		values = []any{value}
	}
	for _, v := range values {
		text, ok := v.(string)
		if !ok {
			j, err := json.Marshal(v)
			if err != nil {
				return fmt.Errorf("samlidp: attribute %s: %w", name, err)
			}
			text = string(j)
		}
		fmt.Fprintf(b, "<saml:AttributeValue>%s</saml:AttributeValue>", escaped(text))
	}
	b.WriteString("</saml:Attribute>")
	return nil
}

// success is a signed Response with a signed assertion, encrypted where the application wants it: signed first, so that it stays what was signed
// wherever it is kept.
func (e *Endpoint) success(c *call, a assertion) (document, id string, err error) {
	key, err := e.key()
	if err != nil {
		return "", "", err
	}
	id = newID()
	plain, err := a.xml(c, id, e.EntityID())
	if err != nil {
		return "", "", err
	}
	inner, err := xmlsec.Sign([]byte(plain), key.Key, key.Certificate)
	if err == nil && c.app.Encrypt {
		if c.app.Recipient == nil {
			return "", "", errors.New("no key to encrypt to")
		}
		inner, err = xmlsec.Encrypt(inner, c.app.Recipient)
		inner = slices.Concat([]byte(`<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">`), inner, []byte(`</saml:EncryptedAssertion>`))
	}
	if err != nil {
		return "", "", err
	}
	document, err = e.response(c, key, statusXML(statusSuccess, ""), string(inner))
	return document, id, err
}

// response signs a Response around XML.
func (e *Endpoint) response(c *call, key OwnKey, status, inner string) (string, error) {
	plain := fmt.Sprintf(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" Destination="%s" ID="%s" InResponseTo="%s" IssueInstant="%s" Version="2.0">`+
		`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">%s</saml:Issuer>%s%s</samlp:Response>`,
		escaped(c.asked.ACS), newID(), escaped(c.asked.ID), when(c.started), escaped(e.EntityID()), status, inner)
	signed, err := xmlsec.Sign([]byte(plain), key.Key, key.Certificate)
	return string(signed), err
}

func statusXML(top, second string) string {
	if second != "" {
		second = `<samlp:StatusCode Value="` + statusSpace + second + `"/>`
	}
	return `<samlp:Status><samlp:StatusCode Value="` + statusSpace + top + `">` + second + `</samlp:StatusCode></samlp:Status>`
}

func (e *Endpoint) key() (OwnKey, error) {
	own, err := e.Own()
	if err == nil && len(own) == 0 {
		err = errors.New("no key to sign SAML messages with")
	}
	if err != nil {
		return OwnKey{}, err
	}
	return own[0], nil
}

// send takes a Response to the application, in a form that the page's script posts, or the person does.
func (e *Endpoint) send(w http.ResponseWriter, r *http.Request, c *call, document string) {
	fields := []page.Field{{Name: "SAMLResponse", Value: base64.StdEncoding.EncodeToString([]byte(document))}}
	if c.asked.Relay != "" {
		fields = append(fields, page.Field{Name: "RelayState", Value: c.asked.Relay})
	}
	e.Pages.Write(w, r, page.Page{
		Template: page.PostTemplate, Title: "samlidp.post.title", TitleArgs: []any{c.client.Title()}, Narrow: true,
		Data:       page.Post{Title: "samlidp.post.title", Text: "samlidp.post.text", To: c.client.Title(), Action: c.asked.ACS, Fields: fields},
		FormAction: []string{origin(c.asked.ACS)},
	})
}

// refuse records a refusal and tells it: to the application if it is known that it asked and where it is answered, else to the person.
func (e *Endpoint) refuse(w http.ResponseWriter, r *http.Request, c *call, p *problem) {
	e.record(r, c, p)
	if c.client != nil && p.Top != "" {
		key, err := e.key()
		if err == nil {
			var document string
			if document, err = e.response(c, key, statusXML(p.Top, p.Second), ""); err == nil {
				e.send(w, r, c, document)
				return
			}
		}
		e.Log.Error("a Status could not be sent", "id", c.event.ID, "error", err)
		p.Status = http.StatusServiceUnavailable
	}
	if p.Status == 0 {
		p.Status = http.StatusBadRequest
	}
	e.Pages.Error(w, r, page.ErrorPage{Status: p.Status, Title: "samlidp.error.title", Text: pageText(p), Reference: c.event.ID})
}

// pageText chooses what a person is told who comes here with a message that cannot be answered.
func pageText(p *problem) string {
	switch {
	case p.Status >= http.StatusInternalServerError:
		return "samlidp.error.server"
	case p.Reason == trust.ReasonClientUnknown:
		return "samlidp.error.client"
	case p.Reason == trust.ReasonRedirect:
		return "samlidp.error.place"
	case p.Reason == trust.ReasonLoginState, p.Reason == trust.ReasonTooOld:
		return "samlidp.error.expired"
	}
	return "samlidp.error.request"
}

// record counts a refusal and writes it into the audit trail, and our own faults into the log. It is answered even if it cannot be recorded.
func (e *Endpoint) record(r *http.Request, c *call, p *problem) {
	if p.Quiet {
		e.observe(c, "status")
		return
	}
	e.observe(c, string(p.Reason))
	ev := c.event
	ev.Event, ev.Reason, ev.Detail = audit.EventLoginRefused, string(p.Reason), p.Detail
	if ev.Trust == "" {
		ev.Trust = p.Trust
	}
	recorder := e.Sampled
	if c.known {
		recorder = e.Audit
	}
	if p.Reason != trust.ReasonAudit { // it has just refused to record; waiting for it again would double the wait
		if err := recorder.Record(r.Context(), &ev); err != nil {
			e.Log.Error("audit record of a refusal", "id", ev.ID, "error", err)
		}
	}
	if class := p.Reason.Class(); class == trust.ClassInternal || class == trust.ClassUnavailable {
		e.Log.Error("SAML request failed", "id", ev.ID, "reason", ev.Reason, "detail", p.Detail, "error", p.Cause)
	}
}

// origin is a URL's scheme and host, as a source of a Content-Security-Policy.
func origin(link string) string {
	u, err := url.Parse(link)
	if err != nil { // it was compiled
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// newID makes the ID of a message; xs:ID does not start with a digit.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	return "_" + hex.EncodeToString(b[:])
}

func when(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder does not fail
	return b.String()
}
