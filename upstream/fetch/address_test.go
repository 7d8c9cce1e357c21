package fetch

import (
	"net/netip"
	"testing"
)

func TestA113_AddressesThatAreNotPublicAreRefused(t *testing.T) {
	t.Parallel()
	public := []string{"93.184.216.34", "1.1.1.1", "100.128.0.1", "172.32.0.1", "2606:4700::1111", "2002:0101:0101::1", "64:ff9b::101:101", "::ffff:1.1.1.1"}
	refused := []string{
		"127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "100.64.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1",
		"192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::127.0.0.1", "fe80::1", "fe80::1%eth0", "2606:4700::1111%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
		"2002:7f00:1::1", "2002:a00:1::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",
		"2001::1", "2001:db8::1", "100::1",
	}
	g := New(Options{})
	for _, configured := range []bool{true, false} {
		for _, a := range public {
			if err := g.check(netip.MustParseAddr(a), configured); err != nil {
				t.Errorf("%s (configured %v): %v, want reachable", a, configured, err)
			}
		}
		for _, a := range refused {
			if err := g.check(netip.MustParseAddr(a), configured); err == nil {
				t.Errorf("%s (configured %v): reachable, want refused", a, configured)
			}
		}
	}
}

func TestA113_AllowedPrefixesAreForConfiguredURLsOnly(t *testing.T) {
	t.Parallel()
	g := New(Options{Allow: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}})
	tests := map[string]struct {
		addr       string
		configured bool
		ok         bool
	}{
		"an allowed address for a configured URL":         {"10.20.1.1", true, true},
		"its mapped form is the same address":             {"::ffff:10.20.1.1", true, true},
		"an allowed address for a learnt URL":             {"10.20.1.1", false, false},
		"the neighbour of an allowed prefix":              {"10.21.1.1", true, false},
		"an allowed address behind NAT64 was not allowed": {"64:ff9b::a14:101", true, false},
		"loopback is not allowed by it":                   {"127.0.0.1", true, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := g.check(netip.MustParseAddr(tc.addr), tc.configured); (err == nil) != tc.ok {
				t.Errorf("check = %v, want ok %v", err, tc.ok)
			}
		})
	}
}

func TestA113_DevAllowsLoopbackAndNothingElse(t *testing.T) {
	t.Parallel()
	g := New(Options{Dev: true})
	for addr, ok := range map[string]bool{"127.0.0.1": true, "::1": true, "::ffff:127.0.0.1": true, "10.0.0.1": false, "169.254.169.254": false, "0.0.0.0": false} {
		if err := g.check(netip.MustParseAddr(addr), false); (err == nil) != ok {
			t.Errorf("%s: %v, want ok %v", addr, err, ok)
		}
	}
}

func TestNamesUnderLocalhostAreLoopbackInDev(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"hq.localhost:8080":             "127.0.0.1:8080",
		"HQ.LocalHost:8080":             "127.0.0.1:8080",
		"localhost:8080":                "localhost:8080",
		"hq.localhost.example:8080":     "hq.localhost.example:8080",
		"notlocalhost:1":                "notlocalhost:1",
		"[2606:4700::1111]:443":         "[2606:4700::1111]:443",
		"no-port.localhost is not ours": "no-port.localhost is not ours",
	} {
		if got := localhost(in); got != want {
			t.Errorf("localhost(%q) = %q, want %q", in, got, want)
		}
	}
}
