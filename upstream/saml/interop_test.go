//go:build interop

package saml_test

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"apostille/upstream"
	"apostille/upstream/saml"
)

// Real offices take our signed AuthnRequest, and what they answer signs the person in whom xmlsec1, the schema and another library see as well.
func TestInteropOfficesSignInWithUs(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(*testing.T) *peer{
		"simplesamlphp signs both": func(t *testing.T) *peer { return newSimpleSAMLphp(t) },
		"simplesamlphp by POST": func(t *testing.T) *peer {
			p := newSimpleSAMLphp(t)
			p.cfg.SSOBinding = saml.BindingPost
			return p
		},
		"simplesamlphp with basic names":                    func(t *testing.T) *peer { return newSimpleSAMLphp(t, "NAMES=basic") },
		"samlify signs the assertion":                       func(t *testing.T) *peer { return newSamlify(t, "assertion", false) },
		"samlify signs both":                                func(t *testing.T) *peer { return newSamlify(t, "message", false) },
		"samlify encrypts with AES-256-GCM, and signs that": func(t *testing.T) *peer { return newSamlify(t, "message", true) },
		"pysaml2 signs the assertion":                       func(t *testing.T) *peer { return newPySAML2(t, "assertion") },
		"pysaml2 signs the message":                         func(t *testing.T) *peer { return newPySAML2(t, "message") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := make(t)
			m := p.signIn(t)
			s, err := p.judge(t, m, m.document, p.key.Public())
			if err != nil {
				t.Fatalf("%v\n%s", why(err), m.document)
			}
			c := newCourt(t, p.key.Public())
			files := []string{c.write(t, "message.xml", m.document)}
			c.verify(t, files)
			if !strings.Contains(m.document, "EncryptedAssertion") { // which only we can read
				c.validate(t, files)
				if what := differs(s, c.readings(t)["message.xml"]); what != "" {
					t.Errorf("%s\n%s", what, m.document)
				}
			}
			if s.Claims["name"] != boDisplayed || s.Value == "" || s.SessionID == "" {
				t.Errorf("%q, session %q, %v", s.Value, s.SessionID, s.Claims)
			}
			if _, err := p.judge(t, m, m.document, rogue.Key.Public()); err == nil {
				t.Error("accepted with another office's key")
			}
			changed := strings.Replace(m.document, "SAML:2.0", "SAML:2.1", 1)
			if _, err := p.judge(t, m, changed, p.key.Public()); err == nil {
				t.Error("accepted after a change")
			}
		})
	}
}

// simplesamlphp 1.19 encrypts with AES-CBC to whoever has a certificate: taken only where the trust says so.
func TestInteropA25_CBCOfSimpleSAMLphpNeedsAWord(t *testing.T) {
	t.Parallel()
	p := newSimpleSAMLphp(t, "ENCRYPT=1")
	m := p.signIn(t)
	if !strings.Contains(m.document, "EncryptedAssertion") || !strings.Contains(m.document, "xmlenc#aes128-cbc") {
		t.Fatalf("not encrypted with AES-CBC: %s", m.document)
	}
	if _, err := p.judge(t, m, m.document, p.key.Public()); err == nil {
		t.Error("accepted without a word")
	}
	p.cfg.CBC = true
	s, err := p.judge(t, m, m.document, p.key.Public())
	if err != nil || s.Claims["name"] != boDisplayed {
		t.Errorf("%v, %v", why(err), s.Claims)
	}
}

// What begins at simplesamlphp answers no request: taken only where the trust says so.
func TestInteropA34_WhatNobodyAskedForNeedsAWord(t *testing.T) {
	t.Parallel()
	p := newSimpleSAMLphp(t)
	form := p.answer(t, upstream.Start{URL: p.cfg.SSOURL + "?spentityid=" + url.QueryEscape(p.sp.EntityID())})
	document, err := base64.StdEncoding.DecodeString(form.Get("SAMLResponse"))
	if err != nil {
		t.Fatal(err)
	}
	m := message{begun: time.Now()}
	if _, err := p.judge(t, m, string(document), p.key.Public()); err == nil {
		t.Error("accepted without a word")
	}
	p.cfg.IdPInitiated = true
	if s, err := p.judge(t, m, string(document), p.key.Public()); err != nil || s.Claims["name"] != boDisplayed {
		t.Errorf("%v, %v", why(err), s.Claims)
	}
}

// why is the reason of a refusal, with its detail.
func why(err error) any {
	var e *upstream.Error
	if errors.As(err, &e) {
		return []any{e.Reason, e.Detail, e.Cause}
	}
	return err
}
