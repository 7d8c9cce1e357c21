package bearer

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"apostille/trust/jose"
	"apostille/upstream/fetch"
	"apostille/upstream/keys"
)

// MaxSkew is how far two clocks may be apart; it is the default and the most.
const MaxSkew = 60 * time.Second

// Config of a Guard. Issuer and Audience are required, the rest has defaults.
type Config struct {
	// Issuer is the broker's issuer, compared byte for byte with iss. An https URL.
	Issuer string
	// Audience is this API's audience as the broker's configuration names it ([api.X] audience).
	Audience string
	// Resource is the https URL of this API, for its metadata (RFC 9728 §2). Default: the audience, if that is such a URL.
	Resource string
	// TokenEndpoint is named to callers who come with a foreign token. Default: {Issuer}/oauth2/token.
	TokenEndpoint string
	// JWKSURL is where the broker's keys are. Default: found through {Issuer}/.well-known/openid-configuration.
	JWKSURL string

	// Algs are the signature algorithms accepted. Default: ES256, RS256, EdDSA.
	Algs []jose.Alg
	// Typ is the typ accepted, "at+jwt" or "JWT": what the broker's configuration says for this API (token.typ).
	// Default: "at+jwt". The other one is refused.
	Typ string
	// Skew is the tolerated difference of clocks. Default and most: MaxSkew.
	Skew time.Duration

	// Name, Documentation and Scopes are published as resource_name, resource_documentation, scopes_supported.
	Name          string
	Documentation string
	Scopes        []string
	// Realm stands in challenges. Default: the audience.
	Realm string

	// Introspection asks the broker about each token; nil = tokens are verified here.
	Introspection *Introspection

	// Outbound is for the fetches of keys, and introspection. With Dev, http URLs are accepted and loopback addresses reached.
	Outbound fetch.Options
	// Roots are the certificate authorities of the broker's TLS certificate; nil = the system's.
	Roots *x509.CertPool
	// LastGood keeps the broker's key set across restarts of this API; nil = it is fetched again.
	LastGood keys.LastGood
	// Keys finds keys in place of a cache made from the fields above.
	Keys KeySource

	Now func() time.Time // default time.Now
	Log *slog.Logger     // the causes of refusals go here; default slog.Default()
}

// KeySource finds the keys that a token's header points to. *keys.Cache implements it, with its errors: keys.ErrUnavailable
// means that nothing is known at all (the answer is 503), any other that the key is not known (401). The trust ID is always
// TrustID. MUST be safe for concurrent use.
type KeySource interface {
	Lookup(ctx context.Context, trustID, kid string, alg jose.Alg) ([]jose.Key, uint64, error)
}

// TrustID is the ID under which a Guard asks its KeySource for the broker's keys.
const TrustID = "issuer"

// withDefaults fills what is unset and checks the rest. All faults are reported at once.
func (c Config) withDefaults() (Config, error) {
	if c.TokenEndpoint == "" {
		c.TokenEndpoint = strings.TrimSuffix(c.Issuer, "/") + "/oauth2/token"
	}
	if c.Resource == "" {
		c.Resource = c.Audience
	}
	if c.Realm == "" {
		c.Realm = c.Audience
	}
	if len(c.Algs) == 0 {
		c.Algs = []jose.Alg{jose.ES256, jose.RS256, jose.EdDSA}
	}
	if c.Typ == "" {
		c.Typ = "at+jwt"
	}
	if c.Skew == 0 {
		c.Skew = MaxSkew
	}
	if i := c.Introspection; i != nil && i.URL == "" {
		with := *i
		with.URL = strings.TrimSuffix(c.Issuer, "/") + "/oauth2/introspect"
		c.Introspection = &with
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c, c.check()
}

func (c Config) check() error {
	var faults []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf("bearer: "+format, args...))
		}
	}
	require(c.isURL(c.Issuer), "Issuer %q: want an https URL without query and fragment", c.Issuer)
	require(c.Audience != "", "Audience is required: without it tokens for other APIs would pass") // THREATS A63
	require(quotable(c.Audience), "Audience: want printable ASCII without quotes and backslashes")
	require(c.Audience == "" || c.isURL(c.Resource), "Resource %q: want the https URL of this API", c.Resource)
	require(c.isURL(c.TokenEndpoint), "TokenEndpoint %q: want an https URL", c.TokenEndpoint)
	require(c.JWKSURL == "" || c.isURL(c.JWKSURL), "JWKSURL %q: want an https URL", c.JWKSURL)
	require(quotable(c.Realm), "Realm: want printable ASCII without quotes and backslashes")
	require(c.Typ == "at+jwt" || c.Typ == "JWT", `Typ %q: want "at+jwt" or "JWT"`, c.Typ)
	require(c.Skew > 0 && c.Skew <= MaxSkew, "Skew %v: want at most %v", c.Skew, MaxSkew)
	if i := c.Introspection; i != nil {
		require(c.isURL(i.URL), "Introspection.URL %q: want an https URL", i.URL)
		require(i.ClientID != "" && i.Secret != "", "Introspection: ClientID and Secret of the client that owns the API are required")
		require(i.CacheFor >= 0 && i.CacheFor <= MaxCacheFor, "Introspection.CacheFor %v: want at most %v", i.CacheFor, MaxCacheFor)
	}
	for _, a := range c.Algs {
		require(a.Valid(), "Algs: there is no %q", a)
	}
	for _, s := range c.Scopes {
		require(isScope(s), "Scopes: %q is not a scope", s)
	}
	return errors.Join(faults...)
}

// isURL wants an absolute https URL (http with Dev) that can stand between quotes in a header.
func (c Config) isURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#") {
		return false
	}
	return quotable(s) && (u.Scheme == "https" || u.Scheme == "http" && c.Outbound.Dev)
}

// quotable reports whether s is a string of RFC 6750 §3's error_description characters, which need no escape in a header.
func quotable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' })
}

// isScope reports whether s is one scope-token (RFC 6749 §3.3).
func isScope(s string) bool { return s != "" && quotable(s) && !strings.Contains(s, " ") }
