package bearer_test

import (
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"apostille/broker/bearer"
)

func TestMetadata(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *bearer.Config) {
		c.Name, c.Documentation = "Warehouse West", "https://docs.west.example/warehouse"
		c.Scopes = []string{"stock.read", "stock.order"}
	})
	w := httptest.NewRecorder()
	b.guard.Metadata().ServeHTTP(w, httptest.NewRequest("GET", b.guard.MetadataPath(), nil))
	want := `{"resource":"https://warehouse.west.example","resource_name":"Warehouse West",` +
		`"authorization_servers":["https://id.west.example"],"scopes_supported":["stock.read","stock.order"],` +
		`"bearer_methods_supported":["header"],"resource_documentation":"https://docs.west.example/warehouse"}`
	if diff := cmp.Diff(want, w.Body.String()); diff != "" {
		t.Error(diff)
	}
	h := w.Header()
	if h.Get("Content-Type") != "application/json" || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Cache-Control") != "public, max-age=300" {
		t.Errorf("header %v", h)
	}
}

func TestMetadataIsOnlyRead(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "POST": 405, "DELETE": 405} {
		w := httptest.NewRecorder()
		b.guard.Metadata().ServeHTTP(w, httptest.NewRequest(method, b.guard.MetadataPath(), nil))
		if w.Code != want {
			t.Errorf("%s: status %d", method, w.Code)
		}
	}
}

// RFC 9728 §3.1: the well-known string goes between the host and the path of the resource.
func TestWhereTheMetadataIs(t *testing.T) {
	t.Parallel()
	for resource, want := range map[string]string{
		"https://warehouse.west.example":         "/.well-known/oauth-protected-resource",
		"https://warehouse.west.example/":        "/.well-known/oauth-protected-resource",
		"https://api.west.example/warehouse":     "/.well-known/oauth-protected-resource/warehouse",
		"https://api.west.example:8443/v1/stock": "/.well-known/oauth-protected-resource/v1/stock",
	} {
		b := newBench(t, func(c *bearer.Config) { c.Resource = resource })
		if got := b.guard.MetadataPath(); got != want {
			t.Errorf("%s: %s, want %s", resource, got, want)
		}
	}
}
