package metrics_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"apostille/broker/metrics"
)

func scrape(m *metrics.Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func TestWhatHappenedIsCounted(t *testing.T) {
	t.Parallel()
	m := metrics.New()
	if !strings.Contains(scrape(m), "apostille_config_last_reload_ok 1\n") {
		t.Error("a fresh server does not count as loaded")
	}
	m.Token("token_exchange", "issued", time.Millisecond)
	m.Token("token_exchange", "issued", time.Millisecond)
	m.Token("", "request_invalid", time.Millisecond)
	m.Fetched("office", nil)
	m.Fetched("office", errors.New("down"))
	m.Reloaded(nil)
	m.Reloaded(errors.New("broken"))
	m.SampledOut()
	m.Ignored()
	text := scrape(m)
	for _, line := range []string{
		`apostille_token_requests_total{grant="token_exchange",outcome="issued"} 2`,
		`apostille_token_requests_total{grant="none",outcome="request_invalid"} 1`,
		`apostille_token_seconds_count{grant="token_exchange"} 2`,
		`apostille_key_fetches_total{result="ok",trust="office"} 1`,
		`apostille_key_fetches_total{result="error",trust="office"} 1`,
		`apostille_config_reloads_total{result="error"} 1`,
		`apostille_config_last_reload_ok 0`,
		`apostille_audit_sampled_out_total 1`,
		`apostille_ignored_parameters_total 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("there is no line %s", line)
		}
	}
	if strings.Contains(text, "broken") || strings.Contains(text, "down") {
		t.Error("an error's text became a label")
	}
	m.Reloaded(nil)
	if !strings.Contains(scrape(m), "apostille_config_last_reload_ok 1\n") {
		t.Error("a reload that worked does not clear the alarm")
	}
}

func TestTwoServersInOneProcessCountApart(t *testing.T) {
	t.Parallel()
	a, b := metrics.New(), metrics.New()
	a.SampledOut()
	if strings.Contains(scrape(b), "apostille_audit_sampled_out_total 1") {
		t.Error("they share a registry")
	}
}
