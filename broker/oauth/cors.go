package oauth

import (
	"net/http"
	"slices"
	"sync/atomic"

	"apostille/trust"
)

// Origins answers pages of other origins, as the Fetch standard has it (CORS): applications that live in a browser call the token and
// userinfo endpoints from their own origin, and each has its origins registered. Credentials of the browser are never allowed: a
// token or a code is what counts here, no cookie. The zero value is ready; do not copy after first use.
type Origins struct{ of atomic.Pointer[originSet] }

// originSet is every origin that some application of a policy has registered.
type originSet struct {
	reg *trust.Registry
	all map[string]bool
}

// preflightAge is how long a browser may remember a preflight, in seconds.
const preflightAge = "600"

// exposed are the headers that a page may read besides the simple ones.
const exposed = "WWW-Authenticate, X-Correlation-Id, Retry-After"

// Preflight answers a browser that asks whether it may send a request, and says whether the request was that. Such a request names no
// client, so any registered origin may ask; whose pages may read the answer is Allow's. methods are the endpoint's, such as "POST".
func (o *Origins) Preflight(w http.ResponseWriter, r *http.Request, reg *trust.Registry, methods string) bool {
	origin := r.Header.Get("Origin")
	if r.Method != http.MethodOptions || origin == "" || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if o.set(reg).all[origin] {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Methods", methods)
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
		h.Set("Access-Control-Max-Age", preflightAge)
	}
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// Allow lets pages of the client's registered origins read the answer. It is called before the answer is written; a client without
// origins, an unknown one and a request without Origin get nothing.
func Allow(w http.ResponseWriter, r *http.Request, reg *trust.Registry, client string) {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	c, ok := reg.Client(client)
	if !ok || c.Spec.App == nil || !slices.Contains(c.Spec.App.Origins, origin) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", exposed)
}

// AllowAny lets pages of any registered origin read the answer: a refusal that came before its client was known, which tells nothing of
// anybody.
func (o *Origins) AllowAny(w http.ResponseWriter, r *http.Request, reg *trust.Registry) {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if o.set(reg).all[origin] {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", exposed)
	}
}

// set finds the origins of a policy, and makes them once for each.
func (o *Origins) set(reg *trust.Registry) *originSet {
	if s := o.of.Load(); s != nil && s.reg == reg {
		return s
	}
	s := &originSet{reg: reg, all: map[string]bool{}}
	for _, id := range reg.ClientIDs() {
		c, ok := reg.Client(id)
		if !ok || c.Spec.App == nil || c.Spec.Disabled {
			continue
		}
		for _, origin := range c.Spec.App.Origins {
			s.all[origin] = true
		}
	}
	o.of.Store(s)
	return s
}
