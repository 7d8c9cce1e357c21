package config

import (
	"crypto/tls"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"

	"apostille/trust"
	"apostille/upstream/federation"
	"apostille/upstream/keys"
	"apostille/upstream/oidc"
	"apostille/upstream/saml"
)

// MemoryStore is the store.path of a broker that forgets.
const MemoryStore = "memory"

// auditToStdout is the audit.file of a broker whose output somebody else collects.
const auditToStdout = "-"

// build turns the document into a Config, checking what concerns more than one value.
func (l *loader) build() *Config {
	l.fillDefaults(keyTable(), reflect.ValueOf(&l.doc).Elem())
	c := &Config{
		Issuer: l.doc.Issuer, Dev: l.doc.Dev, Dir: l.sources[0].dir,
		Metrics:     Metrics{Address: l.doc.Metrics.Address},
		Outbound:    Outbound{Allow: l.doc.Outbound.Allow, Timeout: l.doc.Outbound.Timeout},
		Log:         Log{Level: l.doc.Log.Level, Format: l.doc.Log.Format},
		Keys:        map[string]keys.Source{},
		Credentials: map[string]Credential{},
		Logins:      map[string]oidc.LoginConfig{},
		SAMLLogins:  map[string]saml.Login{},
		SAMLApps:    map[string]SAMLApp{},

		Federations:      map[string]federation.Source{},
		FederationLogins: map[string]saml.Login{},
	}
	l.paths(c)
	l.listener(c)
	l.limits(c)
	l.login(c)
	l.policy(c)
	c.Registry = l.compile(c.Policy)
	c.doc = l.doc
	return c
}

// paths resolves the names of what the broker writes, and of its key.
func (l *loader) paths(c *Config) {
	doc := &l.doc
	doc.KeyFile = l.resolve("key_file", doc.KeyFile)
	l.private("key_file", doc.KeyFile)
	switch {
	case doc.Store.Path != MemoryStore:
		doc.Store.Path = l.resolve("store.path", doc.Store.Path)
	case !doc.Dev:
		l.fault("store.path", "a store in memory forgets keys and used tokens at each restart", "name a file; memory is for dev = true")
	}
	if doc.Audit.File != auditToStdout {
		doc.Audit.File = l.resolve("audit.file", doc.Audit.File)
	}
	c.KeyFile, c.Store, c.Audit = doc.KeyFile, Store{Path: doc.Store.Path}, Audit{File: doc.Audit.File}
}

// private warns when others than the owner can read a secret file. That it is missing is for the command
// that opens it to say: `init` makes it.
func (l *loader) private(path, file string) {
	info, err := os.Stat(file)
	if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		l.warn(path, fmt.Sprintf("%s is open to others (mode %04o)", file, info.Mode().Perm()), "chmod 600 "+file)
	}
}

func (l *loader) listener(c *Config) {
	doc := &l.doc.Listener
	c.Listener = Listener{
		Address: doc.Address, Behind: doc.Behind,
		ReadTimeout: doc.ReadTimeout, WriteTimeout: doc.WriteTimeout, IdleTimeout: doc.IdleTimeout,
		MaxHeader: doc.MaxHeader, MaxBody: doc.MaxBody,
	}
	host, ok := l.address("listener.address", doc.Address)
	if ok && doc.TLS == nil && len(doc.Behind) == 0 && !l.doc.Dev && !isLoopback(host) {
		l.fault("listener.address", "plain HTTP beyond loopback", "set listener.tls, or listener.behind for a proxy that ends TLS")
	}
	if l.doc.Metrics.Address != "" {
		l.address("metrics.address", l.doc.Metrics.Address)
		if l.doc.Metrics.Address == doc.Address && !strings.HasSuffix(doc.Address, ":0") {
			l.fault("metrics.address", "the same as listener.address", "give metrics an address of their own")
		}
	}
	if doc.TLS != nil && doc.TLS.Cert != "" && doc.TLS.Key != "" {
		c.Listener.TLS = l.tls(doc.TLS)
	}
}

// tls checks that certificate and key are there and belong together.
func (l *loader) tls(doc *tlsDoc) *TLS {
	cert, certOK := l.read("listener.tls.cert", doc.Cert)
	pair, keyOK := l.read("listener.tls.key", doc.Key)
	doc.Cert, doc.Key = l.resolve("listener.tls.cert", doc.Cert), l.resolve("listener.tls.key", doc.Key)
	if certOK && keyOK {
		if _, err := tls.X509KeyPair(cert, pair); err != nil {
			l.fault("listener.tls", err.Error(), "give a PEM chain, leaf first, and the private key of the leaf")
		}
	}
	l.private("listener.tls.key", doc.Key)
	return &TLS{Cert: doc.Cert, Key: doc.Key}
}

func (l *loader) address(path, address string) (host string, ok bool) {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		l.fault(path, fmt.Sprintf("%q is not host:port", address), `write it as "127.0.0.1:8080", or ":8443" for every address`)
	}
	return host, err == nil
}

func isLoopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// concurrentPerProcessor is how many requests may wait for cryptography on each processor.
const concurrentPerProcessor = 64

func (l *loader) limits(c *Config) {
	doc := &l.doc.Limits
	if doc.Concurrent == 0 {
		doc.Concurrent = int64(concurrentPerProcessor * runtime.GOMAXPROCS(0))
	}
	c.Limits = Limits{PerIP: doc.PerIP.bucket(), PerClient: doc.PerClient.bucket(), Concurrent: int(doc.Concurrent)}
}

// bucket fills in the burst.
func (r *rateDoc) bucket() Rate {
	if r.Burst == 0 && r.Rate > 0 {
		r.Burst = max(1, int64(math.Ceil(2*r.Rate)))
	}
	return Rate{PerSecond: r.Rate, Burst: int(r.Burst)}
}

// compile has the policy checked. A problem where a fault was reported already follows from that fault.
func (l *loader) compile(spec trust.Spec) *trust.Registry {
	registry, problems := trust.Compile(spec)
	for _, p := range problems {
		if l.faulty(p.Path) || l.broken && p.Path == "issuer" && spec.Issuer == "" {
			continue
		}
		if l.broken {
			p.Remedy += " (unless a file that could not be read defines it)"
		}
		l.fault(p.Path, p.Text, p.Remedy)
	}
	return registry
}
