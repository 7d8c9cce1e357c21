package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// places are where the parties listen. The broker opens its own listener, so only its port is known.
type places struct {
	headOffice, warehouse, ddstore net.Listener
	region, portal, orders, east   net.Listener
	broker                         int
}

// demoPorts is how many ports the parties need.
const demoPorts = 8

// openPlaces takes demoPorts ports from base on, or free ones if base is 0.
func openPlaces(base int) (places, error) {
	if base < 0 || base > 65536-demoPorts {
		return places{}, usage("--port-base must be 0 to %d, not %d", 65536-demoPorts, base)
	}
	at := func(offset int) int {
		if base == 0 {
			return 0
		}
		return base + offset
	}
	var p places
	for offset, l := range map[int]*net.Listener{
		0: &p.headOffice, 2: &p.warehouse, 3: &p.ddstore, 4: &p.region, 5: &p.portal, 6: &p.orders, 7: &p.east,
	} {
		var err error
		if *l, err = listenLoopback(at(offset)); err != nil {
			return places{}, errors.Join(err, p.close())
		}
	}
	if p.broker = at(1); base == 0 {
		var err error
		if p.broker, err = quietPort(); err != nil {
			return places{}, errors.Join(err, p.close())
		}
	}
	return p, nil
}

func (p places) close() error {
	var errs []error
	for _, l := range []net.Listener{p.headOffice, p.warehouse, p.ddstore, p.region, p.portal, p.orders, p.east} {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	return errors.Join(errs...)
}

func listenLoopback(number int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port(number)))
	if err != nil {
		return nil, &exit{exitFailure, fmt.Errorf("%w; --port-base chooses other ports", err)}
	}
	return l, nil
}

// quietPort finds a free port outside the range that systems hand out by themselves (49152 and up by RFC 6335, 32768 and up on
// Linux), so that nobody is given it between this look and the broker's listening.
func quietPort() (int, error) {
	for range 50 {
		port := 20000 + rand.IntN(12000)
		l, err := listenLoopback(port)
		if err != nil {
			continue
		}
		return port, l.Close()
	}
	return 0, errors.New("no free port found from 20000 to 32000")
}

// urls names the parties by where they listen.
func (p places) urls() urls {
	return urls{
		HeadOffice: origin("hq", portOf(p.headOffice)), Broker: origin("west", p.broker),
		Warehouse: origin("warehouse", portOf(p.warehouse)), DDStore: origin("ddstore", portOf(p.ddstore)),
		Region: origin("region", portOf(p.region)), Portal: origin("portal", portOf(p.portal)), Orders: origin("orders", portOf(p.orders)),
		East:          origin("east", portOf(p.east)),
		BrokerAddress: fmt.Sprintf("127.0.0.1:%d", p.broker),
	}
}

// origin is the URL of a host name under .localhost, which is loopback everywhere (RFC 6761 §6.3).
func origin(name string, port int) string {
	return fmt.Sprintf("http://%s.localhost:%d", name, port)
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func port(n int) string { return strconv.Itoa(n) }
