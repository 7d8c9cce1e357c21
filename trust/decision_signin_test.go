package trust

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDecisionsOfSignIns(t *testing.T) {
	t.Parallel()
	plain := Decision{
		Granted: true, Trust: "hq", Sub: DeriveSub(hqIssuer, "sub", "kim"), ClientID: "shop", APIs: []string{UserInfo},
		Audience: []string{"https://id.west.hmart.example"}, Scopes: []string{"openid", "profile"}, Identity: []string{"openid", "profile"},
		Rules: []string{"hq.grant[1]"}, Expires: noon.Add(DefaultLifetime), Token: TokenSpec{Alg: "ES256", Typ: "at+jwt", Format: "jwt"},
		AuthTime: noon.Add(-2 * time.Minute), ACR: "mfa", Family: "family-1",
	}
	with := func(change func(*Decision)) Decision {
		d := plain
		change(&d)
		return d
	}
	atWarehouse := func(d *Decision) {
		d.APIs, d.Audience, d.Scopes, d.Identity = []string{"warehouse"}, []string{warehouseURL}, []string{"stock.read"}, []string{"openid"}
		d.Rules = []string{"hq.grant[1]", "hq.grant[2]"}
	}
	onlyOpenID := with(func(d *Decision) { d.Scopes, d.Identity = []string{"openid"}, []string{"openid"} })
	for _, c := range []struct {
		name   string
		ask    func() Request
		change func(situation)
		want   Decision
	}{
		{"a sign-in gives identity and a token for the broker itself", login, func(situation) {}, plain},
		{"the same with the broker named", login, func(s situation) { s.q.Audiences = []string{UserInfo} }, plain},
		{"the same by its issuer", login, func(s situation) { s.q.Audiences, s.q.Resources = []string{UserInfo}, []string{s.spec.Issuer} }, plain},
		{"repeated scopes collapse", login, func(s situation) { s.q.Scopes = []string{"profile", "openid", "profile"} }, plain},
		{"access while away is for clients that may refresh", login, func(s situation) {
			s.q.Scopes = append(s.q.Scopes, "offline_access")
			setClient(s.spec, "shop", func(c *ClientSpec) { c.Grants = []string{"authorization_code"} })
		}, plain},
		{"and they get it", login, func(s situation) { s.q.Scopes = []string{"openid", "offline_access"} }, with(func(d *Decision) {
			d.Scopes, d.Identity = []string{"offline_access", "openid"}, []string{"offline_access", "openid"}
		})},
		{"nothing asked for is nothing given", login, func(s situation) { s.q.Scopes = nil }, with(func(d *Decision) { d.Scopes, d.Identity = []string{}, []string{} })},
		{"a scope of an API finds it, identity stands beside", stock, func(situation) {}, with(atWarehouse)},
		{"a named API", stock, func(s situation) { s.q.Resources = []string{warehouseURL + "/v2"} }, with(atWarehouse)},
		{"a named API and identity only gives the rule's defaults", stock, func(s situation) {
			s.q.Audiences, s.q.Scopes = []string{"warehouse"}, []string{"openid"}
			setTrust(s.spec, "hq", func(t *TrustSpec) { t.Grants[2].DefaultScopes = []string{"stock.read"} })
		}, with(atWarehouse)},
		{"what the rule withholds is dropped", stock, func(s situation) { s.q.Scopes = append(s.q.Scopes, "stock.order") }, with(atWarehouse)},
		{"so is what another API defines", stock, func(s situation) { s.q.Scopes = append(s.q.Scopes, "order.read") }, with(atWarehouse)},
		{"with nothing left the sign-in goes on alone", stock, func(s situation) { s.q.Scopes = []string{"stock.order", "openid"} }, onlyOpenID},
		{"also where no rule names the client", stock, func(s situation) {
			setTrust(s.spec, "hq", func(t *TrustSpec) { t.Grants = t.Grants[:2] })
		}, onlyOpenID},
		{"also where no rule's conditions hold", stock, func(s situation) {
			setTrust(s.spec, "hq", func(t *TrustSpec) { t.Grants[2].When = map[string]ConditionSpec{"absent": {Exact: "x"}} })
		}, onlyOpenID},
		{"a table gives a sign-in nothing, even one that claims scopes", stock, func(s situation) {
			s.q.Subject.HasScopes, s.q.Subject.Scopes = true, []string{"inventory"}
			setTrust(s.spec, "hq", func(t *TrustSpec) {
				t.Grants[2].Scopes, t.Grants[2].ScopeMap = nil, map[string]string{"inventory": "stock.read"}
			})
		}, onlyOpenID},
		{"sign-in rules map claims for identity, not into tokens", stock, func(s situation) {
			setSignIn(s.spec, func(g *GrantSpec) { g.Claims = map[string]string{"team": "department", "none": "absent"} })
			setTrust(s.spec, "hq", func(t *TrustSpec) { t.Grants[2].Claims = map[string]string{"grade": "level"} })
		}, with(func(d *Decision) {
			atWarehouse(d)
			d.IdentityClaims, d.Claims = map[string]any{"team": "logistics"}, map[string]any{"grade": json.Number("3")}
		})},
		{"a sign-in rule's lifetime bounds the broker's own tokens", login, func(s situation) {
			setSignIn(s.spec, func(g *GrantSpec) { g.Lifetime = time.Minute })
		}, with(func(d *Decision) { d.Expires = noon.Add(time.Minute) })},
		{"and not those of an API", stock, func(s situation) {
			setSignIn(s.spec, func(g *GrantSpec) { g.Lifetime = time.Minute })
		}, with(atWarehouse)},
		{"nothing outlives the sign-in", login, func(s situation) { s.q.Subject.Expires = noon.Add(time.Second) },
			with(func(d *Decision) { d.Expires = noon.Add(time.Second) })},
		{"the least lifetime is the client's", login, func(s situation) {
			setClient(s.spec, "shop", func(c *ClientSpec) { c.Lifetime = 2 * time.Minute })
		}, with(func(d *Decision) { d.Expires = noon.Add(2 * time.Minute) })},
		{"of two sign-in rules one is enough", login, func(s situation) {
			addRule(s.spec, "hq", GrantSpec{Clients: []string{"shop"}, SignIn: true, When: map[string]ConditionSpec{"absent": {Exact: "x"}}})
		}, plain},
		{"an exchange carries on what began with a sign-in", onward, func(situation) {}, with(func(d *Decision) {
			atWarehouse(d)
			d.Identity, d.Rules, d.Links, d.Expires = nil, []string{"local.grant[2]"}, 2, noon.Add(5*time.Minute)
		})},
		{"an exchange of what did not carries nothing", onward, func(s situation) { s.q.Subject.SignedIn = false }, with(func(d *Decision) {
			atWarehouse(d)
			d.Identity, d.Rules, d.Links, d.Expires = nil, []string{"local.grant[2]"}, 2, noon.Add(5*time.Minute)
			d.AuthTime, d.ACR, d.Family = time.Time{}, "", ""
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			spec, q, st := office(), c.ask(), live
			c.change(situation{&spec, &q, &st})
			r := compile(t, spec)
			if diff := cmp.Diff(c.want, r.Evaluate(q, st)); diff != "" {
				t.Errorf("decision (-want +got):\n%s", diff)
			}
			q.Explain = true
			explained := r.Evaluate(q, st)
			if len(explained.Steps) == 0 {
				t.Error("explain gives no steps")
			}
			explained.Steps = nil
			if diff := cmp.Diff(c.want, explained); diff != "" {
				t.Errorf("explain changes the decision (-want +got):\n%s", diff)
			}
		})
	}
}

func TestZeroValuesRefuseSignIns(t *testing.T) {
	t.Parallel()
	r := compile(t, office())
	for name, change := range map[string]func(*Request, *Standing){
		"everything": func(q *Request, st *Standing) { *q, *st = Request{}, Standing{} },
		"standing":   func(_ *Request, st *Standing) { *st = Standing{} },
		"subject":    func(q *Request, _ *Standing) { q.Subject = Subject{} },
		"grant":      func(q *Request, _ *Standing) { q.Grant = "" },
		"client":     func(q *Request, _ *Standing) { q.Client = "" },
		"time":       func(q *Request, _ *Standing) { q.Now = time.Time{} },
		"credential": func(q *Request, _ *Standing) { q.Subject.Credential = "" },
		"trust":      func(q *Request, _ *Standing) { q.Subject.Trust = "" },
		"origin":     func(q *Request, _ *Standing) { q.Subject.Origin = "" },
		"sub":        func(q *Request, _ *Standing) { q.Subject.Sub = "" },
		"signed in":  func(q *Request, _ *Standing) { q.Subject.SignedIn = false },
		"expiry":     func(q *Request, _ *Standing) { q.Subject.Expires = time.Time{} },
	} {
		q, st := login(), live
		change(&q, &st)
		if d := r.Evaluate(q, st); d.Granted || d.Reason == "" {
			t.Errorf("without %s: granted", name)
		}
	}
	if d := new(Registry).Evaluate(login(), live); d.Granted || d.Reason == "" {
		t.Error("the zero Registry granted")
	}
	if d := r.Evaluate(login(), live); !d.Granted {
		t.Errorf("twin: refused %q: %s", d.Reason, d.Detail)
	}
}
