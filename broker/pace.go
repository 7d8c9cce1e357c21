package broker

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/time/rate"
)

const (
	paceRate  = 250  // answers a second
	paceBurst = 10   // answers that need not wait
	paceHeld  = 4096 // answers at once, some 20 KB each; one more is given at once
	paceLimit = 2 * time.Second
)

// pace lets answers that say Retry-After leave at a bounded rate. Most senders wait for an answer before they ask again, so that a flood
// brings what its connections carry meanwhile, and not what refusals cost: a refusal is nearly as dear as an exchange, since most of
// either is HTTP.
type pace struct {
	rate   *rate.Limiter
	places chan struct{}
}

func newPace() *pace {
	return &pace{rate: rate.NewLimiter(paceRate, paceBurst), places: make(chan struct{}, paceHeld)}
}

// wrap holds back the answers of next that have a Retry-After (429, 503). What a handler wrote is in net/http's buffer until it
// returns: up to 2 KB, which is what such answers have; the beginning of a longer page leaves earlier.
func (p *pace) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		if w.Header().Get("Retry-After") != "" {
			p.wait(r.Context())
		}
	})
}

// wait returns when the answer's turn has come, when the client has gone, after paceLimit, or at once if no place is free.
func (p *pace) wait(ctx context.Context) {
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
	default:
		return
	}
	turn := p.rate.Reserve()
	timer := time.NewTimer(min(turn.Delay(), paceLimit))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		turn.Cancel()
	}
}
