package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"apostille/trust"
	"apostille/upstream/fake"
)

const (
	researchCategory = "http://refeds.org/category/research-and-scholarship"
	eduAuthority     = "https://registry.edu.example/"
)

// campus is a hall whose office the broker knows only as a member of a federation.
type campus struct {
	*hall
	registrar *fake.IdP
	member    fake.Member
}

const campusTOML = `
[federation.edu]
name = "Education"
file = "edu.xml"
certificates = ["registrar.pem"]
require = { department = ["logistics"] }

[federation.edu.login]
logout = true

[federation.edu.exchange]
saml2 = {}

[[federation.edu.grant]]
clients = ["portal"]
sign_in = true

[[federation.edu.grant]]
clients = ["portal"]
api = "warehouse"
scopes = ["stock.read"]
members = { categories = ["` + researchCategory + `"], registration_authorities = ["` + eduAuthority + `"] }

[limits]
`

func newCampus(t testing.TB, change ...string) *campus {
	t.Helper()
	c := &campus{hall: &hall{arena: newParties(t, "ES256")}, registrar: fake.NewIdP("registrar", "ES256")}
	var handler atomic.Pointer[fake.SAMLProvider]
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.Load().ServeHTTP(w, r) }))
	at := "http://" + s.Listener.Addr().String()
	c.saml = fake.NewSAMLProvider(fake.SAMLOptions{URL: at, Parties: c.party})
	handler.Store(c.saml)
	s.Start()
	t.Cleanup(s.Close)
	c.member = fake.Member{
		EntityID: at + "/entity", Name: "University of the Campus", Keywords: "alma+mater", SSO: at + "/sso", SLO: at + "/slo", Scope: "hq.hmart.example",
		Category: researchCategory, Authority: eduAuthority, Certificate: c.saml.Certificate(),
	}
	writeFile(t, filepath.Join(c.dir, "registrar.pem"), c.registrar.PEM())
	c.publish(t, c.member)
	c.begin(t, append([]string{"[limits]\n", campusTOML}, change...)...)
	c.refresh(t)
	return c
}

// id is what the broker calls the campus.
func (c *campus) id() string { return trust.MemberID("edu", c.member.EntityID) }

// publish writes the federation's metadata, of the member and two others, with a time of change that is another each time.
func (c *campus) publish(t testing.TB, members ...fake.Member) {
	t.Helper()
	for _, name := range []string{"North", "South"} {
		at := "https://" + strings.ToLower(name) + ".example"
		members = append(members, fake.Member{EntityID: at + "/entity", Name: "Academy of the " + name, SSO: at + "/sso", Certificate: c.registrar.Certificate()})
	}
	writeFile(t, filepath.Join(c.dir, "edu.xml"), []byte(c.registrar.Aggregate(time.Now().Add(24*time.Hour), members...)))
}

func (c *campus) refresh(t testing.TB) {
	t.Helper()
	if _, err := c.server.federations.Refresh(t.Context(), "edu"); err != nil {
		t.Fatal(err)
	}
}

// assertion is one of the campus, for the token endpoint.
func (c *campus) assertion(attributes ...fake.Attribute) string {
	a := goodAssertion()
	a.Attributes = append(a.Attributes, attributes...)
	return fake.Encode(c.saml.Assertion(a))
}

func TestPeopleOfAFederationsMemberSignIn(t *testing.T) {
	t.Parallel()
	c := newCampus(t)
	page := c.signInAtHall(t, c.browser(), "alice", "idp_hint", c.member.EntityID)
	code := page.URL.Query().Get("code")
	if page.Status != 0 || code == "" {
		t.Fatalf("no code came of it: %v %d\n%s\n%s", page.Hops, page.Status, page.Text(), c.log.String())
	}
	out := c.ask(t, "portal", codeForm(code), nil)
	if out.Status != http.StatusOK {
		t.Fatalf("%d %s", out.Status, out.Body)
	}
	if claims := claimsOf(t, out.Token.IDToken); claims["sub"] != c.hallSub("alice") {
		t.Errorf("sub %v: it must be what it would be with a trust of its own", claims["sub"])
	}
	if trail := c.trail.String(); !strings.Contains(trail, `"trust":"`+c.id()+`"`) || !strings.Contains(trail, `"event":"federation.changed"`) {
		t.Errorf("the trail does not name the member, or the refresh:\n%s", trail)
	}
}

func TestThePickerFindsMembersOfFederations(t *testing.T) {
	t.Parallel()
	c := newCampus(t)
	b := c.browser()
	page, err := b.Open(authorizeURL("prompt", "select_account"))
	if err != nil || page.Status != http.StatusOK {
		t.Fatalf("%v %+v", err, page)
	}
	for _, words := range []string{"campus university", "alma mater", "hq.hmart.example", "univresity campus"} {
		found, err := b.Follow(page, "/login/search?"+url.Values{"r": {page.URL.Query().Get("r")}, "q": {words}}.Encode())
		if err != nil || !strings.Contains(found.Body, c.id()) || strings.Contains(found.Body, "Academy") {
			t.Errorf("%q finds %v %s", words, err, found.Text())
		}
	}
	if found, _ := b.Follow(page, "/login/search?"+url.Values{"r": {page.URL.Query().Get("r")}, "q": {"north academy"}}.Encode()); !strings.Contains(found.Body, "Academy of the North") {
		t.Errorf("another member is not found: %s", found.Text())
	}
}

func TestAssertionsOfAFederationsMemberAreExchanged(t *testing.T) {
	t.Parallel()
	c := newCampus(t)
	out := c.ask(t, "portal", exchangeForm(c.assertion(), "saml2"), nil)
	if out.Status != http.StatusOK {
		t.Fatalf("%d %s", out.Status, out.Body)
	}
	for name, change := range map[string]func(*fake.Member){
		"without the category":        func(m *fake.Member) { m.Category = "http://refeds.org/category/code-of-conduct/v2" },
		"registered by somebody else": func(m *fake.Member) { m.Authority = "https://other.example/" },
		"with another certificate":    func(m *fake.Member) { m.Certificate = c.registrar.Certificate() },
		"of another name":             func(m *fake.Member) { m.EntityID += "x" },
	} {
		m := c.member
		change(&m)
		c.publish(t, m)
		c.refresh(t)
		if out := c.ask(t, "portal", exchangeForm(c.assertion(), "saml2"), nil); out.Status == http.StatusOK {
			t.Errorf("%s: exchanged", name)
		}
	}
	c.publish(t, c.member)
	c.refresh(t)
	if out := c.ask(t, "portal", exchangeForm(c.assertion(), "saml2"), nil); out.Status != http.StatusOK {
		t.Errorf("the twin: %d %s", out.Status, out.Body)
	}
}

// A member speaks for the domains that its metadata list (shibmd:Scope), and for no other.
func TestAMemberSpeaksForItsScopesOnly(t *testing.T) {
	t.Parallel()
	c := newCampus(t)
	affiliation := func(domain string) string {
		return c.assertion(fake.Attribute{Name: "eduPersonScopedAffiliation", Values: []string{"member@" + domain}})
	}
	if out := c.ask(t, "portal", exchangeForm(affiliation("hq.hmart.example"), "saml2"), nil); out.Status != http.StatusOK {
		t.Errorf("its own: %d %s", out.Status, out.Body)
	}
	if out := c.ask(t, "portal", exchangeForm(affiliation("north.example"), "saml2"), nil); out.Status == http.StatusOK {
		t.Error("it speaks for another member's people")
	}
	c.member.Scope = ""
	c.publish(t, c.member)
	c.refresh(t)
	if out := c.ask(t, "portal", exchangeForm(affiliation("hq.hmart.example"), "saml2"), nil); out.Status == http.StatusOK {
		t.Error("without a scope it speaks for everybody")
	}
}

// What rests on a sign-in ends with the member.
func TestAMemberThatLeavesIsAnOfficeNoMore(t *testing.T) {
	t.Parallel()
	c := newCampus(t)
	page := c.signInAtHall(t, c.browser(), "alice", "idp_hint", c.id())
	out := c.ask(t, "portal", codeForm(page.URL.Query().Get("code")), nil)
	if out.Status != http.StatusOK || out.Token.RefreshToken == "" {
		t.Fatalf("%d %s", out.Status, out.Body)
	}
	c.publish(t)
	c.refresh(t)
	if again := c.ask(t, "portal", refreshForm(out.Token.RefreshToken), nil); again.Status == http.StatusOK {
		t.Error("its people's refresh tokens go on")
	}
	if out := c.ask(t, "portal", exchangeForm(c.assertion(), "saml2"), nil); out.Status == http.StatusOK {
		t.Error("its assertions are exchanged")
	}
	b := c.browser()
	if page, err := b.Open(authorizeURL("idp_hint", c.id())); err != nil || strings.HasPrefix(page.URL.String(), c.member.SSO) {
		t.Errorf("people are still sent there: %v", page.URL)
	}
}

func TestAReloadKeepsTheMembers(t *testing.T) {
	t.Parallel()
	c := newCampus(t)
	cfg, err := c.server.app.load()
	if err != nil {
		t.Fatal(err)
	}
	c.server.apply(cfg)
	if _, ok := c.server.trust(c.id()); !ok {
		t.Error("the member is gone")
	}
	if out := c.ask(t, "portal", exchangeForm(c.assertion(), "saml2"), nil); out.Status != http.StatusOK {
		t.Errorf("%d %s", out.Status, out.Body)
	}
}

func TestATrustOfItsOwnTakesItsPlacesFromTheFederation(t *testing.T) {
	t.Parallel()
	c := newCampus(t)
	own := `
[trust.alma]
issuer = "` + c.member.EntityID + `"
keys = { federation = "edu" }
require = { department = ["logistics"] }

[trust.alma.login]
protocol = "saml"

[[trust.alma.grant]]
clients = ["portal"]
sign_in = true
`
	c.configure(t, "[limits]\n", campusTOML, "[limits]\n", own+"[limits]\n")
	cfg, err := c.server.app.load()
	if err != nil {
		t.Fatal(err)
	}
	c.server.apply(cfg)
	page := c.signInAtHall(t, c.browser(), "alice", "idp_hint", "alma")
	if page.URL.Query().Get("code") == "" {
		t.Fatalf("no code came of it: %v %d\n%s\n%s", page.Hops, page.Status, page.Text(), c.log.String())
	}
	if out := c.ask(t, "portal", exchangeForm(c.assertion(), "saml2"), nil); out.Status == http.StatusOK {
		t.Error("what the trust does not say the federation still grants")
	}
}

// A113: only a logo that was written here may come from a private address.
func TestA113_LogosFromMetadataAreStrangers(t *testing.T) {
	t.Parallel()
	c := newCampus(t, `protocol = "oidc"`, "protocol = \"oidc\"\nlogo = \"https://10.0.0.9/own.png\"")
	cfg := c.server.config.Load()
	if !configuredLogo(cfg, "https://10.0.0.9/own.png") {
		t.Error("what was written here is not ours")
	}
	if configuredLogo(cfg, "https://10.0.0.9/another.png") {
		t.Error("any address is ours")
	}
}

func TestARefusedAggregateIsOnRecord(t *testing.T) {
	t.Parallel()
	c := newCampus(t)
	writeFile(t, filepath.Join(c.dir, "edu.xml"), []byte(fake.NewIdP("somebody", "ES256").Aggregate(time.Now().Add(time.Hour), c.member)))
	if _, err := c.server.federations.Refresh(t.Context(), "edu"); err == nil {
		t.Fatal("taken")
	}
	if trail := c.trail.String(); !strings.Contains(trail, `"event":"federation.refused"`) {
		t.Errorf("the trail lacks it:\n%s", trail)
	}
	w := httptest.NewRecorder()
	c.server.metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{`apostille_federation_refreshes_total{federation="edu",result="error"} 1`, `apostille_federation_members{federation="edu"} 3`, "apostille_federation_valid_until_seconds"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if out := c.ask(t, "portal", exchangeForm(c.assertion(), "saml2"), nil); out.Status != http.StatusOK {
		t.Errorf("the last good ones are gone: %d %s", out.Status, out.Body)
	}
}

// Commands beside the server know members as it does.
func TestExplainKnowsMembersOfFederations(t *testing.T) {
	t.Parallel()
	c := newCampus(t)
	writeFile(t, filepath.Join(c.dir, "assertion.xml"), []byte(c.saml.Assertion(goodAssertion())))
	for args, want := range map[string]string{
		"explain --client portal --subject-token-type saml2 --audience warehouse --scope stock.read --subject-token @": "verdict: granted",
		"inspect @": c.id(),
	} {
		var out, errs bytes.Buffer
		line := append(strings.Fields(args+filepath.Join(c.dir, "assertion.xml")), "--config", c.path())
		if code := run(t.Context(), line, strings.NewReader(""), &out, &errs); code != exitOK || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %d %s%s", args, code, out.String(), errs.String())
		}
	}
}
