package keys

import (
	"context"
	"time"
)

// sweepEvery is how often Run looks for what is due.
const sweepEvery = time.Second

// Run refreshes in the background until ctx ends, then waits for what is under way, which ends with ctx too. After that
// the cache still answers from what it has and starts no fetch. Run is called at most once.
func (c *Cache) Run(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	defer c.close()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			c.sweep(c.cfg.Now())
		}
	}
}

func (c *Cache) close() {
	c.closing.Lock()
	c.closed = true
	c.closing.Unlock()
	c.cancel()
	c.flights.Wait()
}

// sweep starts the refreshes that are due, as far as the lanes have room. What finds none is found due again.
func (c *Cache) sweep(now time.Time) {
	for _, e := range *c.trusts.Load() {
		if e.due(now) {
			c.start(e, forRefresh, now)
		}
	}
}
