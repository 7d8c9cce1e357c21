package fake_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"apostille/trust/jose"
	"apostille/upstream/fake"
)

// Each fault is seen by a reader of the key set, and gone after Repair.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		faults fake.Faults
		seen   func(status int, header map[string][]string, body []byte) bool
	}{
		{"500", fake.Faults{Status500: true}, func(s int, _ map[string][]string, _ []byte) bool { return s == 500 }},
		{"an HTML page", fake.Faults{HTML: true}, func(s int, h map[string][]string, b []byte) bool {
			return s == 200 && h["Content-Type"][0] == "text/html; charset=utf-8" && !json.Valid(b)
		}},
		{"a redirect", fake.Faults{RedirectTo: "https://elsewhere.example/jwks"}, func(s int, h map[string][]string, _ []byte) bool {
			return s == 302 && h["Location"][0] == "https://elsewhere.example/jwks"
		}},
		{"no keys", fake.Faults{EmptyKeys: true}, func(s int, _ map[string][]string, b []byte) bool {
			_, _, err := jose.ParseJWKS(b, nil)
			return s == 200 && json.Valid(b) && err != nil
		}},
		{"half a document", fake.Faults{Truncated: true}, func(s int, _ map[string][]string, b []byte) bool {
			return s == 200 && len(b) > 0 && !json.Valid(b)
		}},
		{"50 MB", fake.Faults{Huge: true}, func(s int, _ map[string][]string, b []byte) bool {
			return s == 200 && len(b) > fake.HugeBytes && b[0] == '{' && b[len(b)-1] == '}'
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, c := start(t, fake.Options{})
			p.Break(tt.faults)
			res, body := get(t, c, p.Issuer()+fake.PathJWKS)
			if !tt.seen(res.StatusCode, res.Header, body) {
				t.Errorf("status %d, %d bytes: the fault does not show", res.StatusCode, len(body))
			}
			p.Repair()
			res, body = get(t, c, p.Issuer()+fake.PathJWKS)
			if _, _, err := jose.ParseJWKS(body, nil); res.StatusCode != 200 || err != nil {
				t.Errorf("after the repair: status %d, %v", res.StatusCode, err)
			}
			if n := p.Requests(fake.PathJWKS); n != 2 {
				t.Errorf("%d requests counted", n)
			}
		})
	}
}

func TestDownDropsTheConnection(t *testing.T) {
	t.Parallel()
	p, c := start(t, fake.Options{})
	p.Break(fake.Faults{Down: true})
	if res, err := c.Get(p.Issuer() + fake.PathJWKS); err == nil {
		_ = res.Body.Close()
		t.Error("answered")
	}
	p.Repair()
	if res, _ := get(t, c, p.Issuer()+fake.PathJWKS); res.StatusCode != 200 {
		t.Errorf("after the repair: status %d", res.StatusCode)
	}
}

func TestASlowAnswerEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	p := fake.NewProvider(fake.Options{Issuer: "https://hq.example", Alg: "ES256"})
	p.Break(fake.Faults{SlowBy: time.Hour})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", fake.PathJWKS, nil).WithContext(gone))
	if w.Body.Len() != 0 {
		t.Errorf("answered: %s", w.Body)
	}
	p.Break(fake.Faults{SlowBy: time.Nanosecond})
	w = httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", fake.PathJWKS, nil))
	if w.Body.Len() == 0 {
		t.Error("a short wait does not end in an answer")
	}
}

func TestAWrongIssuerStandsInDiscoveryOnly(t *testing.T) {
	t.Parallel()
	p, c := start(t, fake.Options{})
	p.Break(fake.Faults{WrongIssuer: "https://evil.example"})
	_, body := get(t, c, p.Issuer()+fake.PathDiscovery)
	if doc := object(t, body); doc["issuer"] != "https://evil.example" {
		t.Errorf("got %s", body)
	}
	if iss := verified(t, p, p.Mint(nil)).Claims["iss"]; iss != p.Issuer() {
		t.Errorf("tokens are from %v", iss)
	}
}

func TestOnlyLimitsAFaultToOnePath(t *testing.T) {
	t.Parallel()
	p, c := start(t, fake.Options{})
	p.Break(fake.Faults{Only: fake.PathJWKS, Status500: true})
	if res, _ := get(t, c, p.Issuer()+fake.PathJWKS); res.StatusCode != 500 {
		t.Errorf("keys: status %d", res.StatusCode)
	}
	if res, _ := get(t, c, p.Issuer()+fake.PathDiscovery); res.StatusCode != 200 {
		t.Errorf("discovery: status %d", res.StatusCode)
	}
}
