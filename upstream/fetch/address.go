package fetch

import (
	"fmt"
	"net/netip"
)

// AddressError is a connection that was refused because of where it would have gone.
type AddressError struct {
	Address string // IP, or IP:port
	Why     string // kind of address
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("address %s refused: %s; allow = […] under [outbound] names private addresses that configured URLs may reach", e.Address, e.Why)
}

// special are the address blocks that are not the public internet, from the IANA special-purpose registries (RFC 6890).
var special = []struct {
	prefix netip.Prefix
	why    string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "unspecified"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private"},
	{netip.MustParsePrefix("100.64.0.0/10"), "carrier-grade NAT"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private"},
	{netip.MustParsePrefix("192.0.0.0/24"), "protocol assignments"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relay"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved or broadcast"},
	{netip.MustParsePrefix("::/128"), "unspecified"},
	{netip.MustParsePrefix("::1/128"), "loopback"},
	{netip.MustParsePrefix("::/96"), "IPv4-compatible"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "local NAT64"},
	{netip.MustParsePrefix("100::/64"), "discard-only"},
	{netip.MustParsePrefix("2001::/23"), "protocol assignments and Teredo"},
	{netip.MustParsePrefix("2001:db8::/32"), "documentation"},
	{netip.MustParsePrefix("3fff::/20"), "documentation"},
	{netip.MustParsePrefix("5f00::/16"), "segment routing"},
	{netip.MustParsePrefix("fc00::/7"), "private"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("fec0::/10"), "site-local"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
}

var (
	sixToFour = netip.MustParsePrefix("2002::/16")    // RFC 3056: the IPv4 address is bytes 2–5
	nat64     = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: the IPv4 address is bytes 12–15
)

// check says whether a connection to a may be made.
func (g *Guard) check(a netip.Addr, configured bool) error {
	if a.Zone() != "" {
		return &AddressError{Address: a.String(), Why: "has an IPv6 zone"}
	}
	a = a.Unmap()
	if configured && g.allowed(a) {
		return nil
	}
	if g.opts.Dev && a.IsLoopback() {
		return nil
	}
	if why := forbidden(a); why != "" {
		return &AddressError{Address: a.String(), Why: why}
	}
	return nil
}

func (g *Guard) allowed(a netip.Addr) bool {
	for _, p := range g.opts.Allow {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// forbidden says what kind of non-public address a is, looking into the forms that embed an IPv4 address; "" = public.
// a is not IPv4-mapped.
func forbidden(a netip.Addr) string {
	for _, s := range special {
		if s.prefix.Contains(a) {
			return s.why
		}
	}
	b := a.As16()
	switch {
	case a.Is4():
		return ""
	case sixToFour.Contains(a):
		return embedded("6to4", b[2:6])
	case nat64.Contains(a):
		return embedded("NAT64", b[12:16])
	}
	return ""
}

func embedded(form string, v4 []byte) string {
	inner, _ := netip.AddrFromSlice(v4)
	if why := forbidden(inner); why != "" {
		return form + " of " + why
	}
	return ""
}
