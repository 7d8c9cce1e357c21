package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"apostille/upstream/saml"
)

// xmlOf is the document that a text stands for: XML as it is, or in base64 of either alphabet; "" if it is neither.
func xmlOf(raw string) string {
	if strings.HasPrefix(raw, "<") {
		return raw
	}
	if b, err := decode64(raw); err == nil && strings.HasPrefix(strings.TrimSpace(string(b)), "<") {
		return string(b)
	}
	return ""
}

// inspectXML says what an assertion says, and shows the document itself.
func inspectXML(document string, now time.Time) inspection {
	found := inspection{
		Form: fmt.Sprintf("XML of %d bytes", len(document)), Document: document, Unread: []string{}, Times: []timeWord{}, Trusts: []issuerMatch{},
	}
	says, err := saml.ReadUnverified([]byte(document))
	if err != nil {
		found.Broken = err.Error()
		return found
	}
	found.Form = fmt.Sprintf("SAML 2.0 assertion of %d bytes, signed by nobody", len(document))
	if says.Signed {
		found.Form = fmt.Sprintf("SAML 2.0 assertion of %d bytes, with a signature", len(document))
	}
	if found.Claims, err = json.Marshal(says); err != nil {
		found.Broken = err.Error()
	}
	found.Issuer = says.Issuer
	for _, c := range []struct{ name, past, future string }{
		{"IssueInstant", "issued", "issued in the future,"}, {"NotBefore", "valid since", "not valid yet, valid"},
		{"NotOnOrAfter", "EXPIRED", "expires"}, {"Confirmation.NotOnOrAfter", "too late to bring it since", "to be brought before it ends"},
		{"AuthnInstant", "signed in", "signed in in the future,"}, {"SessionNotOnOrAfter", "the session ENDED", "the session ends"},
	} {
		at, err := time.Parse(time.RFC3339, says.Times[c.name])
		if err != nil {
			continue // not said
		}
		words := c.past
		if at.After(now) {
			words = c.future
		}
		found.Times = append(found.Times, timeWord{c.name, at, words + " " + away(at, now)})
	}
	return found
}
