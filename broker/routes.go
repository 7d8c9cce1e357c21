package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"

	"apostille/trust"
)

// Deps are the parts of the handler, wired in one place by the command. Token, Keys, Grants, Scopes and Log are required; a part that
// is nil is not mounted, and discovery does not name it.
type Deps struct {
	Issuer string       // our issuer; every path is under its path
	Token  http.Handler // POST /oauth2/token
	Keys   KeySet       // GET /oauth2/jwks
	Grants []string     // grant_type values that Token takes, in the order discovery lists them
	Scopes func() []string
	Log    *slog.Logger // of panics

	Authorize  http.Handler // /oauth2/authorize
	PAR        http.Handler // POST /oauth2/par
	UserInfo   http.Handler // /oauth2/userinfo
	Introspect http.Handler // POST /oauth2/introspect
	Revoke     http.Handler // POST /oauth2/revoke
	EndSession http.Handler // /oauth2/end_session
	Pages      []Page       // what people see, and what their browsers and upstreams send meanwhile
	Missing    http.Handler // GET of anything else; nil = a line of text
}

// Page is a part that applications need not know of: no metadata names it.
type Page struct {
	Pattern string // of http.ServeMux, below the issuer's path: "GET /login", "/login/callback/{trust}"
	Handler http.Handler
}

// route is one path below the issuer and what discovery calls it.
type route struct {
	path     string // below the issuer's path
	metadata string // member of the discovery documents; "" = none
	handler  http.Handler
}

// routes is what is mounted.
func routes(d Deps) []route {
	all := []route{
		{path: "/oauth2/authorize", metadata: "authorization_endpoint", handler: d.Authorize},
		{path: "/oauth2/par", metadata: "pushed_authorization_request_endpoint", handler: d.PAR},
		{path: trust.TokenPath, metadata: "token_endpoint", handler: d.Token},
		{path: "/oauth2/userinfo", metadata: "userinfo_endpoint", handler: d.UserInfo},
		{path: "/oauth2/introspect", metadata: "introspection_endpoint", handler: d.Introspect},
		{path: "/oauth2/revoke", metadata: "revocation_endpoint", handler: d.Revoke},
		{path: "/oauth2/end_session", metadata: "end_session_endpoint", handler: d.EndSession},
		{path: "/oauth2/jwks", metadata: "jwks_uri", handler: &jwksHandler{keys: d.Keys}},
	}
	return slices.DeleteFunc(all, func(r route) bool { return r.handler == nil })
}

// New makes the broker's handler.
func New(d Deps) (http.Handler, error) {
	issuer, err := url.Parse(d.Issuer)
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(issuer.Path, "/")
	if strings.ContainsAny(base, "{}") { // http.ServeMux would take them for wildcards
		return nil, fmt.Errorf("the issuer's path %q has a brace", base)
	}
	mux := http.NewServeMux()
	all := routes(d)
	for _, r := range all {
		mux.Handle(base+r.path, r.handler)
	}
	for _, p := range d.Pages {
		mux.Handle(below(base, p.Pattern), p.Handler)
	}
	discovery := newDiscovery(d, all)
	for _, path := range wellKnown(base) {
		mux.Handle(path, discovery)
	}
	return secured(issuer.Scheme == "https", newPace().wrap(recovering(d.Log, orMissing(mux, d.Missing)))), nil
}

// orMissing has missing answer a GET of what the mux does not know. It is no pattern of the mux: a GET of everything and any method of one
// path are equally specific.
func orMissing(mux *http.ServeMux, missing http.Handler) http.Handler {
	if missing == nil {
		return mux
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			if _, pattern := mux.Handler(r); pattern == "" {
				missing.ServeHTTP(w, r)
				return
			}
		}
		mux.ServeHTTP(w, r)
	})
}

// below puts a pattern below a path.
func below(base, pattern string) string {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		return base + pattern
	}
	return method + " " + base + path
}

// wellKnown lists every place where a client may look for an issuer's metadata: RFC 8414 §3 inserts the well-known part before
// the issuer's path, OpenID Connect Discovery §4 appends it, and clients try both names in both places.
func wellKnown(base string) []string {
	const oidc, oauth = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"
	if base == "" {
		return []string{oidc, oauth}
	}
	return []string{base + oidc, base + oauth, oidc + base, oauth + base}
}

// recovering answers 500 where a handler panics. The value is not logged: it may hold parts of a request.
func recovering(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			log.Error("panic in a handler", "path", r.URL.Path, "panic", fmt.Sprintf("a value of type %T", p), "stack", string(debug.Stack()))
			http.Error(w, "the request could not be handled", http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}

// strict are the headers that every answer carries unless it is a page, which says itself what it loads: nothing may be loaded, framed
// or sniffed.
var strict = http.Header{
	"X-Content-Type-Options":  {"nosniff"},
	"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'"},
	"Referrer-Policy":         {"no-referrer"},
}

// overTLS tells browsers to come back by https only (RFC 6797), for half a year. Nothing is said of other hosts of the domain.
var overTLS = []string{"max-age=15552000"}

// secured sets the headers that every answer carries.
func secured(https bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), strict)
		if https {
			w.Header()["Strict-Transport-Security"] = overTLS
		}
		next.ServeHTTP(w, r)
	})
}
