package bearer_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"apostille/broker/bearer"
	"apostille/upstream/fetch"
)

// central is a broker that is asked, and an API that asks it.
type central struct {
	now    atomic.Int64 // seconds
	asked  atomic.Int64
	answer atomic.Value // func(http.ResponseWriter, *http.Request)
	api    http.Handler
}

func newCentral(t *testing.T, cacheFor time.Duration) *central {
	t.Helper()
	c := &central{}
	c.now.Store(1_800_000_000)
	broker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.asked.Add(1)
		id, secret, _ := r.BasicAuth()
		if id != "gateway" || secret != "s%2Fecret" || r.PostFormValue("token") == "" { // form-encoded (RFC 6749 §2.3.1)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		c.answer.Load().(func(http.ResponseWriter, *http.Request))(w, r)
	}))
	t.Cleanup(broker.Close)
	guard, err := bearer.New(bearer.Config{
		Issuer: "https://id.west.example", Audience: "https://warehouse.west.example",
		Introspection: &bearer.Introspection{URL: broker.URL, ClientID: "gateway", Secret: "s/ecret", CacheFor: cacheFor},
		Outbound:      fetch.Options{Dev: true}, Now: func() time.Time { return time.Unix(c.now.Load(), 0) }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	c.api = guard.Require("stock.read")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := bearer.From(r.Context())
		_, _ = io.WriteString(w, p.Subject)
	}))
	c.says(c.claims(nil))
	return c
}

// claims are those of an active token, with changes; nil removes.
func (c *central) claims(change map[string]any) map[string]any {
	out := map[string]any{
		"active": true, "iss": "https://id.west.example", "aud": "https://warehouse.west.example", "sub": "anna", "client_id": "portal",
		"scope": "stock.read", "exp": c.now.Load() + 600, "iat": c.now.Load(), "jti": "1",
	}
	for name, v := range change {
		out[name] = v
		if v == nil {
			delete(out, name)
		}
	}
	return out
}

func (c *central) says(claims map[string]any) {
	c.does(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(claims)
	})
}

func (c *central) does(f func(http.ResponseWriter, *http.Request)) { c.answer.Store(f) }

func (c *central) call() *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/stock", nil)
	r.Header.Set("Authorization", "Bearer an-opaque-token")
	w := httptest.NewRecorder()
	c.api.ServeHTTP(w, r)
	return w
}

func TestTheBrokerIsAskedAboutEachToken(t *testing.T) {
	t.Parallel()
	c := newCentral(t, 0)
	for range 3 {
		if w := c.call(); w.Code != http.StatusOK || w.Body.String() != "anna" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if c.asked.Load() != 3 {
		t.Errorf("asked %d times", c.asked.Load())
	}
	c.says(map[string]any{"active": false})
	if w := c.call(); w.Code != http.StatusUnauthorized || !strings.Contains(w.Header().Get("WWW-Authenticate"), "invalid_token") {
		t.Errorf("an inactive token: %d %v", w.Code, w.Header())
	}
}

func TestWhatTheBrokerSaysIsChecked(t *testing.T) {
	t.Parallel()
	c := newCentral(t, 0)
	for name, tt := range map[string]struct {
		change map[string]any
		status int
	}{
		"the twin":                       {nil, http.StatusOK},
		"another audience":               {map[string]any{"aud": "https://elsewhere.example"}, http.StatusUnauthorized},
		"another issuer":                 {map[string]any{"iss": "https://evil.example"}, http.StatusUnauthorized},
		"no audience":                    {map[string]any{"aud": nil}, http.StatusUnauthorized},
		"an exp that is over":            {map[string]any{"exp": c.now.Load() - 61}, http.StatusUnauthorized},
		"no sub":                         {map[string]any{"sub": nil}, http.StatusUnauthorized},
		"a binding that nobody checks":   {map[string]any{"cnf": map[string]any{"jkt": "x"}}, http.StatusUnauthorized},
		"a scope that does not reach":    {map[string]any{"scope": "stock.order"}, http.StatusForbidden},
		"active as text":                 {map[string]any{"active": "true"}, http.StatusUnauthorized},
		"active as a number":             {map[string]any{"active": 1}, http.StatusUnauthorized},
		"nothing that says it is active": {map[string]any{"active": nil}, http.StatusUnauthorized},
	} {
		c.says(c.claims(tt.change))
		if w := c.call(); w.Code != tt.status {
			t.Errorf("%s: %d %v", name, w.Code, w.Header())
		}
	}
}

func TestABrokerThatCannotBeAskedLetsNobodyIn(t *testing.T) {
	t.Parallel()
	c := newCentral(t, 0)
	for name, f := range map[string]func(http.ResponseWriter, *http.Request){
		"an error":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"our secret": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"a page":     func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"half an answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"active":`)
		},
		"too much": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"active":true,"x":"`+strings.Repeat("x", 70_000)+`"}`)
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://evil.example", http.StatusFound)
		},
		"nothing": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		c.does(f)
		if w := c.call(); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "s/ecret") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	c.says(c.claims(nil))
	if w := c.call(); w.Code != http.StatusOK {
		t.Errorf("it answers again: %d", w.Code)
	}
}

func TestAnAnswerIsKeptForAWhileAndNeverBeyondExp(t *testing.T) {
	t.Parallel()
	c := newCentral(t, 30*time.Second)
	c.says(c.claims(map[string]any{"exp": c.now.Load() - 50})) // within the skew for another ten seconds
	for range 3 {
		if w := c.call(); w.Code != http.StatusOK {
			t.Fatal(w.Code)
		}
	}
	if c.asked.Load() != 1 {
		t.Errorf("asked %d times within the time", c.asked.Load())
	}
	c.now.Add(10)
	if w := c.call(); w.Code != http.StatusUnauthorized {
		t.Errorf("after exp: %d", w.Code)
	}
	c.now.Add(21)
	c.says(map[string]any{"active": false})
	if w := c.call(); w.Code != http.StatusUnauthorized || c.asked.Load() != 2 {
		t.Errorf("after the time: %d, asked %d times", w.Code, c.asked.Load())
	}
	c.says(c.claims(nil))
	if w := c.call(); w.Code != http.StatusOK || c.asked.Load() != 3 {
		t.Errorf("no was kept: %d, asked %d times", w.Code, c.asked.Load())
	}
}

func TestIntrospectionWantsAClientAndAShortCache(t *testing.T) {
	t.Parallel()
	for name, i := range map[string]bearer.Introspection{
		"no client": {Secret: "x"}, "no secret": {ClientID: "x"}, "a long cache": {ClientID: "x", Secret: "x", CacheFor: 2 * time.Minute},
		"plain http": {ClientID: "x", Secret: "x", URL: "http://id.west.example/i"},
	} {
		if _, err := bearer.New(bearer.Config{Issuer: "https://id.west.example", Audience: "https://w.example", Introspection: &i}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	good := bearer.Introspection{ClientID: "x", Secret: "x"}
	if _, err := bearer.New(bearer.Config{Issuer: "https://id.west.example", Audience: "https://w.example", Introspection: &good}); err != nil {
		t.Error(err)
	}
}
