package bearer_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkRequire is the whole cost of one accepted request with an ES256 token and a warm key.
func BenchmarkRequire(b *testing.B) {
	api := newBench(b)
	h := api.guard.Require("stock.read")(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	r := httptest.NewRequest("GET", "/stock", nil)
	r.Header.Set("Authorization", "Bearer "+api.token(nil))
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
}
