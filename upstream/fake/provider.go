package fake

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"apostille/trust/jose"
)

// Notice is what every answer carries: the header FakeHeader, the member "fake" of JSON documents, the text of HTML pages.
const Notice = "FAKE, for demonstrations and tests only"

// FakeHeader is the response header that holds Notice.
const FakeHeader = "Apostille-Fake"

// Paths below the issuer; Requests takes them.
const (
	PathDiscovery  = "/.well-known/openid-configuration"
	PathJWKS       = "/jwks"
	PathAuthorize  = "/authorize"
	PathPAR        = "/par"
	PathToken      = "/token"
	PathUserInfo   = "/userinfo"
	PathEndSession = "/end_session"
	PathHome       = "/"
)

// Options of a Provider.
type Options struct {
	Issuer   string           // required: the URL it is reached at, no trailing slash; may have a path
	Name     string           // shown on its page; default "Fake head office"
	Alg      jose.Alg         // signature algorithm; default RS256
	Now      func() time.Time // default time.Now
	Accounts []Account        // who may get tokens; default DemoAccounts(Issuer)
	Lifetime time.Duration    // of tokens; default 5 min

	Clients    []Client     // who may sign people in; default nobody
	People     []Person     // who may sign in; default DemoPeople()
	PAR        bool         // advertise pushed authorization requests (RFC 9126)
	RequirePAR bool         // and take nothing else
	NoIss      bool         // send no `iss` with authorization answers (RFC 9207), and do not advertise it
	HTTP       *http.Client // for SendLogout; default http.DefaultClient
}

// Provider is a fake OpenID provider. It is an http.Handler and safe for concurrent use.
type Provider struct {
	o        Options
	prefix   string // path of the issuer, "" if none
	https    bool
	accounts map[string]Account

	mu       sync.Mutex
	signing  signingKey
	keys     []signingKey // published, the oldest first
	faults   Faults
	requests map[string]int
	memory   memory
}

// NewProvider makes a provider with one fresh key. It panics if the issuer is not an absolute URL or the algorithm is not one
// of trust/jose: the caller is a test or the demo, and both are wrong then.
func NewProvider(o Options) *Provider {
	u, err := url.Parse(o.Issuer)
	if err != nil || u.Host == "" || strings.HasSuffix(o.Issuer, "/") {
		panic("fake: the issuer must be an absolute URL without a trailing slash")
	}
	if o.Name == "" {
		o.Name = "Fake head office"
	}
	if o.Alg == "" {
		o.Alg = "RS256"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Accounts == nil {
		o.Accounts = DemoAccounts(o.Issuer)
	}
	if o.Lifetime == 0 {
		o.Lifetime = 5 * time.Minute
	}
	if o.People == nil {
		o.People = DemoPeople()
	}
	if o.HTTP == nil {
		o.HTTP = http.DefaultClient
	}
	p := &Provider{o: o, prefix: u.Path, https: u.Scheme == "https", accounts: map[string]Account{},
		requests: map[string]int{}, memory: newMemory()}
	for _, a := range o.Accounts {
		p.accounts[a.ClientID] = a
	}
	p.Rotate()
	return p
}

// Issuer is the exact issuer of its tokens.
func (p *Provider) Issuer() string { return p.o.Issuer }

// Rotate signs with a new key from now on and returns its kid. Earlier keys stay published until Withdraw.
func (p *Provider) Rotate() string {
	k := newSigningKey(p.o.Alg)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.signing = k
	p.keys = append(p.keys, k)
	return k.kid
}

// Withdraw takes a key out of the published set. A withdrawn key that signs goes on signing, as a careless provider's would.
func (p *Provider) Withdraw(kid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = slices.DeleteFunc(slices.Clone(p.keys), func(k signingKey) bool { return k.kid == kid })
}

// Kid is the kid of the key that signs now.
func (p *Provider) Kid() string { return p.current().kid }

// KeySet is the published set, for tests that need no server.
func (p *Provider) KeySet() *jose.Set {
	p.mu.Lock()
	defer p.mu.Unlock()
	var keys []jose.Key
	for _, k := range p.keys {
		keys = append(keys, jose.Key{ID: k.kid, Algs: []jose.Alg{k.alg}, Public: k.signer.Public()})
	}
	return jose.NewSet(keys...)
}

// JWKS is the published set as a JWK Set document, for a jwks_file.
func (p *Provider) JWKS() []byte {
	b, err := jose.MarshalJWKS(p.KeySet())
	if err != nil {
		panic("fake: " + err.Error())
	}
	return b
}

// Requests says how often a path (PathJWKS, …, relative to the issuer) was asked for, failed answers included. Paths that
// do not exist count together under "other".
func (p *Provider) Requests(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests[path]
}

// AllRequests is a copy of all counters.
func (p *Provider) AllRequests() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.requests)
}

func (p *Provider) current() signingKey {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.signing
}

// ServeHTTP answers one request: it is counted, then the fault that is switched on has its way, then the page is written.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, serve := p.route(r.URL.Path)
	f := p.count(path)
	w.Header().Set(FakeHeader, Notice)
	if f.interferes(w, r, path) {
		return
	}
	serve(w, r, f.at(path))
}

// page writes one page, with the faults that bend its content.
type page func(w http.ResponseWriter, r *http.Request, f Faults)

func (p *Provider) route(path string) (string, page) {
	rest, ok := strings.CutPrefix(path, p.prefix)
	if !ok {
		return "other", notFound
	}
	if rest == "" {
		rest = PathHome
	}
	serve, ok := map[string]page{
		PathDiscovery: p.discovery, PathJWKS: p.jwks, PathAuthorize: p.authorize, PathPAR: p.push, PathToken: p.token,
		PathUserInfo: p.userInfo, PathEndSession: p.endSession, PathHome: p.home,
	}[rest]
	if !ok {
		return "other", notFound
	}
	return rest, serve
}

func (p *Provider) count(path string) Faults {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests[path]++
	return p.faults
}

func notFound(w http.ResponseWriter, _ *http.Request, _ Faults) {
	http.Error(w, "no such page ("+Notice+")", http.StatusNotFound)
}
