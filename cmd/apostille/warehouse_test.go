package main

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"apostille/broker/bearer"
	"apostille/trust/jose"
	"apostille/upstream/fake"
)

// providerKeys serves a fake's keys without a network.
type providerKeys struct{ p *fake.Provider }

func (k providerKeys) Lookup(_ context.Context, _, kid string, alg jose.Alg) ([]jose.Key, uint64, error) {
	return k.p.KeySet().Lookup(kid, alg), 1, nil
}

func TestWarehouse(t *testing.T) {
	t.Parallel()
	const audience = "https://warehouse.west.example"
	broker := fake.NewProvider(fake.Options{Issuer: "https://id.west.example", Alg: "ES256"})
	guard, err := bearer.New(bearer.Config{
		Issuer: broker.Issuer(), Audience: audience, Keys: providerKeys{broker}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	api := newWarehouse(guard)
	token := func(scope string) string {
		return broker.Mint(map[string]any{
			"aud": audience, "sub": "8S3mNq", "client_id": "warehouse-portal", "idp": "head-office", "scope": scope,
		}, fake.Typ("at+jwt"))
	}
	const order = `{"item":"rice, 5 kg","pallets":2}`
	for _, tt := range []struct {
		name, method, path, token, body string
		status                          int
		says                            string
	}{
		{"its page says what it is", "GET", "/", "", "", 200, demoNotice},
		{"its metadata names the broker", "GET", "/.well-known/oauth-protected-resource", "", "", 200, "https://id.west.example"},
		{"stock is not for strangers", "GET", "/stock", "", "", 401, ""},
		{"stock is for stock.read", "GET", "/stock", token("stock.read"), "", 200, `"sub":"8S3mNq"`},
		{"stock is not for stock.order alone", "GET", "/stock", token("stock.order"), "", 403, "stock.read"},
		{"an order is for stock.order", "POST", "/orders", token("stock.order"), order, 201, `"pallets":2`},
		{"an order is not for stock.read", "POST", "/orders", token("stock.read"), order, 403, "stock.order"},
		{"an order of nothing is refused", "POST", "/orders", token("stock.order"), `{}`, 400, "want"},
		{"an order without end is refused", "POST", "/orders", token("stock.order"), `{"item":"` + strings.Repeat("x", maxOrder) + `"}`, 400, "want"},
		{"there is nothing else", "GET", "/admin", token("stock.read"), "", 404, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
			if tt.token != "" {
				r.Header.Set("Authorization", "Bearer "+tt.token)
			}
			w := httptest.NewRecorder()
			api.ServeHTTP(w, r)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) {
				t.Errorf("status %d, %s", w.Code, w.Body)
			}
		})
	}
}
