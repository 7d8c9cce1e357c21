package trust

import (
	"slices"
	"testing"
	"time"
)

func signInOff(s situation) { setTrust(s.spec, "hq", func(t *TrustSpec) { t.Disabled = true }) }

func TestEvaluateSignIn(t *testing.T) {
	t.Parallel()
	sales := map[string]ConditionSpec{"department": {Exact: "sales"}}
	logistics := map[string]ConditionSpec{"department": {Exact: "logistics"}}
	runPairsOn(t, office, []pair{
		{"a sign-in without standing refuses", login, func(s situation) { *s.st = Standing{} }, ReasonStandingUnknown, nil},
		{"A69 a disabled trust refuses a sign-in", login, signInOff, ReasonTrustNotLive, nil},
		{"A69 a disabled trust refuses a refresh", refreshed, signInOff, ReasonTrustNotLive, nil},
		{"A69 a disabled trust refuses what goes on from a sign-in", onward, signInOff, ReasonTrustNotLive, nil},
		{"A69 a trust that is gone refuses a refresh", refreshed, func(s situation) { delete(s.spec.Trusts, "hq") }, ReasonTrustNotLive, nil},
		{"A69 a trust whose login was taken away refuses a refresh", refreshed, func(s situation) {
			setTrust(s.spec, "hq", func(t *TrustSpec) { t.Login, t.Grants = nil, t.Grants[:1] })
		}, ReasonTrustNotLive, nil},
		{"A80 a blocked subject refuses at sign-in", login, func(s situation) { s.st.Blocked = true }, ReasonSubjectBlocked, nil},
		{"A80 a blocked subject refuses a refresh", refreshed, func(s situation) { s.st.Blocked = true }, ReasonSubjectBlocked, nil},
		{"A95 a fresh sign-in does not unblock", login, func(s situation) {
			s.st.Blocked = true
			s.q.Subject.IssuedAt, s.q.Subject.AuthTime = noon, noon
		}, ReasonSubjectBlocked, func(s situation) { s.q.Subject.IssuedAt, s.q.Subject.AuthTime = noon, noon }},
		{"what is revoked refuses at code redemption", login, func(s situation) { s.st.Revoked = true }, ReasonRevoked, nil},
		{"what is revoked refuses a refresh", refreshed, func(s situation) { s.st.Revoked = true }, ReasonRevoked, nil},
		{"what is revoked refuses an exchange", onward, func(s situation) { s.st.Revoked = true }, ReasonRevoked, nil},
		{"a sign-in before the cutoff refuses a refresh", refreshed, func(s situation) { s.st.NotBefore = noon }, ReasonNotBefore,
			func(s situation) { s.st.NotBefore = noon.Add(-time.Minute) }},
		{"fresh claims do not lift the cutoff", refreshed, func(s situation) {
			s.st.NotBefore, s.q.Subject.ClaimsAt = noon, noon
		}, ReasonNotBefore, func(s situation) { s.q.Subject.ClaimsAt = noon }},
		{"A81 what the trust requires binds a sign-in", login, func(s situation) { requireDepartment(s, "sales") }, ReasonRequire,
			func(s situation) { requireDepartment(s, "logistics") }},
		{"A96 what the trust requires today binds a refresh", refreshed, func(s situation) { requireDepartment(s, "sales") }, ReasonRequire,
			func(s situation) { requireDepartment(s, "logistics") }},
		{"A96 a rule that is gone refuses a refresh", refreshed, func(s situation) {
			setTrust(s.spec, "hq", func(t *TrustSpec) { t.Grants = t.Grants[:1] })
		}, ReasonSignIn, nil},
		{"A96 a rule's condition of today binds a refresh", refreshed,
			func(s situation) { setSignIn(s.spec, func(g *GrantSpec) { g.When = sales }) }, ReasonSignIn,
			func(s situation) { setSignIn(s.spec, func(g *GrantSpec) { g.When = logistics }) }},
		{"A96 a client that was disabled refuses a refresh", refreshed, func(s situation) {
			setClient(s.spec, "shop", func(c *ClientSpec) { c.Disabled = true })
		}, ReasonClientUnknown, nil},
		{"A96 a client that lost the grant refuses a refresh", refreshed, func(s situation) {
			setClient(s.spec, "shop", func(c *ClientSpec) { c.Grants = []string{"authorization_code"} })
		}, ReasonGrantNotAllowed, nil},
		{"A96 claims beyond max_claims_age refuse a refresh", refreshed, func(s situation) {
			s.q.Subject.IssuedAt = noon.Add(-DefaultMaxClaimsAge - time.Second)
		}, ReasonClaimsTooOld, func(s situation) { s.q.Subject.IssuedAt = noon.Add(-DefaultMaxClaimsAge) }},
		{"A96 claims beyond max_claims_age refuse a code, however long the session lives", login, func(s situation) {
			s.q.Subject.IssuedAt = noon.Add(-DefaultMaxClaimsAge - time.Second)
		}, ReasonClaimsTooOld, func(s situation) { s.q.Subject.IssuedAt = noon.Add(-DefaultMaxClaimsAge) }},
		{"A96 claims the upstream vouched for again are as old as that", refreshed, func(s situation) {
			s.q.Subject.IssuedAt, s.q.Subject.ClaimsAt = noon, noon.Add(-13*time.Hour)
		}, ReasonClaimsTooOld, func(s situation) {
			s.q.Subject.IssuedAt, s.q.Subject.ClaimsAt = noon.Add(-13*time.Hour), noon
		}},
		{"a sign-in needs a sign-in rule, whatever else the rules give", stock, func(s situation) {
			setTrust(s.spec, "hq", func(t *TrustSpec) { t.Grants = slices.Delete(slices.Clone(t.Grants), 1, 2) })
		}, ReasonSignIn, nil},
		{"an application lets in whom it lists", login, func(s situation) {
			t := s.spec.Trusts["hq"]
			t.Grants, t.KeySource = nil, "discovery"
			s.spec.Trusts["branch"] = t
			setTrust(s.spec, "hq", func(t *TrustSpec) { t.Grants = append(slices.Clone(t.Grants[:1]), t.Grants[2]) })
			setApp(s.spec, "shop", func(a *AppSpec) { a.Trusts = []string{"branch"} })
		}, ReasonSignIn, func(s situation) { setApp(s.spec, "shop", func(a *AppSpec) { a.Trusts = []string{"hq"} }) }},
		{"people sign in to an application, not to nobody", login, func(s situation) { s.q.Client = "" }, ReasonClientRequired, nil},
		{"a client that signs nobody in refuses", login, func(s situation) { s.q.Client = "portal" }, ReasonGrantNotAllowed, nil},
		{"a sign-in is not exchanged", login, func(s situation) { s.q.Grant = GrantTokenExchange }, ReasonType, nil},
		{"a sign-in is no assertion", login, func(s situation) { s.q.Grant = GrantJWTBearer }, ReasonType, nil},
		{"a foreign token is no code", foreign, func(s situation) { s.q.Grant, s.q.Client = GrantCode, "shop" }, ReasonType, nil},
		{"a sign-in of the built-in trust refuses", login, func(s situation) { s.q.Subject.Trust, s.q.Subject.Origin = Local, Local }, ReasonTrustNotLive, nil},
		{"a sign-in of another origin refuses", login, func(s situation) { s.q.Subject.Origin = Local }, ReasonSubject, nil},
		{"a sign-in that does not say so refuses", login, func(s situation) { s.q.Subject.SignedIn = false }, ReasonSubject, nil},
		{"a foreign token that says it is a sign-in refuses", foreign, func(s situation) { s.q.Subject.SignedIn = true }, ReasonSubject, nil},
		{"a sign-in without an end refuses", login, func(s situation) { s.q.Subject.Expires = time.Time{} }, ReasonLifetime, nil},
		{"a sign-in that is over refuses a refresh", refreshed, func(s situation) { s.q.Subject.Expires = noon }, ReasonLifetime,
			func(s situation) { s.q.Subject.Expires = noon.Add(time.Second) }},
		{"two sign-in rules that map one claim differently refuse", login, func(s situation) {
			setSignIn(s.spec, func(g *GrantSpec) { g.Claims = map[string]string{"team": "department"} })
			addRule(s.spec, "hq", GrantSpec{Clients: []string{"shop"}, SignIn: true, Claims: map[string]string{"team": "sub"}})
		}, ReasonClaimConflict, func(s situation) {
			setSignIn(s.spec, func(g *GrantSpec) { g.Claims = map[string]string{"team": "department"} })
			addRule(s.spec, "hq", GrantSpec{Clients: []string{"shop"}, SignIn: true, Claims: map[string]string{"team": "/department"}})
		}},
	})
}

func TestEvaluateScopesOfSignIns(t *testing.T) {
	t.Parallel()
	runPairsOn(t, office, []pair{
		{"A82 a scope nobody defines refuses", stock, func(s situation) { s.q.Scopes = append(s.q.Scopes, "stock.*") }, ReasonScopeUnknown, nil},
		{"A82 a scope outside the registration refuses", stock, func(s situation) { s.q.Scopes = append(s.q.Scopes, "order.place") }, ReasonScopeUnregistered,
			func(s situation) { s.q.Scopes = append(s.q.Scopes, "order.read") }},
		{"A82 the same where no rule gives anything", stock, func(s situation) {
			setTrust(s.spec, "hq", func(t *TrustSpec) { t.Grants = t.Grants[:2] })
			s.q.Scopes = []string{"openid", "order.place"}
		}, ReasonScopeUnregistered, func(s situation) {
			setTrust(s.spec, "hq", func(t *TrustSpec) { t.Grants = t.Grants[:2] })
			s.q.Scopes = []string{"openid", "order.read"}
		}},
		{"A82 only access while away, by a client that cannot refresh, is nothing", login, func(s situation) {
			setClient(s.spec, "shop", func(c *ClientSpec) { c.Grants = []string{"authorization_code"} })
			s.q.Scopes = []string{"offline_access"}
		}, ReasonScopeEmpty, func(s situation) { s.q.Scopes = []string{"offline_access"} }},
		{"without openid there is nothing to fall back to", stock, func(s situation) { s.q.Scopes = []string{"stock.order"} }, ReasonScopeEmpty,
			func(s situation) { s.q.Scopes = []string{"openid", "stock.order"} }},
		{"A83 a named API without a rule refuses", stock, func(s situation) { s.q.Audiences = []string{"orders"} }, ReasonNoRule, nil},
		{"A83 a named API whose rules give nothing of it refuses", stock, func(s situation) {
			s.q.Resources, s.q.Scopes = []string{warehouseURL}, []string{"openid", "stock.order"}
		}, ReasonScopeEmpty, func(s situation) { s.q.Resources = []string{warehouseURL} }},
		{"A83 a scope of another API than the one named refuses", stock, func(s situation) {
			s.q.Resources, s.q.Scopes = []string{warehouseURL}, []string{"openid", "stock.read", "order.read"}
		}, ReasonScopeUnknown, func(s situation) { s.q.Scopes = []string{"openid", "stock.read", "order.read"} }},
		{"A83 an unknown name refuses", login, func(s situation) { s.q.Resources = []string{"https://elsewhere.example"} }, ReasonTargetUnknown, nil},
		{"A83 an unknown name beside the broker refuses", login, func(s situation) { s.q.Audiences = []string{UserInfo, "elsewhere"} }, ReasonTargetUnknown,
			func(s situation) { s.q.Audiences = []string{UserInfo} }},
		{"A83 the broker and an API in one token refuse", stock, func(s situation) {
			setAPI(s.spec, "warehouse", func(a *APISpec) { a.Client = "" })
			s.q.Resources = []string{warehouseURL, s.spec.Issuer}
		}, ReasonTargetsDisagree, func(s situation) { s.q.Resources = []string{warehouseURL} }},
		{"the broker itself has no scopes of APIs", stock, func(s situation) { s.q.Resources = []string{s.spec.Issuer} }, ReasonScopeUnknown,
			func(s situation) { s.q.Resources, s.q.Scopes = []string{s.spec.Issuer}, []string{"openid"} }},
		{"rules for two APIs need a name", stock, func(s situation) {
			addRule(s.spec, "hq", GrantSpec{Clients: []string{"shop"}, API: "orders", Scopes: []string{"order.read"}})
		}, ReasonTargetAmbiguous, func(s situation) {
			addRule(s.spec, "hq", GrantSpec{Clients: []string{"shop"}, API: "orders", Scopes: []string{"order.read"}})
			s.q.Audiences = []string{"warehouse"}
		}},
		{"an exchange cannot name the broker", onward, func(s situation) { s.q.Audiences = []string{UserInfo} }, ReasonTargetUnknown, nil},
		{"an exchange cannot name the broker by its issuer", onward, func(s situation) {
			s.q.Audiences, s.q.Resources = nil, []string{s.spec.Issuer}
		}, ReasonTargetUnknown, nil},
		{"a token for the broker itself opens no API", onward, func(s situation) { s.q.Subject.Audience = []string{s.spec.Issuer} }, ReasonNotHolder, nil},
		{"a sign-in rule gives nothing in an exchange", foreign, func(s situation) { s.q.Client = "shop"; s.q.Scopes = []string{"openid"} }, ReasonScopeUnknown,
			func(s situation) { s.q.Client = "shop" }},
	})
}
