package trust

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRegistryFillsInDefaults(t *testing.T) {
	t.Parallel()
	r := compile(t, hmart())
	api, _ := r.API("warehouse")
	if api.Spec.Token != (TokenSpec{"ES256", "at+jwt", "jwt", ""}) || api.Spec.Lifetime != DefaultLifetime {
		t.Errorf("api: %+v", api.Spec)
	}
	hq, _ := r.Trust("hq")
	if hq.Spec.Domain != hqIssuer || hq.Spec.Subject != "sub" || hq.Spec.JWT.MaxAge != DefaultMaxAge {
		t.Errorf("trust: %+v", hq.Spec)
	}
}

func TestRegistryLooksUpExactly(t *testing.T) {
	t.Parallel()
	spec := hmart()
	second := spec.Trusts["hq"]
	spec.Trusts["branch"] = second
	off := second
	off.Disabled = true
	spec.Trusts["closed"] = off
	r := compile(t, spec)

	var ids []string
	for _, tr := range r.ByIssuer(hqIssuer) {
		ids = append(ids, tr.ID)
	}
	if !slices.Equal(ids, []string{"branch", "hq"}) {
		t.Errorf("ByIssuer gives %v, want the live ones sorted", ids)
	}
	if got := r.ByIssuer(hqIssuer + "/"); len(got) > 0 {
		t.Errorf("ByIssuer is not exact: %v", got)
	}
	if got := r.ByIssuer(""); len(got) > 0 {
		t.Errorf("the empty issuer finds %v: local must not be found by issuer", got)
	}
	if closed, ok := r.Trust("closed"); !ok || !closed.Spec.Disabled {
		t.Error("a disabled trust is not found")
	}
	if a, ok := r.ByAudience(warehouseURL); !ok || a.ID != "warehouse" {
		t.Error("ByAudience does not find warehouse")
	}
	if _, ok := r.ByAudience(warehouseURL + "/v2"); ok {
		t.Error("ByAudience finds a resource")
	}
	if got := r.TrustIDs(); !slices.Equal(got, []string{"branch", "closed", "hq", Local}) {
		t.Errorf("TrustIDs: %v", got)
	}
	if got := append(r.ClientIDs(), r.APIIDs()...); !slices.Equal(got, []string{"gateway", "portal", "orders", "warehouse"}) {
		t.Errorf("ClientIDs and APIIDs: %v", got)
	}
	if r.Issuer() != spec.Issuer {
		t.Errorf("Issuer: %s", r.Issuer())
	}
}

func TestLocalIsAlwaysThere(t *testing.T) {
	t.Parallel()
	spec := hmart()
	delete(spec.Trusts, Local)
	r := compile(t, spec)
	if _, ok := r.Trust(Local); !ok {
		t.Error("the built-in trust is not found")
	}
	if r.Admits(Local, "portal") {
		t.Error("the built-in trust admits without a rule")
	}
	if _, ok := r.Client("gateway"); !ok {
		t.Error("twin: a declared client is not found")
	}
}

func TestAdmits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		change        func(*Spec)
		trust, client string
		want          bool
	}{
		{"a client that a rule names", func(*Spec) {}, "hq", "portal", true},
		{"a client that no rule of the trust names", func(*Spec) {}, "hq", "gateway", false},
		{"nobody, without an unauthenticated rule", func(*Spec) {}, "hq", "", false},
		{"nobody, by an unauthenticated rule", func(s *Spec) {
			setRule(s, func(g *GrantSpec) { g.Clients, g.Unauthenticated = nil, true })
		}, "hq", "", true},
		{"an authenticated client by an unauthenticated rule", func(s *Spec) {
			setRule(s, func(g *GrantSpec) { g.Clients, g.Unauthenticated = nil, true })
		}, "hq", "portal", false},
		{"a disabled trust", func(s *Spec) { setTrust(s, "hq", func(t *TrustSpec) { t.Disabled = true }) }, "hq", "portal", false},
		{"a disabled client", func(s *Spec) { setClient(s, "portal", func(c *ClientSpec) { c.Disabled = true }) }, "hq", "portal", false},
		{"an unknown trust", func(*Spec) {}, "nowhere", "portal", false},
		{"our own tokens", func(*Spec) {}, Local, "gateway", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			spec := hmart()
			c.change(&spec)
			if got := compile(t, spec).Admits(c.trust, c.client); got != c.want {
				t.Errorf("Admits(%q, %q) = %v, want %v", c.trust, c.client, got, c.want)
			}
		})
	}
}

// The Registry used to be at the mercy of whoever still held the Spec, if it shared its maps.
func TestRegistrySharesNothingWithItsSpec(t *testing.T) {
	t.Parallel()
	spec := hmart()
	setTrust(&spec, "hq", func(t *TrustSpec) {
		t.Require = map[string]ConditionSpec{"department": {OneOf: []any{"logistics"}}}
	})
	r := compile(t, spec)
	before := r.Evaluate(foreign(), live)

	spec.Trusts["hq"].Grants[0].Scopes[0] = "stock.order"
	spec.Trusts["hq"].Grants[0].Clients[0] = "gateway"
	spec.Trusts["hq"].Require["department"].OneOf[0] = "sales"
	spec.Trusts["hq"].JWT.Audiences[0] = "anyone"
	spec.Clients["portal"].APIs["warehouse"][0] = "stock.order"
	spec.Clients["portal"].Grants[0] = "jwt_bearer"
	delete(spec.APIs["warehouse"].Scopes, "stock.read")
	spec.APIs["warehouse"].Resources[0] = ordersURL

	if diff := cmp.Diff(before, r.Evaluate(foreign(), live)); diff != "" || !before.Granted {
		t.Errorf("a changed Spec changed the Registry (granted before: %v):\n%s", before.Granted, diff)
	}
	if hq, _ := r.Trust("hq"); hq.Spec.JWT.Audiences[0] == "anyone" {
		t.Error("the use is shared")
	}
}

func TestAccessListsWhoMayGetWhat(t *testing.T) {
	t.Parallel()
	spec := hmart()
	setTrust(&spec, "hq", func(t *TrustSpec) { t.Require = map[string]ConditionSpec{"department": {OneOf: []any{"logistics"}}} })
	setRule(&spec, func(g *GrantSpec) {
		g.Scopes, g.Lifetime = []string{"stock.read", "stock.order"}, time.Minute
		g.When = map[string]ConditionSpec{"email": {Suffix: "@hq.example"}}
	})
	spec.Clients["portal"].APIs["warehouse"] = []string{"stock.read"}
	addRule(&spec, "hq", GrantSpec{Unauthenticated: true, API: "orders", ScopeMap: map[string]string{"o": "order.read"}})
	setTrust(&spec, "hq", func(t *TrustSpec) {
		off := *t
		off.Disabled = true
		spec.Trusts["closed"] = off
	})
	department := `department is one of ["logistics"]`
	want := []Access{
		{"hq", "", []Grant{"token_exchange", "jwt_bearer"}, "orders", []string{"order.read"},
			[]string{department, "scope order.read for their o only"}, DefaultLifetime, "hq.grant[1]"},
		{"hq", "portal", []Grant{"token_exchange", "jwt_bearer"}, "warehouse", []string{"stock.read"},
			[]string{department, `email is a string that ends with "@hq.example"`}, time.Minute, "hq.grant[0]"},
		{Local, "gateway", []Grant{"token_exchange"}, "orders", []string{"order.read"},
			[]string{"scope order.read for their stock.read only"}, DefaultLifetime, "local.grant[1]"},
		{Local, "gateway", []Grant{"token_exchange"}, "warehouse", []string{"stock.read"}, []string{}, DefaultLifetime, "local.grant[0]"},
		{Local, "portal", []Grant{"token_exchange", "client_credentials"}, "warehouse", []string{"stock.read"}, []string{}, DefaultLifetime, "local.grant[0]"},
	}
	if diff := cmp.Diff(want, compile(t, spec).Access()); diff != "" {
		t.Errorf("access (-want +got):\n%s", diff)
	}
	setClient(&spec, "portal", func(c *ClientSpec) { c.Disabled = true })
	if got := compile(t, spec).Access(); len(got) != 3 {
		t.Errorf("a disabled client still has access: %+v", got)
	}
}
