package saml_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"apostille/trust"
	"apostille/upstream/fake"
)

const (
	audiences    = `<saml:AudienceRestriction><saml:Audience>` + us + `</saml:Audience></saml:AudienceRestriction>`
	elsewhere    = `<saml:AudienceRestriction><saml:Audience>https://other.example</saml:Audience></saml:AudienceRestriction>`
	confirmation = `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">`
	stampEnd     = `NotOnOrAfter="2026-03-02T12:05:00.000Z"`
	stampStart   = `NotBefore="2026-03-02T12:00:00.000Z"`
	issueInstant = `IssueInstant="2026-03-02T12:00:00.000Z"`
)

// Each row is signed by the right key: what refuses it is what it says.
func TestWhatAnAssertionMustSay(t *testing.T) {
	t.Parallel()
	accepted(t, office.Assertion(draft())) // the twin of all: nothing written otherwise
	for _, c := range []struct {
		id, name, before, after string
		reason                  trust.Reason
		says                    string
	}{
		{"A17", "two NameIDs", `</saml:NameID>`, `</saml:NameID><saml:NameID>admin</saml:NameID>`, trust.ReasonMalformed, "twice"},
		{"A17", "two Subjects", `</saml:Subject>`, `</saml:Subject><saml:Subject><saml:NameID>admin</saml:NameID></saml:Subject>`, trust.ReasonMalformed, "Subject comes"},
		{"A17", "two Conditions", `</saml:Conditions>`, `</saml:Conditions><saml:Conditions></saml:Conditions>`, trust.ReasonMalformed, "twice"},
		{"A17", "two Issuers", `</saml:Issuer>`, `</saml:Issuer><saml:Issuer>x</saml:Issuer>`, trust.ReasonMalformed, "Issuer comes"},
		{"A17", "two AuthnStatements", `<saml:AuthnStatement`, `<saml:AuthnStatement AuthnInstant="2026-03-02T12:00:00Z"><saml:AuthnContext><saml:AuthnContextDeclRef>urn:d</saml:AuthnContextDeclRef></saml:AuthnContext></saml:AuthnStatement><saml:AuthnStatement`, trust.ReasonMalformed, "more than one statement"},
		{"A17", "one attribute twice", `<saml:Attribute Name="department"`, `<saml:Attribute Name="department"><saml:AttributeValue>board</saml:AttributeValue></saml:Attribute><saml:Attribute Name="department"`, trust.ReasonMalformed, "twice"},
		{"A17", "an attribute of Attribute that the schema does not know", `<saml:Attribute Name="department"`, `<saml:Attribute Format="urn:f" Name="department"`, trust.ReasonMalformed, "attribute of Attribute"},
		{"A17", "the same in SAML's own namespace", `<saml:Attribute Name="department"`, `<saml:Attribute saml:Name="role" Name="department"`, trust.ReasonMalformed, "attribute of Attribute"},
		{"A17", "one of SubjectConfirmationData", stampEnd + ` Recipient`, `NameQualifier="q" ` + stampEnd + ` Recipient`, trust.ReasonMalformed, "attribute of SubjectConfirmationData"},
		{"A17", "a nil value that has text", `<saml:Attribute Name="department"`, `<saml:Attribute Name="id"><saml:AttributeValue xsi:nil="true">x</saml:AttributeValue></saml:Attribute><saml:Attribute Name="department"`, trust.ReasonMalformed, "nil"},
		{"A17", "an AuthnContext without a class", between(draft(), "<saml:AuthnContextClassRef>", "</saml:AuthnContextClassRef>"), ``, trust.ReasonMalformed, "neither a class"},
		{"A05", "Advice", `</saml:Conditions>`, `</saml:Conditions><saml:Advice></saml:Advice>`, trust.ReasonMalformed, "belong"},
		{"A15", "a Subject of another namespace", `<saml:Subject>`, `<x:Subject xmlns:x="urn:x"><saml:NameID>admin</saml:NameID></x:Subject><saml:Subject>`, trust.ReasonMalformed, "Subject"},
		{"A15", "a type by xsi:type", `<saml:Subject>`, `<saml:Subject xsi:type="saml:SubjectType">`, trust.ReasonMalformed, "attribute of Subject"},
		{"L02", "no Subject", subjectOf(draft()), ``, trust.ReasonMalformed, "Subject"},
		{"L02", "no Conditions", conditionsOf(), ``, trust.ReasonMalformed, "Conditions"},
		{"L02", "no SubjectConfirmationData", dataOf(), ``, trust.ReasonRecipient, "no Recipient"},

		{"A29", "no AudienceRestriction", audiences, ``, trust.ReasonAudience, "no AudienceRestriction"},
		{"A29", "another audience", audiences, elsewhere, trust.ReasonAudience, "other.example"},
		{"A29", "two restrictions of which one is not ours", audiences, audiences + elsewhere, trust.ReasonAudience, "other.example"},
		{"A29", "the same, the other way round", audiences, elsewhere + audiences, trust.ReasonAudience, "other.example"},
		{"A29", "a restriction without an audience", audiences, `<saml:AudienceRestriction></saml:AudienceRestriction>`, trust.ReasonMalformed, "Audience"},
		{"A29", "our issuer with a slash", audiences, strings.ReplaceAll(audiences, us, us+"/"), trust.ReasonAudience, us},

		{"A30", "no SubjectConfirmation", confirmation + dataOf() + `</saml:SubjectConfirmation>`, ``, trust.ReasonRecipient, "no SubjectConfirmation"},
		{"A30", "the recipient of another tenant", `Recipient="` + us, `Recipient="https://east.example`, trust.ReasonRecipient, "east.example"},
		{"A30", "no recipient", `Recipient="` + us + `/oauth2/token"`, ``, trust.ReasonRecipient, "no Recipient"},
		{"A87", "the recipient of sign-ins", `Recipient="` + us + `/oauth2/token"`, `Recipient="` + us + `/saml/acs"`, trust.ReasonRecipient, "saml/acs"},
		{"A31", "holder of key", `cm:bearer`, `cm:holder-of-key`, trust.ReasonBound, "holder-of-key"},
		{"A31", "sender vouches", `cm:bearer`, `cm:sender-vouches`, trust.ReasonBound, "sender-vouches"},
		{"A31", "a bearer who must be somebody", confirmation, confirmation + `<saml:NameID>the portal</saml:NameID>`, trust.ReasonBound, "who may bring"},
		{"A31", "a bearer with a key to prove", `></saml:SubjectConfirmationData>`, `><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"></ds:KeyInfo></saml:SubjectConfirmationData>`, trust.ReasonBound, "key"},
		{"A32", "a confirmation that ended", stampEnd + ` Recipient`, `NotOnOrAfter="2026-03-02T11:58:59Z" Recipient`, trust.ReasonExpired, "time to bring"},
		{"A32", "a confirmation without end", stampEnd + ` Recipient`, `Recipient`, trust.ReasonTime, "no NotOnOrAfter"},
		{"A32", "a confirmation with a beginning", stampEnd + ` Recipient`, stampStart + ` ` + stampEnd + ` Recipient`, trust.ReasonTime, "NotBefore"},

		{"A33", "not valid yet", stampStart + ` ` + stampEnd, `NotBefore="2026-03-02T12:01:01Z" ` + stampEnd, trust.ReasonNotYetValid, "not valid before"},
		{"A33", "expired", stampStart + ` ` + stampEnd, `NotOnOrAfter="2026-03-02T11:59:00Z"`, trust.ReasonExpired, "expired"},
		{"A33", "no end", stampStart + ` ` + stampEnd, stampStart, trust.ReasonTime, "NotOnOrAfter"},
		{"A33", "an end before its beginning", stampStart + ` ` + stampEnd, `NotBefore="2026-03-02T12:00:30Z" NotOnOrAfter="2026-03-02T12:00:20Z"`, trust.ReasonTime, "not after"},
		{"A33", "an end in a hundred years", stampStart + ` ` + stampEnd, `NotOnOrAfter="2126-03-02T12:00:00Z"`, trust.ReasonTime, "366 days"},
		{"A33", "issued in the future", issueInstant, `IssueInstant="2099-01-01T00:00:00Z"`, trust.ReasonNotYetValid, "future"},
		{"A33", "issued long ago", issueInstant, `IssueInstant="2026-03-02T10:59:59Z"`, trust.ReasonTooOld, "1h0m0s"},
		{"A33", "no IssueInstant", issueInstant, ``, trust.ReasonTime, "IssueInstant"},
		{"A33", "local time", issueInstant, `IssueInstant="2026-03-02T12:00:00+01:00"`, trust.ReasonMalformed, "UTC"},
		{"A33", "a time that is none", issueInstant, `IssueInstant="noon"`, trust.ReasonMalformed, "UTC"},
		{"A33", "Version 9.9", `Version="2.0"`, `Version="9.9"`, trust.ReasonMalformed, "Version"},
		{"A33", "authenticated in the future", `AuthnInstant="2026-03-02T12:00`, `AuthnInstant="2026-03-02T13:00`, trust.ReasonNotYetValid, "authenticated"},
		{"A38", "a session that ended", `SessionIndex`, `SessionNotOnOrAfter="2026-03-02T11:59:00Z" SessionIndex`, trust.ReasonExpired, "session"},

		{"A37", "an unknown condition", audiences, audiences + `<saml:Condition xmlns:x="urn:x" xsi:type="x:Delegation"></saml:Condition>`, trust.ReasonRestricted, "unknown type"},
		{"A37", "a condition of another namespace", audiences, audiences + `<x:Condition xmlns:x="urn:x"></x:Condition>`, trust.ReasonMalformed, "belong"},
		{"A37", "nothing may be issued for it", audiences, audiences + `<saml:ProxyRestriction Count="0"></saml:ProxyRestriction>`, trust.ReasonRestricted, "how often"},
		{"A37", "one step", audiences, audiences + `<saml:ProxyRestriction Count="1"></saml:ProxyRestriction>`, trust.ReasonRestricted, "how often"},
		// It was accepted, and what was issued by it said nothing of it: whoever got that could go on without end.
		{"A37", "many steps", audiences, audiences + `<saml:ProxyRestriction Count="5"></saml:ProxyRestriction>`, trust.ReasonRestricted, "how often"},
		{"A37", "two of them, the second of which says nothing", audiences, audiences + `<saml:ProxyRestriction Count="0"/><saml:ProxyRestriction/>`, trust.ReasonMalformed, "twice"},
		{"A37", "for others only", audiences, audiences + `<saml:ProxyRestriction><saml:Audience>https://x</saml:Audience></saml:ProxyRestriction>`, trust.ReasonRestricted, "for whom"},
		{"A37", "OneTimeUse twice", audiences, audiences + `<saml:OneTimeUse></saml:OneTimeUse><saml:OneTimeUse></saml:OneTimeUse>`, trust.ReasonMalformed, "twice"},

		{"A39", "an empty NameID", `>kim<`, `><`, trust.ReasonSubject, "empty"},
		{"A39", "a NameID of spaces", `>kim<`, `>  <`, trust.ReasonSubject, "white space"},
		{"A39", "a NameID in lines", `>kim<`, ">kim\nadmin<", trust.ReasonSubject, "control"},
		{"A39", "a transient NameID", `SAML:1.1:nameid-format:unspecified`, `SAML:2.0:nameid-format:transient`, trust.ReasonSubject, "transient"},
		{"A39", "no NameID", `<saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified">kim</saml:NameID>`, ``, trust.ReasonSubject, "no NameID"},
		{"A35", "no ID of its own", `ID="_a1"`, `ID=" "`, trust.ReasonTokenID, "ID"},
		{"A11", "two attributes that are one claim", `<saml:Attribute Name="department"`, `<saml:Attribute Name="mail"><saml:AttributeValue>boss@hq.example</saml:AttributeValue></saml:Attribute><saml:Attribute Name="department"`, trust.ReasonClaim, "mail"},
		{"A11", "an attribute that poses as the issuer", `Name="department"`, `Name="iss"`, trust.ReasonClaim, "iss"},
	} {
		t.Run(c.id+"_"+c.name, func(t *testing.T) {
			t.Parallel()
			wantRefusal(t, bent(c.before, c.after), c.reason, c.says)
		})
	}
}

// What looks odd and is lawful.
func TestWhatAnAssertionMaySay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, before, after string }{
		{"several audiences, ours among them", audiences, `<saml:AudienceRestriction><saml:Audience>` + us + `</saml:Audience><saml:Audience>https://other.example</saml:Audience></saml:AudienceRestriction>`},
		{"the same, ours behind", audiences, `<saml:AudienceRestriction><saml:Audience>https://other.example</saml:Audience><saml:Audience>` + us + `</saml:Audience></saml:AudienceRestriction>`},
		{"two restrictions that both are ours", audiences, audiences + audiences},
		{"one use only", audiences, audiences + `<saml:OneTimeUse></saml:OneTimeUse>`},
		{"a restriction that restricts nothing", audiences, audiences + `<saml:ProxyRestriction></saml:ProxyRestriction>`},
		{"holder of key beside a bearer", confirmation, `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"></saml:SubjectConfirmation>` + confirmation},
		{"another recipient beside ours", confirmation, strings.Replace(confirmation+dataOf()+`</saml:SubjectConfirmation>`, us, "https://east.example", 1) + confirmation},
		{"no NotBefore", stampStart + ` ` + stampEnd, stampEnd},
		{"a minute late", stampStart + ` ` + stampEnd, `NotOnOrAfter="2026-03-02T11:59:01Z"`},
		{"a minute early", stampStart + ` ` + stampEnd, `NotBefore="2026-03-02T12:01:00Z" ` + stampEnd},
		{"microseconds", issueInstant, `IssueInstant="2026-03-02T12:00:00.123456789Z"`},
		{"an Issuer with its format", `<saml:Issuer>`, `<saml:Issuer Format="urn:oasis:names:tc:SAML:2.0:nameid-format:entity">`},
		{"an address, a request it answers", stampEnd + ` Recipient`, `Address="10.0.0.1" InResponseTo="_r" ` + stampEnd + ` Recipient`},
		{"a value that is no text", `<saml:Attribute Name="department"`, `<saml:Attribute Name="id"><saml:AttributeValue><saml:NameID>x</saml:NameID></saml:AttributeValue></saml:Attribute><saml:Attribute Name="department"`},
		{"an attribute of Attribute in another namespace", `<saml:Attribute Name="department"`, `<saml:Attribute xmlns:a="urn:a" a:OriginalIssuer="hr" Name="department"`},
		{"a nil value", `<saml:Attribute Name="department"`, `<saml:Attribute Name="id"><saml:AttributeValue xsi:nil="true"></saml:AttributeValue></saml:Attribute><saml:Attribute Name="department"`},
		{"an attribute with no value", `<saml:Attribute Name="department"`, `<saml:Attribute Name="id"></saml:Attribute><saml:Attribute Name="department"`},
		{"white space between elements", `<saml:Subject>`, "\n  <saml:Subject>\n    "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if s := accepted(t, bent(c.before, c.after)); s.Value != "kim" || s.Claims["department"] != "logistics" || s.Claims["id"] != nil {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestA39_A89_TheAccountIsIssuerFormatQualifiersAndValue(t *testing.T) {
	t.Parallel()
	const name = `<saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified">kim</saml:NameID>`
	const persistent = `Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"`
	accounts := map[string]string{} // our sub → what it is
	for _, c := range []struct{ attributes, value, account string }{
		{`Format="urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"`, "kim", "unspecified"},
		{``, "kim", "unspecified"},
		{`NameQualifier="a"`, "kim", "qualified by a"},
		{`NameQualifier="a b"`, "kim", "qualified by a and a space"},
		{`SPNameQualifier="a"`, "kim", "qualified for a"},
		{`NameQualifier="a" SPNameQualifier="b"`, "kim", "both"},
		{`Format="urn:x"`, "kim", "another format"},
		{`Format="urn:x urn:y"`, "kim", "a format with a space"},
		{persistent, "kim", "persistent"},
		{persistent + ` NameQualifier="` + them + `"`, "kim", "persistent"},
		{persistent + ` NameQualifier="https://x"`, "kim", "persistent of x"},
		{persistent + ` SPNameQualifier="` + us + `"`, "kim", "persistent for us"},
		{persistent, "Kim", "another value"},
	} {
		s := accepted(t, bent(name, "<saml:NameID "+c.attributes+">"+c.value+"</saml:NameID>"))
		if other, taken := accounts[s.Sub]; taken && other != c.account {
			t.Errorf("%q and %q are one account", other, c.account)
		}
		accounts[s.Sub] = c.account
	}
	if len(accounts) != 11 {
		t.Errorf("%d accounts, wanted 11: %v", len(accounts), accounts)
	}
	if accounts[trust.DeriveSub(them, "sub", "kim")] != "" {
		t.Error("a NameID is the account of the sub of an ID token")
	}
}

func TestA39_AnAttributeNamesTheSubjectWhereTheTrustSaysSo(t *testing.T) {
	t.Parallel()
	v, reg := world(t, func(s *trust.Spec) {
		office := s.Trusts["office"]
		office.Subject = "mail"
		s.Trusts["office"] = office
	})
	transient := bent(`SAML:1.1:nameid-format:unspecified`, `SAML:2.0:nameid-format:transient`)
	s, err := v.Assertion(t.Context(), reg, fake.Encode(transient), "portal")
	if err != nil || s.Kind != "mail" || s.Value != "kim@hq.example" || s.Sub != trust.DeriveSub(them, "mail", "kim@hq.example") {
		t.Errorf("subject %+v, error %v", s, err)
	}
	two := bent(`>kim@hq.example</saml:AttributeValue>`, `>kim@hq.example</saml:AttributeValue><saml:AttributeValue>boss@hq.example</saml:AttributeValue>`)
	refused(t, v, reg, fake.Encode(two), trust.ReasonSubject, "not one value")
	none := bent(`Name="urn:oid:0.9.2342.19200300.100.1.3"`, `Name="urn:oid:2.5.4.4"`)
	refused(t, v, reg, fake.Encode(none), trust.ReasonSubject, "no mail")
}

func TestA38_TheEndIsTheLeastOfConditionsAndSession(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		life, session time.Duration
		want          time.Duration
	}{
		{"no session's end", time.Hour, 0, time.Hour},
		{"the session ends first", time.Hour, time.Minute, time.Minute},
		{"the session ends later", time.Hour, 8 * time.Hour, time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := draft()
			a.Lifetime = c.life
			if c.session > 0 {
				a.SessionEnd = noon.Add(c.session)
			}
			if s := accepted(t, office.Assertion(a)); !s.Expires.Equal(noon.Add(c.want)) {
				t.Errorf("it ends at %s", s.Expires)
			}
		})
	}
}

// between cuts a piece out of the good document.
func between(a fake.Assertion, from, to string) string {
	document := a.XML()
	start := strings.Index(document, from)
	return document[start : strings.Index(document, to)+len(to)]
}

func subjectOf(a fake.Assertion) string { return between(a, "<saml:Subject>", "</saml:Subject>") }
func conditionsOf() string              { return between(draft(), "<saml:Conditions", "</saml:Conditions>") }
func dataOf() string {
	return between(draft(), "<saml:SubjectConfirmationData", "</saml:SubjectConfirmationData>")
}

// An attribute of that name stood for it where the assertion has no class, or no NameID: a rule for `authn_context` believed it.
func TestA07_AnAttributeDoesNotPassForWhatTheAssertionSays(t *testing.T) {
	t.Parallel()
	v, reg := world(t, nil)
	named := func(name, value string) string {
		return `<saml:AttributeStatement><saml:Attribute Name="` + name + `"><saml:AttributeValue>` + value + `</saml:AttributeValue></saml:Attribute>`
	}
	const mfa = "https://refeds.org/profile/mfa"
	for name, c := range map[string]struct {
		attribute, value, class string
		good                    bool
	}{
		"a class that it does not have": {"authn_context", mfa, "", false},
		"another class":                 {"authn_context", mfa, "urn:password", false},
		"its class once more":           {"authn_context", mfa, mfa, true},
		"under its name in SAML 1.x":    {"urn:mace:dir:attribute-def:authn_context", mfa, "", false},
		"another NameID":                {"name_id", "admin", "", false},
		"something else":                {"level", mfa, "", true},
	} {
		a := draft()
		a.Bend = func(document string) string {
			class := "<saml:AuthnContextDeclRef>urn:declared</saml:AuthnContextDeclRef>" // one of the two must stand there
			if c.class != "" {
				class = "<saml:AuthnContextClassRef>" + c.class + "</saml:AuthnContextClassRef>"
			}
			document = classXML.ReplaceAllLiteralString(document, class)
			return strings.Replace(document, `<saml:AttributeStatement>`, named(c.attribute, c.value), 1)
		}
		s, err := v.Assertion(t.Context(), reg, fake.Encode(office.Assertion(a)), "portal")
		if (err == nil) != c.good || !c.good && s.Sub != "" {
			t.Errorf("%s: %v, %v", name, s.Claims, err)
		}
	}
}

var classXML = regexp.MustCompile(`<saml:AuthnContextClassRef>.*</saml:AuthnContextClassRef>`)
