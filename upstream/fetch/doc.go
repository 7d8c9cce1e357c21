// Package fetch is the one HTTP client that talks to other parties.
//
// A Guard makes clients that check the address of every connection when it is dialled, after name resolution, so that
// neither rebinding nor a redirect reaches what the broker's own network trusts (RFC 6890 special-purpose addresses).
// They speak https only (http with Dev), follow at most three redirects and only within one origin, cap time, header and
// body, keep no cookies and no idle connections, and ignore proxy settings of the environment.
//
// Whether a URL was written in our configuration or learnt from somebody is the caller's knowledge; it is the only thing a
// caller decides per client. What a body means is the caller's as well.
package fetch
