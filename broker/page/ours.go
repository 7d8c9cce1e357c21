package page

import (
	"net/http"
	"net/url"
)

// Ours says why a form cannot have come from a page of ours, nil if it did: what another site makes a browser send changes nothing here
// (THREATS A108). Ours is the issuer's origin as well as the request's own, for behind a proxy the Host may be another (A114).
func Ours(r *http.Request, issuer string) error {
	guard := http.NewCrossOriginProtection()
	if u, err := url.Parse(issuer); err == nil {
		_ = guard.AddTrustedOrigin(u.Scheme + "://" + u.Host) // an error leaves the request's own origin, which is the stricter
	}
	return guard.Check(r)
}
