package trust

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDecisions(t *testing.T) {
	t.Parallel()
	sub := DeriveSub(hqIssuer, "sub", "kim")
	es256 := TokenSpec{Alg: "ES256", Typ: "at+jwt", Format: "jwt"}
	plain := Decision{
		Granted: true, Trust: "hq", Sub: sub, ClientID: "portal", APIs: []string{"warehouse"}, Audience: []string{warehouseURL},
		Scopes: []string{"stock.read"}, Rules: []string{"hq.grant[0]"}, Expires: noon.Add(DefaultLifetime), Token: es256, Links: 1,
	}
	with := func(change func(*Decision)) Decision {
		d := plain
		change(&d)
		return d
	}
	for _, c := range []struct {
		name   string
		ask    func() Request
		change func(situation)
		want   Decision
	}{
		{"a foreign token is granted what its rule says", foreign, func(situation) {}, plain},
		{"the same by its resource", foreign, func(s situation) { s.q.Audiences, s.q.Resources = nil, []string{warehouseURL + "/v2"} }, plain},
		{"the same by nothing, as one API is allowed", foreign, func(s situation) { s.q.Audiences = nil }, plain},
		{"one API named three ways is one target", foreign, func(s situation) {
			s.q.Audiences, s.q.Resources = []string{"warehouse", warehouseURL}, []string{warehouseURL + "/v2"}
		}, plain},
		{"repeated scopes collapse", foreign, func(s situation) { s.q.Scopes = []string{"stock.read", "stock.read"} }, plain},
		{"what the rule withholds is dropped", foreign, func(s situation) { s.q.Scopes = []string{"stock.order", "stock.read"} }, plain},
		{"nothing requested and no defaults is a token without scopes", foreign, func(s situation) { s.q.Scopes = nil },
			with(func(d *Decision) { d.Scopes = []string{} })},
		{"nothing requested gives the defaults, never all", foreign, func(s situation) {
			s.q.Scopes = nil
			setRule(s.spec, func(g *GrantSpec) {
				g.Scopes, g.DefaultScopes = []string{"stock.read", "stock.order"}, []string{"stock.order"}
			})
		}, with(func(d *Decision) { d.Scopes = []string{"stock.order"} })},
		{"a default outside the registration is dropped", foreign, func(s situation) {
			s.q.Scopes = nil
			s.spec.Clients["portal"].APIs["warehouse"] = []string{"stock.read"}
			setRule(s.spec, func(g *GrantSpec) {
				g.Scopes, g.DefaultScopes = []string{"stock.read", "stock.order"}, []string{"stock.order", "stock.read"}
			})
		}, plain},
		{"rules add up: scopes are the union, the lifetime the least", foreign, func(s situation) {
			s.q.Scopes = []string{"stock.read", "stock.order"}
			addRule(s.spec, "hq", GrantSpec{Clients: []string{"portal"}, API: "warehouse", Scopes: []string{"stock.order"}, Lifetime: time.Minute})
		}, with(func(d *Decision) {
			d.Scopes, d.Rules = []string{"stock.order", "stock.read"}, []string{"hq.grant[0]", "hq.grant[1]"}
			d.Expires = noon.Add(time.Minute)
		})},
		{"a rule whose conditions hold bounds the token whichever scopes are issued", foreign, func(s situation) {
			addRule(s.spec, "hq", GrantSpec{Clients: []string{"portal"}, API: "warehouse", Scopes: []string{"stock.order"},
				Lifetime: time.Minute, Claims: map[string]string{"team": "department"}})
		}, with(func(d *Decision) {
			d.Rules, d.Expires = []string{"hq.grant[0]", "hq.grant[1]"}, noon.Add(time.Minute)
			d.Claims = map[string]any{"team": "logistics"}
		})},
		{"a rule whose conditions fail does not count", foreign, func(s situation) {
			addRule(s.spec, "hq", GrantSpec{Clients: []string{"portal"}, API: "warehouse", Scopes: []string{"stock.read"},
				Lifetime: time.Minute, When: map[string]ConditionSpec{"absent": {NoneOf: []any{"x"}}}})
		}, plain},
		{"the least lifetime is the client's", foreign, func(s situation) {
			setClient(s.spec, "portal", func(c *ClientSpec) { c.Lifetime = 2 * time.Minute })
		}, with(func(d *Decision) { d.Expires = noon.Add(2 * time.Minute) })},
		{"the least lifetime is the API's", foreign, func(s situation) {
			setAPI(s.spec, "warehouse", func(a *APISpec) { a.Lifetime = 3 * time.Minute })
		}, with(func(d *Decision) { d.Expires = noon.Add(3 * time.Minute) })},
		{"of two APIs the shorter-lived binds the token", foreign, func(s situation) {
			s.q.Audiences, s.q.Scopes = []string{"warehouse", "orders"}, []string{"stock.read", "order.read"}
			addRule(s.spec, "hq", GrantSpec{Clients: []string{"portal"}, API: "orders", Scopes: []string{"order.read"}})
			setAPI(s.spec, "warehouse", func(a *APISpec) { a.Lifetime = time.Minute })
		}, with(func(d *Decision) {
			d.APIs, d.Audience = []string{"orders", "warehouse"}, []string{ordersURL, warehouseURL}
			d.Scopes, d.Rules = []string{"order.read", "stock.read"}, []string{"hq.grant[1]", "hq.grant[0]"}
			d.Expires = noon.Add(time.Minute)
		})},
		{"nothing outlives the subject token", foreign, func(s situation) { s.q.Subject.Expires = noon.Add(7 * time.Second) },
			with(func(d *Decision) { d.Expires = noon.Add(7 * time.Second) })},
		{"a longer rule does not lengthen", foreign, func(s situation) { setRule(s.spec, func(g *GrantSpec) { g.Lifetime = time.Hour }) }, plain},
		{"claims are mapped when present", foreign, func(s situation) {
			setRule(s.spec, func(g *GrantSpec) {
				g.Claims = map[string]string{"team": "department", "grade": "/level", "none": "absent"}
			})
		}, with(func(d *Decision) { d.Claims = map[string]any{"team": "logistics", "grade": json.Number("3")} })},
		{"upstream claims never pass unmapped", foreign, func(s situation) {
			s.q.Subject.Claims["scope"], s.q.Subject.Claims["roles"], s.q.Subject.Claims["act"] = "stock.order", "admin", map[string]any{"sub": "x"}
		}, plain},
		{"an unauthenticated rule makes the trust the client", foreign, func(s situation) {
			s.q.Client = ""
			unauthenticated(s)
		}, with(func(d *Decision) { d.ClientID = "trust:hq" })},
		{"an own token keeps sub, origin and end", own, func(situation) {}, with(func(d *Decision) {
			d.Rules, d.Links, d.Expires = []string{"local.grant[0]"}, 2, noon.Add(5*time.Minute)
		})},
		{"a table maps an own token's scopes for the next API", own, func(s situation) {
			s.q.Client, s.q.Audiences, s.q.Scopes = "gateway", []string{"orders"}, []string{"order.read"}
		}, with(func(d *Decision) {
			d.ClientID, d.APIs, d.Audience, d.Scopes = "gateway", []string{"orders"}, []string{ordersURL}, []string{"order.read"}
			d.Rules, d.Links, d.Expires = []string{"local.grant[1]"}, 2, noon.Add(5*time.Minute)
		})},
		{"a client acts for itself", itself, func(situation) {}, with(func(d *Decision) {
			d.Trust, d.Sub, d.Rules, d.Links = Local, "client:portal", []string{"local.grant[0]"}, 0
		})},
		{"two APIs that agree share a token", foreign, func(s situation) {
			s.q.Audiences, s.q.Scopes = []string{"warehouse", "orders"}, []string{"stock.read", "order.read"}
			addRule(s.spec, "hq", GrantSpec{Clients: []string{"portal"}, API: "orders", Scopes: []string{"order.read"}})
		}, with(func(d *Decision) {
			d.APIs, d.Audience = []string{"orders", "warehouse"}, []string{ordersURL, warehouseURL}
			d.Scopes, d.Rules = []string{"order.read", "stock.read"}, []string{"hq.grant[1]", "hq.grant[0]"}
		})},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			spec, q, st := hmart(), c.ask(), live
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

func TestZeroValuesRefuse(t *testing.T) {
	t.Parallel()
	r := compile(t, hmart())
	for name, change := range map[string]func(*Request, *Standing){
		"everything":  func(q *Request, st *Standing) { *q, *st = Request{}, Standing{} },
		"standing":    func(_ *Request, st *Standing) { *st = Standing{} },
		"request":     func(q *Request, _ *Standing) { *q = Request{} },
		"subject":     func(q *Request, _ *Standing) { q.Subject = Subject{} },
		"grant":       func(q *Request, _ *Standing) { q.Grant = "" },
		"client":      func(q *Request, _ *Standing) { q.Client = "" },
		"time":        func(q *Request, _ *Standing) { q.Now = time.Time{} },
		"credential":  func(q *Request, _ *Standing) { q.Subject.Credential = "" },
		"trust":       func(q *Request, _ *Standing) { q.Subject.Trust = "" },
		"origin":      func(q *Request, _ *Standing) { q.Subject.Origin = "" },
		"sub":         func(q *Request, _ *Standing) { q.Subject.Sub = "" },
		"expiry":      func(q *Request, _ *Standing) { q.Subject.Expires = time.Time{} },
		"empty scope": func(q *Request, _ *Standing) { q.Scopes = []string{""} },
		"empty aud":   func(q *Request, _ *Standing) { q.Audiences = []string{""} },
	} {
		q, st := foreign(), live
		change(&q, &st)
		if d := r.Evaluate(q, st); d.Granted || d.Reason == "" {
			t.Errorf("without %s: granted", name)
		}
	}
	if d := new(Registry).Evaluate(foreign(), live); d.Granted || d.Reason == "" {
		t.Error("the zero Registry granted")
	}
	if d := r.Evaluate(foreign(), live); !d.Granted {
		t.Errorf("twin: refused %q: %s", d.Reason, d.Detail)
	}
}
