package saml

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/url"
	"strings"

	crewjam "github.com/crewjam/saml"

	"apostille/trust"
	"apostille/trust/xmlsec"
	"apostille/upstream"
)

// idBytes are the random bytes of the ID of a message of ours.
const idBytes = 16

// newID makes an ID; xs:ID does not start with a digit.
func newID() string {
	var b [idBytes]byte
	_, _ = rand.Read(b[:]) // it never fails
	return idOf(b[:])
}

func idOf(b []byte) string { return "_" + hex.EncodeToString(b) }

// Begin implements upstream.Provider: an AuthnRequest (SAML Core 2.0 §3.4.1) by redirect or POST. What is kept of it is its ID.
func (sp *ServiceProvider) Begin(_ context.Context, t *trust.Trust, state, acs string, ask upstream.Ask) (_ upstream.Start, err error) {
	defer sp.guarded(&err)
	p, err := sp.known(t)
	if err != nil {
		return upstream.Start{}, err
	}
	id := newID()
	deflated, err := deflatedOf(p.authnRequest(id, acs, ask))
	if err != nil {
		return upstream.Start{}, err
	}
	start, err := p.send("SAMLRequest", p.cfg.SSOURL, p.cfg.SSOBinding, deflated, state)
	start.Secret = []byte(id)
	return start, err
}

// authnRequest asks for a login. SAML knows no greatest age of one: to be asked for one is to force one.
func (p *party) authnRequest(id, acs string, ask upstream.Ask) *crewjam.AuthnRequest {
	create := true
	r := &crewjam.AuthnRequest{
		ID: id, Version: "2.0", IssueInstant: p.now.UTC(), Destination: p.cfg.SSOURL, Issuer: p.issuer(),
		NameIDPolicy:                &crewjam.NameIDPolicy{AllowCreate: &create},
		AssertionConsumerServiceURL: acs, ProtocolBinding: crewjam.HTTPPostBinding,
	}
	if p.cfg.NameIDFormat != "" {
		r.NameIDPolicy.Format = &p.cfg.NameIDFormat
	}
	if ask.Force || ask.Select || ask.HasMaxAge {
		force := true
		r.ForceAuthn = &force
	}
	if theirs := p.theirClass(ask.ACRValues); theirs != "" {
		r.RequestedAuthnContext = &crewjam.RequestedAuthnContext{Comparison: "exact", AuthnContextClassRef: theirs}
	}
	return r
}

func (p *party) issuer() *crewjam.Issuer { return &crewjam.Issuer{Value: p.entityID()} }

// theirClass maps the most wanted of our classes that has one of theirs. Of several of theirs it is the first in order of the alphabet, so that
// it is always the same.
func (p *party) theirClass(ours []string) string {
	for _, want := range ours {
		best := ""
		for their, our := range p.trust.Spec.Login.ACR {
			if our == want && (best == "" || their < best) {
				best = their
			}
		}
		if best != "" {
			return best
		}
	}
	return ""
}

// redirecter is a message of the library's that knows how to go into a URL.
type redirecter interface {
	Redirect(relayState string, sp *crewjam.ServiceProvider) (*url.URL, error)
}

// deflatedOf is a message, compressed as the redirect binding has it. Of the library's URL only that is used: it does not escape RelayState
// (THREATS A109) and signs with what it likes.
func deflatedOf(m redirecter) ([]byte, error) {
	u, err := m.Redirect("", &crewjam.ServiceProvider{})
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(u.Query().Get("SAMLRequest"))
}

// send puts a message into a binding, signed if the trust wants that.
func (p *party) send(parameter, to, binding string, deflated []byte, relayState string) (upstream.Start, error) {
	if p.cfg.SignRequests {
		return p.sendSigned(parameter, to, binding, deflated, relayState)
	}
	return bound(parameter, to, binding, deflated, relayState, nil)
}

func (p *party) sendSigned(parameter, to, binding string, deflated []byte, relayState string) (upstream.Start, error) {
	own, err := p.sp.Own()
	if err != nil || len(own.Signing) == 0 {
		return upstream.Start{}, errors.Join(errors.New("no key to sign SAML messages with"), err)
	}
	return bound(parameter, to, binding, deflated, relayState, &own.Signing[0])
}

// bound is a message in a binding; signer nil = not signed.
func bound(parameter, to, binding string, deflated []byte, relayState string, signer *OwnKey) (upstream.Start, error) {
	if binding == BindingPost {
		form, err := formOf(parameter, deflated, relayState, signer)
		return upstream.Start{URL: to, Form: form}, err
	}
	query, err := redirected(parameter, deflated, relayState, signer)
	if err != nil {
		return upstream.Start{}, err
	}
	separator := "?"
	if strings.Contains(to, "?") {
		separator = "&"
	}
	return upstream.Start{URL: to + separator + query}, nil
}

// redirected is the query of a message (SAML Bindings 2.0 §3.4.4).
func redirected(parameter string, deflated []byte, relayState string, signer *OwnKey) (string, error) {
	if signer != nil {
		return xmlsec.SignQuery(parameter, deflated, relayState, signer.Key)
	}
	query := parameter + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflated))
	if relayState != "" {
		query += "&RelayState=" + url.QueryEscape(relayState)
	}
	return query, nil
}

// formOf is the form of a message (SAML Bindings 2.0 §3.5.4).
func formOf(parameter string, deflated []byte, relayState string, signer *OwnKey) (url.Values, error) {
	document, err := inflate(deflated)
	if err != nil {
		return nil, err
	}
	if signer != nil {
		if document, err = xmlsec.Sign(document, signer.Key, signer.Certificate); err != nil {
			return nil, err
		}
	}
	form := url.Values{parameter: {base64.StdEncoding.EncodeToString(document)}}
	if relayState != "" {
		form.Set("RelayState", relayState)
	}
	return form, nil
}

// maxInflated bounds what a message of the redirect binding may hold, in bytes: requests and logout messages, never assertions.
const maxInflated = 64 << 10

// inflate undoes the redirect binding's compression (RFC 1951), up to maxInflated.
func inflate(deflated []byte) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(deflated)), maxInflated+1))
	switch {
	case err != nil:
		return nil, errors.New("not DEFLATE")
	case len(b) > maxInflated:
		return nil, errors.New("inflates to more than 64 KB")
	}
	return b, nil
}
