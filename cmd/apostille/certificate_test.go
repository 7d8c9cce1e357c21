package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"apostille/broker/metrics"

	"github.com/fsnotify/fsnotify"
)

// certified writes a TLS certificate with a serial number and its key.
func certified(t *testing.T, dir string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{"id.west.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, leaf, leaf, key.Public(), crypto.Signer(key))
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "tls.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	writeFile(t, filepath.Join(dir, "tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestTheListenersCertificateIsReplacedByAReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certified(t, dir, 1)
	path := filepath.Join(dir, "apostille.toml")
	writeFile(t, path, []byte("issuer = \"https://id.west.example\"\n[listener]\naddress = \"127.0.0.1:0\"\ntls = { cert = \"tls.pem\", key = \"tls.key\" }\n"))
	install(t, dir)
	s := &server{
		app: &app{configs: []string{path}, stdout: io.Discard, stderr: io.Discard}, log: slog.New(slog.DiscardHandler), metrics: metrics.New(),
	}
	cfg, err := s.app.load()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.openStore(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	if err := s.openUpstreams(cfg); err != nil {
		t.Fatal(err)
	}
	l, err := s.newListener(cfg, cfg.Listener.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go handshakes(l)
	serial := func() int64 {
		conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true}) // only which certificate is shown matters
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
	}
	if got := serial(); got != 1 {
		t.Fatalf("certificate %d at the start", got)
	}
	certified(t, dir, 2)
	s.reload(&fsnotify.Watcher{})
	if got := serial(); got != 2 {
		t.Errorf("certificate %d after a reload, want the new one", got)
	}
	writeFile(t, filepath.Join(dir, "tls.pem"), []byte("half a certif"))
	s.reload(&fsnotify.Watcher{})
	if got := serial(); got != 2 {
		t.Errorf("certificate %d after a broken file, want the last good one", got)
	}
	if reason := s.reloadError.Load(); reason == nil || !strings.Contains(*reason, "listener.tls") {
		t.Errorf("the broken file is not told: %v", reason)
	}
}

// handshakes completes the TLS handshake of each connection.
func handshakes(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_ = conn.(*tls.Conn).Handshake()
		_ = conn.Close()
	}
}
