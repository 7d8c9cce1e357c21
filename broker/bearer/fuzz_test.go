package bearer_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"apostille/broker/bearer"
)

// FuzzAuthorization: whatever stands in the header, the answer is a well-formed refusal, or the header held a token that the
// broker signed.
func FuzzAuthorization(f *testing.F) {
	b := newBench(f, func(c *bearer.Config) { c.Log = slog.New(slog.DiscardHandler) })
	good := b.token(nil)
	for _, seed := range []string{"", "Bearer", "Bearer ", "bearer " + good, "Bearer " + good + "=", "Bearer a.b.c", "Basic YTpi", "Bearer \x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest("GET", "/stock", nil)
		r.Header["Authorization"] = []string{header}
		a := b.do(r, "stock.read")
		switch a.Code {
		case http.StatusOK:
			if a.principal.Subject != "8S3mNq" {
				t.Errorf("%q passed as %+v", header, a.principal)
			}
		case http.StatusBadRequest, http.StatusUnauthorized:
			if a.reached || a.challenge() == "" {
				t.Errorf("%q: handler reached %v, challenge %q", header, a.reached, a.challenge())
			}
		default:
			t.Errorf("%q: status %d", header, a.Code)
		}
	})
}
