package trust

import (
	"encoding/json"
	"slices"
	"testing"
	"time"
)

const (
	warehouseURL = "https://warehouse.west.hmart.example"
	ordersURL    = "https://orders.west.hmart.example"
	hqIssuer     = "https://idp.hq.hmart.example"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// hmart is a small, valid policy. Tests change one thing in a fresh copy.
func hmart() Spec {
	return Spec{
		Issuer: "https://id.west.hmart.example",
		APIs: map[string]APISpec{
			"warehouse": {
				Audience: warehouseURL, Resources: []string{warehouseURL + "/v2"}, Client: "gateway",
				Scopes: map[string]string{"stock.read": "See stock levels", "stock.order": "Order stock"},
			},
			"orders": {
				Audience: ordersURL, Client: "gateway",
				Scopes: map[string]string{"order.read": "See orders", "order.place": "Place orders"},
			},
		},
		Clients: map[string]ClientSpec{
			"portal": {
				Grants: []string{"token_exchange", "jwt_bearer", "client_credentials"},
				APIs:   map[string][]string{"warehouse": {"stock.read", "stock.order"}, "orders": {"order.read", "order.place"}},
			},
			"gateway": {
				Grants: []string{"token_exchange"},
				APIs:   map[string][]string{"warehouse": {"stock.read", "stock.order"}, "orders": {"order.read"}},
			},
		},
		Trusts: map[string]TrustSpec{
			"hq": {
				Issuer: hqIssuer, KeySource: "discovery",
				JWT:     &UseSpec{Audiences: []string{"https://id.west.hmart.example"}},
				IDToken: &UseSpec{Audiences: []string{"hq-app"}},
				Grants:  []GrantSpec{{Clients: []string{"portal"}, API: "warehouse", Scopes: []string{"stock.read"}}},
			},
			Local: {Grants: []GrantSpec{
				{Clients: []string{"portal", "gateway"}, API: "warehouse", Scopes: []string{"stock.read"}},
				{Clients: []string{"gateway"}, API: "orders", ScopeMap: map[string]string{"stock.read": "order.read"}},
			}},
		},
	}
}

// foreign asks for stock.read with a JWT of the head office; hmart grants it.
func foreign() Request {
	return Request{
		Grant: GrantTokenExchange, Client: "portal", Now: noon,
		Audiences: []string{"warehouse"}, Scopes: []string{"stock.read"},
		Subject: Subject{
			Credential: CredentialJWT, Trust: "hq", Origin: "hq", Domain: hqIssuer, Kind: "sub", Value: "kim",
			Sub: DeriveSub(hqIssuer, "sub", "kim"), Issuer: hqIssuer,
			Claims:   map[string]any{"sub": "kim", "department": "logistics", "level": json.Number("3")},
			IssuedAt: noon.Add(-time.Minute), Expires: noon.Add(time.Hour),
		},
	}
}

// own asks for stock.read again with the token that foreign led to; hmart grants it.
func own() Request {
	q := foreign()
	q.Subject = Subject{
		Credential: CredentialOwnToken, Trust: Local, Origin: "hq", Sub: DeriveSub(hqIssuer, "sub", "kim"),
		Scopes: []string{"stock.read"}, HasScopes: true, Audience: []string{warehouseURL}, ClientID: "portal", Links: 1,
		IssuedAt: noon.Add(-time.Minute), Expires: noon.Add(5 * time.Minute),
	}
	return q
}

// itself asks for stock.read with client credentials; hmart grants it.
func itself() Request {
	q := foreign()
	q.Grant = GrantClientCredentials
	q.Subject = Subject{Credential: CredentialClient, Trust: Local, Origin: Local, Sub: "client:portal"}
	return q
}

var live = Standing{Loaded: true}

func compile(t testing.TB, s Spec) *Registry {
	t.Helper()
	r, problems := Compile(s)
	if len(problems) > 0 {
		t.Fatalf("the policy does not compile: %+v", problems)
	}
	return r
}

// setTrust, setClient, setAPI and setRule change an entry of a Spec's map in place.
func setTrust(s *Spec, id string, change func(*TrustSpec)) {
	v := s.Trusts[id]
	change(&v)
	s.Trusts[id] = v
}

func setClient(s *Spec, id string, change func(*ClientSpec)) {
	v := s.Clients[id]
	change(&v)
	s.Clients[id] = v
}

func setAPI(s *Spec, id string, change func(*APISpec)) {
	v := s.APIs[id]
	change(&v)
	s.APIs[id] = v
}

// setRule changes the first rule of the head office.
func setRule(s *Spec, change func(*GrantSpec)) { change(&s.Trusts["hq"].Grants[0]) }

// addRule appends a rule to a trust.
func addRule(s *Spec, id string, g GrantSpec) {
	setTrust(s, id, func(t *TrustSpec) { t.Grants = append(slices.Clone(t.Grants), g) })
}
