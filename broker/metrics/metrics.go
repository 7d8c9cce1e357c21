// Package metrics counts what the broker does, for Prometheus. It owns the metric names and the bounds of their labels: every label
// value is from a fixed list or from configuration, never from a request, so that a flood cannot grow memory (THREATS A120).
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the broker's. Safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	tokens   *prometheus.CounterVec
	duration *prometheus.HistogramVec
	logins   *prometheus.CounterVec
	login    *prometheus.HistogramVec
	fetches  *prometheus.CounterVec
	reloads  *prometheus.CounterVec
	loaded   prometheus.Gauge
	ignored  prometheus.Counter
	dropped  prometheus.Counter

	refreshes            *prometheus.CounterVec
	members, metadataEnd *prometheus.GaugeVec
}

// New makes them.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "apostille_token_requests_total", Help: "Token requests by grant and outcome: issued, or the reason of the refusal.",
		}, []string{"grant", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "apostille_token_seconds", Help: "Time to answer a token request, by grant.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .5, 2},
		}, []string{"grant"}),
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "apostille_authorization_requests_total",
			Help: "Authorization requests by outcome: code, login, consent, pushed, denied (by the person), or the reason of the refusal.",
		}, []string{"outcome"}),
		login: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "apostille_authorization_seconds", Help: "Time to answer an authorization request.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .5, 2},
		}, nil),
		fetches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "apostille_key_fetches_total", Help: "Fetches of upstream keys by trust and result.",
		}, []string{"trust", "result"}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "apostille_config_reloads_total", Help: "Reloads of the configuration by result.",
		}, []string{"result"}),
		loaded: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "apostille_config_last_reload_ok", Help: "1 if the files on disk are what is served, 0 if the last reload failed.",
		}),
		ignored: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "apostille_ignored_parameters_total", Help: "Parameters of token requests that this server does not know and ignored.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "apostille_audit_sampled_out_total", Help: "Refusals of strangers that were counted but not recorded.",
		}),
	}
	m.federations()
	m.registry.MustRegister(m.tokens, m.duration, m.logins, m.login, m.fetches, m.reloads, m.loaded, m.ignored, m.dropped,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.loaded.Set(1)
	return m
}

// Token counts a token request. grant is a trust.Grant or "", outcome "issued" or a trust.Reason.
func (m *Metrics) Token(grant, outcome string, took time.Duration) {
	if grant == "" {
		grant = "none"
	}
	m.tokens.WithLabelValues(grant, outcome).Inc()
	m.duration.WithLabelValues(grant).Observe(took.Seconds())
}

// Authorize counts an authorization request. outcome is "code", "login", "consent", "pushed", "denied" or a trust.Reason.
func (m *Metrics) Authorize(outcome string, took time.Duration) {
	m.logins.WithLabelValues(outcome).Inc()
	m.login.WithLabelValues().Observe(took.Seconds())
}

// Fetched counts a fetch of a trust's keys.
func (m *Metrics) Fetched(trustID string, err error) {
	m.fetches.WithLabelValues(trustID, result(err)).Inc()
}

// Reloaded counts a reload of the configuration.
func (m *Metrics) Reloaded(err error) {
	m.reloads.WithLabelValues(result(err)).Inc()
	if err != nil {
		m.loaded.Set(0)
		return
	}
	m.loaded.Set(1)
}

// Ignored counts a parameter that was ignored. Its name is the sender's, so it is no label.
func (m *Metrics) Ignored() { m.ignored.Inc() }

// SampledOut counts a refusal that left no record.
func (m *Metrics) SampledOut() { m.dropped.Inc() }

func result(err error) string {
	if err != nil {
		return "error"
	}
	return "ok"
}

// Handler serves /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}
