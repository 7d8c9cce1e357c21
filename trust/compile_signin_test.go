package trust

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func runOfficeFaults(t *testing.T, faults []fault) {
	t.Helper()
	for i, f := range faults {
		bad, good := f.bad, f.good
		faults[i].bad = func(s *Spec) { *s = office(); bad(s) }
		faults[i].good = func(s *Spec) {
			*s = office()
			if good != nil {
				good(s)
			}
		}
	}
	runFaults(t, faults)
}

func TestCompileRefusesApplications(t *testing.T) {
	t.Parallel()
	app := func(change func(*AppSpec)) func(*Spec) { return func(s *Spec) { setApp(s, "shop", change) } }
	uri := func(v string) func(*Spec) { return app(func(a *AppSpec) { a.RedirectURIs = []string{v} }) }
	public := func(v string) func(*Spec) {
		return func(s *Spec) {
			uri(v)(s)
			setApp(s, "shop", func(a *AppSpec) { a.Public = true })
			setClient(s, "shop", func(c *ClientSpec) { c.Grants = []string{"authorization_code", "refresh_token"} })
		}
	}
	grants := func(list ...string) func(*Spec) {
		return func(s *Spec) { setClient(s, "shop", func(c *ClientSpec) { c.Grants = list }) }
	}
	grace := func(d time.Duration) func(*Spec) { return app(func(a *AppSpec) { a.RefreshGrace = &d }) }
	const at = "client.shop.redirect_uris[0]"
	runOfficeFaults(t, []fault{
		{"no redirect URI", app(func(a *AppSpec) { a.RedirectURIs = nil }), "client.shop.redirect_uris", "no redirect_uris", nil},
		{"a redirect URI that is not absolute", uri("/callback"), at, "absolute", nil},
		{"a redirect URI with a fragment", uri("https://shop.example/#a"), at, "fragment", nil},
		{"a redirect URI with an empty fragment", uri("https://shop.example/#"), at, "fragment", nil},
		{"a redirect URI with a user", uri("https://me@shop.example/"), at, "user information", nil},
		{"a redirect URI with a wildcard", uri("https://*.shop.example/"), at, "wildcard", nil},
		{"a redirect URI with a backslash", uri(`https://shop.example\x/`), at, "cannot be used", nil},
		{"a redirect URI with a space", uri("https://shop.example/a b"), at, "space", nil},
		{"a redirect URI without host", uri("https:///callback"), at, "no host", nil},
		{"a redirect URI over http", uri("http://shop.example/"), at, "loopback", uri("http://127.0.0.1/done")},
		{"a redirect URI on something like loopback", uri("http://localhost.example/"), at, "loopback", uri("http://localhost:3000/done")},
		{"a redirect URI that is a script", uri("javascript:alert(1)"), at, "scheme", nil},
		{"a custom scheme of a client with a credential", uri("com.example.shop:/done"), at, "not https", public("com.example.shop:/done")},
		{"a custom scheme without a dot", public("shop:/done"), at, "RFC 8252", public("com.example.shop:/done")},
		{"a public client's script", public("javascript:alert(1)"), at, "RFC 8252", public("http://[::1]/done")},
		{"a redirect URI listed twice", app(func(a *AppSpec) { a.RedirectURIs = append(a.RedirectURIs, a.RedirectURIs[0]) }), "client.shop.redirect_uris[1]", "twice", nil},
		{"sign-in without an application", func(s *Spec) {
			setClient(s, "portal", func(c *ClientSpec) { c.Grants = append(slices.Clone(c.Grants), "refresh_token") })
		}, "client.portal.grants[3]", "applications", nil},
		{"an application that signs nobody in", grants("token_exchange"), "client.shop.grants", "authorization_code", nil},
		{"a public client that exchanges", func(s *Spec) {
			public("https://shop.example/")(s)
			grants("authorization_code", "token_exchange")(s)
		}, "client.shop.grants[1]", "public", public("https://shop.example/")},
		{"a public client without PKCE", func(s *Spec) {
			public("https://shop.example/")(s)
			setApp(s, "shop", func(a *AppSpec) { a.PKCEOptional = true })
		}, "client.shop.pkce", "PKCE", app(func(a *AppSpec) { a.PKCEOptional = true })},
		{"a public client that owns an API", func(s *Spec) {
			public("https://shop.example/")(s)
			setAPI(s, "orders", func(a *APISpec) { a.Client = "shop" })
		}, "api.orders.client", "public", func(s *Spec) { setAPI(s, "orders", func(a *APISpec) { a.Client = "shop" }) }},
		{"an application for an unknown trust", app(func(a *AppSpec) { a.Trusts = []string{"hq", "nobody"} }), "client.shop.trusts[1]", "no trust",
			app(func(a *AppSpec) { a.Trusts = []string{"hq"} })},
		{"an application for a trust without login", app(func(a *AppSpec) { a.Trusts = []string{"hq", Local} }), "client.shop.trusts[1]", "nobody signs in", nil},
		{"an ID token without signature", app(func(a *AppSpec) { a.IDTokenAlg = "none" }), "client.shop.id_token.alg", `"none"`,
			app(func(a *AppSpec) { a.IDTokenAlg = "EdDSA" })},
		{"a sector that is a URL", app(func(a *AppSpec) { a.Sector = "https://x.example" }), "client.shop.sector", "name of a sector",
			app(func(a *AppSpec) { a.Sector = "shops" })},
		{"a logout that returns over http", app(func(a *AppSpec) { a.PostLogoutURIs = []string{"http://shop.example/"} }), "client.shop.post_logout_redirect_uris[0]", "http", nil},
		{"a logout told over http", app(func(a *AppSpec) { a.BackchannelLogoutURI = "http://shop.example/out" }), "client.shop.backchannel_logout_uri", "dev = true",
			func(s *Spec) {
				s.Dev = true
				setApp(s, "shop", func(a *AppSpec) { a.BackchannelLogoutURI = "http://shop.example/out" })
			}},
		{"a front-channel logout of another origin", app(func(a *AppSpec) { a.FrontchannelLogoutURI = "https://other.example/out" }),
			"client.shop.frontchannel_logout_uri", "another origin", app(func(a *AppSpec) { a.FrontchannelLogoutURI = "https://shop.example/out" })},
		{"a third party with a scope that is reserved", func(s *Spec) {
			reserve(s, "stock.order")
			setApp(s, "shop", func(a *AppSpec) { a.FirstParty = false })
		}, "client.shop.apis.warehouse[1]", "reserves", func(s *Spec) { reserve(s, "stock.order") }},
		{"a scope that is reserved and not defined", func(s *Spec) { reserve(s, "order.read") }, "api.warehouse.first_party_scopes[0]", "defines no scope", nil},
		{"a scope that is reserved twice", func(s *Spec) { reserve(s, "stock.read", "stock.read") }, "api.warehouse.first_party_scopes[1]", "twice",
			func(s *Spec) { reserve(s, "stock.read", "stock.order") }},
		{"an origin with a path", app(func(a *AppSpec) { a.Origins = []string{"https://shop.example/"} }), "client.shop.origins[0]", "browsers",
			app(func(a *AppSpec) { a.Origins = []string{"https://shop.example:8443"} })},
		{"an origin in upper case", app(func(a *AppSpec) { a.Origins = []string{"https://Shop.example"} }), "client.shop.origins[0]", "lower case", nil},
		{"an origin with the default port", app(func(a *AppSpec) { a.Origins = []string{"https://shop.example:443"} }), "client.shop.origins[0]", "default port", nil},
		{"every origin", app(func(a *AppSpec) { a.Origins = []string{"*"} }), "client.shop.origins[0]", "absolute", nil},
		{"no origin in particular", app(func(a *AppSpec) { a.Origins = []string{"null"} }), "client.shop.origins[0]", "absolute", nil},
		{"refresh tokens that never end", app(func(a *AppSpec) { a.RefreshLifetime = MaxSession + 1 }), "client.shop.refresh_lifetime", "cannot be used",
			app(func(a *AppSpec) { a.RefreshLifetime = MaxSession })},
		{"refresh tokens that end before they begin", app(func(a *AppSpec) { a.RefreshIdle = -1 }), "client.shop.refresh_idle", "cannot be used", nil},
		{"a grace of hours", grace(2 * time.Hour), "client.shop.refresh_grace", "cannot be used", grace(0)},
		{"bounds of refresh tokens that are never given", func(s *Spec) {
			grants("authorization_code")(s)
			grace(0)(s)
		}, "client.shop.grants", "never gets one", grants("authorization_code")},
	})
}

func TestCompileRefusesLogins(t *testing.T) {
	t.Parallel()
	login := func(change func(*LoginSpec)) func(*Spec) {
		return func(s *Spec) {
			setTrust(s, "hq", func(t *TrustSpec) {
				l := *t.Login
				change(&l)
				t.Login = &l
			})
		}
	}
	rule := func(change func(*GrantSpec)) func(*Spec) { return func(s *Spec) { setSignIn(s, change) } }
	domain := func(v string) func(*Spec) { return login(func(l *LoginSpec) { l.EmailDomains = []string{v} }) }
	const at = "trust.hq.login.email_domains[0]"
	runOfficeFaults(t, []fault{
		{"a login without protocol", login(func(l *LoginSpec) { l.Protocol = "" }), "trust.hq.login.protocol", "not built", nil},
		{"a login at a name that is no URL", func(s *Spec) { setTrust(s, "hq", func(t *TrustSpec) { t.Issuer = "urn:hq" }) }, "trust.hq.issuer", "cannot sign in", nil},
		{"a domain with an @", domain("@hq.example"), at, "not a domain", domain("hq.example")},
		{"a domain in upper case", domain("HQ.example"), at, "not a domain", nil},
		{"a wildcard domain", domain("*.hq.example"), at, "not a domain", domain("a-b.hq.example")},
		{"a domain with a dot in front", domain(".hq.example"), at, "not a domain", nil},
		{"a domain of one label", domain("example"), at, "not a domain", nil},
		{"a domain in other letters", domain("büro.example"), at, "not a domain", domain("xn--bro-hoa.example")},
		{"a logo over http", login(func(l *LoginSpec) { l.Logo = "http://hq.example/logo" }), "trust.hq.login.logo", "http",
			login(func(l *LoginSpec) { l.Logo = "https://hq.example/logo" })},
		{"a logo in the page itself", login(func(l *LoginSpec) { l.Logo = "data:image/png;base64,AA" }), "trust.hq.login.logo", "scheme", nil},
		{"a session without end", login(func(l *LoginSpec) { l.SessionMax = MaxSession + 1 }), "trust.hq.login.session_max", "cannot be used",
			login(func(l *LoginSpec) { l.SessionMax = MaxSession })},
		{"claims of a negative age", login(func(l *LoginSpec) { l.MaxClaimsAge = -1 }), "trust.hq.login.max_claims_age", "cannot be used", nil},
		{"an acr that is nothing", login(func(l *LoginSpec) { l.ACR = map[string]string{"theirs": ""} }), "trust.hq.login.acr.theirs", "cannot be used",
			login(func(l *LoginSpec) { l.ACR = map[string]string{"theirs": "mfa"} })},
		{"a login of the built-in trust", func(s *Spec) { setTrust(s, Local, func(t *TrustSpec) { t.Login = &LoginSpec{Protocol: "oidc"} }) }, "trust.local.login", "built-in", nil},
		{"a trust with neither use nor login", func(s *Spec) {
			setTrust(s, "hq", func(t *TrustSpec) { t.JWT, t.IDToken, t.Login, t.Grants = nil, nil, nil, nil })
		}, "trust.hq.exchange", "no use", func(s *Spec) { setTrust(s, "hq", func(t *TrustSpec) { t.JWT, t.IDToken = nil, nil }) }},

		{"a sign-in rule of a trust without login", func(s *Spec) { setTrust(s, "hq", func(t *TrustSpec) { t.Login = nil }) }, "trust.hq.grant[1].sign_in", "no login", nil},
		{"a sign-in rule of the built-in trust", func(s *Spec) { addRule(s, Local, GrantSpec{Clients: []string{"shop"}, SignIn: true}) },
			"trust.local.grant[3].sign_in", "built-in", nil},
		{"a sign-in rule with an API", rule(func(g *GrantSpec) { g.API = "warehouse" }), "trust.hq.grant[1].api", "nothing else", nil},
		{"a sign-in rule with scopes", rule(func(g *GrantSpec) { g.Scopes = []string{"openid"} }), "trust.hq.grant[1].scopes", "nothing else", nil},
		{"a sign-in rule with a table", rule(func(g *GrantSpec) { g.ScopeMap = map[string]string{"a": "openid"} }), "trust.hq.grant[1].scopes", "nothing else", nil},
		{"a sign-in rule with defaults", rule(func(g *GrantSpec) { g.DefaultScopes = []string{"openid"} }), "trust.hq.grant[1].default_scopes", "nothing else", nil},
		{"a sign-in rule for anybody", rule(func(g *GrantSpec) { g.Clients, g.Unauthenticated = nil, true }), "trust.hq.grant[1].unauthenticated", "nothing else", nil},
		{"a sign-in rule for nobody", rule(func(g *GrantSpec) { g.Clients = nil }), "trust.hq.grant[1].clients", "no client", nil},
		{"a sign-in rule for an unknown client", rule(func(g *GrantSpec) { g.Clients = []string{"nobody"} }), "trust.hq.grant[1].clients[0]", "no client", nil},
		{"a sign-in rule for a client that is no application", rule(func(g *GrantSpec) { g.Clients = []string{"portal"} }), "trust.hq.grant[1].clients[0]", "no application", nil},
		{"a sign-in rule for an application that lists other trusts", func(s *Spec) {
			s.Trusts["branch"] = s.Trusts["hq"]
			setTrust(s, "branch", func(t *TrustSpec) { t.Grants = nil })
			setApp(s, "shop", func(a *AppSpec) { a.Trusts = []string{"branch"} })
		}, "trust.hq.grant[1].clients[0]", "not among them", nil},
		{"a sign-in rule that maps a reserved claim", rule(func(g *GrantSpec) { g.Claims = map[string]string{"family": "x"} }), "trust.hq.grant[1].claims.family", "reserved",
			rule(func(g *GrantSpec) { g.Claims = map[string]string{"family_name": "x"} })},
		{"a format that is not built", func(s *Spec) { setAPI(s, "orders", func(a *APISpec) { a.Token.Format = "reference" }) }, "api.orders.token.format", "not built",
			func(s *Spec) { setAPI(s, "orders", func(a *APISpec) { a.Token.Format = "opaque" }) }},
	})
}

func TestRegistryFillsInDefaultsOfSignIn(t *testing.T) {
	t.Parallel()
	r := compile(t, office())
	shop, _ := r.Client("shop")
	if a := shop.Spec.App; a.IDTokenAlg != "RS256" || a.RefreshLifetime != DefaultRefreshLifetime || a.RefreshIdle != DefaultRefreshIdle || *a.RefreshGrace != DefaultRefreshGrace {
		t.Errorf("application: %+v", a)
	}
	hq, _ := r.Trust("hq")
	if l := hq.Spec.Login; l.SessionMax != DefaultSessionMax || l.MaxClaimsAge != DefaultMaxClaimsAge {
		t.Errorf("login: %+v", l)
	}
	none := time.Duration(0)
	spec := office()
	setApp(&spec, "shop", func(a *AppSpec) { a.RefreshGrace = &none })
	shop, _ = compile(t, spec).Client("shop")
	if *shop.Spec.App.RefreshGrace != 0 {
		t.Error("a grace that is off was taken for one that was left out")
	}
}

func TestTheBrokerItselfIsAnAPI(t *testing.T) {
	t.Parallel()
	r := compile(t, office())
	a := r.UserInfoAPI()
	if a.ID != UserInfo || a.Spec.Audience != r.Issuer() || !slices.Equal(sortedKeys(a.Spec.Scopes), IdentityScopes) {
		t.Errorf("%+v", a)
	}
	for scope, words := range a.Spec.Scopes {
		if words == "" {
			t.Errorf("%s has no meaning", scope)
		}
	}
	if _, ok := r.API(UserInfo); ok || slices.Contains(r.APIIDs(), UserInfo) {
		t.Error("it is among the declared APIs")
	}
	if _, ok := r.ByAudience(r.Issuer()); ok {
		t.Error("exchanges find it by its audience")
	}
}

func TestLoginsListsWhereAnApplicationsPeopleMaySignIn(t *testing.T) {
	t.Parallel()
	spec := office()
	for _, id := range []string{"west", "branch", "closed", "other"} {
		tr := spec.Trusts["hq"]
		tr.Grants = []GrantSpec{{Clients: []string{"shop"}, SignIn: true}, {Clients: []string{"shop"}, SignIn: true}}
		tr.Disabled = id == "closed"
		if id == "other" {
			tr.Grants = nil
		}
		spec.Trusts[id] = tr
	}
	for _, c := range []struct {
		name, client, want string
		change             func(*Spec)
	}{
		{"all with a rule, live, sorted, each once", "shop", "branch hq west", func(*Spec) {}},
		{"those the application lists", "shop", "branch west", func(s *Spec) {
			setApp(s, "shop", func(a *AppSpec) { a.Trusts = []string{"west", "branch", "other"} })
			setTrust(s, "hq", func(t *TrustSpec) { t.Grants = t.Grants[:1] })
			setTrust(s, "closed", func(t *TrustSpec) { t.Grants = nil })
		}},
		{"none of a client that is no application", "portal", "", func(*Spec) {}},
		{"none of an unknown client", "nobody", "", func(*Spec) {}},
		{"none of a disabled client", "shop", "", func(s *Spec) { setClient(s, "shop", func(c *ClientSpec) { c.Disabled = true }) }},
	} {
		s := spec
		s.Trusts, s.Clients = maps.Clone(spec.Trusts), maps.Clone(spec.Clients)
		c.change(&s)
		var ids []string
		for _, t := range compile(t, s).Logins(c.client) {
			ids = append(ids, t.ID)
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if new(Registry).Logins("shop") != nil {
		t.Error("the zero Registry lets people in")
	}
}

func TestSignInRulesAdmitNobodyToAnExchange(t *testing.T) {
	t.Parallel()
	spec := office()
	setTrust(&spec, "hq", func(t *TrustSpec) { t.Grants = t.Grants[:2] })
	if r := compile(t, spec); r.Admits("hq", "shop") || !r.Admits("hq", "portal") {
		t.Error("a sign-in rule opens the exchange, or a rule for an API does not")
	}
}

func TestAccessOfSignIns(t *testing.T) {
	t.Parallel()
	spec := office()
	spec.Trusts[Local] = TrustSpec{}
	setSignIn(&spec, func(g *GrantSpec) { g.Lifetime = time.Minute })
	setTrust(&spec, "hq", func(t *TrustSpec) { t.JWT, t.IDToken, t.Grants = nil, nil, t.Grants[1:] })
	code := []Grant{GrantCode, GrantRefresh}
	want := []Access{
		{"hq", "shop", code, UserInfo, IdentityScopes, []string{}, time.Minute, "hq.grant[0]"},
		{"hq", "shop", code, "warehouse", []string{"stock.read"}, []string{}, DefaultLifetime, "hq.grant[1]"},
	}
	if diff := cmp.Diff(want, compile(t, spec).Access()); diff != "" {
		t.Errorf("access (-want +got):\n%s", diff)
	}
	setClient(&spec, "shop", func(c *ClientSpec) { c.Grants = []string{"authorization_code"} })
	got := compile(t, spec).Access()
	if slices.Contains(got[0].Scopes, "offline_access") || !slices.Equal(got[0].Grants, code[:1]) {
		t.Errorf("a client that cannot refresh: %+v", got[0])
	}
}

// The Registry used to share what a Spec points to; it must not for applications and logins either.
func TestRegistrySharesNothingWithApplicationsAndLogins(t *testing.T) {
	t.Parallel()
	spec := office()
	app, l := spec.Clients["shop"].App, spec.Trusts["hq"].Login
	grace := time.Second
	app.RefreshGrace, app.Trusts = &grace, []string{"hq"}
	l.EmailDomains, l.ACR = []string{"hq.example"}, map[string]string{"a": "b"}
	r := compile(t, spec)
	app.FirstParty, app.RedirectURIs[0], app.Trusts[0], grace = false, "https://evil.example/", "evil", time.Hour
	l.EmailDomains[0], l.ACR["a"], l.Protocol = "evil.example", "c", "evil"
	shop, _ := r.Client("shop")
	hq, _ := r.Trust("hq")
	if a := shop.Spec.App; !a.FirstParty || shop.RedirectURI("https://evil.example/") || a.Trusts[0] != "hq" || *a.RefreshGrace != time.Second {
		t.Errorf("application: %+v", a)
	}
	if got := hq.Spec.Login; got.EmailDomains[0] != "hq.example" || got.ACR["a"] != "b" || got.Protocol != "oidc" {
		t.Errorf("login: %+v", got)
	}
}
