package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestLoadSendsEachRequestOnceAndCountsTheAnswers(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := r.PostFormValue("subject_token")
		mu.Lock()
		seen[token]++
		mu.Unlock()
		if token == "bad" {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer server.Close()
	addr := strings.TrimPrefix(server.URL, "http://")
	tokens := []string{"a", "b", "c", "bad"}
	result, err := load{addr: addr, requests: exchangeForm{client: "c"}.requests(addr, tokens), n: 8, conns: 3}.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if result.Requests != 8 || result.Statuses[200] != 6 || result.Statuses[400] != 2 {
		t.Errorf("result %+v", result)
	}
	for _, token := range tokens {
		if seen[token] != 2 {
			t.Errorf("%s was sent %d times, wanted 2", token, seen[token])
		}
	}
	if result.only(200) == nil {
		t.Error("refused requests passed for granted ones")
	}
}

func TestLoadFailsWhenTheServerIsAway(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	addr := strings.TrimPrefix(server.URL, "http://")
	server.Close()
	if _, err := (load{addr: addr, requests: [][]byte{get(addr, "/")}, n: 1, conns: 1}).run(t.Context()); err == nil {
		t.Error("no error")
	}
}

func TestLoadStopsWithItsContext(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	addr := strings.TrimPrefix(server.URL, "http://")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (load{addr: addr, requests: [][]byte{get(addr, "/")}, n: 1, conns: 1}).run(ctx); err == nil {
		t.Error("no error")
	}
}

func TestLoadGoesToLoopbackOnly(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"http://127.0.0.1:8080/oauth2/token":   "127.0.0.1:8080",
		"http://[::1]:8080/oauth2/token":       "[::1]:8080",
		"http://192.0.2.1:8080/oauth2/token":   "",
		"http://broker.example/oauth2/token":   "",
		"https://127.0.0.1:8080/oauth2/token":  "",
		"http://127.0.0.1:8080/somewhere/else": "",
	} {
		if got, err := loopback(target); got != want || (err == nil) != (want != "") {
			t.Errorf("loopback(%q) = %q, %v, wanted %q", target, got, err, want)
		}
	}
}

func TestQuantilesAndMedians(t *testing.T) {
	t.Parallel()
	sorted := make([]time.Duration, 100)
	for i := range sorted {
		sorted[i] = time.Duration(i + 1)
	}
	if p50, p99 := quantile(sorted, 0.5), quantile(sorted, 0.99); p50 != 51 || p99 != 100 {
		t.Errorf("p50 %d, p99 %d", p50, p99)
	}
	if quantile(nil, 0.5) != 0 || median([]float64(nil)) != 0 {
		t.Error("of nothing, quantile and median are 0")
	}
	if odd, even := median([]float64{9, 1, 5}), median([]float64{4, 1, 9, 6}); odd != 5 || even != 5 {
		t.Errorf("medians %v and %v, wanted 5", odd, even)
	}
}
