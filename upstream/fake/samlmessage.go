package fake

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"apostille/trust/xmlsec"
)

// samlRequest is an AuthnRequest or a LogoutRequest.
type samlRequest struct {
	id, relay string
	party     SAMLParty
	acs       string
	force     bool
	class     string
	sessions  []string // of a LogoutRequest
}

// readRequest reads a SAMLRequest of either binding, and checks its signature if the party's keys are known.
func (p *SAMLProvider) readRequest(r *http.Request) (samlRequest, error) {
	var document []byte
	var verify func(root *xmlsec.Element, party SAMLParty) error
	ask := samlRequest{}
	if r.Method == http.MethodGet {
		q, err := xmlsec.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return ask, err
		}
		if document, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(q.Message)), 1<<20)); err != nil {
			return ask, err
		}
		ask.relay = q.RelayState
		verify = func(_ *xmlsec.Element, party SAMLParty) error { return q.Verify(party.Keys) }
	} else {
		var err error
		if document, err = base64.StdEncoding.DecodeString(r.PostForm.Get("SAMLRequest")); err != nil {
			return ask, err
		}
		ask.relay = r.PostForm.Get("RelayState")
		verify = func(root *xmlsec.Element, party SAMLParty) error {
			_, err := xmlsec.Verify(root, party.Keys)
			return err
		}
	}
	root, err := xmlsec.Parse(document)
	if err != nil {
		return ask, err
	}
	known := false
	for e := range root.Walk() {
		text, _ := e.Text()
		switch e.Name().Local {
		case "Issuer":
			ask.party, known = p.o.Parties(text)
		case "AuthnContextClassRef":
			ask.class = text
		case "SessionIndex":
			ask.sessions = append(ask.sessions, text)
		}
	}
	if !known {
		return ask, errors.New("nobody here knows that service provider")
	}
	if !p.faulty().AnyRequest {
		if err := verify(root, ask.party); err != nil {
			return ask, fmt.Errorf("the request's signature: %w", err)
		}
	}
	ask.id, _ = root.Attr("ID")
	force, _ := root.Attr("ForceAuthn")
	ask.force, ask.acs = force == "true", ask.party.ACS
	if acs, ok := root.Attr("AssertionConsumerServiceURL"); ok && acs != ask.party.ACS {
		return ask, errors.New("an AssertionConsumerServiceURL that is not registered")
	}
	return ask, nil
}

// answer makes the Response for somebody who is signed in.
func (p *SAMLProvider) answer(w http.ResponseWriter, ask samlRequest, s *samlSession) {
	f := p.faulty()
	p.mu.Lock()
	s.parties[ask.party.EntityID] = true
	p.mu.Unlock()
	if f.Status != "" {
		p.respond(w, ask, p.response(ask, f.Status, ""), f)
		return
	}
	document := p.about(ask, s, f.Change)
	if f.Sign == "" || f.Sign == "assertion" || f.Sign == "both" {
		document = p.SignXML(document)
	}
	if f.Encrypt {
		document = encrypted(document, ask.party)
	}
	p.respond(w, ask, p.response(ask, "Success", document), f)
}

// about is the assertion about somebody who is signed in, not signed.
func (p *SAMLProvider) about(ask samlRequest, s *samlSession, change func(a *Assertion)) string {
	h := p.person(s.username)
	a := Assertion{
		Issuer: p.EntityID, NameID: p.NameID(h.Username), Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
		Audience: ask.party.EntityID, Recipient: ask.acs, InResponseTo: ask.id, Now: p.o.Now(), AuthnAt: s.authnAt, SessionIndex: s.index, Class: ask.class,
		Attributes: []Attribute{
			{Name: "urn:oid:2.16.840.1.113730.3.1.241", Values: []string{h.Name}},
			{Name: "urn:oid:0.9.2342.19200300.100.1.1", Values: []string{h.Username}},
			{Name: "department", Values: []string{h.Department}},
		},
	}
	if _, domain, ok := strings.Cut(h.Email, "@"); ok {
		a.Attributes = append(a.Attributes, Attribute{Name: "urn:oid:0.9.2342.19200300.100.1.3", Values: []string{h.Email}},
			Attribute{Name: "urn:oid:1.3.6.1.4.1.5923.1.1.1.9", Values: []string{"member@" + domain}})
	}
	if change != nil {
		change(&a)
	}
	return a.XML()
}

// Unsolicited is what the office posts when somebody begins there, without a request.
func (p *SAMLProvider) Unsolicited(username string, to SAMLParty) url.Values {
	ask := samlRequest{party: to, acs: to.ACS}
	document := p.SignXML(p.about(ask, &samlSession{username: username, index: "_u" + rand.Text(), authnAt: p.o.Now()}, p.faulty().Change))
	response := strings.Replace(p.response(ask, "Success", document), ` InResponseTo=""`, "", 1)
	return url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(response))}, "RelayState": {"https://evil.example/"}}
}

func encrypted(document string, to SAMLParty) string {
	data, err := xmlsec.Encrypt([]byte(document), to.Encrypt)
	if err != nil {
		panic("fake: " + err.Error())
	}
	return `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` + string(data) + `</saml:EncryptedAssertion>`
}

// response is a Response around XML, not signed.
func (p *SAMLProvider) response(ask samlRequest, status, xml string) string {
	code := `<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode>`
	if status != "Success" {
		code = `<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:` + escape(status) + `"></samlp:StatusCode></samlp:StatusCode>`
	}
	return fmt.Sprintf(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_%s" Version="2.0" IssueInstant="%s" Destination="%s" InResponseTo="%s">`+
		`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">%s</saml:Issuer><samlp:Status>%s</samlp:Status>%s</samlp:Response>`,
		rand.Text(), p.o.Now().UTC().Format(stamp), escape(ask.acs), escape(ask.id), escape(p.EntityID), code, xml)
}

// respond signs and posts a Response, with the faults that bend it.
func (p *SAMLProvider) respond(w http.ResponseWriter, ask samlRequest, envelope string, f SAMLFaults) {
	if f.Response != nil {
		envelope = f.Response(envelope)
	}
	if f.Sign == "response" || f.Sign == "both" {
		envelope = p.SignXML(envelope)
	}
	if f.Posted != nil {
		envelope = f.Posted(envelope)
	}
	action, form := ask.acs, url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(envelope))}}
	if ask.relay != "" {
		form.Set("RelayState", ask.relay)
	}
	if f.Form != nil {
		action = f.Form(action, form)
	}
	writePage(w, http.StatusOK, "post", map[string]any{"Title": "Signing in", "Action": action, "Fields": form, "Script": template.JS(submitScript)})
}

// VerifyXML checks the signature over the root of a document.
func VerifyXML(document []byte, keys []crypto.PublicKey) error {
	root, err := xmlsec.Parse(document)
	if err != nil {
		return err
	}
	_, err = xmlsec.Verify(root, keys)
	return err
}

// ResponseTo is a Response around XML, not signed.
func ResponseTo(issuer, acs, inResponseTo string, at time.Time, xml string) string {
	p := &SAMLProvider{IdP: &IdP{EntityID: issuer}, o: SAMLOptions{Now: func() time.Time { return at }}}
	return p.response(samlRequest{acs: acs, id: inResponseTo}, "Success", xml)
}

// ReadSent reads a message that somebody sends by a URL, or by a form that is not nil, and checks its signature.
func ReadSent(link string, form url.Values, keys []crypto.PublicKey) (message, relay string, err error) {
	if form != nil {
		document, err := base64.StdEncoding.DecodeString(form.Get("SAMLRequest"))
		if err != nil {
			return "", "", err
		}
		return string(document), form.Get("RelayState"), VerifyXML(document, keys)
	}
	u, err := url.Parse(link)
	if err != nil {
		return "", "", err
	}
	q, err := xmlsec.ParseQuery(u.RawQuery)
	if err != nil {
		return "", "", err
	}
	document, err := io.ReadAll(flate.NewReader(bytes.NewReader(q.Message)))
	if err != nil {
		return "", "", err
	}
	return string(document), q.RelayState, q.Verify(keys)
}

// TrySign signs a document that somebody wrote: an error says that trust/xmlsec does not sign it.
func TrySign(document string, by *IdP) (string, error) {
	signed, err := xmlsec.Sign([]byte(document), by.Key, by.certificate)
	return string(signed), err
}
