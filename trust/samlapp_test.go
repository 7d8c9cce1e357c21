package trust

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// grantsOfTokens are those that a client's registration may name.
var grantsOfTokens = slices.DeleteFunc(slices.Clone(grants), func(g Grant) bool { return g == GrantSAMLSSO })

func samlSpec() Spec {
	return Spec{
		Issuer: "https://id.example",
		Clients: map[string]ClientSpec{"wiki": {Grants: []string{"saml_sso"}, App: &AppSpec{
			FirstParty: true, SAML: &SAMLSpec{EntityID: "https://wiki.example/sp", ACS: []string{"https://wiki.example/acs"}},
		}}},
		Trusts: map[string]TrustSpec{"hq": {
			Issuer: "https://hq.example", KeySource: "discovery", Login: &LoginSpec{Protocol: ProtocolOIDC},
			Grants: []GrantSpec{{Clients: []string{"wiki"}, SignIn: true, Claims: map[string]string{"mail": "email"}}},
		}},
	}
}

func TestSAMLApplicationsCompileStrictly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Spec, *ClientSpec)
		at     string
	}{
		"one that lacks nothing": {func(*Spec, *ClientSpec) {}, ""},
		"a third party's":        {func(_ *Spec, c *ClientSpec) { c.App.FirstParty = false }, "client.wiki.first_party"},
		"without a place":        {func(_ *Spec, c *ClientSpec) { c.App.SAML.ACS = nil }, "client.wiki.saml.acs"},
		"a place that is script": {func(_ *Spec, c *ClientSpec) { c.App.SAML.ACS[0] = "javascript:alert(1)" }, "client.wiki.saml.acs[0]"},
		"a place over http":      {func(_ *Spec, c *ClientSpec) { c.App.SAML.ACS[0] = "http://wiki.example/acs" }, "client.wiki.saml.acs[0]"},
		"without a name":         {func(_ *Spec, c *ClientSpec) { c.App.SAML.EntityID = "" }, "client.wiki.saml.entity_id"},
		"with redirect URIs":     {func(_ *Spec, c *ClientSpec) { c.App.RedirectURIs = []string{"https://wiki.example/cb"} }, "client.wiki.redirect_uris"},
		"with another grant":     {func(_ *Spec, c *ClientSpec) { c.Grants = []string{"saml_sso", "refresh_token"} }, "client.wiki.grants"},
		"two of one name": {func(s *Spec, c *ClientSpec) {
			s.Clients["wiki2"] = ClientSpec{Grants: c.Grants, App: &AppSpec{FirstParty: true, SAML: c.App.SAML}}
		}, "client.wiki2.saml.entity_id"},
		"the grant without the table": {func(_ *Spec, c *ClientSpec) { c.App = nil }, "client.wiki.grants[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := samlSpec()
			client := s.Clients["wiki"]
			c.change(&s, &client)
			s.Clients["wiki"] = client
			_, problems := Compile(s)
			if c.at == "" && len(problems) == 0 {
				return
			}
			if !slices.ContainsFunc(problems, func(p Problem) bool { return p.Path == c.at }) {
				t.Errorf("problems %v, wanted one at %q", problems, c.at)
			}
		})
	}
}

func TestASAMLSignInIsDecidedLikeAnyOther(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	subject := Subject{
		Credential: CredentialLogin, SignedIn: true, Trust: "hq", Origin: "hq", Sub: "s", Issuer: "https://hq.example", Domain: "https://hq.example",
		IssuedAt: now, AuthTime: now, Expires: now.Add(time.Hour), Claims: map[string]any{"email": "ada@hq.example", "phone_number": "1"},
	}
	ask := func(change func(*Spec), st Standing) Decision {
		s := samlSpec()
		change(&s)
		reg, problems := Compile(s)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return reg.Evaluate(Request{Grant: GrantSAMLSSO, Subject: subject, Client: "wiki", Now: now}, st)
	}
	same := func(*Spec) {}
	if d := ask(same, Standing{Loaded: true}); !d.Granted || len(d.IdentityClaims) != 1 || d.IdentityClaims["mail"] != "ada@hq.example" {
		t.Errorf("the twin: %+v", d)
	}
	for name, d := range map[string]Decision{
		"a standing that is not known": ask(same, Standing{}),
		"a blocked person":             ask(same, Standing{Loaded: true, Blocked: true}),
		"a trust that is disabled": ask(func(s *Spec) {
			hq := s.Trusts["hq"]
			hq.Disabled = true
			s.Trusts["hq"] = hq
		}, Standing{Loaded: true}),
		"no sign_in rule": ask(func(s *Spec) {
			hq := s.Trusts["hq"]
			hq.Grants = nil
			s.Trusts["hq"] = hq
		}, Standing{Loaded: true}),
		"a requirement that does not hold": ask(func(s *Spec) {
			hq := s.Trusts["hq"]
			hq.Require = map[string]ConditionSpec{"email": {Exact: "bob@hq.example"}}
			s.Trusts["hq"] = hq
		}, Standing{Loaded: true}),
	} {
		if d.Granted || d.IdentityClaims != nil {
			t.Errorf("%s: granted %+v", name, d)
		}
	}
	s := samlSpec()
	reg, _ := Compile(s)
	if _, ok := reg.ByEntity("https://wiki.example/sp"); !ok {
		t.Error("the application is not found by its entityID")
	}
	if _, ok := reg.ByEntity(strings.ToUpper("https://wiki.example/sp")); ok {
		t.Error("entityIDs are compared byte for byte")
	}
}
