package bearer

import (
	"context"
	"crypto/x509"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"apostille/broker/oauth"
	"apostille/upstream/fetch"
	"apostille/upstream/keys"
)

// Guard stands in front of an API's handlers. It is immutable and safe for concurrent use.
type Guard struct {
	c            Config
	keys         KeySource
	cache        *keys.Cache   // nil if Config.Keys was given, or the broker is asked
	asker        *introspector // nil: tokens are verified here
	typ          string        // as jose normalises it
	metadataPath string
	metadataURL  string
}

// New makes a Guard. It does no I/O: the broker's keys are fetched when the first token arrives, or by Run. The error lists
// every fault of the configuration.
func New(c Config) (*Guard, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Guard{c: c, keys: c.Keys, typ: strings.ToLower(c.Typ)}
	g.metadataPath, g.metadataURL = metadataPlace(c.Resource)
	if c.Introspection != nil {
		g.asker = newIntrospector(c)
		return g, nil
	}
	if g.keys == nil {
		g.cache = newCache(c)
		g.keys = g.cache
	}
	return g, nil
}

func newCache(c Config) *keys.Cache {
	outbound := fetch.New(c.Outbound)
	cache := keys.New(keys.Config{
		Client:   func(roots *x509.CertPool, configured bool) *http.Client { return outbound.Client(roots, configured) },
		LastGood: c.LastGood,
		Now:      c.Now,
		Log:      c.Log,
	})
	source := keys.Source{JWKSURL: c.JWKSURL, Algs: c.Algs, Roots: c.Roots}
	if c.JWKSURL == "" {
		source.Discovery = c.Issuer
	}
	cache.Replace(map[string]keys.Source{TrustID: source})
	return cache
}

// Run refreshes the broker's keys in the background until ctx ends; after that nothing is fetched any more. Call it at most
// once. Without it keys are refreshed when a token needs them, which makes one request in a while wait for the broker.
func (g *Guard) Run(ctx context.Context) {
	if g.cache != nil {
		g.cache.Run(ctx)
		return
	}
	<-ctx.Done()
}

// Require wraps handlers that need a valid token with all of the scopes; without scopes any valid token does. It panics if a
// scope is not an RFC 6749 scope-token, as http.ServeMux does for a bad pattern.
func (g *Guard) Require(scopes ...string) func(http.Handler) http.Handler {
	required := slices.Clone(scopes)
	for _, s := range required {
		if !isScope(s) {
			panic("bearer: not a scope: " + s)
		}
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			p, refusal := g.admit(r, required)
			if refusal != nil {
				g.refuse(w, r, refusal)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), principalKey{}, p)))
		})
	}
}

// admit is the whole way of a request: token, verification, scopes.
func (g *Guard) admit(r *http.Request, required []string) (Principal, *oauth.Error) {
	raw, refusal := g.tokenOf(r, required)
	if refusal != nil {
		return Principal{}, refusal
	}
	verify := g.verify
	if g.asker != nil {
		verify = g.introspect
	}
	p, refusal := verify(r.Context(), raw)
	if refusal != nil {
		return Principal{}, refusal
	}
	for _, s := range required {
		if !p.Has(s) {
			return Principal{}, g.insufficientScope(p, required)
		}
	}
	return p, nil
}

// metadataPlace is where a resource's metadata is: the well-known string goes between host and path (RFC 9728 §3.1).
func metadataPlace(resource string) (path, full string) {
	u, err := url.Parse(resource)
	if err != nil { // checked before
		return "", ""
	}
	path = "/.well-known/oauth-protected-resource" + strings.TrimSuffix(u.EscapedPath(), "/")
	return path, u.Scheme + "://" + u.Host + path
}
