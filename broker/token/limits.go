package token

import (
	"context"
	"net/netip"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"
)

// Rate is a token bucket.
type Rate struct {
	PerSecond float64 // 0 = no limit
	Burst     int
}

// bucketsKept bounds the memory of the limits, whoever asks. A bucket that is dropped starts full again.
const bucketsKept = 65536

// Limits are token buckets by address and by client. A nil *Limits lets everything pass.
type Limits struct {
	ip, client *buckets
}

// NewLimits makes limits.
func NewLimits(perIP, perClient Rate) *Limits {
	return &Limits{ip: newBuckets(perIP), client: newBuckets(perClient)}
}

// AllowIP takes one from an address's bucket, for what else a stranger can cause; false = it is empty.
func (l *Limits) AllowIP(ip string, now time.Time) bool { return l.allowIP(ip, now) }

func (l *Limits) allowIP(ip string, now time.Time) bool {
	return l == nil || l.ip.allow(network(ip), now)
}

func (l *Limits) allowClient(id string, now time.Time) bool {
	return l == nil || l.client.allow(id, now)
}

// network is what is counted as one sender: an IPv4 address, or an IPv6 /64, which is what one site commonly has.
func network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil || addr.Unmap().Is4() {
		return ip
	}
	prefix, _ := addr.WithZone("").Prefix(64) // 64 is always valid for IPv6
	return prefix.String()
}

type buckets struct {
	rate Rate
	kept *otter.Cache[string, *rate.Limiter]
}

func newBuckets(r Rate) *buckets {
	if r.PerSecond <= 0 {
		return nil
	}
	return &buckets{rate: r, kept: otter.Must(&otter.Options[string, *rate.Limiter]{MaximumSize: bucketsKept})}
}

func (b *buckets) allow(key string, now time.Time) bool {
	if b == nil {
		return true
	}
	limiter, ok := b.kept.GetIfPresent(key)
	if !ok {
		limiter, _ = b.kept.SetIfAbsent(key, rate.NewLimiter(rate.Limit(b.rate.PerSecond), b.rate.Burst))
	}
	return limiter.AllowN(now, 1)
}

// Gate bounds how many requests do cryptography at once.
type Gate chan struct{}

// gateWait is how long a request waits for a place before it is told to come back.
const gateWait = 2 * time.Second

// NewGate makes a gate for n requests.
func NewGate(n int) Gate { return make(Gate, n) }

// Enter waits for a place. leave must be called once.
func (g Gate) Enter(ctx context.Context) (leave func(), err error) {
	select {
	case g <- struct{}{}:
		return g.leave, nil
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, gateWait)
	defer cancel()
	select {
	case g <- struct{}{}:
		return g.leave, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (g Gate) leave() { <-g }
