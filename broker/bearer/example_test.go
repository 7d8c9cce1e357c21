package bearer_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"apostille/broker/bearer"
	"apostille/upstream/fake"
	"apostille/upstream/fetch"
)

// A warehouse API that accepts the broker's tokens only.
func Example() {
	// This stands in for the broker, which is a process of its own.
	broker, stop := startBroker()
	defer stop()

	guard, err := bearer.New(bearer.Config{
		Issuer:   broker.Issuer(),
		Audience: "https://warehouse.west.example",
		Name:     "Warehouse West",
		Scopes:   []string{"stock.read", "stock.order"},
		Outbound: fetch.Options{Dev: true}, // the broker of this example is on loopback
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+guard.MetadataPath(), guard.Metadata())
	mux.Handle("GET /stock", guard.Require("stock.read")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		principal, _ := bearer.From(r.Context())
		fmt.Fprintf(w, "412 pallets, for %s by %s", principal.Subject, principal.ClientID)
	})))

	token := broker.Mint(map[string]any{
		"aud": "https://warehouse.west.example", "sub": "8S3mNq", "client_id": "warehouse-portal", "scope": "stock.read",
	}, fake.Typ("at+jwt"))
	for _, header := range []string{"", "Bearer " + token} {
		r := httptest.NewRequest("GET", "/stock", nil)
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Header().Get("WWW-Authenticate")+w.Body.String())
	}
	// Output:
	// 401 Bearer realm="https://warehouse.west.example", scope="stock.read", resource_metadata="https://warehouse.west.example/.well-known/oauth-protected-resource"
	// 200 412 pallets, for 8S3mNq by warehouse-portal
}

func startBroker() (broker *fake.Provider, stop func()) {
	srv := httptest.NewUnstartedServer(nil)
	broker = fake.NewProvider(fake.Options{Issuer: "http://" + srv.Listener.Addr().String(), Alg: "ES256"})
	srv.Config.Handler = broker
	srv.Start()
	return broker, srv.Close
}
