package trust

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

var (
	// A private-use scheme: RFC 8252 §7.1 wants a reverse domain name, so one with a dot.
	customScheme = regexp.MustCompile(`^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+$`)
	// A domain name of two labels or more, as DNS writes it, in lower case.
	domainSyntax = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

// isLoopback says whether a host is this machine: a loopback address, localhost or a name below it (RFC 6761 §6.3).
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// redirectFault says what is wrong with a URI that browsers are sent to, nil if nothing. Plain http is for loopback, a custom scheme
// for public applications, which run where no https URL leads (RFC 8252 §7).
func redirectFault(uri string, public bool) error {
	u, err := plainURI(uri)
	switch {
	case err != nil:
		return err
	case u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()):
		return hostFault(u)
	case u.Scheme == "http":
		return errors.New("http is for loopback addresses only")
	case !public:
		return fmt.Errorf("its scheme is %q, not https", u.Scheme)
	case !customScheme.MatchString(u.Scheme):
		return fmt.Errorf("the scheme %q is not a reverse domain name such as com.example.app (RFC 8252 §7.1)", u.Scheme)
	}
	return nil
}

// webFault says what is wrong with a URL that is fetched, shown or sent to: https, or http with dev or, if local, to this machine.
func webFault(uri string, httpAllowed bool) error {
	u, err := plainURI(uri)
	switch {
	case err != nil:
		return err
	case u.Scheme == "https" || u.Scheme == "http" && httpAllowed:
		return hostFault(u)
	case u.Scheme == "http":
		return errors.New("http is for dev = true only")
	}
	return fmt.Errorf("its scheme is %q, not https", u.Scheme)
}

// originFault says what is wrong with an origin as browsers write it in Origin (RFC 6454 §6.2): lower case, no default port, no path.
func originFault(origin string, dev bool) error {
	u, err := plainURI(origin)
	if err != nil {
		return err
	}
	if err := webFault(origin, dev || isLoopback(u.Hostname())); err != nil {
		return err
	}
	port := u.Port()
	if origin != strings.ToLower(u.Scheme+"://"+u.Host) || u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return errors.New("it is not written as browsers do: scheme://host[:port] in lower case, without the default port")
	}
	return nil
}

// plainURI parses an absolute URI without a fragment, user information, wildcard or anything that parsers read differently.
func plainURI(uri string) (*url.URL, error) {
	u, err := url.Parse(uri)
	switch {
	case err != nil || !u.IsAbs():
		return nil, errors.New("it is not an absolute URI")
	case strings.Contains(uri, "#"):
		return nil, errors.New("it has a fragment")
	case u.User != nil:
		return nil, errors.New("it has user information before the host")
	case strings.ContainsAny(uri, `*\`):
		return nil, errors.New("it has a wildcard or a backslash")
	}
	return u, nameFault(uri)
}

func hostFault(u *url.URL) error {
	if u.Hostname() == "" {
		return errors.New("it has no host")
	}
	return nil
}

// originOf cuts a URI after scheme, host and port.
func originOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
