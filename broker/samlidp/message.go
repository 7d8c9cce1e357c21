package samlidp

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"apostille/trust"
	"apostille/trust/xmlsec"
)

// Limits, in bytes.
const (
	maxForm     = 128 << 10 // of a posted message, URL-encoded
	maxDocument = 64 << 10  // of a message, decoded and inflated
	maxRelay    = 1 << 10   // RelayState; SAML Bindings 2.0 §3.4.3 says 80, and applications put whole addresses there
	maxText     = 1 << 10   // of an ID or any other text of a message
)

// Namespaces.
const (
	spaceAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	spaceProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
)

func saml(local string) xmlsec.Name  { return xmlsec.Name{Space: spaceAssertion, Local: local} }
func samlp(local string) xmlsec.Name { return xmlsec.Name{Space: spaceProtocol, Local: local} }

var signatureName = xmlsec.Name{Space: "http://www.w3.org/2000/09/xmldsig#", Local: "Signature"}

// message is what an application sent, read and not verified.
type message struct {
	root   *xmlsec.Element
	answer bool // a SAMLResponse
	relay  string
	query  *xmlsec.Query // of the redirect binding; nil: it was posted
}

// receive reads a message out of its binding: caps on what was encoded, decoded and inflated, in that order (THREATS A27).
func receive(w http.ResponseWriter, r *http.Request) (*message, *problem) {
	var document []byte
	var err error
	m := &message{}
	switch r.Method {
	case http.MethodGet:
		q, bad := xmlsec.ParseQuery(r.URL.RawQuery)
		if bad != nil {
			return nil, unreadable("not one message of the redirect binding", bad)
		}
		if document, err = inflate(q.Message); err != nil {
			return nil, unreadable("not DEFLATE of up to 64 KB", err)
		}
		m.query, m.relay, m.answer = &q, q.RelayState, q.Parameter == "SAMLResponse"
	case http.MethodPost:
		form, p := postedForm(w, r)
		if p != nil {
			return nil, p
		}
		if len(form["RelayState"]) > 1 || len(form["SAMLRequest"])+len(form["SAMLResponse"]) != 1 {
			return nil, unreadable("not one message of the POST binding", nil)
		}
		m.answer = form.Has("SAMLResponse")
		if document, err = base64.StdEncoding.DecodeString(form.Get("SAMLRequest") + form.Get("SAMLResponse")); err != nil || len(document) > maxDocument {
			return nil, unreadable("not base64 of up to 64 KB", err)
		}
		m.relay = form.Get("RelayState")
	default:
		w.Header().Set("Allow", "GET, POST")
		return nil, &problem{Status: http.StatusMethodNotAllowed, Reason: trust.ReasonRequest, Detail: "use GET or POST"}
	}
	if len(m.relay) > maxRelay {
		return nil, unreadable("RelayState has more than 1 KB", nil)
	}
	if m.root, err = xmlsec.Parse(document); err != nil {
		return nil, unreadable("the XML is not accepted", err)
	}
	return m, nil
}

// postedForm reads a form that has everything in its body.
func postedForm(w http.ResponseWriter, r *http.Request) (url.Values, *problem) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" || r.URL.RawQuery != "" {
		return nil, unreadable("a posted message has its form in the body", err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		return nil, unreadable("the form is larger than this server reads, or was cut off", err)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, unreadable("the form is not form-encoded", err)
	}
	return form, nil
}

// inflate undoes the redirect binding's compression (RFC 1951), up to maxDocument.
func inflate(deflated []byte) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(deflated)), maxDocument+1))
	if err == nil && len(b) > maxDocument {
		err = xmlsec.ErrTooLarge
	}
	return b, err
}

// verified is what of a message an application stands for: what it signed, or, where its signature is not wanted and not there, what came.
func (m *message) verified(app App, wanted bool) (root *xmlsec.Element, signed bool, p *problem) {
	inside := 0
	for e := range m.root.Walk() {
		if e.Is(signatureName) {
			inside++
		}
	}
	signed = inside > 0
	if m.query != nil {
		if inside > 0 { // it would be a second one, of nothing that was checked (THREATS A24)
			return nil, false, unreadable("a signature inside a message of the redirect binding", nil)
		}
		signed = m.query.Signed
	}
	switch {
	case !signed && wanted:
		return nil, false, forged("the message is not signed", xmlsec.ErrUnsigned)
	case !signed:
		return m.root, false, nil
	case m.query != nil:
		if err := m.query.Verify(app.Signers); err != nil {
			return nil, false, forged("the signature of the query does not hold", err)
		}
		return m.root, true, nil
	}
	v, err := xmlsec.Verify(m.root, app.Signers)
	if err != nil {
		return nil, false, forged("the signature does not hold", err)
	}
	return v.Element(), true, nil
}

// claimedIssuer is what the message says it comes from: it decides whose keys are tried.
func (m *message) claimedIssuer() string {
	for c := range m.root.Children() {
		if s, ok := c.Text(); ok && c.Is(saml("Issuer")) {
			return s
		}
		break
	}
	return ""
}

// instant reads an xs:dateTime in UTC; zero if there is none that can be read.
func instant(e *xmlsec.Element, name string) time.Time {
	s, _ := e.Attr(name)
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
