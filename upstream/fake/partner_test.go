package fake_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"apostille/upstream/fake"
)

// newPartner serves a partner whose broker and warehouse are one handler. An empty secret makes the broker refuse.
func newPartner(t *testing.T, secret string, warehouse int) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		id, given, _ := r.BasicAuth()
		if id != "partner" || given != "public" || r.FormValue("grant_type") != "client_credentials" || r.FormValue("audience") != "warehouse" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"invalid_client"}`)
			return
		}
		fmt.Fprintf(w, `{"access_token":"T","scope":%q}`, r.FormValue("scope"))
	})
	mux.HandleFunc("POST /orders", func(w http.ResponseWriter, r *http.Request) {
		order, _ := io.ReadAll(r.Body)
		if r.Header.Get("Authorization") != "Bearer T" || string(order) != `{"item":"rice","pallets":3}` {
			warehouse = http.StatusUnauthorized
		}
		w.WriteHeader(warehouse)
		fmt.Fprint(w, `{"ordered":true}`)
	})
	broker := httptest.NewServer(mux)
	t.Cleanup(broker.Close)
	partner := httptest.NewServer(&fake.Partner{
		Name: "Partner", TokenURL: broker.URL + "/token", ClientID: "partner", ClientSecret: secret,
		Audience: "warehouse", Scope: "stock.order", OrdersURL: broker.URL + "/orders", Item: "rice", Pallets: 3, HTTP: broker.Client(),
	})
	t.Cleanup(partner.Close)
	return partner.URL
}

func TestPartner(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, method, path, secret string
		warehouse, status          int
		says                       string
	}{
		{"it orders with a token of its own", "POST", "/reorder", "public", 201, 201, `"order":{"ordered":true}`},
		{"it tells what the broker granted", "POST", "/reorder", "public", 201, 201, `"scope":"stock.order"`},
		{"it tells that the broker refused", "POST", "/reorder", "guess", 201, 502, "the broker answered 401"},
		{"it tells that the warehouse refused", "POST", "/reorder", "public", 403, 502, "the warehouse answered 403"},
		{"it orders only when it is told to", "GET", "/reorder", "public", 201, 404, fake.Notice},
		{"its page says what it is", "GET", "/", "public", 201, 200, fake.Notice},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequest(tt.method, newPartner(t, tt.secret, tt.warehouse)+tt.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }()
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != tt.status || !strings.Contains(string(body), tt.says) {
				t.Errorf("status %d, %s", res.StatusCode, body)
			}
			if res.Header.Get(fake.FakeHeader) != fake.Notice {
				t.Error("the answer does not say that it is fake")
			}
		})
	}
}
