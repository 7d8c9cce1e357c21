package trust

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func consent(api string, scopes ...string) map[string][]string {
	return map[string][]string{api: scopes}
}

func TestConsent(t *testing.T) {
	t.Parallel()
	allowed := func(c map[string][]string) func(situation) {
		return func(s situation) { thirdParty(s); s.st.Consented = c }
	}
	everything := map[string][]string{UserInfo: {"profile", "offline_access"}, "warehouse": {"stock.read"}}
	runPairsOn(t, office, []pair{
		{"a withdrawn consent refuses a refresh", refreshed, thirdParty, ReasonConsent, allowed(everything)},
		{"a withdrawn consent refuses an exchange of what began with a sign-in", onward, thirdParty, ReasonConsent, allowed(everything)},
		{"consent to another API is none", onward, allowed(consent("orders", "stock.read")), ReasonConsent, allowed(consent("warehouse", "stock.read"))},
		{"consent to another scope is none", onward, allowed(consent("warehouse", "stock.order")), ReasonConsent, allowed(consent("warehouse", "stock.read"))},
		{"consent to nothing of a named API refuses a refresh", func() Request {
			q := refreshed()
			q.Scopes, q.Audiences = append(q.Scopes, "stock.read"), []string{"warehouse"}
			return q
		}, allowed(consent(UserInfo, "profile", "offline_access")), ReasonConsent, allowed(everything)},
		{"A121 a public application has no exception", refreshed, func(s situation) {
			thirdParty(s)
			publicShop(s)
		}, ReasonConsent, func(s situation) {
			thirdParty(s)
			publicShop(s)
			s.st.Consented = everything
		}},
	})
}

// publicShop takes the shop's credential away.
func publicShop(s situation) {
	setApp(s.spec, "shop", func(a *AppSpec) { a.Public = true })
	setClient(s.spec, "shop", func(c *ClientSpec) { c.Grants = []string{"authorization_code", "refresh_token"} })
}

func TestConsentNarrowsAndSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		ask         func() Request
		change      func(situation)
		apis        []string
		scopes      []string
		identity    []string
		unconsented map[string][]string
	}{
		{"our own application asks for no consent", stock, func(situation) {}, []string{"warehouse"}, []string{"stock.read"}, []string{"openid"}, nil},
		{"signing in needs none", login, func(s situation) { thirdParty(s); s.q.Scopes = []string{"openid"} },
			[]string{UserInfo}, []string{"openid"}, []string{"openid"}, nil},
		{"before the person was asked only the sign-in is left", stock, func(s situation) {
			thirdParty(s)
			s.q.Scopes = append(s.q.Scopes, "email")
		}, []string{UserInfo}, []string{"openid"}, []string{"openid"}, map[string][]string{UserInfo: {"email"}, "warehouse": {"stock.read"}}},
		{"A121 a public application is asked for like any other", stock, func(s situation) {
			thirdParty(s)
			publicShop(s)
		}, []string{UserInfo}, []string{"openid"}, []string{"openid"}, consent("warehouse", "stock.read")},
		{"a named API without consent gets no token", stock, func(s situation) {
			thirdParty(s)
			s.q.Resources, s.q.Scopes = []string{warehouseURL}, []string{"stock.read"}
		}, []string{UserInfo}, []string{}, []string{}, consent("warehouse", "stock.read")},
		{"what is consented is given", stock, func(s situation) {
			thirdParty(s)
			s.st.Consented = consent("warehouse", "stock.read")
		}, []string{"warehouse"}, []string{"stock.read"}, []string{"openid"}, nil},
		{"scope by scope", stock, func(s situation) {
			thirdParty(s)
			setTrust(s.spec, "hq", func(t *TrustSpec) { t.Grants[2].Scopes = []string{"stock.read", "stock.order"} })
			s.q.Scopes = []string{"openid", "email", "profile", "stock.read", "stock.order"}
			s.st.Consented = map[string][]string{"warehouse": {"stock.order"}, UserInfo: {"email"}}
		}, []string{"warehouse"}, []string{"stock.order"}, []string{"email", "openid"}, map[string][]string{"warehouse": {"stock.read"}, UserInfo: {"profile"}}},
		{"consent to what the rules do not give adds nothing", stock, func(s situation) {
			thirdParty(s)
			s.st.Consented = map[string][]string{"warehouse": {"stock.read", "stock.order"}, "orders": {"order.read"}, UserInfo: {"email"}}
		}, []string{"warehouse"}, []string{"stock.read"}, []string{"openid"}, nil},
		{"what the rules do not give is not asked for", stock, func(s situation) {
			thirdParty(s)
			s.q.Scopes = append(s.q.Scopes, "stock.order")
			s.st.Consented = consent("warehouse", "stock.read")
		}, []string{"warehouse"}, []string{"stock.read"}, []string{"openid"}, nil},
		{"a refresh goes on with what is still allowed", refreshed, func(s situation) {
			thirdParty(s)
			s.q.Scopes = append(s.q.Scopes, "stock.read")
			s.st.Consented = consent(UserInfo, "offline_access")
		}, []string{UserInfo}, []string{"offline_access", "openid"}, []string{"offline_access", "openid"}, map[string][]string{UserInfo: {"profile"}, "warehouse": {"stock.read"}}},
		{"of two APIs the one without consent is left out", stock, func(s situation) {
			thirdParty(s)
			addRule(s.spec, "hq", GrantSpec{Clients: []string{"shop"}, API: "orders", Scopes: []string{"order.read"}})
			s.q.Audiences, s.q.Scopes = []string{"orders", "warehouse"}, []string{"openid", "order.read", "stock.read"}
			s.st.Consented = consent("orders", "order.read")
		}, []string{"orders"}, []string{"order.read"}, []string{"openid"}, consent("warehouse", "stock.read")},
		{"a foreign token needs none", foreign, func(s situation) {
			thirdParty(s)
			s.q.Client = "shop"
		}, []string{"warehouse"}, []string{"stock.read"}, nil, nil},
		{"nor does a service of ours with a person's token", onward, func(s situation) { s.q.Client = "gateway" },
			[]string{"warehouse"}, []string{"stock.read"}, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			spec, q, st := office(), c.ask(), live
			c.change(situation{&spec, &q, &st})
			d := compile(t, spec).Evaluate(q, st)
			if !d.Granted {
				t.Fatalf("refused %q: %s", d.Reason, d.Detail)
			}
			want := []any{c.apis, c.scopes, c.identity, c.unconsented}
			if diff := cmp.Diff(want, []any{d.APIs, d.Scopes, d.Identity, d.Unconsented}); diff != "" {
				t.Errorf("apis, scopes, identity, unconsented (-want +got):\n%s", diff)
			}
		})
	}
}
