package saml_test

import (
	"encoding/xml"
	"slices"
	"strings"
	"testing"
	"time"

	"apostille/trust"
	"apostille/trust/xmlsec"
	"apostille/upstream/fake"
	"apostille/upstream/saml"
)

// reading is what another reader sees in an assertion.
type reading struct {
	XMLName xml.Name
	ID      string   `xml:"ID,attr"`
	Issuer  string   `xml:"urn:oasis:names:tc:SAML:2.0:assertion Issuer"`
	NameIDs []string `xml:"urn:oasis:names:tc:SAML:2.0:assertion Subject>NameID"`
	Confirm []struct {
		Method string `xml:"Method,attr"`
		Data   struct {
			Recipient    string `xml:"Recipient,attr"`
			NotOnOrAfter string `xml:"NotOnOrAfter,attr"`
		} `xml:"SubjectConfirmationData"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:assertion Subject>SubjectConfirmation"`
	Conditions struct {
		NotOnOrAfter string   `xml:"NotOnOrAfter,attr"`
		Audiences    []string `xml:"AudienceRestriction>Audience"`
	} `xml:"urn:oasis:names:tc:SAML:2.0:assertion Conditions"`
}

// FuzzAssertion edits an assertion and has the right key sign it, so that edits reach what stands behind the signature; and edits one that was signed.
// What is accepted says the same to another reader, and is for us.
func FuzzAssertion(f *testing.F) {
	bare := draft()
	bare.Issuer = them
	document := bare.XML()
	for _, edit := range []struct{ at, with string }{
		{"kim", "admin"}, {"</saml:NameID>", "<!-- -->"}, {"<saml:Conditions", "<saml:Advice/>"}, {"</saml:Conditions>", "<saml:OneTimeUse/>"},
		{"</saml:Subject>", "<saml:NameID>admin</saml:NameID>"}, {"NotOnOrAfter", "X"}, {"bearer", "holder-of-key"}, {"</saml:AttributeStatement>", "<saml:Attribute Name='mail'/>"},
		{"Version", "xml:lang='en' "}, {"</saml:Assertion>", "<saml:Assertion/>"},
	} {
		f.Add(uint16(strings.Index(document, edit.at)), uint8(0), edit.with, true)
		f.Add(uint16(strings.Index(document, edit.at)), uint8(len(edit.at)), edit.with, false)
	}
	v, reg := world(f, nil)
	signedByOffice := office.Assertion(draft())
	f.Fuzz(func(t *testing.T, at uint16, cut uint8, with string, again bool) {
		text := signedByOffice
		if again {
			text = document
		}
		from := min(int(at), len(text))
		text = text[:from] + with + text[min(from+int(cut), len(text)):]
		if again {
			signed, err := xmlsec.Sign([]byte(text), office.Key, nil)
			if err != nil {
				return // what cannot be read cannot be signed
			}
			text = string(signed)
		}
		s, err := v.Assertion(t.Context(), reg, fake.Encode(text), "portal")
		if err != nil {
			if e, ok := err.(*saml.Error); !ok || e.Reason == trust.ReasonPanic || s.Sub != "" {
				t.Fatalf("%v", err)
			}
			return
		}
		agrees(t, text, s)
	})
}

// agrees compares a subject with what encoding/xml reads.
func agrees(t *testing.T, document string, s trust.Subject) {
	t.Helper()
	var r reading
	if err := xml.Unmarshal([]byte(document), &r); err != nil {
		t.Fatalf("another reader refuses it: %v\n%s", err, document)
	}
	bearer := false
	for _, c := range r.Confirm {
		end, err := time.Parse(time.RFC3339, c.Data.NotOnOrAfter)
		bearer = bearer || c.Method == "urn:oasis:names:tc:SAML:2.0:cm:bearer" && c.Data.Recipient == us+"/oauth2/token" && err == nil && end.After(noon.Add(-trust.Skew))
	}
	end, err := time.Parse(time.RFC3339, r.Conditions.NotOnOrAfter)
	switch {
	case !slices.Equal(r.NameIDs, []string{s.Value}), r.Issuer != s.Issuer, r.ID != s.TokenID, s.Issuer != them:
		t.Fatalf("another reader sees %q of %q, %q; we see %q of %q, %q", r.NameIDs, r.Issuer, r.ID, s.Value, s.Issuer, s.TokenID)
	case !slices.Contains(r.Conditions.Audiences, us), !bearer:
		t.Fatalf("it is not for us: %q\n%s", r.Conditions.Audiences, document)
	case err != nil, s.Expires.After(end), !s.Expires.After(noon.Add(-trust.Skew)):
		t.Fatalf("it ends at %s, and the subject at %s", r.Conditions.NotOnOrAfter, s.Expires)
	}
}

// FuzzResponse does the same to the answer to a sign-in: whoever edits it signs neither or the envelope.
func FuzzResponse(f *testing.F) {
	signed := office.Assertion(signIn(nil))
	documents := []string{response(signed), office.SignXML(response(signed)), response(encrypted(f, signed))}
	for i, document := range documents {
		f.Add(uint8(i), uint16(strings.Index(document, "</samlp:Status>")), uint8(0), "<samlp:StatusDetail/>", false)
		f.Add(uint8(i), uint16(len(document)-17), uint8(0), signed, true)
	}
	f.Fuzz(func(t *testing.T, which uint8, at uint16, cut uint8, with string, again bool) {
		text := documents[int(which)%len(documents)]
		from := min(int(at), len(text))
		text = text[:from] + with + text[min(from+int(cut), len(text)):]
		if again {
			if wrapped, err := xmlsec.Sign([]byte(text), office.Key, nil); err == nil {
				text = string(wrapped)
			}
		}
		got, err := answer(t, text, nil)
		if err != nil {
			if e, ok := err.(*saml.Error); !ok || e.Reason == trust.ReasonPanic || got.Subject.Sub != "" {
				t.Fatalf("%v", err)
			}
			return
		}
		if got.Subject.Value != "kim" || got.ID != "_a1" { // the only person whom the office has signed anything about
			t.Fatalf("%q signs in by %s", got.Subject.Value, got.ID)
		}
	})
}
