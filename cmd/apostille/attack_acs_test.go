package main

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"apostille/broker/threat"
	"apostille/trust"
	"apostille/upstream/fake"
	"apostille/upstream/saml/samltest"
)

// acsAttack is an attack on the assertion consumer service: what a hostile carrier does to a good Response, or a careless office.
type acsAttack struct {
	id, name string
	faults   fake.SAMLFaults
	reason   trust.Reason
}

// TestAttacksOnTheAssertionConsumerService sends the attacks of docs/threats.md to the browser's way in, by the hop to the end.
func TestAttacksOnTheAssertionConsumerService(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	faults := map[string]fake.SAMLFaults{"": {}}
	var cases []threat.Case
	for _, x := range h.acsAttacks() {
		name := x.id + " " + x.name
		if _, twice := faults[name]; twice {
			t.Fatalf("%s stands there twice", name)
		}
		faults[name] = x.faults
		cases = append(cases, threat.Case{
			ID: x.id, Name: x.name, Reason: x.reason,
			Attack: func(testing.TB, threat.Entry) threat.Input { return threat.Input{Token: name} },
			Twin:   func(testing.TB, threat.Entry) threat.Input { return threat.Input{} },
		})
	}
	entry := h.acsEntry(faults)
	for i := range cases {
		cases[i].Entries = []threat.Entry{entry}
	}
	threat.Run(t, cases...)
}

func (h *hall) acsAttacks() (list []acsAttack) {
	list = append(list, h.acsWrappings()...)
	list = append(list, h.acsCarried()...)
	return append(list, h.acsSigned()...)
}

// acsWrappings are the shapes of samltest, made of the Response that is on its way.
func (h *hall) acsWrappings() (list []acsAttack) {
	add := func(prefix, sign string, count int, shape func(response string, i int) samltest.Wrapping, example func(i int) samltest.Wrapping) {
		for i := range count {
			w := example(i)
			if w.ID == "A23" { // the good shape here
				continue
			}
			list = append(list, acsAttack{w.ID, prefix + w.Name, fake.SAMLFaults{
				Sign: sign, Posted: func(response string) string { return shape(response, i).Document },
			}, trust.ReasonMalformed})
		}
	}
	inResponse := func(response string, i int) samltest.Wrapping {
		a := assertionIn(response)
		return samltest.Responses(a, func(xml string) string { return strings.Replace(response, a, xml, 1) })[i]
	}
	enveloped := func(response string, i int) samltest.Wrapping { return samltest.Enveloped(response)[i] }
	model := h.saml.Assertion(fake.Assertion{NameID: "x", Audience: "x", Recipient: "x"})
	wrapped := func(i int) samltest.Wrapping {
		return samltest.Responses(model, func(xml string) string { return xml })[i]
	}
	signed := h.saml.SignXML(samltest.Envelope(h.saml.EntityID, "x", "Success", "2026-01-01T00:00:00Z", "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>"))
	add("", "assertion", len(samltest.Responses(model, func(xml string) string { return xml })), inResponse, wrapped)
	add("in a signed Response: ", "both", len(samltest.Enveloped(signed)), enveloped, func(i int) samltest.Wrapping { return samltest.Enveloped(signed)[i] })
	add("of the Response alone: ", "response", len(samltest.Enveloped(signed)), enveloped, func(i int) samltest.Wrapping { return samltest.Enveloped(signed)[i] })
	return list
}

// carried is done to a Response after all is signed.
func carried(change func(response string) string) fake.SAMLFaults {
	return fake.SAMLFaults{Posted: change}
}

func swapped(before, after string) func(string) string {
	return func(text string) string { return strings.Replace(text, before, after, 1) }
}

func (h *hall) acsCarried() []acsAttack {
	stranger := fake.NewIdP(h.saml.EntityID, "RS256")
	other := fake.NewIdP("https://other.example", "RS256")
	resigned := func(idp *fake.IdP) func(string) string {
		return func(response string) string {
			a := assertionIn(response)
			bare := signatureXML.ReplaceAllString(a, "")
			return strings.Replace(response, a, idp.SignXML(strings.Replace(bare, h.saml.EntityID, idp.EntityID, 1)), 1)
		}
	}
	whole := func(change func(string) string) fake.SAMLFaults {
		return fake.SAMLFaults{Sign: "response", Posted: change}
	}
	sealed := func(change func(string) string) fake.SAMLFaults {
		return fake.SAMLFaults{Encrypt: true, Posted: change}
	}
	name := ">" + h.saml.NameID("alice") + "<"
	return []acsAttack{
		{"A07", "another NameID", carried(swapped(name, ">admin<")), trust.ReasonSignature},
		{"A07", "another NameID in a signed Response", whole(swapped(name, ">admin<")), trust.ReasonSignature},
		{"A08", "an encrypted assertion that nobody signed", fake.SAMLFaults{Sign: "none", Encrypt: true}, trust.ReasonSignature},
		{"A09", "a signed error that carries an assertion", fake.SAMLFaults{Sign: "both", Response: swapped("status:Success", "status:Responder")}, trust.ReasonUpstreamError},
		{"A10", "a comment in the digest", carried(swapped("<ds:DigestValue>", "<ds:DigestValue><!-- -->")), trust.ReasonMalformed},
		{"A11", "an attribute twice", carried(swapped(` Version="2.0"`, ` Version="2.0" Version="2.0"`)), trust.ReasonMalformed},
		{"A11", "an ID of two elements", carried(func(r string) string {
			id := idXML.FindAllStringSubmatch(r, 2)
			return strings.Replace(r, id[0][0], id[1][0], 1)
		}), trust.ReasonMalformed},
		{"A12", "a comment in the NameID", carried(swapped(name, ">admin<!---->.evil<")), trust.ReasonMalformed},
		{"A13", "a name of two colons", carried(swapped("<saml:Subject>", "<saml::Subject>")), trust.ReasonMalformed},
		{"A14", "an external entity", carried(func(r string) string { return `<!DOCTYPE a [<!ENTITY x SYSTEM "http://169.254.169.254/">]>` + r }), trust.ReasonMalformed},
		{"A15", "an assertion of another namespace", carried(func(r string) string {
			return strings.ReplaceAll(r, "SAML:2.0:assertion", "SAML:1.0:assertion")
		}), trust.ReasonMalformed},
		{"A16", "a reference to nothing", carried(func(r string) string { return uriXML.ReplaceAllString(r, `URI=""`) }), trust.ReasonMalformed},
		{"A18", "a transform by XSLT", carried(swapped("http://www.w3.org/2000/09/xmldsig#enveloped-signature", "http://www.w3.org/TR/1999/REC-xslt-19991116")), trust.ReasonMalformed},
		{"A19", "RSA with SHA-1", carried(swapped("2001/04/xmldsig-more#rsa-sha256", "2000/09/xmldsig#rsa-sha1")), trust.ReasonAlgorithm},
		{"A19", "an HMAC with the public key", carried(swapped("xmldsig-more#rsa-sha256", "xmldsig-more#hmac-sha256")), trust.ReasonAlgorithm},
		{"A20", "the key in KeyInfo", carried(resigned(stranger)), trust.ReasonSignature},
		{"A20", "the office's login answered by another issuer", carried(resigned(other)), trust.ReasonSignature},
		{"A21", "a Response of another issuer", carried(swapped(">"+h.saml.EntityID+"<", ">https://other.example<")), trust.ReasonIssuerUnknown},
		{"A23", "no signature at all", fake.SAMLFaults{Sign: "none"}, trust.ReasonSignature},
		{"A23", "a Response whose signature was taken off", whole(func(r string) string { return signatureXML.ReplaceAllString(r, "") }), trust.ReasonSignature},
		{"A25", "ciphertext of the wrong length", sealed(func(r string) string {
			return cipherXML.ReplaceAllString(r, "<xenc:CipherValue>AAAA</xenc:CipherValue>")
		}), trust.ReasonMalformed},
		{"A25", "ciphertext with a bit turned", sealed(func(r string) string {
			all := cipherXML.FindAllStringSubmatch(r, -1)
			b, _ := base64.StdEncoding.DecodeString(all[len(all)-1][1])
			b[len(b)/2] ^= 1
			return strings.Replace(r, all[len(all)-1][1], base64.StdEncoding.EncodeToString(b), 1)
		}), trust.ReasonMalformed},
		{"A25", "AES-CBC, which is not agreed", sealed(swapped("http://www.w3.org/2009/xmlenc11#aes256-gcm", "http://www.w3.org/2001/04/xmlenc#aes256-cbc")), trust.ReasonMalformed},
		{"A25", "a key under RSA 1.5", sealed(swapped("rsa-oaep-mgf1p", "rsa-1_5")), trust.ReasonMalformed},
		{"A26", "nothing but the root", carried(func(string) string {
			return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r"/>`
		}), trust.ReasonMalformed},
		{"A26", "no status", carried(func(r string) string { return statusXML.ReplaceAllString(r, "") }), trust.ReasonMalformed},
		{"A28", "forty levels", carried(func(string) string { return strings.Repeat("<a>", 40) }), trust.ReasonTooLarge},
		{"A28", "ten thousand elements", carried(func(string) string { return "<a>" + strings.Repeat("<b/>", 10_000) + "</a>" }), trust.ReasonTooLarge},
		{"A34", "a Response without InResponseTo", carried(func(r string) string { return answersXML.ReplaceAllString(r, "") }), trust.ReasonLoginState},
		{"A23", "a Response without Issuer, around a good assertion", fake.SAMLFaults{Response: pattern(`<saml:Issuer xmlns[^>]*>[^<]*</saml:Issuer>`, "")}, trust.ReasonMalformed},
		{"A23", "a Response without Destination, around a good assertion", fake.SAMLFaults{Response: swapped(` Destination="`+ours+`/saml/acs"`, "")}, trust.ReasonRecipient},
		{"A36", "a Response for another place, around a good assertion", fake.SAMLFaults{Response: swapped(`Destination="`+ours+`/saml/acs"`, `Destination="https://evil.example/acs"`)}, trust.ReasonRecipient},
		{"A43", "an artifact", fake.SAMLFaults{Form: func(action string, form url.Values) string { form.Set("SAMLart", "AAQ"); return action }}, trust.ReasonRequest},
		{"A26", "no base64", fake.SAMLFaults{Form: func(action string, form url.Values) string { form.Set("SAMLResponse", "<Response/>"); return action }}, trust.ReasonMalformed},
		{"L05", "two good ones", carried(func(r string) string {
			a := assertionIn(r)
			return strings.Replace(r, a, a+strings.ReplaceAll(a, ` ID="_`, ` ID="_2`), 1)
		}), trust.ReasonMalformed},
	}
}

// acsSigned are signed by the office: a careless one, or what was made for somebody else.
func (h *hall) acsSigned() []acsAttack {
	bent := func(change func(string) string) fake.SAMLFaults {
		return fake.SAMLFaults{Change: func(a *fake.Assertion) { a.Bend = change }}
	}
	changed := func(change func(a *fake.Assertion)) fake.SAMLFaults { return fake.SAMLFaults{Change: change} }
	signed := func(change func(string) string) fake.SAMLFaults {
		return fake.SAMLFaults{Sign: "response", Response: change}
	}
	audience := `<saml:Audience>` + ours + `/saml/metadata</saml:Audience>`
	restriction := `<saml:AudienceRestriction>` + audience + `</saml:AudienceRestriction>`
	acs := `"` + ours + `/saml/acs"`
	return []acsAttack{
		{"A17", "two NameIDs", bent(swapped(`</saml:NameID>`, `</saml:NameID><saml:NameID>admin</saml:NameID>`)), trust.ReasonMalformed},
		{"A17", "two AuthnStatements", bent(pattern(`(?s)(<saml:AuthnStatement .*</saml:AuthnStatement>)`, `$1$1`)), trust.ReasonMalformed},
		{"A29", "for nobody in particular", bent(swapped(restriction, "")), trust.ReasonAudience},
		{"A29", "for our issuer, as exchanged ones are", changed(func(a *fake.Assertion) { a.Audience = ours }), trust.ReasonAudience},
		{"A29", "for us and, at once, for another", bent(swapped(restriction, restriction+`<saml:AudienceRestriction><saml:Audience>x</saml:Audience></saml:AudienceRestriction>`)), trust.ReasonAudience},
		{"A30", "to the token endpoint", changed(func(a *fake.Assertion) { a.Recipient = ours + trust.TokenPath }), trust.ReasonRecipient},
		{"A30", "to nobody", bent(swapped(` Recipient=`+acs, "")), trust.ReasonRecipient},
		{"A31", "holder of a key that nobody proves", bent(swapped(`cm:bearer`, `cm:holder-of-key`)), trust.ReasonBound},
		{"A32", "without an end to bring it by", bent(pattern(`NotOnOrAfter="[^"]*" Recipient`, `Recipient`)), trust.ReasonTime},
		{"A33", "Version 9.9", bent(swapped(`Version="2.0"`, `Version="9.9"`)), trust.ReasonMalformed},
		{"A33", "issued before the login began", bent(pattern(`IssueInstant="[^"]*"`, `IssueInstant="2026-01-01T00:00:00Z"`)), trust.ReasonTooOld},
		{"A33", "expired", bent(pattern(`(Conditions )NotBefore="[^"]*" NotOnOrAfter="[^"]*"`, `${1}NotOnOrAfter="2020-01-01T00:00:00Z"`)), trust.ReasonExpired},
		{"A34", "an assertion that answers nothing", changed(func(a *fake.Assertion) { a.InResponseTo = "" }), trust.ReasonLoginState},
		{"A34", "an assertion for another login", changed(func(a *fake.Assertion) { a.InResponseTo = "_of-somebody-else" }), trust.ReasonLoginState},
		{"A34", "a signed Response to another login", signed(pattern(`(<samlp:Response [^>]*InResponseTo=")[^"]*`, `${1}_of-somebody-else`)), trust.ReasonLoginState},
		{"A36", "a signed Response without Destination", signed(swapped(` Destination=`+acs, "")), trust.ReasonRecipient},
		{"A37", "an unknown condition", bent(swapped(restriction, restriction+`<saml:Condition xsi:type="xs:string"></saml:Condition>`)), trust.ReasonRestricted},
		{"A38", "a session that ended", changed(func(a *fake.Assertion) { a.SessionEnd = a.Now.Add(-2 * trust.Skew) }), trust.ReasonExpired},
		{"A39", "a name that is another each time", changed(func(a *fake.Assertion) { a.Format = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient" }), trust.ReasonSubject},
		{"A39", "no name", changed(func(a *fake.Assertion) { a.NameID = "" }), trust.ReasonSubject},
		{"A68", "an affiliation with another organisation", changed(func(a *fake.Assertion) {
			a.Attributes = append(a.Attributes, fake.Attribute{Name: "eduPersonPrincipalName", Values: []string{"boss@other.example"}})
		}), trust.ReasonClaim},
		{"L02", "no statement of a login", bent(pattern(`(?s)<saml:AuthnStatement .*</saml:AuthnStatement>`, "")), trust.ReasonMalformed},
		{"L02", "no Conditions", bent(pattern(`(?s)<saml:Conditions .*</saml:Conditions>`, "")), trust.ReasonMalformed},
		{"L03", "nobody confirms it", bent(pattern(`(?s)<saml:SubjectConfirmation .*</saml:SubjectConfirmation>`, "")), trust.ReasonRecipient},
	}
}
