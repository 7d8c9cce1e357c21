package trust

import (
	"slices"
	"testing"
)

// asserting lets the head office send assertions, and the portal bring them.
func asserting() Spec {
	s := hmart()
	setTrust(&s, "hq", func(t *TrustSpec) { t.SAML2 = &AssertionSpec{} })
	setClient(&s, "portal", func(c *ClientSpec) { c.Grants = append(c.Grants, "saml2_bearer") })
	return s
}

// asserted asks for stock.read with an assertion of the head office; asserting grants it.
func asserted(g Grant) Request {
	q := foreign()
	q.Grant = g
	q.Subject.Credential, q.Subject.OneTime, q.Subject.TokenID = CredentialSAML2, true, "_a1"
	return q
}

func TestAssertionsAreDecidedAsAnyForeignCredential(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		spec   func(*Spec)
		ask    func(*Request)
		reason Reason
	}{
		{"an assertion is granted what a JWT is", nil, nil, ""},
		{"A69_a disabled trust", func(s *Spec) { setTrust(s, "hq", func(t *TrustSpec) { t.Disabled = true }) }, nil, ReasonTrustNotLive},
		{"a use that was withdrawn", func(s *Spec) { setTrust(s, "hq", func(t *TrustSpec) { t.SAML2 = nil }) }, nil, ReasonTrustNotLive},
		{"a trust that takes JWTs only", nil, func(q *Request) { q.Subject.Trust, q.Subject.Origin = "gone", "gone" }, ReasonTrustNotLive},
		{"a table of scopes, of which an assertion has none", func(s *Spec) {
			setRule(s, func(g *GrantSpec) { g.Scopes, g.ScopeMap = nil, map[string]string{"stock.read": "stock.read"} })
		}, nil, ReasonScopeEmpty},
		{"A81_a requirement of the trust", func(s *Spec) {
			setTrust(s, "hq", func(t *TrustSpec) { t.Require = map[string]ConditionSpec{"department": {Exact: "board"}} })
		}, nil, ReasonRequire},
		{"the grant for JWTs", nil, func(q *Request) { q.Grant = GrantJWTBearer }, ReasonType},
		{"a JWT by the grant for assertions", nil, func(q *Request) { q.Grant, q.Subject.Credential = GrantSAML2Bearer, CredentialJWT }, ReasonType},
	} {
		for _, g := range []Grant{GrantTokenExchange, GrantSAML2Bearer} {
			t.Run(c.name+" by "+string(g), func(t *testing.T) {
				t.Parallel()
				s, q := asserting(), asserted(g)
				if c.spec != nil {
					c.spec(&s)
				}
				if c.ask != nil {
					c.ask(&q)
				}
				d := compile(t, s).Evaluate(q, live)
				if d.Granted != (c.reason == "") || d.Reason != c.reason || d.Granted && (d.Links != 1 || !slices.Equal(d.Scopes, []string{"stock.read"})) {
					t.Errorf("%+v", d)
				}
			})
		}
	}
}

func TestAccessNamesTheGrantsThatTakeAssertions(t *testing.T) {
	t.Parallel()
	s := asserting()
	setTrust(&s, "hq", func(t *TrustSpec) { t.JWT, t.IDToken = nil, nil })
	for _, a := range compile(t, s).Access() {
		if a.Trust == "hq" && !slices.Equal(a.Grants, []Grant{GrantTokenExchange, GrantSAML2Bearer}) {
			t.Errorf("%+v", a)
		}
	}
}

func TestA87_NoEndpointOfOursButTheTokenEndpointIsARecipient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		use      AssertionSpec
		path     string // "" = it compiles
		accepted []string
	}{
		{"nothing said", AssertionSpec{}, "", []string{"https://id.west.hmart.example/oauth2/token"}},
		{"an application's own", AssertionSpec{Recipients: []string{"https://app.example/acs"}}, "", []string{"https://id.west.hmart.example/oauth2/token", "https://app.example/acs"}},
		{"the token endpoint itself", AssertionSpec{Audiences: []string{"https://id.west.hmart.example/oauth2/token"}, Recipients: []string{"https://id.west.hmart.example/oauth2/token"}}, "", []string{"https://id.west.hmart.example/oauth2/token"}},
		{"where assertions of sign-ins go", AssertionSpec{Recipients: []string{"https://id.west.hmart.example/saml/acs"}}, "trust.hq.exchange.saml2.recipients[0]", nil},
		{"whom assertions of sign-ins are for", AssertionSpec{Audiences: []string{"https://id.west.hmart.example", "https://id.west.hmart.example/saml"}}, "trust.hq.exchange.saml2.audiences[1]", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := asserting()
			setTrust(&s, "hq", func(t *TrustSpec) { t.SAML2 = &c.use })
			reg, problems := Compile(s)
			if c.path != "" {
				if !found(problems, c.path, "below our issuer") {
					t.Errorf("%+v", problems)
				}
				return
			}
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			hq, _ := reg.Trust("hq")
			if !slices.Equal(hq.Spec.SAML2.Recipients, c.accepted) {
				t.Errorf("%v", hq.Spec.SAML2.Recipients)
			}
		})
	}
}

func TestAnEntityIDIsANameThoughItLooksLikeAURL(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"http://sts.office.example/adfs/services/trust", "https://accounts.example/o/saml2?idpid=C01", "urn:mace:office"} {
		s := asserting()
		setTrust(&s, "hq", func(t *TrustSpec) { t.Issuer, t.JWT, t.IDToken = id, nil, nil })
		if _, problems := Compile(s); len(problems) > 0 {
			t.Errorf("%s: %+v", id, problems)
		}
	}
	s := asserting() // JWTs of it as well: then it is an issuer
	setTrust(&s, "hq", func(t *TrustSpec) { t.Issuer = "http://sts.office.example/adfs" })
	if _, problems := Compile(s); !found(problems, "trust.hq.issuer", "http is for dev") {
		t.Errorf("%+v", problems)
	}
}

func TestAnAPIThatTakesAssertions(t *testing.T) {
	t.Parallel()
	legacy := func(change func(*APISpec)) Spec {
		s := asserting()
		setAPI(&s, "orders", func(a *APISpec) {
			a.Token = TokenSpec{Format: FormatSAML2, Recipient: "https://orders.example/acs"}
			if change != nil {
				change(a)
			}
		})
		addRule(&s, "hq", GrantSpec{Clients: []string{"portal"}, API: "orders", Scopes: []string{"order.read"}})
		return s
	}
	for _, c := range []struct {
		name   string
		change func(*APISpec)
		path   string
	}{
		{"no recipient", func(a *APISpec) { a.Token.Recipient = "" }, "api.orders.token.recipient"},
		{"a recipient without TLS", func(a *APISpec) { a.Token.Recipient = "http://orders.example/acs" }, "api.orders.token.recipient"},
		{"a recipient of tokens", func(a *APISpec) { a.Token.Format = "jwt" }, "api.orders.token.recipient"},
		{"an algorithm that XML has not", func(a *APISpec) { a.Token.Alg = "EdDSA" }, "api.orders.token.alg"},
	} {
		if _, problems := Compile(legacy(c.change)); len(problems) != 1 || problems[0].Path != c.path {
			t.Errorf("%s: %+v", c.name, problems)
		}
	}
	reg := compile(t, legacy(nil))
	for _, c := range []struct {
		name   string
		ask    func(*Request)
		reason Reason
	}{
		{"an assertion asked for", func(q *Request) { q.Assertion = true }, ""},
		{"nothing in particular asked for", func(*Request) {}, ""},
		{"a token asked for", func(q *Request) { q.Token = true }, ReasonUnsupportedType},
		{"another grant", func(q *Request) { q.Grant = GrantJWTBearer }, ReasonUnsupportedType},
		{"two services", func(q *Request) { q.Audiences = []string{"orders", "warehouse"} }, ReasonTargetsDisagree},
		{"an assertion for an API that takes tokens", func(q *Request) {
			q.Assertion, q.Audiences, q.Scopes = true, []string{"warehouse"}, []string{"stock.read"}
		}, ReasonUnsupportedType},
	} {
		q := foreign()
		q.Audiences, q.Scopes = []string{"orders"}, []string{"order.read"}
		c.ask(&q)
		if d := reg.Evaluate(q, live); d.Granted != (c.reason == "") || d.Reason != c.reason {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
}
