package saml_test

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"apostille/trust"
	"apostille/upstream/fake"
	"apostille/upstream/saml"
	"apostille/upstream/saml/samltest"
)

func envelope(xml string) string {
	return samltest.Envelope(them, us+"/oauth2/token", "Success", "2026-03-02T12:00:00Z", xml)
}

func TestWrappingsAreRefused(t *testing.T) {
	t.Parallel()
	good := office.Assertion(draft())
	accepted(t, good)
	all := append(samltest.Assertions(good), samltest.Responses(good, envelope)...)
	all = append(all, samltest.Enveloped(office.SignXML(envelope(draft().XML())))...)
	v, reg := world(t, nil)
	for _, w := range all {
		t.Run(w.ID+"_"+w.Name, func(t *testing.T) {
			t.Parallel()
			s, err := v.Assertion(t.Context(), reg, fake.Encode(w.Document), "portal")
			var e *saml.Error
			if !errors.As(err, &e) || s.Sub != "" || e.Reason != trust.ReasonMalformed && e.Reason != trust.ReasonType && e.Reason != trust.ReasonSignature {
				t.Errorf("subject %+v, error %v", s, err)
			}
		})
	}
}

// Done to a signed document afterwards, by whoever carries it.
func TestWhatACarrierMayNotChange(t *testing.T) {
	t.Parallel()
	good := office.Assertion(draft())
	replace := func(before, after string) string {
		if !strings.Contains(good, before) {
			t.Fatalf("the document has no %q", before)
		}
		return strings.Replace(good, before, after, 1)
	}
	sig := regexp.MustCompile(`(?s)<ds:Signature .*?</ds:Signature>`).FindString(good)
	for _, c := range []struct {
		id, name, document string
		reason             trust.Reason
	}{
		{"A07", "another NameID", replace(">kim<", ">admin<"), trust.ReasonSignature},
		{"A07", "another audience", replace(us+"</saml:Audience>", "https://x</saml:Audience>"), trust.ReasonSignature},
		{"A07", "no signature", replace(sig, ""), trust.ReasonSignature},
		{"A10", "a comment in the digest", replace("<ds:DigestValue>", "<ds:DigestValue><!---->"), trust.ReasonMalformed},
		{"A10", "a second reference", replace("</ds:Reference>", "</ds:Reference>"+regexp.MustCompile(`(?s)<ds:Reference.*</ds:Reference>`).FindString(good)), trust.ReasonMalformed},
		{"A10", "a second SignedInfo", replace("</ds:SignedInfo>", "</ds:SignedInfo>"+regexp.MustCompile(`(?s)<ds:SignedInfo.*</ds:SignedInfo>`).FindString(good)), trust.ReasonMalformed},
		{"A11", "an ID twice", replace("<saml:Subject>", `<saml:Subject ID="_a1">`), trust.ReasonMalformed},
		{"A11", "an attribute twice", replace(` Version="2.0"`, ` Version="2.0" Version="2.0"`), trust.ReasonMalformed},
		{"A11", "an ID with a prefix", replace(` ID="_a1"`, ` ID="_a1" x:ID="_b" xmlns:x="urn:x"`), trust.ReasonMalformed},
		{"A12", "a comment in the NameID", replace(">kim<", ">kim<!---->.evil<"), trust.ReasonMalformed},
		{"A12", "a comment in the Issuer", replace(them+"<", them+"<!----><"), trust.ReasonMalformed},
		{"A13", "a name of two colons", replace("<saml:Subject>", "<saml::Subject>"), trust.ReasonMalformed},
		{"A13", "a carriage return in a value", replace(`SessionIndex="`, "SessionIndex=\"\r\n"), trust.ReasonSignature},
		{"A14", "a document type", `<!DOCTYPE saml:Assertion [<!ENTITY x "y">]>` + good, trust.ReasonMalformed},
		{"A14", "an entity", replace(">kim<", ">&x;<"), trust.ReasonMalformed},
		{"A14", "a processing instruction", replace(">kim<", "><?x y?>kim<"), trust.ReasonMalformed},
		{"A15", "another namespace", strings.ReplaceAll(good, "urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:1.0:assertion"), trust.ReasonType},
		{"A16", "nothing that is signed", replace(`URI="#_a1"`, `URI=""`), trust.ReasonMalformed},
		{"A18", "comments count", strings.ReplaceAll(good, "xml-exc-c14n#\"", "xml-exc-c14n#WithComments\""), trust.ReasonMalformed},
		{"A18", "a transform of another kind", replace("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/TR/1999/REC-xslt-19991116"), trust.ReasonMalformed},
		{"A19", "RSA with SHA-1", replace("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"), trust.ReasonAlgorithm},
		{"A19", "an HMAC", replace("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"), trust.ReasonAlgorithm},
		{"A19", "a digest by SHA-1", replace("http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2000/09/xmldsig#sha1"), trust.ReasonAlgorithm},
		{"A20", "the key of somebody else, in KeyInfo", rogue.Assertion(draft()), trust.ReasonSignature},
		{"A21", "an issuer that nobody trusts", fake.NewIdP(others, "ES256").Assertion(draft()), trust.ReasonIssuerUnknown},
		{"A26", "an encrypted assertion", `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"></saml:EncryptedAssertion>`, trust.ReasonType},
		{"A26", "nothing", ``, trust.ReasonMalformed},
		{"A26", "spaces", `   `, trust.ReasonMalformed},
		{"A26", "no children at all", `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a"/>`, trust.ReasonIssuerUnknown},
		{"A28", "elements without end", strings.Repeat("<a>", 20_000), trust.ReasonTooLarge},
		{"A28", "too many elements", "<a>" + strings.Repeat("<b/>", 5_000) + "</a>", trust.ReasonTooLarge},
		{"A28", "more than 256 KB", "<a>" + strings.Repeat(" ", 256<<10) + "</a>", trust.ReasonTooLarge},
		{"A43", "an artifact", `<samlp:ArtifactResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/>`, trust.ReasonType},
	} {
		t.Run(c.id+"_"+c.name, func(t *testing.T) {
			t.Parallel()
			wantRefusal(t, c.document, c.reason, "")
		})
	}
}

func TestAnIssuerNobodyTrustsIsNamedBeforeAnyKeyIsLookedFor(t *testing.T) {
	t.Parallel()
	_, reg := world(t, nil)
	v := &saml.Verifier{Keys: signers(nil), Now: func() time.Time { return noon }}
	refused(t, v, reg, fake.Encode(fake.NewIdP(others, "ES256").Assertion(draft())), trust.ReasonIssuerUnknown, others)
	refused(t, v, reg, fake.Encode(draft().XML()), trust.ReasonIssuerUnknown, "no live trust") // an Issuer without text
	a := draft()
	a.Issuer = them
	refused(t, v, reg, fake.Encode(a.XML()), trust.ReasonSignature, "no signature")
	refused(t, v, reg, fake.Encode(office.Assertion(draft())), trust.ReasonKeysUnavailable, "cannot be had")
}

func TestA21_AnEmptyListOfKeysVerifiesNothing(t *testing.T) {
	t.Parallel()
	_, reg := world(t, nil)
	v := &saml.Verifier{Keys: signers{"office": {}}, Now: func() time.Time { return noon }}
	refused(t, v, reg, fake.Encode(office.Assertion(draft())), trust.ReasonKeysUnavailable, "cannot be had")
}

// L07: with two certificates and a signature without KeyInfo crewjam refused always, which breaks a rollover.
func TestL07_EachKeyOfARolloverIsTried(t *testing.T) {
	t.Parallel()
	next := fake.NewIdP(them, "ES256")
	_, reg := world(t, nil)
	v := &saml.Verifier{Keys: signers{"office": {next.Key.Public(), rogue.Key.Public(), office.Key.Public()}}, Now: func() time.Time { return noon }}
	keyInfo := regexp.MustCompile(`(?s)<ds:KeyInfo>.*</ds:KeyInfo>`)
	for name, document := range map[string]string{
		"the old key": office.Assertion(draft()), "the new key": next.Assertion(draft()),
		"the old key, without KeyInfo": keyInfo.ReplaceAllString(office.Assertion(draft()), ""),
	} {
		if _, err := v.Assertion(t.Context(), reg, fake.Encode(document), "portal"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestA50_OneAssertionHasOneSpellingAndItsPaddedOne(t *testing.T) {
	t.Parallel()
	v, reg := world(t, nil)
	a := draft()
	document := office.Assertion(a)
	for len(document)%3 == 0 { // padding is what this is about
		a.NameID += "m"
		document = office.Assertion(a)
	}
	plain := fake.Encode(document)
	for name, encoded := range map[string]string{"plain": plain, "padded": base64.URLEncoding.EncodeToString([]byte(document))} {
		if _, err := v.Assertion(t.Context(), reg, encoded, "portal"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, encoded := range map[string]string{
		"XML as it is": document, "a pad too many": plain + "===", "a pad where none belongs": plain + "=",
		"a break": plain[:60] + "\n" + plain[60:], "a break at the end": plain + "\r\n", "a space": plain[:60] + " " + plain[60:],
		"a dot": plain + ".", "bits that say nothing": plain[:len(plain)-1] + "_", "the other alphabet": plain[:60] + "+/" + plain[62:],
	} {
		if name == "a pad where none belongs" && len(plain)%4 == 3 {
			continue // there it does
		}
		refused(t, v, reg, encoded, trust.ReasonMalformed, "base64url")
	}
	refused(t, v, reg, strings.Repeat("A", 400<<10), trust.ReasonTooLarge, "256 KB")
}

func TestAClientThatNoRuleNamesCostsNothing(t *testing.T) {
	t.Parallel()
	_, reg := world(t, nil)
	v := &saml.Verifier{Keys: signers(nil), Now: func() time.Time { return noon }}
	for client, reason := range map[string]trust.Reason{"": trust.ReasonClientRequired, "nobody": trust.ReasonNoRule} {
		_, err := v.Assertion(t.Context(), reg, fake.Encode(office.Assertion(draft())), client)
		var e *saml.Error
		if !errors.As(err, &e) || e.Reason != reason || e.Trust != "office" {
			t.Errorf("client %q: %v", client, err)
		}
	}
}

// Two trusts of one issuer: a department each, told apart by the audience.
func TestOfSeveralTrustsTheOneItIsForIsTaken(t *testing.T) {
	t.Parallel()
	v, reg := world(t, func(s *trust.Spec) {
		second := s.Trusts["office"]
		second.SAML2 = &trust.AssertionSpec{Audiences: []string{"https://app.example/entity"}, Recipients: []string{"https://app.example/acs"}}
		s.Trusts["app"] = second
	})
	v.Keys = signers{"office": {office.Key.Public()}, "app": {office.Key.Public()}}
	a := draft()
	s, err := v.Assertion(t.Context(), reg, fake.Encode(office.Assertion(a)), "portal")
	if err != nil || s.Trust != "office" {
		t.Errorf("trust %q, error %v", s.Trust, err)
	}
	a.Audience, a.Recipient = "https://app.example/entity", "https://app.example/acs"
	s, err = v.Assertion(t.Context(), reg, fake.Encode(office.Assertion(a)), "portal")
	if err != nil || s.Trust != "app" {
		t.Errorf("trust %q, error %v", s.Trust, err)
	}
	a.Audience = us // for one, at the other's door
	refused(t, v, reg, fake.Encode(office.Assertion(a)), trust.ReasonRecipient, "app.example")
}

func TestAPanicIsARefusal(t *testing.T) {
	t.Parallel()
	_, reg := world(t, nil)
	v := &saml.Verifier{Keys: broken{}, Now: func() time.Time { return noon }}
	_, err := v.Assertion(t.Context(), reg, fake.Encode(office.Assertion(draft())), "portal")
	var e *saml.Error
	if !errors.As(err, &e) || e.Reason != trust.ReasonPanic || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}

type broken struct{}

func (broken) Signers(context.Context, string) ([]crypto.PublicKey, error) { panic("secret") }
