package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"apostille/broker/config"
	"apostille/upstream/fake"
)

// What is under way when the process is told to stop is finished; whoever sends requests here is told first.
func TestR08_WhatIsUnderWayEnds(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.office.Break(fake.Faults{SlowBy: 1500 * time.Millisecond})
	answered := make(chan int, 1)
	go func() {
		status, _ := s.post(exchangeForm(s.office.Mint(foreignClaims(s.office)), "jwt"))
		answered <- status
	}()
	eventually(t, "the request is under way", func() bool { return s.dials() > 0 })
	if status, state := s.ready(); status != http.StatusOK || state.Status != "ok" {
		t.Fatalf("before: %d %+v", status, state)
	}
	began := time.Now()
	s.stop()
	eventually(t, "readiness flips", func() bool {
		status, state := s.ready()
		return status == http.StatusServiceUnavailable && state.Status == "stopping"
	})
	if len(answered) > 0 {
		t.Error("the request ended before readiness had flipped")
	}
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the request under way was answered %d", status)
	}
	if code := s.end(t); code != exitOK || time.Since(began) > shutdownWait {
		t.Errorf("exit code %d after %s", code, time.Since(began))
	}
	if !strings.Contains(s.trail.String(), `"token.issued"`) {
		t.Error("the token it issued last is not on record")
	}
}

// Under load, every request that was taken is answered, and every token on record was.
func TestR08_AStopUnderLoadLosesNoRecord(t *testing.T) {
	t.Parallel()
	s := serve(t)
	finish := s.load(4)
	eventually(t, "there is load", func() bool { return strings.Count(s.trail.String(), "token.issued") > 20 })
	if code := s.end(t); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	all, failed := finish()
	if issued := int64(strings.Count(s.trail.String(), "token.issued")); issued < all-failed {
		t.Errorf("%d tokens were answered, %d are on record", all-failed, issued)
	}
	if strings.Contains(s.log.String(), `"level":"ERROR"`) {
		t.Errorf("the log has errors:\n%s", s.log)
	}
}

func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, a *arena)
		code  int
		says  string
	}{
		{"a faulty configuration", func(t *testing.T, a *arena) { a.configure(t, "default_scopes", "default_scope") }, exitUsage, "default_scope"},
		{"no key file", func(t *testing.T, a *arena) { writeFile(t, filepath.Join(a.dir, "apostille.key"), []byte("x")) }, exitUsage, "key file"},
		{"another key file", func(t *testing.T, a *arena) {
			writeFile(t, filepath.Join(a.dir, "apostille.key"), []byte("apostille-key-v1:"+strings.Repeat("A", 43)+"=\n"))
		}, exitFailure, "signing key"},
		{"no audit trail", func(t *testing.T, a *arena) { a.configure(t, `file = "-"`, `file = "nowhere/audit.jsonl"`) }, exitFailure, "audit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newParties(t, "ES256")
			install(t, a.dir)
			a.configure(t)
			c.spoil(t, a)
			if code := run(t.Context(), []string{"serve", "--config", a.path()}, strings.NewReader(""), a.trail, a.log); code != c.code {
				t.Errorf("exit code %d, wanted %d", code, c.code)
			}
			if !strings.Contains(a.log.String(), c.says) {
				t.Errorf("it says %s", a.log)
			}
		})
	}
}

func TestA117_TheListenerSpeaksModernTLSOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	s.Close()
	pair := s.TLS.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "tls.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}))
	writeFile(t, filepath.Join(dir, "tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	l, err := (&server{}).newListener(&config.Config{Listener: config.Listener{TLS: &config.TLS{Cert: filepath.Join(dir, "tls.pem"), Key: filepath.Join(dir, "tls.key")}}}, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = web.Serve(l) }()
	t.Cleanup(func() { _ = web.Close() })
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: roots, ServerName: "example.com", MinVersion: version, MaxVersion: version})
		if (err == nil) != want {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}

func TestA114_ForwardedAddressesCountFromOurProxiesOnly(t *testing.T) {
	t.Parallel()
	prefixes := func(s ...string) (out []netip.Prefix) {
		for _, p := range s {
			out = append(out, netip.MustParsePrefix(p))
		}
		return out
	}
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		behind     []netip.Prefix
		want       string
	}{
		{"without proxies the peer counts", "6.6.6.6:1", []string{"1.1.1.1"}, nil, "6.6.6.6"},
		{"a peer that is no proxy counts itself", "6.6.6.6:1", []string{"1.1.1.1"}, prefixes("10.0.0.0/8"), "6.6.6.6"},
		{"a proxy's word counts", "10.0.0.1:1", []string{"1.1.1.1"}, prefixes("10.0.0.0/8"), "1.1.1.1"},
		{"the last that is no proxy counts, not the first", "10.0.0.1:1", []string{"6.6.6.6, 1.1.1.1, 10.0.0.2"}, prefixes("10.0.0.0/8"), "1.1.1.1"},
		{"several headers are one list", "10.0.0.1:1", []string{"6.6.6.6", "1.1.1.1"}, prefixes("10.0.0.0/8"), "1.1.1.1"},
		{"nonsense ends the list", "10.0.0.1:1", []string{"1.1.1.1, unknown"}, prefixes("10.0.0.0/8"), "10.0.0.1"},
		{"no header leaves the proxy", "10.0.0.1:1", nil, prefixes("10.0.0.0/8"), "10.0.0.1"},
		{"IPv6", "[2001:db8::1]:1", []string{"2001:db8:f::2"}, prefixes("2001:db8::/64"), "2001:db8:f::2"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:1", []string{"1.1.1.1"}, prefixes("10.0.0.0/8"), "1.1.1.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			for _, f := range c.forwarded {
				r.Header.Add("X-Forwarded-For", f)
			}
			if got := remote(c.behind)(r); got != c.want {
				t.Errorf("%s, wanted %s", got, c.want)
			}
		})
	}
}
