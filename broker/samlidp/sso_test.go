package samlidp

import (
	"crypto"
	"encoding/base64"
	"errors"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"apostille/broker/audit"
	"apostille/broker/authflow"
	"apostille/trust"
	"apostille/trust/xmlsec"
)

func TestAnApplicationGetsASignedAssertion(t *testing.T) {
	t.Parallel()
	for _, encrypt := range []bool{false, true} {
		b := newBench(t)
		b.app.Encrypt = encrypt
		b.signIn(t, "hq", "sub-1")
		w := b.ask(t, authn(noon, "", ""))
		root := answered(t, w)
		if s := statusOf(root); s != "Success" {
			t.Fatalf("status %s", s)
		}
		a := find(root, "Assertion")
		if encrypt {
			if a != nil || strings.Contains(w.Body.String(), "sub-1") {
				t.Fatal("the assertion is there in plain text")
			}
			var err error
			if a, err = xmlsec.Decrypt(find(root, "EncryptedAssertion"), []crypto.Decrypter{wikiKey()}); err != nil {
				t.Fatal(err)
			}
		} else if _, err := xmlsec.Parse(a.Canonical()); err != nil {
			t.Fatal(err)
		}
		reread, err := xmlsec.Parse(a.Canonical())
		if err != nil {
			t.Fatal(err)
		}
		v, err := xmlsec.Verify(reread, []crypto.PublicKey{ourKey().Public()})
		if err != nil {
			t.Fatalf("the assertion is not signed by us: %v", err)
		}
		for local, want := range map[string]string{"Issuer": issuer + MetadataPath, "NameID": "sub-1", "Audience": wikiID, "AuthnContextClassRef": "urn:basic"} {
			if got, _ := find(v.Element(), local).Text(); got != want {
				t.Errorf("%s is %q, wanted %q", local, got, want)
			}
		}
		for _, attr := range []struct{ in, name, want string }{
			{"SubjectConfirmationData", "Recipient", acs}, {"SubjectConfirmationData", "InResponseTo", "_q1"},
			{"SubjectConfirmationData", "NotOnOrAfter", when(noon.Add(5 * time.Minute))}, {"Conditions", "NotOnOrAfter", when(noon.Add(5 * time.Minute))},
			{"AuthnStatement", "SessionIndex", trust.SID("session-1", "wiki")}, {"AuthnStatement", "AuthnInstant", when(noon.Add(-time.Minute))},
			{"AuthnStatement", "SessionNotOnOrAfter", when(noon.Add(time.Hour))}, {"NameID", "Format", formatPersistent},
		} {
			if got, _ := find(v.Element(), attr.in).Attr(attr.name); got != attr.want {
				t.Errorf("%s of %s is %q, wanted %q", attr.name, attr.in, got, attr.want)
			}
		}
		var values []string
		for e := range v.Element().Walk() {
			if s, ok := e.Text(); ok && e.Is(saml("AttributeValue")) {
				values = append(values, s)
			}
		}
		if got := strings.Join(values, " "); got != "a&b <c> ada@hq.example" { // and no name: no rule releases it
			t.Errorf("attributes %q", got)
		}
		if len(b.attended) != 1 || b.attended[0].NameID.Value != "sub-1" || b.attended[0].SID != trust.SID("session-1", "wiki") {
			t.Errorf("remembered %+v", b.attended)
		}
		if e := b.audit.events; len(e) != 1 || e[0].Event != audit.EventIssued || e[0].Client != "wiki" || e[0].Subject != "sub-1" || e[0].Grant != "saml_sso" {
			t.Errorf("records %+v", e)
		}
	}
}

// The same request again is answered again, at the same place: harmless, and a page that is reloaded goes on.
func TestARequestThatComesAgainIsAnsweredAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "sub-1")
	for range 2 {
		if s := statusOf(answered(t, b.ask(t, authn(noon, "", "")))); s != "Success" {
			t.Error(s)
		}
	}
	form := signedForm(t, authn(noon, "", ""), "r", wikiKey())
	if w := post(b.SSO(), SSOPath, form); w.Code != http.StatusSeeOther || statusOf(answered(t, b.follow(w))) != "Success" {
		t.Errorf("by POST: %d", w.Code)
	}
}

func TestA42_A109_NobodyIsSentToAPlaceThatIsNotRegistered(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "sub-1")
	for _, attrs := range []string{
		`AssertionConsumerServiceURL="https://evil.example/acs"`, `AssertionConsumerServiceURL="javascript:alert(1)"`, `AssertionConsumerServiceURL="` + acs + `/"`,
		`AssertionConsumerServiceURL="HTTPS://wiki.example/acs"`, `AssertionConsumerServiceURL="` + acs + `?x"`, `AssertionConsumerServiceIndex="7"`,
		`AssertionConsumerServiceIndex="9"`, `AssertionConsumerServiceIndex="0" AssertionConsumerServiceURL="` + acs + `"`,
	} {
		onPage(t, attrs, b.ask(t, authn(noon, attrs, "")), 400)
	}
	for _, attrs := range []string{"", `AssertionConsumerServiceIndex="0"`, `ProviderName="x"`} { // the twins; without any it is the first
		if s := statusOf(answered(t, b.ask(t, authn(noon, attrs, "")))); s != "Success" {
			t.Error(attrs, s)
		}
	}
}

func TestA24_A26_A27_A36_AMessageThatCannotBeTrustedIsToldOnAPage(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "sub-1")
	good := authn(noon, "", "")
	query := signedQuery(t, good, "r", wikiKey())
	plain := "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflated(good)))
	for name, c := range map[string]struct {
		query  string
		status int
	}{
		"A24: not signed":                   {plain, 403},
		"A24: signed by somebody else":      {signedQuery(t, good, "r", evilKey()), 403},
		"A24: another RelayState":           {strings.Replace(query, "RelayState=r", "RelayState=x", 1), 403},
		"A24: the RelayState left out":      {strings.Replace(query, "RelayState=r&", "", 1), 403},
		"A24: SAMLResponse besides":         {query + "&SAMLResponse=AAAA", 400},
		"A24: a parameter twice":            {query + "&RelayState=y", 400},
		"A24: another algorithm":            {strings.Replace(query, "rsa-sha256", "rsa-sha512", 1), 403},
		"A24: a signature inside":           {signedQuery(t, authn(noon, "", `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"></ds:Signature>`), "r", wikiKey()), 400},
		"A27: a bomb":                       {signedQuery(t, good+strings.Repeat(" ", 1<<20), "r", wikiKey()), 400},
		"A26: not DEFLATE":                  {"SAMLRequest=AAAA", 400},
		"A26: nothing":                      {"", 400},
		"A26: not an AuthnRequest":          {signedQuery(t, logoutOf(noon, "_l", issuer+SSOPath, ""), "r", wikiKey()), 400},
		"A26: no ID":                        {signedQuery(t, strings.Replace(good, `ID="_q1"`, ``, 1), "r", wikiKey()), 400},
		"A26: no Issuer":                    {signedQuery(t, strings.Replace(good, "<saml:Issuer>"+wikiID+"</saml:Issuer>", "", 1), "r", wikiKey()), 400},
		"A26: elements out of order":        {signedQuery(t, authn(noon, "", "<samlp:Scoping></samlp:Scoping><samlp:NameIDPolicy></samlp:NameIDPolicy>"), "r", wikiKey()), 400},
		"a document type":                   {signedQuery(t, "<!DOCTYPE x>"+good, "r", wikiKey()), 400},
		"of somebody unknown":               {signedQuery(t, strings.Replace(good, wikiID, wikiID+"/", 1), "r", wikiKey()), 400},
		"A36: for another place":            {signedQuery(t, strings.Replace(good, SSOPath, "/saml/acs", 1), "r", wikiKey()), 400},
		"A36: for no place":                 {signedQuery(t, strings.Replace(good, `Destination="`+issuer+SSOPath+`"`, "", 1), "r", wikiKey()), 400},
		"of long ago":                       {signedQuery(t, authn(noon.Add(-12*time.Minute), "", ""), "r", wikiKey()), 400},
		"of the future":                     {signedQuery(t, authn(noon.Add(2*time.Minute), "", ""), "r", wikiKey()), 400},
		"a RelayState beyond all measure":   {signedQuery(t, good, strings.Repeat("r", 1025), wikiKey()), 400},
		"a truth that is neither":           {signedQuery(t, authn(noon, `ForceAuthn="yes"`, ""), "r", wikiKey()), 400},
		"an attribute of another namespace": {signedQuery(t, authn(noon, `samlp:ForceAuthn="true"`, ""), "r", wikiKey()), 400},
	} {
		onPage(t, name, get(b.SSO(), SSOPath+"?"+c.query), c.status)
	}
	if s := statusOf(answered(t, b.follow(get(b.SSO(), SSOPath+"?"+query)))); s != "Success" {
		t.Errorf("the twin: %s", s)
	}
	if w := get(b.Resume(), ResumePath+"?r=made-up"); w.Code != 400 {
		t.Errorf("a request that we did not seal: %d", w.Code)
	}
	b.limited = true
	onPage(t, "too many", get(b.SSO(), SSOPath+"?"+query), 429)
}

func TestA03_A05_APostedMessageIsWhatItsSignatureCovers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "sub-1")
	good := authn(noon, "", "")
	signed, err := xmlsec.Sign([]byte(good), wikiKey(), nil)
	if err != nil {
		t.Fatal(err)
	}
	form := func(document string) string {
		return url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString([]byte(document))}}.Encode()
	}
	evil := strings.Replace(strings.Replace(good, `ID="_q1"`, `ID="_evil"`, 1), acs, "https://wiki.example/acs2", 1)
	for name, document := range map[string]string{
		"not signed":                   good,
		"changed after it was signed":  strings.Replace(string(signed), "https://wiki.example/acs", "https://wiki.example/acs2", 1),
		"the signed one in Extensions": strings.Replace(evil, "</saml:Issuer>", "</saml:Issuer><samlp:Extensions>"+string(signed)+"</samlp:Extensions>", 1),
		"the signed one in Subject":    strings.Replace(evil, "</saml:Issuer>", "</saml:Issuer><saml:Subject>"+string(signed)+"</saml:Subject>", 1),
	} {
		if w := post(b.SSO(), SSOPath, form(document)); w.Code != 403 && w.Code != 400 || strings.Contains(w.Body.String(), "SAMLResponse") {
			t.Errorf("%s: %d to %q", name, w.Code, w.Header().Get("Location"))
		}
	}
	if w := b.follow(post(b.SSO(), SSOPath, form(string(signed)))); statusOf(answered(t, w)) != "Success" {
		t.Error("the twin is refused")
	}
}

// An application without certificates, or that need not sign, is answered at its registered place; a signature that is there has to hold.
func TestASignatureThatIsNotWantedHasToHoldAllTheSame(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "sub-1")
	b.app.SignedRequests = false
	plain := "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString(deflated(authn(noon, "", ""))))
	if w := b.follow(get(b.SSO(), SSOPath+"?"+plain)); statusOf(answered(t, w)) != "Success" {
		t.Error("a request without a signature is refused")
	}
	onPage(t, "signed by somebody else", get(b.SSO(), SSOPath+"?"+signedQuery(t, authn(noon, "", ""), "r", evilKey())), 403)
}

func TestWhatAnApplicationAsksAndCannotHaveIsAStatus(t *testing.T) {
	t.Parallel()
	policy := func(attrs string) string { return "<samlp:NameIDPolicy " + attrs + "></samlp:NameIDPolicy>" }
	classes := func(comparison, class string) string {
		return `<samlp:RequestedAuthnContext ` + comparison + `><saml:AuthnContextClassRef>` + class + `</saml:AuthnContextClassRef></samlp:RequestedAuthnContext>`
	}
	for name, c := range map[string]struct {
		attrs, inner, want string
		change             func(*testing.T, *bench)
	}{
		"a format it does not get":       {"", policy(`Format="` + formatEmail + `"`), "Requester InvalidNameIDPolicy", nil},
		"a name of another application":  {"", policy(`SPNameQualifier="https://other.example"`), "Requester InvalidNameIDPolicy", nil},
		"its own name":                   {"", policy(`AllowCreate="true" SPNameQualifier="` + wikiID + `"`), "Success", nil},
		"a transient name":               {"", policy(`Format="` + formatTransient + `"`), "Success", nil},
		"an artifact":                    {`ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Artifact"`, "", "Requester UnsupportedBinding", nil},
		"a certain person":               {"", `<saml:Subject></saml:Subject>`, "Requester RequestUnsupported", nil},
		"a stronger class":               {"", classes(`Comparison="minimum"`, "urn:basic"), "Responder NoAuthnContext", nil},
		"the class there is":             {"", classes(``, "urn:basic"), "Success", nil},
		"a quiet answer":                 {`IsPassive="true"`, "", "Success", nil},
		"a quiet answer, nobody there":   {`IsPassive="true"`, "", "Responder NoPassive", func(_ *testing.T, b *bench) { b.session = nil }},
		"a quiet answer, another class":  {`IsPassive="1"`, classes(``, "urn:mfa"), "Responder NoPassive", nil},
		"a quiet answer and a new login": {`IsPassive="true" ForceAuthn="true"`, "", "Responder NoPassive", nil},
		"a blocked person":               {"", "", "Responder RequestDenied", func(_ *testing.T, b *bench) { b.standing.Blocked = true }},
		"a standing that is not known":   {"", "", "Responder RequestDenied", func(_ *testing.T, b *bench) { b.standing = trust.Standing{} }},
		"nobody is let in": {"", "", "Responder RequestDenied", func(t *testing.T, b *bench) {
			for _, id := range []string{"hq", "west"} {
				spec := b.spec.Trusts[id]
				spec.Grants = nil
				b.spec.Trusts[id] = spec
			}
			b.compile(t)
		}},
		"more than a login keeps":           {"", classes(``, strings.Repeat("k", 1000)+"</saml:AuthnContextClassRef><saml:AuthnContextClassRef>"+strings.Repeat("l", 1000)+"</saml:AuthnContextClassRef><saml:AuthnContextClassRef>"+strings.Repeat("m", 1000)), "Requester", nil},
		"an audit trail that takes nothing": {"", "", "Responder", func(_ *testing.T, b *bench) { b.audit.err = errors.New("full") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.signIn(t, "hq", "sub-1")
			if c.change != nil {
				c.change(t, b)
			}
			root := answered(t, b.ask(t, authn(noon, c.attrs+` AssertionConsumerServiceURL="`+acs+`"`, c.inner)))
			if got := statusOf(root); got != c.want {
				t.Errorf("status %q, wanted %q", got, c.want)
			}
			if c.want != "Success" && (find(root, "Assertion") != nil || find(root, "EncryptedAssertion") != nil) {
				t.Error("an assertion came all the same")
			}
		})
	}
}

func TestSomebodySignsInFirstAndComesBack(t *testing.T) {
	t.Parallel()
	for _, force := range []bool{false, true} {
		b := newBench(t)
		attrs := ""
		if force {
			b.signIn(t, "hq", "sub-1")
			attrs = `ForceAuthn="true"`
		}
		b.ask(t, authn(noon, attrs, ""))
		if b.began == nil || b.began.Client != "wiki" || b.began.Ask.Force != force || len(b.began.Trusts) != 0 || !strings.HasPrefix(b.began.Return, ResumePath+"?r=") {
			t.Fatalf("began %+v", b.began)
		}
		if s := statusOf(answered(t, get(b.Resume(), b.began.Cancel))); s != "Responder AuthnFailed" {
			t.Errorf("cancelled: %s", s)
		}
		back := b.began.Return + "&login=handle"
		get(b.Resume(), b.began.Return+"&login=other") // a result of nobody's: asked again
		if len(b.attended) > 0 {
			t.Fatal("answered without a sign-in")
		}
		b.result = &authflow.Result{Trust: "west", At: noon}
		b.signIn(t, "west", "sub-2")
		root := answered(t, get(b.Resume(), back))
		if name, _ := find(root, "NameID").Text(); statusOf(root) != "Success" || name != "sub-2" {
			t.Errorf("%s, %s", statusOf(root), name)
		}
		b.result = &authflow.Result{Refused: trust.ReasonLoginRequired}
		if s := statusOf(answered(t, get(b.Resume(), back))); s != "Responder AuthnFailed" {
			t.Errorf("an office that asked nobody: %s", s)
		}
	}
}

func TestTheNameOfAPersonIsWhatWasSettled(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		format, sector, want string
		change               func(*bench)
	}{
		"public":         {"persistent", "", "sub-1", nil},
		"of a sector":    {"persistent", "north", "north/sub-1", nil},
		"of the session": {"transient", "", "transient:" + trust.SID("session-1", "wiki") + "/sub-1", nil},
		"an address":     {"emailAddress", "", "ada@hq.example", nil},
		"an address that is not released": {"emailAddress", "", "", func(b *bench) {
			for id, spec := range b.spec.Trusts {
				spec.Grants[0].Claims = nil
				b.spec.Trusts[id] = spec
			}
		}},
	} {
		b := newBench(t)
		b.app.NameIDFormat = c.format
		b.spec.Clients["wiki"].App.Sector = c.sector
		if c.change != nil {
			c.change(b)
		}
		b.compile(t)
		b.signIn(t, "hq", "sub-1")
		root := answered(t, b.ask(t, authn(noon, "", "")))
		if c.want == "" {
			if statusOf(root) != "Responder InvalidNameIDPolicy" {
				t.Errorf("%s: %s", name, statusOf(root))
			}
			continue
		}
		if got, _ := find(root, "NameID").Text(); got != c.want {
			t.Errorf("%s: %q, wanted %q", name, got, c.want)
		}
	}
}

// What was sealed is looked up again: a registration that changed meanwhile counts.
func TestARequestThatWaitsIsJudgedByTheRegistrationOfNow(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*bench){
		"the place is gone":      func(b *bench) { b.spec.Clients["wiki"].App.SAML.ACS = []string{"https://wiki.example/new"} },
		"the application is off": func(b *bench) { c := b.spec.Clients["wiki"]; c.Disabled = true; b.spec.Clients["wiki"] = c },
		"it lay open too long":   func(b *bench) { b.now = b.now.Add(requestTTL + time.Minute) },
	} {
		b := newBench(t)
		b.signIn(t, "hq", "sub-1")
		self := get(b.SSO(), SSOPath+"?"+signedQuery(t, authn(noon, "", ""), "", wikiKey())).Header().Get("Location")
		if s := statusOf(answered(t, get(b.Resume(), self))); s != "Success" {
			t.Fatalf("the twin: %s", s)
		}
		change(b)
		b.compile(t)
		onPage(t, name, get(b.Resume(), self), 400)
	}
}

func TestA112_MarkupInNamesAndStateIsText(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "sub-1")
	relay := `"><script>alert(1)</script>`
	w := b.follow(get(b.SSO(), SSOPath+"?"+signedQuery(t, authn(noon, "", ""), relay, wikiKey())))
	answered(t, w)
	body := w.Body.String()
	if strings.Contains(body, "<script>alert") || strings.Contains(body, "<Wiki>") || !strings.Contains(body, "The &lt;Wiki&gt;") {
		t.Error(body)
	}
	if !strings.Contains(body, html.EscapeString(relay)) {
		t.Error("the RelayState is not given back as it came")
	}
	// Into the XML as well: an ID is the application's own words.
	odd := b.ask(t, strings.Replace(authn(noon, "", ""), `ID="_q1"`, `ID="_q1" ProviderName="&lt;x&gt;&quot;"`, 1))
	if s := statusOf(answered(t, odd)); s != "Success" {
		t.Error(s)
	}
}

// A login's result is worth something for the browser and the request that it was begun with, once; broker/authflow binds it, and nothing here
// looks past that.
func TestA108_AResultOfAnotherLoginAnswersNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.ask(t, authn(noon, "", ""))
	mine := b.began.Return
	b.ask(t, strings.Replace(authn(noon, "", ""), "_q1", "_q2", 1))
	b.result = &authflow.Result{Trust: "hq", At: noon} // of the second request
	b.signIn(t, "hq", "sub-1")
	b.session.Identities[0].Trust = "nobody" // signed in, but with an office that this application knows nothing of
	if get(b.Resume(), mine+"&login=handle"); len(b.attended) > 0 {
		t.Error("answered with the result of another login")
	}
	b.session.Identities[0].Trust = "hq"
	if s := statusOf(answered(t, get(b.Resume(), mine))); s != "Success" {
		t.Errorf("the twin: %s", s)
	}
}

func TestMetadataNameBothKeysWhileOneIsRotated(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Own = func() ([]OwnKey, error) {
		return []OwnKey{{Key: ourKey(), Certificate: []byte("one")}, {Key: wikiKey(), Certificate: []byte("two")}}, nil
	}
	w := get(b.Metadata(), MetadataPath)
	root, err := xmlsec.Parse(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := xmlsec.Verify(root, []crypto.PublicKey{ourKey().Public()}); err != nil {
		t.Error(err)
	}
	for _, want := range []string{`entityID="` + issuer + MetadataPath + `"`, ">" + base64.StdEncoding.EncodeToString([]byte("one")) + "<", ">" + base64.StdEncoding.EncodeToString([]byte("two")) + "<", issuer + SSOPath, issuer + LogoutPath} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %q in %s", want, w.Body)
		}
	}
}
