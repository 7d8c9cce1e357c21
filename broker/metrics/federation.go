package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func (m *Metrics) federations() {
	m.refreshes = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "apostille_federation_refreshes_total", Help: "Refreshes of a federation's metadata by result: changed, same, or error, which keeps the last good ones.",
	}, []string{"federation", "result"})
	m.members = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "apostille_federation_members", Help: "Identity providers of a federation.",
	}, []string{"federation"})
	m.metadataEnd = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "apostille_federation_valid_until_seconds", Help: "When a federation's metadata expire, in seconds since 1970: from then on none of its members is found.",
	}, []string{"federation"})
	m.registry.MustRegister(m.refreshes, m.members, m.metadataEnd)
}

// Refreshed counts a refresh of a federation's metadata. members and until are of those in use; the zero time = none are.
func (m *Metrics) Refreshed(federation string, same bool, err error, members int, until time.Time) {
	result := "changed"
	switch {
	case err != nil:
		result = "error"
	case same:
		result = "same"
	}
	m.refreshes.WithLabelValues(federation, result).Inc()
	m.members.WithLabelValues(federation).Set(float64(members))
	if !until.IsZero() {
		m.metadataEnd.WithLabelValues(federation).Set(float64(until.Unix()))
	}
}
