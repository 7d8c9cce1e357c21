package oidc

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"

	"apostille/upstream"
)

// inProcess answers from a handler, without a network.
type inProcess struct{ h http.Handler }

func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	t.h.ServeHTTP(w, r)
	return w.Result(), nil
}

// BenchmarkBegin is a login start from memory. BenchmarkFinish is a callback, with the fake's own work in it (ES256: one signature by the
// fake, one verification by us) and no network.
func BenchmarkBegin(b *testing.B) {
	m := meet(b, arrangement{})
	if _, err := m.Begin(b.Context(), m.trust, "s", callback, upstream.Ask{}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Begin(b.Context(), m.trust, "s", callback, upstream.Ask{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFinish(b *testing.B) {
	m := meet(b, arrangement{})
	m.Client = func(*x509.CertPool, bool) *http.Client { return &http.Client{Transport: inProcess{m.op}} }
	m.browser.Transport = inProcess{m.op}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		a := m.leave(b)
		b.StartTimer()
		if _, err := m.finish(b, a); err != nil {
			b.Fatal(err)
		}
	}
}
