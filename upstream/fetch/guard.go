package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

// Defaults and fixed limits.
const (
	DefaultTimeout = 10 * time.Second // one request in all, redirects and body included
	DefaultMaxBody = 1 << 20          // bytes of a response body
	maxHeader      = 64 << 10         // bytes of a response header
	maxRedirects   = 3
	userAgent      = "apostille"
)

// Options of a Guard. The zero value reaches public addresses by https only.
type Options struct {
	// Allow lists private addresses that URLs written in our configuration may reach. Learnt URLs never do.
	Allow []netip.Prefix
	// Dev allows http, and loopback addresses for every URL. Names under .localhost are then 127.0.0.1 (RFC 6761 §6.3)
	// whatever the resolver thinks of them.
	Dev     bool
	Timeout time.Duration // 0 = DefaultTimeout
	MaxBody int64         // bytes; 0 = DefaultMaxBody
	// OnDial, if set, is told each address (IP:port) just before a connection to it is made. Refused addresses are not
	// reported: no packet goes to them. It must be safe for concurrent use.
	OnDial func(addr string)
}

// Guard makes guarded clients. It is immutable and safe for concurrent use.
type Guard struct {
	opts Options
}

// New returns a Guard.
func New(o Options) *Guard {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxBody <= 0 {
		o.MaxBody = DefaultMaxBody
	}
	return &Guard{opts: o}
}

// Client returns a client for one kind of URL. roots are the only certificate authorities it believes (nil = the
// system's). configured says that the URL was written in our configuration: only then Allow applies. A client is cheap
// and keeps nothing open.
func (g *Guard) Client(roots *x509.CertPool, configured bool) *http.Client {
	dialer := &net.Dialer{
		Timeout:   g.opts.Timeout,
		KeepAlive: -1,
		Control:   g.control(configured),
	}
	return &http.Client{
		Timeout:       g.opts.Timeout,
		CheckRedirect: checkRedirect,
		Transport: &transport{
			dev:     g.opts.Dev,
			maxBody: g.opts.MaxBody,
			next: &http.Transport{
				DialContext:            g.dial(dialer),
				TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
				TLSHandshakeTimeout:    g.opts.Timeout,
				ResponseHeaderTimeout:  g.opts.Timeout,
				MaxResponseHeaderBytes: maxHeader,
				DisableKeepAlives:      true,
				DisableCompression:     true,
			},
		},
	}
}

// control is called by the dialer with each resolved address, once per attempt.
func (g *Guard) control(configured bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		ap, err := netip.ParseAddrPort(address)
		if err != nil {
			return &AddressError{Address: address, Why: "not an IP address and port"}
		}
		if err := g.check(ap.Addr(), configured); err != nil {
			return err
		}
		if g.opts.OnDial != nil {
			g.opts.OnDial(address)
		}
		return nil
	}
}

func (g *Guard) dial(d *net.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if g.opts.Dev {
			address = localhost(address)
		}
		return d.DialContext(ctx, network, address)
	}
}

// localhost turns "name.localhost:port" into "127.0.0.1:port".
func localhost(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err == nil && strings.HasSuffix(strings.ToLower(host), ".localhost") {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}
