package main

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"apostille/broker/oauth"
	"apostille/broker/threat"
	"apostille/trust"
	"apostille/upstream/fake"
	"apostille/upstream/saml/samltest"
)

// Names of entries that take assertions.
const (
	atSAML       = "exchange of an assertion"
	atSAMLBearer = "SAML bearer grant"
)

var campusSub = trust.DeriveSub("http://idp.campus.example/metadata", "NameID urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified", "kim")

// goodAssertion is one that the broker takes.
func goodAssertion() fake.Assertion {
	return fake.Assertion{
		ID: "_" + rand.Text(), NameID: "kim", Audience: ours, Recipient: ours + trust.TokenPath,
		Attributes: []fake.Attribute{{Name: "department", Values: []string{"logistics"}}},
	}
}

func samlForm(encoded string) url.Values {
	return url.Values{"grant_type": {oauth.GrantTypeSAML2Bearer}, "assertion": {encoded}, "audience": {"warehouse"}, "scope": {"stock.read"}}
}

// samlEntries are the ways in for assertions.
func (a *arena) samlEntries() []threat.Entry {
	send := func(form func(encoded string) url.Values) func(testing.TB, threat.Input) threat.Outcome {
		return func(t testing.TB, in threat.Input) threat.Outcome {
			t.Helper()
			return a.ask(t, "portal", form(in.Token), nil).Outcome
		}
	}
	return []threat.Entry{
		{Name: atSAML, Send: send(func(encoded string) url.Values { return exchangeForm(encoded, "saml2") })},
		{Name: atSAMLBearer, Send: send(samlForm)},
	}
}

// samlAttack is an attack with an assertion: a document, or what is done to a good one before it is signed, or afterwards.
type samlAttack struct {
	id, name      string
	before, after string                       // written otherwise, then signed
	bend          func(document string) string // for what is not a plain replacement
	carried       func(signed string) string
	encoded       func(encoded string) string
	reason        trust.Reason
}

func (x samlAttack) build(idp *fake.IdP) threat.Build {
	return func(t testing.TB, _ threat.Entry) threat.Input {
		t.Helper()
		good := goodAssertion()
		good.Bend = x.bend
		if x.before != "" {
			good.Bend = func(document string) string {
				if !strings.Contains(document, x.before) {
					t.Fatalf("the document has no %q", x.before)
				}
				return strings.Replace(document, x.before, x.after, 1)
			}
		}
		document := idp.Assertion(good)
		if x.carried != nil {
			document = x.carried(document)
		}
		encoded := fake.Encode(document)
		if x.encoded != nil {
			encoded = x.encoded(encoded)
		}
		return threat.Input{Token: encoded}
	}
}

func (a *arena) samlCases(attacks []samlAttack) []threat.Case {
	var out []threat.Case
	for _, x := range attacks {
		out = append(out, threat.Case{
			ID: x.id, Name: x.name, Attack: x.build(a.idp), Twin: samlAttack{}.build(a.idp), Reason: x.reason, Entries: a.samlEntries(),
		})
	}
	return out
}

// TestSAMLAttacks sends the attacks of docs/threats.md on assertions to both entries of a whole broker.
func TestSAMLAttacks(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	threat.Run(t, a.samlCases(a.wrappings())...)
	threat.Run(t, a.samlCases(carriedAttacks())...)
	threat.Run(t, a.samlCases(signedAttacks())...)
}

// wrappings are the shapes of samltest, each made anew from a fresh message.
func (a *arena) wrappings() []samlAttack {
	instant := time.Now().UTC().Format(time.RFC3339)
	envelope := func(xml string) string {
		return samltest.Envelope(a.idp.EntityID, ours+trust.TokenPath, "Success", instant, xml)
	}
	makers := []func(signed string) []samltest.Wrapping{
		samltest.Assertions,
		func(signed string) []samltest.Wrapping { return samltest.Responses(signed, envelope) },
		func(signed string) []samltest.Wrapping {
			bare := regexp.MustCompile(`(?s)<ds:Signature .*?</ds:Signature>`).ReplaceAllString(signed, "")
			return samltest.Enveloped(a.idp.SignXML(envelope(bare)))
		},
	}
	example := a.idp.Assertion(goodAssertion())
	var out []samlAttack
	for _, make := range makers {
		for i, w := range make(example) {
			x := samlAttack{id: w.ID, name: w.Name, reason: trust.ReasonMalformed, carried: func(signed string) string { return make(signed)[i].Document }}
			if strings.HasPrefix(w.Document, "<samlp:Response") {
				x.reason = trust.ReasonType // a Response is for the browser's door
			}
			out = append(out, x)
		}
	}
	for i := range out {
		if out[i].name == "XSW10: a clone of the signature under the Response" { // one ID twice: not even read
			out[i].reason = trust.ReasonMalformed
		}
	}
	return append(out, samlAttack{id: "A09", name: "a signed error as carrier", reason: trust.ReasonType, carried: func(signed string) string {
		return a.idp.SignXML(samltest.Envelope(a.idp.EntityID, ours+trust.TokenPath, "Responder", instant, signed))
	}})
}

// carriedAttacks are done to what was signed, by whoever carries it.
func carriedAttacks() []samlAttack {
	swap := func(before, after string) func(string) string {
		return func(signed string) string { return strings.Replace(signed, before, after, 1) }
	}
	signature := regexp.MustCompile(`(?s)<ds:Signature .*?</ds:Signature>`)
	stranger := fake.NewIdP("http://idp.campus.example/metadata", "ES256")
	return []samlAttack{
		{id: "A07", name: "another NameID", carried: swap(">kim<", ">admin<"), reason: trust.ReasonSignature},
		{id: "A08", name: "an encrypted assertion, which nobody has to sign", reason: trust.ReasonType, carried: func(string) string {
			return `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><x/></saml:EncryptedAssertion>`
		}},
		{id: "A10", name: "a comment in the digest", carried: swap("<ds:DigestValue>", "<ds:DigestValue><!-- -->"), reason: trust.ReasonMalformed},
		{id: "A11", name: "an attribute twice", carried: swap(` Version="2.0"`, ` Version="2.0" Version="2.0"`), reason: trust.ReasonMalformed},
		{id: "A12", name: "a comment in the NameID", carried: swap(">kim<", ">kim<!---->.evil<"), reason: trust.ReasonMalformed},
		{id: "A13", name: "a name of two colons", carried: swap("<saml:Subject>", "<saml::Subject>"), reason: trust.ReasonMalformed},
		{id: "A14", name: "an external entity", carried: func(signed string) string {
			return `<!DOCTYPE a [<!ENTITY x SYSTEM "http://169.254.169.254/">]>` + signed
		}, reason: trust.ReasonMalformed},
		{id: "A15", name: "an assertion of another namespace", carried: func(signed string) string {
			return strings.ReplaceAll(signed, "SAML:2.0:assertion", "SAML:1.0:assertion")
		}, reason: trust.ReasonType},
		{id: "A16", name: "a reference to nothing", carried: func(signed string) string {
			return regexp.MustCompile(`URI="[^"]*"`).ReplaceAllString(signed, `URI=""`)
		}, reason: trust.ReasonMalformed},
		{id: "A18", name: "a transform by XSLT", carried: swap("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/TR/1999/REC-xslt-19991116"), reason: trust.ReasonMalformed},
		{id: "A19", name: "RSA with SHA-1", carried: swap("2001/04/xmldsig-more#rsa-sha256", "2000/09/xmldsig#rsa-sha1"), reason: trust.ReasonAlgorithm},
		{id: "A19", name: "an HMAC with the public key", carried: swap("xmldsig-more#rsa-sha256", "xmldsig-more#hmac-sha256"), reason: trust.ReasonAlgorithm},
		{id: "A20", name: "the key in KeyInfo", carried: func(string) string { return stranger.Assertion(goodAssertion()) }, reason: trust.ReasonAlgorithm},
		{id: "A20", name: "the key of another issuer", carried: func(string) string {
			a := goodAssertion()
			a.Issuer = "http://idp.campus.example/metadata"
			return fake.NewIdP("https://other.example", "RS256").Assertion(a)
		}, reason: trust.ReasonSignature},
		{id: "A21", name: "an issuer without a trust", carried: func(string) string {
			a := goodAssertion()
			a.Issuer = "https://other.example"
			return stranger.Assertion(a)
		}, reason: trust.ReasonIssuerUnknown},
		{id: "A66", name: "an issuer with a slash", carried: func(string) string {
			a := goodAssertion()
			a.Issuer = "http://idp.campus.example/metadata/"
			return stranger.Assertion(a)
		}, reason: trust.ReasonIssuerUnknown},
		{id: "A23", name: "no signature at all", carried: func(signed string) string { return signature.ReplaceAllString(signed, "") }, reason: trust.ReasonSignature},
		{id: "A26", name: "nothing but the root", carried: func(string) string {
			return `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a"/>`
		}, reason: trust.ReasonIssuerUnknown},
		{id: "A26", name: "spaces", carried: func(string) string { return "   " }, reason: trust.ReasonMalformed},
		{id: "A28", name: "forty levels", carried: func(string) string { return strings.Repeat("<a>", 40) }, reason: trust.ReasonTooLarge},
		{id: "A28", name: "ten thousand elements", carried: func(string) string { return "<a>" + strings.Repeat("<b/>", 10_000) + "</a>" }, reason: trust.ReasonTooLarge},
		{id: "A43", name: "an artifact", carried: func(string) string {
			return `<samlp:ArtifactResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/>`
		}, reason: trust.ReasonType},
		{id: "A50", name: "a pad too many", encoded: func(s string) string { return s + "===" }, reason: trust.ReasonMalformed},
		{id: "A50", name: "XML as it is", encoded: func(string) string { return "<saml:Assertion/>" }, reason: trust.ReasonMalformed},
		{id: "L05", name: "two good ones", carried: func(signed string) string {
			return `<x>` + signed + strings.ReplaceAll(signed, ` ID="_`, ` ID="_2`) + `</x>`
		}, reason: trust.ReasonType},
		{id: "L01", name: "cut ciphertext", carried: func(string) string {
			return `<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"><xenc:EncryptedData xmlns:xenc="http://www.w3.org/2001/04/xmlenc#"><xenc:CipherData><xenc:CipherValue>AAAA</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>`
		}, reason: trust.ReasonType},
	}
}

// signedAttacks are signed by the right key: a careless or hostile office, or an assertion that was made for somebody else.
func signedAttacks() []samlAttack {
	audience := `<saml:Audience>` + ours + `</saml:Audience>`
	restriction := `<saml:AudienceRestriction>` + audience + `</saml:AudienceRestriction>`
	recipient := `Recipient="` + ours + trust.TokenPath + `"`
	return []samlAttack{
		{id: "A17", name: "two NameIDs", before: `</saml:NameID>`, after: `</saml:NameID><saml:NameID>admin</saml:NameID>`, reason: trust.ReasonMalformed},
		{id: "A29", name: "for nobody in particular", before: restriction, reason: trust.ReasonAudience},
		{id: "A29", name: "for another service", before: audience, after: `<saml:Audience>https://east.example</saml:Audience>`, reason: trust.ReasonAudience},
		{id: "A29", name: "for us and, at once, for another", before: restriction, after: restriction + `<saml:AudienceRestriction><saml:Audience>x</saml:Audience></saml:AudienceRestriction>`, reason: trust.ReasonAudience},
		{id: "A30", name: "to another tenant", before: recipient, after: `Recipient="https://east.example/oauth2/token"`, reason: trust.ReasonRecipient},
		{id: "A30", name: "to nobody", before: recipient, reason: trust.ReasonRecipient},
		{id: "A87", name: "one that was made for a sign-in here", before: recipient, after: `Recipient="` + ours + `/saml/acs"`, reason: trust.ReasonRecipient},
		{id: "A31", name: "holder of a key that nobody proves", before: `cm:bearer`, after: `cm:holder-of-key`, reason: trust.ReasonBound},
		{id: "A32", name: "without an end to bring it by", bend: pattern(`NotOnOrAfter="[^"]*" Recipient`, `Recipient`), reason: trust.ReasonTime},
		{id: "A32", name: "too late to bring it", bend: pattern(`NotOnOrAfter="[^"]*" Recipient`, `NotOnOrAfter="2020-01-01T00:00:00Z" Recipient`), reason: trust.ReasonExpired},
		{id: "A33", name: "Version 9.9", before: `Version="2.0"`, after: `Version="9.9"`, reason: trust.ReasonMalformed},
		{id: "A33", name: "issued in 2099", bend: pattern(`IssueInstant="[^"]*"`, `IssueInstant="2099-01-01T00:00:00Z"`), reason: trust.ReasonNotYetValid},
		{id: "A33", name: "without an end", bend: pattern(`(Conditions NotBefore="[^"]*") NotOnOrAfter="[^"]*"`, `$1`), reason: trust.ReasonTime},
		{id: "A33", name: "expired", bend: pattern(`(Conditions )NotBefore="[^"]*" NotOnOrAfter="[^"]*"`, `${1}NotOnOrAfter="2020-01-01T00:00:00Z"`), reason: trust.ReasonExpired},
		{id: "A37", name: "an unknown condition", before: restriction, after: restriction + `<saml:Condition xsi:type="xs:string"></saml:Condition>`, reason: trust.ReasonRestricted},
		{id: "A37", name: "nothing may be issued for it", before: restriction, after: restriction + `<saml:ProxyRestriction Count="0"></saml:ProxyRestriction>`, reason: trust.ReasonRestricted},
		{id: "A38", name: "a session that ended", before: `SessionIndex=`, after: `SessionNotOnOrAfter="2020-01-01T00:00:00Z" SessionIndex=`, reason: trust.ReasonExpired},
		{id: "A39", name: "a name that is another each time", before: `SAML:1.1:nameid-format:unspecified`, after: `SAML:2.0:nameid-format:transient`, reason: trust.ReasonSubject},
		{id: "A39", name: "no name", before: `>kim<`, after: `><`, reason: trust.ReasonSubject},
		{id: "A81", name: "somebody of another department", before: `>logistics<`, after: `>sales<`, reason: trust.ReasonRequire},
		{id: "L02", name: "a confirmation without data", before: ` ` + recipient + `></saml:SubjectConfirmationData>`, after: `></saml:SubjectConfirmationData>`, reason: trust.ReasonRecipient},
		{id: "L03", name: "nobody confirms it", before: `Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"`, after: `Method="urn:x"`, reason: trust.ReasonBound},
	}
}

// pattern replaces what a regular expression finds.
func pattern(expression, with string) func(string) string {
	re := regexp.MustCompile(expression)
	return func(document string) string { return re.ReplaceAllString(document, with) }
}

// A35, L06: crewjam/saml has no store of what was used.
func TestA35_L06_AnAssertionIsUsedOnceAtAllEntriesAndAfterARestart(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	exchanged := func(s string) url.Values { return exchangeForm(s, "saml2") }
	for _, c := range []struct {
		name          string
		first, second func(string) url.Values
		spelt         func(string) string
	}{
		{"twice exchanged", exchanged, exchanged, nil},
		{"exchanged, then the grant", exchanged, samlForm, nil},
		{"the grant, then exchanged", samlForm, exchanged, nil},
		{"spelt with padding", exchanged, exchanged, func(s string) string { return s + strings.Repeat("=", (4-len(s)%4)%4) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			encoded := fake.Encode(a.idp.Assertion(goodAssertion()))
			// A request that is refused by policy does not use it up.
			if out := a.ask(t, "portal", with(c.first(encoded), "scope", "stock.order"), nil); out.Status == http.StatusOK || out.StoreWrites != 0 {
				t.Fatalf("status %d, %d writes", out.Status, out.StoreWrites)
			}
			if out := a.ask(t, "portal", c.first(encoded), nil); out.Status != http.StatusOK || out.StoreWrites != 1 {
				t.Fatalf("the first use: %d %s, %d writes", out.Status, out.Body, out.StoreWrites)
			}
			if c.spelt != nil {
				encoded = c.spelt(encoded)
			}
			again(t, a, c.second(encoded))
		})
	}
	used := fake.Encode(a.idp.Assertion(goodAssertion()))
	if out := a.ask(t, "portal", exchanged(used), nil); out.Status != http.StatusOK {
		t.Fatal(out.Body)
	}
	a.close()
	a.open(t)
	again(t, a, samlForm(used))
}

func again(t *testing.T, a *arena, form url.Values) {
	t.Helper()
	out := a.ask(t, "portal", form, nil)
	if out.Status != http.StatusBadRequest || len(out.Audit) != 1 || out.Audit[0].Reason != string(trust.ReasonReplayed) || out.StoreWrites != 0 {
		t.Errorf("the second use: %d %s, records %+v", out.Status, out.Body, out.Audit)
	}
}

// The least of Conditions and session bounds the token, and the confirmation's window does not.
func TestA38_TheTokenEndsWithTheAssertion(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	good := goodAssertion()
	good.SessionEnd = time.Now().Add(90 * time.Second)
	out := a.ask(t, "portal", exchangeForm(fake.Encode(a.idp.Assertion(good)), "saml2"), nil)
	if out.Status != http.StatusOK || out.Token.ExpiresIn > 90 || out.Token.ExpiresIn < 80 || out.Token.IssuedTokenType != oauth.TokenTypeAccessToken {
		t.Errorf("%d, expires in %d, type %s: %s", out.Status, out.Token.ExpiresIn, out.Token.IssuedTokenType, out.Body)
	}
	if claims := claimsOf(t, out.Token.AccessToken); claims["sub"] != campusSub || claims["idp"] != "campus" || claims["department"] != nil {
		t.Errorf("claims %v", claims)
	}
}
