package trust

import (
	"strings"
	"testing"
	"time"
)

// fault is one thing that is wrong with a Spec: bad makes it, good is the nearest thing that is right (nil: hmart).
type fault struct {
	name string
	bad  func(*Spec)
	path string
	text string
	good func(*Spec)
}

func runFaults(t *testing.T, faults []fault) {
	t.Helper()
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			bad := hmart()
			f.bad(&bad)
			r, problems := Compile(bad)
			if r != nil {
				t.Error("a faulty Spec made a Registry")
			}
			if !found(problems, f.path, f.text) {
				t.Errorf("want a problem at %s that says %q, got %+v", f.path, f.text, problems)
			}
			for _, p := range problems {
				if p.Remedy == "" {
					t.Errorf("no remedy: %+v", p)
				}
			}
			good := hmart()
			if f.good != nil {
				f.good(&good)
			}
			if _, problems := Compile(good); len(problems) > 0 {
				t.Errorf("twin: %+v", problems)
			}
		})
	}
}

func found(problems []Problem, path, text string) bool {
	for _, p := range problems {
		if p.Path == path && strings.Contains(p.Text, text) {
			return true
		}
	}
	return false
}

func TestCompileRefusesIssuersAndAPIs(t *testing.T) {
	t.Parallel()
	iss := func(v string) func(*Spec) { return func(s *Spec) { s.Issuer = v } }
	api := func(change func(*APISpec)) func(*Spec) {
		return func(s *Spec) { setAPI(s, "warehouse", change) }
	}
	runFaults(t, []fault{
		{"a missing issuer", iss(""), "issuer", "missing", nil},
		{"an issuer with a trailing slash", iss("https://id.example/"), "issuer", "slash", iss("https://id.example/broker")},
		{"an issuer with a query", iss("https://id.example?x=1"), "issuer", "query", nil},
		{"an issuer with an empty query", iss("https://id.example?"), "issuer", "query", nil},
		{"an issuer with a fragment", iss("https://id.example#a"), "issuer", "fragment", nil},
		{"an issuer with a user", iss("https://me@id.example"), "issuer", "user information", nil},
		{"an issuer without host", iss("https:///x"), "issuer", "no host", nil},
		{"an http issuer outside dev", iss("http://id.localhost"), "issuer", "dev = true",
			func(s *Spec) { s.Issuer, s.Dev = "http://id.localhost", true }},
		// Each of these passed `check`, and then the router panicked at the start ({ and a space are its syntax), served other
		// paths too ({a} is its wildcard), or served a path that no request reaches.
		{"an issuer whose path is a router's wildcard", iss("https://id.example/{a}"), "issuer", "path", iss("https://id.example/a~b/v1.0")},
		{"an issuer whose path has an empty wildcard", iss("https://id.example/{}"), "issuer", "path", nil},
		{"an issuer whose path has a space", iss("https://id.example/a b"), "issuer", "path", nil},
		{"an issuer whose path is escaped", iss("https://id.example/a%2Fb"), "issuer", "path", nil},
		{"an issuer whose path has an empty segment", iss("https://id.example/a//b"), "issuer", "path", nil},
		{"an issuer whose path has dots", iss("https://id.example/a/../b"), "issuer", "path", iss("https://id.example/a..b")},
		{"an issuer below .well-known", iss("https://id.example/.well-known/openid-configuration"), "issuer", "path", nil},
		{"an issuer that is no URL", iss("id.example"), "issuer", "scheme", nil},
		{"an API with a bad name", func(s *Spec) { s.APIs["Ware House"] = APISpec{Audience: "x"} }, `api."Ware House"`, "not an API name",
			func(s *Spec) { s.APIs["ware.house"] = APISpec{Audience: "x"} }},
		{"an API that takes the broker's name", func(s *Spec) { s.APIs[UserInfo] = APISpec{Audience: "x"} }, "api.userinfo", "cannot be declared", nil},
		{"an API without audience", api(func(a *APISpec) { a.Audience = "" }), "api.warehouse.audience", "empty", nil},
		{"an API whose audience is our issuer", api(func(a *APISpec) { a.Audience = "https://id.west.hmart.example" }), "api.warehouse.audience", "our issuer", nil},
		{"two APIs with one audience", api(func(a *APISpec) { a.Audience = ordersURL }), "api.warehouse.audience", `api "orders"`,
			api(func(a *APISpec) { a.Audience = strings.ToUpper(ordersURL) })},
		{"an API named like another's audience", func(s *Spec) { s.APIs["stock"] = APISpec{Audience: "orders"} }, "api.orders", `audience of api "stock"`,
			func(s *Spec) { s.APIs["stock"] = APISpec{Audience: "stock"} }},
		{"a resource that is another's audience", api(func(a *APISpec) { a.Resources = []string{ordersURL} }), "api.warehouse.resources[0]", `api "orders"`, nil},
		{"a resource with a fragment", api(func(a *APISpec) { a.Resources = []string{"https://a.example/#b"} }), "api.warehouse.resources[0]", "fragment", nil},
		{"a resource that is not absolute", api(func(a *APISpec) { a.Resources = []string{"/v2"} }), "api.warehouse.resources[0]", "absolute", nil},
		{"an unknown algorithm", api(func(a *APISpec) { a.Token.Alg = "none" }), "api.warehouse.token.alg", `"none"`,
			api(func(a *APISpec) { a.Token.Alg = "RS256" })},
		{"an unknown type", api(func(a *APISpec) { a.Token.Typ = "jwt" }), "api.warehouse.token.typ", `"jwt"`,
			api(func(a *APISpec) { a.Token.Typ = "JWT" })},
		{"a negative lifetime", api(func(a *APISpec) { a.Lifetime = -time.Second }), "api.warehouse.lifetime", "negative", nil},
		{"a lifetime beyond the maximum", api(func(a *APISpec) { a.Lifetime = MaxLifetime + 1 }), "api.warehouse.lifetime", "more than",
			api(func(a *APISpec) { a.Lifetime = MaxLifetime })},
		{"a lifetime below a second", api(func(a *APISpec) { a.Lifetime = 10 }), "api.warehouse.lifetime", "less than", nil},
		{"an owner that does not exist", api(func(a *APISpec) { a.Client = "nobody" }), "api.warehouse.client", "no client", nil},
		{"a scope with a space", api(func(a *APISpec) { a.Scopes["a b"] = "x" }), `api.warehouse.scopes."a b"`, "RFC 6749", nil},
		{"a wildcard scope", api(func(a *APISpec) { a.Scopes["stock.*"] = "x" }), `api.warehouse.scopes."stock.*"`, "wildcard",
			api(func(a *APISpec) { a.Scopes["stock.all"] = "x" })},
	})
}

func TestCompileRefusesClients(t *testing.T) {
	t.Parallel()
	client := func(change func(*ClientSpec)) func(*Spec) {
		return func(s *Spec) { setClient(s, "portal", change) }
	}
	runFaults(t, []fault{
		{"a client with a bad name", func(s *Spec) { s.Clients["trust:hq"] = ClientSpec{} }, `client."trust:hq"`, "not a client_id",
			func(s *Spec) { s.Clients["Trust-HQ"] = ClientSpec{} }},
		{"an unknown grant", client(func(c *ClientSpec) { c.Grants = []string{"password"} }), "client.portal.grants[0]", "no grant", nil},
		{"a grant listed twice", client(func(c *ClientSpec) { c.Grants = []string{"token_exchange", "token_exchange"} }), "client.portal.grants[1]", "twice", nil},
		{"a registration for an unknown API", client(func(c *ClientSpec) { c.APIs["nowhere"] = nil }), "client.portal.apis.nowhere", "no api", nil},
		{"a registration for the broker itself", client(func(c *ClientSpec) { c.APIs[UserInfo] = nil }), "client.portal.apis.userinfo", "sign-in", nil},
		{"a registration of an unknown scope", client(func(c *ClientSpec) { c.APIs["warehouse"] = []string{"stock.read", "order.read"} }),
			"client.portal.apis.warehouse[1]", "defines no scope", nil},
		{"a registration of a wildcard", client(func(c *ClientSpec) { c.APIs["warehouse"] = []string{"*"} }), "client.portal.apis.warehouse[0]", "wildcard", nil},
		{"a negative lifetime", client(func(c *ClientSpec) { c.Lifetime = -1 }), "client.portal.lifetime", "negative", nil},
	})
}

func TestCompileRefusesTrusts(t *testing.T) {
	t.Parallel()
	hq := func(change func(*TrustSpec)) func(*Spec) {
		return func(s *Spec) { setTrust(s, "hq", change) }
	}
	issuer := func(v string) func(*Spec) { return hq(func(t *TrustSpec) { t.Issuer = v }) }
	local := func(change func(*TrustSpec)) func(*Spec) {
		return func(s *Spec) { setTrust(s, Local, change) }
	}
	twin := func(change func(*TrustSpec)) func(*Spec) {
		return func(s *Spec) {
			t := s.Trusts["hq"]
			t.KeySource, t.Grants = "jwks_file:other.json", nil
			change(&t)
			s.Trusts["hq2"] = t
		}
	}
	runFaults(t, []fault{
		{"a trust with a bad name", func(s *Spec) { s.Trusts["HQ"] = s.Trusts["hq"] }, "trust.HQ", "not a trust name", nil},
		{"a trust without issuer", issuer(""), "trust.hq.issuer", "missing", nil},
		{"an http upstream outside dev", issuer("http://idp.localhost"), "trust.hq.issuer", "dev = true",
			func(s *Spec) { issuer("http://idp.localhost")(s); s.Dev = true }},
		{"an upstream issuer with a query", issuer(hqIssuer + "?a"), "trust.hq.issuer", "query", issuer(hqIssuer + "/")},
		{"an upstream issuer with a space", issuer("head office"), "trust.hq.issuer", "space", issuer("urn:hmart:head-office")},
		{"a foreign trust with our issuer", issuer("https://id.west.hmart.example"), "trust.hq.issuer", "our own", nil},
		{"a trust without keys", hq(func(t *TrustSpec) { t.KeySource = "" }), "trust.hq.keys", "no keys", nil},
		{"a trust without use", hq(func(t *TrustSpec) { t.JWT, t.IDToken = nil, nil }), "trust.hq.exchange", "no use", hq(func(t *TrustSpec) { t.IDToken = nil })},
		{"a use without audiences", hq(func(t *TrustSpec) { t.JWT = &UseSpec{} }), "trust.hq.exchange.jwt.audiences", "no audiences", nil},
		{"a use with an empty audience", hq(func(t *TrustSpec) { t.JWT = &UseSpec{Audiences: []string{"a", ""}} }), "trust.hq.exchange.jwt.audiences[1]", "empty", nil},
		{"a use with a wildcard audience", hq(func(t *TrustSpec) { t.IDToken = &UseSpec{Audiences: []string{"*"}} }), "trust.hq.exchange.id_token.audiences[0]", "wildcard", nil},
		{"a use with an upper-case type", hq(func(t *TrustSpec) { t.JWT.Types = []string{"JWT"} }), "trust.hq.exchange.jwt.types[0]", "cannot be used",
			hq(func(t *TrustSpec) { t.JWT.Types = []string{"at+jwt"} })},
		{"a use with a negative age", hq(func(t *TrustSpec) { t.JWT.MaxAge = -1 }), "trust.hq.exchange.jwt.max_age", "negative", nil},
		{"a subject that is no path", hq(func(t *TrustSpec) { t.Subject = "/a~2" }), "trust.hq.subject", "JSON pointer", hq(func(t *TrustSpec) { t.Subject = "oid" })},
		{"require without a test", hq(func(t *TrustSpec) { t.Require = map[string]ConditionSpec{"dept": {}} }), "trust.hq.require.dept", "exactly one test", nil},
		{"an issuer for the trust local", local(func(t *TrustSpec) { t.Issuer = "x" }), "trust.local.issuer", "built-in", nil},
		{"keys for the trust local", local(func(t *TrustSpec) { t.KeySource = "x" }), "trust.local.keys", "built-in", nil},
		{"a use for the trust local", local(func(t *TrustSpec) { t.JWT = &UseSpec{Audiences: []string{"x"}} }), "trust.local.exchange.jwt", "built-in", nil},
		{"two trusts that share issuer, use and audience but not keys", twin(func(*TrustSpec) {}), "trust.hq2.exchange.jwt.audiences[0]", `trust "hq"`,
			twin(func(t *TrustSpec) { t.KeySource = "discovery" })},
		{"two trusts that share issuer, use and audience of ID tokens only", twin(func(t *TrustSpec) { t.JWT = nil }), "trust.hq2.exchange.id_token.audiences[0]", `trust "hq"`,
			twin(func(t *TrustSpec) { t.JWT, t.IDToken = nil, &UseSpec{Audiences: []string{"hq-other-app"}} })},
	})
}

func TestCompileRefusesRules(t *testing.T) {
	t.Parallel()
	rule := func(change func(*GrantSpec)) func(*Spec) {
		return func(s *Spec) { setRule(s, change) }
	}
	when := func(c ConditionSpec) func(*Spec) {
		return rule(func(g *GrantSpec) { g.When = map[string]ConditionSpec{"dept": c} })
	}
	claim := func(ours, theirs string) func(*Spec) {
		return rule(func(g *GrantSpec) { g.Claims = map[string]string{ours: theirs} })
	}
	runFaults(t, []fault{
		{"a rule that names nobody", rule(func(g *GrantSpec) { g.Clients = nil }), "trust.hq.grant[0].clients", "no client",
			rule(func(g *GrantSpec) { g.Clients, g.Unauthenticated = nil, true })},
		{"a rule for clients and for nobody", rule(func(g *GrantSpec) { g.Unauthenticated = true }), "trust.hq.grant[0].unauthenticated", "too", nil},
		{"an unauthenticated rule for our own tokens", func(s *Spec) {
			addRule(s, Local, GrantSpec{Unauthenticated: true, API: "orders", Scopes: []string{"order.read"}})
		}, "trust.local.grant[2].unauthenticated", "authenticated clients only", nil},
		{"a rule for an unknown client", rule(func(g *GrantSpec) { g.Clients = []string{"portal", "nobody"} }), "trust.hq.grant[0].clients[1]", "no client", nil},
		{"a rule for every client", rule(func(g *GrantSpec) { g.Clients = []string{"*"} }), "trust.hq.grant[0].clients[0]", "wildcard", nil},
		{"a client named twice", rule(func(g *GrantSpec) { g.Clients = []string{"portal", "portal"} }), "trust.hq.grant[0].clients[1]", "twice", nil},
		{"a client whose registration lacks the API", func(s *Spec) { delete(s.Clients["portal"].APIs, "warehouse") },
			"trust.hq.grant[0].clients[0]", "registration", nil},
		{"a table for a client that never has a token", func(s *Spec) {
			setClient(s, "portal", func(c *ClientSpec) { c.Grants = []string{"client_credentials"} })
			addRule(s, Local, GrantSpec{Clients: []string{"portal"}, API: "warehouse", ScopeMap: map[string]string{"a": "stock.read"}})
		}, "trust.local.grant[2].clients[0]", "client credentials only", nil},
		{"a rule without API", rule(func(g *GrantSpec) { g.API = "" }), "trust.hq.grant[0].api", "missing", nil},
		{"a rule for an unknown API", rule(func(g *GrantSpec) { g.API = "nowhere" }), "trust.hq.grant[0].api", "no api", nil},
		{"a rule for the broker itself", rule(func(g *GrantSpec) { g.API = UserInfo }), "trust.hq.grant[0].api", "sign-in", nil},
		{"a rule without scopes", rule(func(g *GrantSpec) { g.Scopes = nil }), "trust.hq.grant[0].scopes", "one form", nil},
		{"a rule with both forms of scopes", rule(func(g *GrantSpec) { g.ScopeMap = map[string]string{"a": "stock.read"} }), "trust.hq.grant[0].scopes", "only one",
			rule(func(g *GrantSpec) { g.Scopes, g.ScopeMap = nil, map[string]string{"a": "stock.read"} })},
		{"a scope nobody defines", rule(func(g *GrantSpec) { g.Scopes = []string{"order.read"} }), "trust.hq.grant[0].scopes[0]", "defines no scope", nil},
		{"a wildcard scope", rule(func(g *GrantSpec) { g.Scopes = []string{"stock.*"} }), "trust.hq.grant[0].scopes[0]", "wildcard", nil},
		{"a table from a wildcard", rule(func(g *GrantSpec) { g.Scopes, g.ScopeMap = nil, map[string]string{"*": "stock.read"} }),
			`trust.hq.grant[0].scopes."*"`, "wildcard", nil},
		{"a table to a scope nobody defines", rule(func(g *GrantSpec) { g.Scopes, g.ScopeMap = nil, map[string]string{"a": "b"} }),
			"trust.hq.grant[0].scopes.a", "defines no scope", nil},
		{"a default outside the rule", rule(func(g *GrantSpec) { g.DefaultScopes = []string{"stock.order"} }), "trust.hq.grant[0].default_scopes[0]", "does not grant",
			rule(func(g *GrantSpec) { g.DefaultScopes = []string{"stock.read"} })},
		{"a negative lifetime", rule(func(g *GrantSpec) { g.Lifetime = -1 }), "trust.hq.grant[0].lifetime", "negative", nil},
		{"a condition without a test", when(ConditionSpec{Prefix: ""}), "trust.hq.grant[0].when.dept", "exactly one test", when(ConditionSpec{Prefix: "a"})},
		{"a condition with two tests", when(ConditionSpec{Prefix: "a", Suffix: "b"}), "trust.hq.grant[0].when.dept", "prefix, suffix", nil},
		{"an empty one-of", when(ConditionSpec{OneOf: []any{}}), "trust.hq.grant[0].when.dept", "empty", when(ConditionSpec{OneOf: []any{"a"}})},
		{"an empty none-of", when(ConditionSpec{NoneOf: []any{}}), "trust.hq.grant[0].when.dept", "empty", when(ConditionSpec{NoneOf: []any{"a"}})},
		{"a value that is a list", when(ConditionSpec{Exact: []string{"a"}}), "trust.hq.grant[0].when.dept", "[]string", when(ConditionSpec{Exact: true})},
		{"a regular expression that does not compile", when(ConditionSpec{Regex: "("}), "trust.hq.grant[0].when.dept", "does not compile", nil},
		{"a regular expression that breaks out of its anchors", when(ConditionSpec{Regex: "a)|(b"}), "trust.hq.grant[0].when.dept", "does not compile",
			when(ConditionSpec{Regex: "(a)|(b)"})},
		{"a condition on no claim", rule(func(g *GrantSpec) { g.When = map[string]ConditionSpec{"": {Exact: "a"}} }), `trust.hq.grant[0].when.""`, "empty", nil},
		{"a reserved claim", claim("scope", "roles"), "trust.hq.grant[0].claims.scope", "reserved", claim("team", "scope")},
		{"a claim that is a case variant of email", claim("Email", "mail"), "trust.hq.grant[0].claims.Email", "spelled", claim("email", "mail")},
		{"a reserved claim in other letters", claim("ISS", "x"), "trust.hq.grant[0].claims.ISS", "reserved", nil},
		{"a claim without name", claim("", "x"), `trust.hq.grant[0].claims.""`, "empty", nil},
		{"a claim from a bad path", claim("team", "/a~"), "trust.hq.grant[0].claims.team", "JSON pointer", claim("team", "/a~0")},
	})
}

func TestCompileReportsAllProblemsInAStableOrder(t *testing.T) {
	t.Parallel()
	broken := func() Spec {
		s := hmart()
		s.Issuer = ""
		setAPI(&s, "orders", func(a *APISpec) { a.Client = "nobody" })
		setClient(&s, "portal", func(c *ClientSpec) { c.Grants = []string{"x", "y"} })
		setTrust(&s, "hq", func(t *TrustSpec) { t.KeySource = "" })
		return s
	}
	want := []string{"issuer", "api.orders.client", "client.portal.grants[0]", "client.portal.grants[1]", "trust.hq.keys"}
	for range 5 {
		_, problems := Compile(broken())
		var got []string
		for _, p := range problems {
			got = append(got, p.Path)
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

func TestReservedClaimsAreNeverMapped(t *testing.T) {
	t.Parallel()
	for _, name := range strings.Fields("iss sub aud exp nbf iat jti client_id scope scp idp links act may_act cnf azp acr amr " +
		"auth_time sid nonce typ events at_hash c_hash email_verified token_use") {
		s := hmart()
		setRule(&s, func(g *GrantSpec) { g.Claims = map[string]string{name: "x"} })
		if _, problems := Compile(s); !found(problems, "trust.hq.grant[0].claims."+name, "reserved") {
			t.Errorf("%s can be mapped", name)
		}
	}
	// A long s is an s to encoding/json, but not to strings.ToLower, by which this used to be decided.
	for _, name := range []string{"ISS", "ſub", "ſcope", "toKen_uſe"} {
		s := hmart()
		setRule(&s, func(g *GrantSpec) { g.Claims = map[string]string{name: "x"} })
		if _, problems := Compile(s); !found(problems, "trust.hq.grant[0].claims."+key(name), "reserved") {
			t.Errorf("%s can be mapped", name)
		}
	}
	s := hmart()
	setRule(&s, func(g *GrantSpec) { g.Claims = map[string]string{"department": "department", "email": "email"} })
	compile(t, s)
}
