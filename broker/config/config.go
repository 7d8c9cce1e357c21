package config

import (
	"net/netip"
	"time"

	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/federation"
	"apostille/upstream/keys"
	"apostille/upstream/oidc"
	"apostille/upstream/saml"
)

// Config is everything the configuration says, checked; files it names are read. Immutable.
type Config struct {
	Issuer   string   // our issuer identifier
	Dev      bool     // relaxes what only a developer's machine needs; see trust.Spec
	Dir      string   // folder of the (first) main file, absolute
	Files    []string // every file read (TOML, keys, certificates), absolute, sorted: what a reload watches
	Folders  []string // each trust.d looked for, absolute, there or not: a new file in it is configuration too
	Listener Listener
	Metrics  Metrics
	Outbound Outbound
	Store    Store
	Audit    Audit
	Log      Log
	Limits   Limits
	Login    Login
	KeyFile  string // absolute path of the key that wraps signing keys; it need not exist

	Policy      trust.Spec
	Registry    *trust.Registry        // compiled from Policy; never nil
	Keys        map[string]keys.Source // trust ID → where its keys come from; trust.Local has none
	Credentials map[string]Credential  // client_id → how it proves itself; disabled clients too, public ones not
	// Logins and SAMLLogins say how each trust with a login is talked to, by trust ID; disabled ones too. They hold secrets: never log one.
	Logins     map[string]oidc.LoginConfig
	SAMLLogins map[string]saml.Login
	SAMLApps   map[string]SAMLApp // how SAML applications are talked to, by client_id
	// Federations says where the metadata of each federation come from, FederationLogins how its members are talked to besides; by federation
	// ID, disabled ones too.
	Federations      map[string]federation.Source
	FederationLogins map[string]saml.Login
	Warnings         []Issue // worth a look, not wrong

	doc document // what was written, defaults filled in: Effective and Compare read it
}

// Credential is how a client proves itself: exactly one field is set.
type Credential struct {
	SecretSHA256 [][32]byte // one or two valid at once
	JWKS         *jose.Set  // private_key_jwt
}

// Listener is `[listener]`: where and how the broker serves.
type Listener struct {
	Address                                string         // host:port
	TLS                                    *TLS           // nil: plain HTTP
	Behind                                 []netip.Prefix // forwarded headers count from these peers only
	ReadTimeout, WriteTimeout, IdleTimeout time.Duration
	MaxHeader, MaxBody                     int64 // bytes
}

// TLS names the PEM files of a certificate chain and its key; absolute paths.
type TLS struct{ Cert, Key string }

// Metrics is `[metrics]`: the separate listener of /metrics, /healthz and /readyz. Address "" means off.
type Metrics struct{ Address string }

// Outbound is `[outbound]`: what the guarded HTTP client may reach.
type Outbound struct {
	Allow   []netip.Prefix // private addresses that URLs written in configuration may reach
	Timeout time.Duration  // of one request, all told
}

// Store is `[store]`: an absolute path of the SQLite file, or "memory" (dev only).
type Store struct{ Path string }

// Audit is `[audit]`: an absolute path of the JSON lines file, or "-" for stdout.
type Audit struct{ File string }

// Log is `[log]`: Level debug, info, warn or error; Format json or text.
type Log struct{ Level, Format string }

// Login is `[login]`: what holds for every sign-in and its pages.
type Login struct {
	Name                              string // of the broker, on pages
	Contact                           string // whom to ask: words, an e-mail address as mailto:, or a URL; "" = nobody
	Language                          string // of pages, where a browser asks for none that there is
	SessionIdle, SessionMax, Remember time.Duration
	Unfinished                        int // logins under way at once; the oldest make way
}

// Limits is `[limits]`.
type Limits struct {
	PerIP, PerClient Rate
	Concurrent       int // requests doing cryptography at once; never 0
}

// Rate is a token bucket. PerSecond 0 means off.
type Rate struct {
	PerSecond float64
	Burst     int
}
