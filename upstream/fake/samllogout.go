package fake

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"apostille/trust/xmlsec"
)

// slo takes a LogoutRequest by redirect and answers it, or shows that ours was answered.
func (p *SAMLProvider) slo(w http.ResponseWriter, r *http.Request) {
	if r.Form.Has("SAMLResponse") {
		writePage(w, http.StatusOK, "message", map[string]any{"Title": "You are signed out at " + p.o.Name, "Text": "And where you went from here."})
		return
	}
	ask, err := p.readRequest(r)
	if err != nil {
		p.refuse(w, err.Error())
		return
	}
	p.mu.Lock()
	for id, s := range p.sessions {
		if slices.Contains(ask.sessions, s.index) {
			delete(p.sessions, id)
		}
	}
	p.mu.Unlock()
	answer := fmt.Sprintf(`<samlp:LogoutResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_%s" Version="2.0" IssueInstant="%s" Destination="%s" InResponseTo="%s">`+
		`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">%s</saml:Issuer>`+
		`<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"></samlp:StatusCode></samlp:Status></samlp:LogoutResponse>`,
		rand.Text(), p.o.Now().UTC().Format(stamp), escape(ask.party.Logout), escape(ask.id), escape(p.EntityID))
	http.Redirect(w, r, p.Redirect("SAMLResponse", answer, ask.party.Logout, ask.relay), http.StatusSeeOther)
}

// SignOut ends a person's sessions here, and makes the messages that tell a service provider of it. With no session it makes none.
func (p *SAMLProvider) SignOut(username string, party SAMLParty) (requests []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, s := range p.sessions {
		if s.username == username {
			delete(p.sessions, id)
			requests = append(requests, p.LogoutRequest(username, s.index, party.Logout, p.o.Now()))
		}
	}
	return requests
}

// LogoutRequest is one, not signed; index "" = no SessionIndex.
func (p *SAMLProvider) LogoutRequest(username, index, destination string, at time.Time) string {
	session := ""
	if index != "" {
		session = `<samlp:SessionIndex>` + escape(index) + `</samlp:SessionIndex>`
	}
	return fmt.Sprintf(`<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_%s" Version="2.0" `+
		`IssueInstant="%s" NotOnOrAfter="%s" Destination="%s"><saml:Issuer>%s</saml:Issuer>`+
		`<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">%s</saml:NameID>%s</samlp:LogoutRequest>`,
		rand.Text(), at.UTC().Format(stamp), at.UTC().Add(5*time.Minute).Format(stamp), escape(destination), escape(p.EntityID), escape(p.NameID(username)), session)
}

// Redirect is a URL that carries a message by the redirect binding, signed.
func (p *SAMLProvider) Redirect(parameter, message, to, relay string) string {
	query, err := xmlsec.SignQuery(parameter, deflate(message), relay, p.Key)
	if err != nil {
		panic("fake: " + err.Error())
	}
	return to + "?" + query
}

// UnsignedRedirect is the same without a signature.
func UnsignedRedirect(parameter, message, to string) string {
	return to + "?" + parameter + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflate(message)))
}

func deflate(message string) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err == nil {
		_, err = w.Write([]byte(message))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic("fake: " + err.Error())
	}
	return b.Bytes()
}
