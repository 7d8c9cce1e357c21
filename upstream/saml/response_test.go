package saml_test

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"strings"
	"testing"
	"time"

	"apostille/trust"
	"apostille/trust/xmlsec"
	"apostille/upstream/fake"
	"apostille/upstream/saml"
	"apostille/upstream/saml/samltest"
)

const (
	entity  = us + "/saml"
	acs     = us + "/saml/acs"
	request = "_request-1"
)

var ours = fake.NewKey("RS256").(*rsa.PrivateKey) // what offices encrypt to

// signIn is a good assertion for a sign-in, in the making.
func signIn(bend func(string) string) fake.Assertion {
	a := draft()
	a.Audience, a.Recipient, a.SessionEnd = entity, acs, noon.Add(8*time.Hour)
	a.Bend = func(document string) string {
		document = strings.Replace(document, `Recipient="`, `InResponseTo="`+request+`" Recipient="`, 1)
		if bend != nil {
			document = bend(document)
		}
		return document
	}
	return a
}

// response puts XML into the envelope of an answer.
func response(xml string) string { return responseWith("Success", xml) }

func responseWith(status, xml string) string {
	return strings.Replace(samltest.Envelope(them, acs, status, "2026-03-02T12:00:00Z", xml), ` ID="_r"`, ` ID="_r" InResponseTo="`+request+`"`, 1)
}

func encrypted(t testing.TB, assertion string) string {
	t.Helper()
	data, err := xmlsec.Encrypt([]byte(assertion), &ours.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` + string(data) + `</saml:EncryptedAssertion>`
}

// answer has a document judged as the answer to request.
func answer(t testing.TB, document string, change func(*saml.Answer)) (saml.SignIn, error) {
	t.Helper()
	v, reg := world(t, func(s *trust.Spec) {
		office := s.Trusts["office"]
		office.Login = &trust.LoginSpec{Protocol: "saml", ACR: map[string]string{"urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport": "password"}}
		s.Trusts["office"] = office
	})
	office, _ := reg.Trust("office")
	a := saml.Answer{Document: []byte(document), Trust: office, Audience: entity, Recipient: acs, Request: request, Keys: []crypto.Decrypter{ours}}
	if change != nil {
		change(&a)
	}
	return v.Response(t.Context(), a)
}

func TestAResponseSignsSomebodyIn(t *testing.T) {
	t.Parallel()
	signed, bare := office.Assertion(signIn(nil)), func() string { a := signIn(nil); a.Issuer = them; return a.XML() }()
	for name, document := range map[string]string{
		"the assertion is signed":                                 response(signed),
		"the Response is signed":                                  office.SignXML(response(bare)),
		"both are":                                                office.SignXML(response(signed)),
		"the assertion is signed, then encrypted":                 response(encrypted(t, signed)),
		"the assertion is encrypted, then the Response signed":    office.SignXML(response(encrypted(t, bare))),
		"the assertion is signed, encrypted, the Response signed": office.SignXML(response(encrypted(t, signed))),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := answer(t, document, nil)
			if err != nil {
				t.Fatal(err)
			}
			s := got.Subject
			if s.Credential != trust.CredentialLogin || !s.SignedIn || s.Value != "kim" || s.Trust != "office" || s.Origin != "office" || s.ACR != "password" ||
				!s.AuthTime.Equal(noon) || s.SessionID != "_a1-s" || !s.Expires.Equal(noon.Add(8*time.Hour)) || !s.IssuedAt.Equal(noon) || s.OneTime ||
				s.Claims["email"] != "kim@hq.example" {
				t.Errorf("%+v", s)
			}
			if got.ID != "_a1" || got.Until.Before(noon.Add(6*time.Minute)) {
				t.Errorf("%s is to be claimed until %s", got.ID, got.Until)
			}
			if stored, err := trust.EncodeLogin(s); err != nil || len(stored) == 0 {
				t.Errorf("it cannot be kept: %v", err)
			}
		})
	}
}

func TestWhatAResponseMustBe(t *testing.T) {
	t.Parallel()
	signed := office.Assertion(signIn(nil))
	bare := func() string { a := signIn(nil); a.Issuer = them; return a.XML() }()
	swap := func(before, after string) func(string) string {
		return func(s string) string {
			if !strings.Contains(s, before) {
				panic("no " + before)
			}
			return strings.Replace(s, before, after, 1)
		}
	}
	bent := func(before, after string) string { return office.Assertion(signIn(swap(before, after))) }
	otherKey := fake.NewKey("RS256").(*rsa.PrivateKey)
	for _, c := range []struct {
		id, name, document string
		reason             trust.Reason
		says               string
	}{
		{"A08", "an encrypted assertion that nobody signed", response(encrypted(t, bare)), trust.ReasonSignature, "no signature"},
		{"A09", "an error, signed, as carrier", office.SignXML(responseWith("Responder", signed)), trust.ReasonUpstreamError, "Responder"},
		{"A09", "an error before all else", responseWith("AuthnFailed", `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`), trust.ReasonUpstreamError, "AuthnFailed"},
		{"A09", "Success without an assertion", office.SignXML(response("")), trust.ReasonMalformed, "without an assertion"},
		{"A20", "another key", response(rogue.Assertion(signIn(nil))), trust.ReasonSignature, "none of"},
		{"A20", "another key around a good assertion", rogue.SignXML(response(signed)), trust.ReasonSignature, "none of"},
		{"A20", "another key inside a good Response", office.SignXML(response(rogue.Assertion(signIn(nil)))), trust.ReasonSignature, "none of"},
		{"A23", "nobody signed anything", response(bare), trust.ReasonSignature, "no signature"},
		{"A23", "another issuer around it", swap("<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">"+them, "<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">"+others)(response(signed)), trust.ReasonIssuerUnknown, "another issuer"},
		{"A23", "no issuer around it", swap("<saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">"+them+"</saml:Issuer>", "")(response(signed)), trust.ReasonMalformed, "Issuer"},
		{"A23", "no destination", swap(` Destination="`+acs+`"`, "")(response(signed)), trust.ReasonRecipient, "another place"},
		{"A25", "encrypted to somebody else", response(strings.Replace(encrypted(t, signed), "CipherValue>", "CipherValue>AAAA", 1)), trust.ReasonMalformed, "cannot be decrypted"},
		{"A26", "no content to decrypt", response(`<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`), trust.ReasonMalformed, "cannot be decrypted"},
		{"A29", "for the token endpoint", response(bent(entity+"</saml:Audience>", us+"</saml:Audience>")), trust.ReasonAudience, us},
		{"A87", "one that was made for an exchange", response(bent(`Recipient="`+acs, `Recipient="`+us+`/oauth2/token`)), trust.ReasonRecipient, "oauth2/token"},
		{"A30", "no confirmation of this recipient", response(bent(`Recipient="`+acs+`"`, "")), trust.ReasonRecipient, "no Recipient"},
		{"A33", "a Response of yesterday", swap(`IssueInstant="2026-03-02T12:00:00Z"`, `IssueInstant="2026-03-01T12:00:00Z"`)(response(signed)), trust.ReasonTooOld, "2026-03-01"},
		{"A33", "a Response of tomorrow", swap(`IssueInstant="2026-03-02T12:00:00Z"`, `IssueInstant="2026-03-03T12:00:00Z"`)(response(signed)), trust.ReasonNotYetValid, "2026-03-03"},
		{"A33", "Version 9.9", swap(` Version="2.0"`, ` Version="9.9"`)(response(signed)), trust.ReasonMalformed, "Version"},
		{"A34", "another request, around it", swap(`InResponseTo="`+request, `InResponseTo="_other`)(response(signed)), trust.ReasonLoginState, "another request"},
		{"A34", "no request, around it", swap(` InResponseTo="`+request+`"`, ``)(response(signed)), trust.ReasonLoginState, "another request"},
		{"A34", "another request, in the assertion", response(bent(request, "_other")), trust.ReasonLoginState, "_other"},
		{"A34", "no request in the assertion", response(bent(`InResponseTo="`+request+`"`, ``)), trust.ReasonLoginState, "another request"},
		{"A36", "another destination", swap(`Destination="`+acs, `Destination="https://east.example/acs`)(response(signed)), trust.ReasonRecipient, "east.example"},
		{"A38", "a session that ended", response(bent(`SessionNotOnOrAfter="2026-03-02T20:00:00.000Z"`, `SessionNotOnOrAfter="2026-03-02T11:00:00Z"`)), trust.ReasonExpired, "session"},
		{"L02", "no statement that anybody authenticated", response(office.Assertion(signIn(func(s string) string {
			from, to := strings.Index(s, "<saml:AuthnStatement"), strings.Index(s, "</saml:AuthnStatement>")+len("</saml:AuthnStatement>")
			return s[:from] + s[to:]
		}))), trust.ReasonMalformed, "authenticated"},
		{"L05", "two good assertions", response(signed + strings.ReplaceAll(office.Assertion(signIn(nil)), "_a1", "_a2")), trust.ReasonMalformed, "more than one"},
		{"A03", "an assertion inside the encrypted one", response(encrypted(t, inside(signed, strings.ReplaceAll(signed, "_a1", "_a2")))), trust.ReasonMalformed, "more than one"},
		{"A03", "the same, in a signed Response", office.SignXML(response(encrypted(t, inside(bare, strings.ReplaceAll(signed, "_a1", "_a2"))))), trust.ReasonMalformed, "more than one"},
		{"A68", "an assertion of another issuer, by the right key", response(office.Assertion(foreignTo(signIn(nil)))), trust.ReasonIssuerUnknown, "the assertion names another issuer"},
		{"A04", "the signature in the status", strings.Replace(response(bare), "</samlp:Status>", "<samlp:StatusDetail>"+signatureOf(signed)+"</samlp:StatusDetail></samlp:Status>", 1), trust.ReasonMalformed, "signature"},
	} {
		t.Run(c.id+"_"+c.name, func(t *testing.T) {
			t.Parallel()
			got, err := answer(t, c.document, nil)
			var e *saml.Error
			if !errors.As(err, &e) || e.Reason != c.reason || !strings.Contains(e.Detail, c.says) || got.Subject.Sub != "" {
				t.Errorf("subject %q, error %v, wanted %s with %q", got.Subject.Sub, err, c.reason, c.says)
			}
		})
	}
	for name, change := range map[string]func(*saml.Answer){
		"no key to decrypt with": func(a *saml.Answer) { a.Keys = nil },
		"another key":            func(a *saml.Answer) { a.Keys = []crypto.Decrypter{otherKey} },
	} {
		if _, err := answer(t, response(encrypted(t, signed)), change); err == nil || !strings.Contains(err.Error(), "cannot be decrypted") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWrappedResponsesAreRefused(t *testing.T) {
	t.Parallel()
	signed := office.Assertion(signIn(nil))
	bare := func() string { a := signIn(nil); a.Issuer = them; return a.XML() }()
	all := append(samltest.Responses(signed, response), samltest.Enveloped(office.SignXML(response(bare)))...)
	all = append(all, samltest.Assertions(signed)...)
	for _, w := range all {
		t.Run(w.ID+"_"+w.Name, func(t *testing.T) {
			t.Parallel()
			got, err := answer(t, w.Document, nil)
			if w.ID == "A23" { // whose assertion is signed: that is lawful, and the genuine person comes of it
				if err != nil || got.Subject.Value != "kim" {
					t.Errorf("subject %q, error %v", got.Subject.Value, err)
				}
				return
			}
			var e *saml.Error
			if !errors.As(err, &e) || got.Subject.Sub != "" || e.Reason == trust.ReasonPanic {
				t.Errorf("subject %q, error %v", got.Subject.Value, err)
			}
		})
	}
}

func TestA34_WithoutARequestNothingMayBeAnswered(t *testing.T) {
	t.Parallel()
	unsolicited := func(a *saml.Answer) { a.Request = "" }
	a := draft()
	a.Audience, a.Recipient = entity, acs
	free := samltest.Envelope(them, acs, "Success", "2026-03-02T12:00:00Z", office.Assertion(a))
	if got, err := answer(t, free, unsolicited); err != nil || got.Subject.Value != "kim" {
		t.Errorf("subject %q, error %v", got.Subject.Value, err)
	}
	if _, err := answer(t, response(office.Assertion(signIn(nil))), unsolicited); err == nil {
		t.Error("an answer to a request counts as unsolicited")
	}
	if _, err := answer(t, free, nil); err == nil {
		t.Error("an unsolicited Response counts as an answer")
	}
}

func TestATrustWithoutLoginSignsNobodyIn(t *testing.T) {
	t.Parallel()
	_, reg := world(t, nil)
	plain, _ := reg.Trust("office")
	_, err := answer(t, response(office.Assertion(signIn(nil))), func(a *saml.Answer) { a.Trust = plain })
	var e *saml.Error
	if !errors.As(err, &e) || e.Reason != trust.ReasonTrustNotLive {
		t.Errorf("%v", err)
	}
}

func foreignTo(a fake.Assertion) fake.Assertion {
	a.Issuer = others
	return a
}

// inside puts XML in front of the last end tag.
func inside(message, xml string) string {
	at := strings.LastIndex(message, "</")
	return message[:at] + xml + message[at:]
}

func signatureOf(message string) string {
	from := strings.Index(message, "<ds:Signature ")
	return message[from : strings.Index(message, "</ds:Signature>")+len("</ds:Signature>")]
}
