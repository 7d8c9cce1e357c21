package saml_test

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"net/url"
	"strings"
	"testing"

	"apostille/trust"
	"apostille/upstream"
	"apostille/upstream/fake"
	"apostille/upstream/saml"
)

// logoutRequest is one of the office about kim, not signed.
func logoutRequest() string {
	p := fake.NewSAMLProviderWith(office, fake.SAMLOptions{})
	request := p.LogoutRequest("kim", "_s1", us+saml.LogoutPath, noon)
	return strings.Replace(request, p.NameID("kim"), "kim", 1)
}

// brought has our logout service judge a message, as it was posted or, signed over its octets, by redirect.
func brought(t testing.TB, message string, posted bool) (upstream.FrontLogout, error) {
	t.Helper()
	sp, tr := provider(t, func(l *saml.Login) { l.LogoutURL = "https://idp.hq.example/slo" }, nil)
	trusts := func(issuer string) []*trust.Trust {
		if issuer == them {
			return []*trust.Trust{tr}
		}
		return nil
	}
	in := upstream.FrontMessage{Form: url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(message))}}}
	if !posted {
		u, err := url.Parse(fake.NewSAMLProviderWith(office, fake.SAMLOptions{}).Redirect("SAMLRequest", message, "https://x.example/", ""))
		if err != nil {
			t.Fatal(err)
		}
		in = upstream.FrontMessage{Query: u.RawQuery}
	}
	return sp.FrontLogout(t.Context(), trusts, in)
}

func TestALogoutRequestNamesWhoseSessionsEnd(t *testing.T) {
	t.Parallel()
	for name, posted := range map[string]bool{"redirect": false, "POST": true} {
		message := strings.Replace(logoutRequest(), "</samlp:LogoutRequest>", "<samlp:SessionIndex>_s2</samlp:SessionIndex></samlp:LogoutRequest>", 1)
		if posted {
			message = office.SignXML(message)
		}
		out, err := brought(t, message, posted)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(out.LoggedOut) != 2 || out.LoggedOut[0].SID != "_s1" || out.LoggedOut[1].SID != "_s2" || out.LoggedOut[0].Sub == "" || out.Answer {
			t.Errorf("%s: %+v", name, out)
		}
		reply, err := out.Reply(true)
		if err != nil || !strings.HasPrefix(reply.URL, "https://idp.hq.example/slo?SAMLResponse=") || !strings.Contains(reply.URL, "&Signature=") {
			t.Errorf("%s: the reply goes to %s: %v", name, reply.URL, err)
		}
	}
}

// FuzzFrontLogout edits a LogoutRequest and has the office sign what came of it. What is accepted is for us, of the office, and about whom another
// reader sees.
func FuzzFrontLogout(f *testing.F) {
	message := logoutRequest()
	for _, edit := range []struct{ at, with string }{
		{">kim<", ">admin<"}, {"</saml:NameID>", "<!-- -->"}, {"<saml:NameID", "<saml:NameID>admin</saml:NameID>"}, {"Destination", "X"},
		{"<samlp:SessionIndex>", "<samlp:Extensions/>"}, {"</samlp:LogoutRequest>", "<samlp:SessionIndex>_x</samlp:SessionIndex>"}, {"Version", "Reason='x' "},
	} {
		f.Add(uint16(strings.Index(message, edit.at)), uint8(0), edit.with, true)
		f.Add(uint16(strings.Index(message, edit.at)), uint8(len(edit.at)), edit.with, false)
	}
	sp, tr := provider(f, func(l *saml.Login) { l.LogoutURL = "https://idp.hq.example/slo" }, nil)
	idp := fake.NewSAMLProviderWith(office, fake.SAMLOptions{})
	f.Fuzz(func(t *testing.T, at uint16, cut uint8, with string, posted bool) {
		from := min(int(at), len(message))
		text := message[:from] + with + message[min(from+int(cut), len(message)):]
		var in upstream.FrontMessage
		if posted {
			signed, err := fake.TrySign(text, office)
			if err != nil {
				return // what cannot be read cannot be signed
			}
			text = signed
			in.Form = url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(signed))}}
		} else {
			u, err := url.Parse(idp.Redirect("SAMLRequest", text, "https://x.example/", ""))
			if err != nil {
				t.Fatal(err)
			}
			in.Query = u.RawQuery
		}
		out, err := sp.FrontLogout(t.Context(), func(string) []*trust.Trust { return []*trust.Trust{tr} }, in)
		var e *upstream.Error
		if err != nil {
			if !errors.As(err, &e) || e.Reason == trust.ReasonPanic {
				t.Fatal(err)
			}
			return
		}
		var r struct {
			Destination string `xml:"Destination,attr"`
			Issuer      string `xml:"urn:oasis:names:tc:SAML:2.0:assertion Issuer"`
			NameID      struct {
				Format      string `xml:"Format,attr"`
				Qualifier   string `xml:"NameQualifier,attr"`
				SPQualifier string `xml:"SPNameQualifier,attr"`
				Value       string `xml:",chardata"`
			} `xml:"urn:oasis:names:tc:SAML:2.0:assertion NameID"`
			Sessions []string `xml:"urn:oasis:names:tc:SAML:2.0:protocol SessionIndex"`
		}
		if err := xml.Unmarshal([]byte(text), &r); err != nil || r.Destination != us+saml.LogoutPath || r.Issuer != them {
			t.Fatalf("accepted: %v %+v", err, r)
		}
		kind := saml.KindOf(r.Issuer, r.NameID.Format, r.NameID.Qualifier, r.NameID.SPQualifier)
		for _, l := range out.LoggedOut {
			if l.Sub != trust.DeriveSub(them, kind, r.NameID.Value) {
				t.Fatalf("another reader sees %+v", r.NameID)
			}
		}
	})
}
