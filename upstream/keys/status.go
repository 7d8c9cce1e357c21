package keys

import (
	"cmp"
	"slices"
	"time"
)

// Status is what is known of one trust's keys, for people.
type Status struct {
	Trust   string
	Source  string    // "static", "discovery:URL" or "jwks_url:URL"
	Keys    int       // usable keys; 0 = none held
	Fetched time.Time // when the upstream last gave them; zero = never, or static
	Age     time.Duration
	Used    bool  // looked up since it was installed; a source nobody used holds nothing
	Serving bool  // Lookup may answer from these keys
	Err     error // of the latest fetch; nil = it succeeded, or there was none
}

// Status lists the trusts by ID. It does no I/O.
func (c *Cache) Status() []Status {
	now := c.cfg.Now()
	trusts := *c.trusts.Load()
	all := make([]Status, 0, len(trusts))
	for id, e := range trusts {
		st := Status{Trust: id, Source: e.source.name(), Used: e.used.Load() != 0, Serving: e.serving(now) != nil}
		if s := e.state.Load(); s != nil {
			st.Keys = len(s.set.Keys())
			if st.Fetched = s.fetched; !s.fetched.IsZero() {
				st.Age = now.Sub(s.fetched)
			}
		}
		e.mu.Lock()
		st.Err = e.lastErr
		e.mu.Unlock()
		all = append(all, st)
	}
	slices.SortFunc(all, func(a, b Status) int { return cmp.Compare(a.Trust, b.Trust) })
	return all
}
