package fake

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Paths of an App.
const (
	PathAppLogin    = "/login"
	PathAppCallback = "/callback"
	PathAppLogout   = "/logout"
	PathAppTold     = "/told"  // back-channel logout
	PathAppAsked    = "/asked" // front-channel logout
)

// App is an application that signs people in with the broker, as any does: unmodified libraries, and discovery only. It is an
// http.Handler and safe for concurrent use.
type App struct {
	Name                   string // shown on its page
	URL                    string // where it is reached; no trailing slash
	Broker                 string // issuer of the broker
	ClientID, ClientSecret string // at the broker; public on purpose
	Scopes                 []string
	StockURL               string // an API it calls with the access token; "" = none
	HTTP                   *http.Client

	mu       sync.Mutex
	provider *oidc.Provider
	visitors map[string]*visitor // by cookie
}

// visitor is one browser.
type visitor struct {
	state, nonce, verifier string // of the login under way

	subject, sid string // signed in; "" = nobody
	claims       map[string]any
	idToken      string
	token        *oauth2.Token
	stock        string // what the API answered
}

const appCookie = "app"

// ServeHTTP answers one request.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(FakeHeader, Notice)
	w.Header().Set("Cache-Control", "no-store")
	var err error
	switch r.Method + " " + r.URL.Path {
	case "GET " + PathHome:
		err = a.home(w, r)
	case "GET " + PathAppLogin, "POST " + PathAppLogin:
		err = a.login(w, r)
	case "GET " + PathAppCallback:
		err = a.callback(w, r)
	case "POST /stock":
		err = a.stock(w, r)
	case "POST " + PathAppLogout:
		err = a.logout(w, r)
	case "POST " + PathAppTold:
		err = a.told(w, r)
	case "GET " + PathAppAsked:
		a.forget(r.URL.Query().Get("sid"))
	default:
		notFound(w, r, Faults{})
	}
	if err != nil {
		a.failed(w, err)
	}
}

// meet finds the visitor of a request, or welcomes a new one.
func (a *App) meet(w http.ResponseWriter, r *http.Request) *visitor {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.visitors == nil {
		a.visitors = map[string]*visitor{}
	}
	if c, err := r.Cookie(appCookie); err == nil && a.visitors[c.Value] != nil {
		return a.visitors[c.Value]
	}
	id := rand.Text()
	a.visitors[id] = &visitor{}
	http.SetCookie(w, &http.Cookie{Name: appCookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	return a.visitors[id]
}

// client reads the broker's metadata when it is first needed.
func (a *App) client(ctx context.Context) (context.Context, *oidc.Provider, *oauth2.Config, error) {
	ctx = oidc.ClientContext(ctx, a.HTTP)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.provider == nil {
		p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), a.HTTP), a.Broker)
		if err != nil {
			return nil, nil, nil, err
		}
		a.provider = p
	}
	return ctx, a.provider, &oauth2.Config{
		ClientID: a.ClientID, ClientSecret: a.ClientSecret, Endpoint: a.provider.Endpoint(), RedirectURL: a.URL + PathAppCallback, Scopes: a.Scopes,
	}, nil
}

// login sends the browser to the broker. Parameters of the request are passed on, so that prompt, max_age and hints can be tried.
func (a *App) login(w http.ResponseWriter, r *http.Request) error {
	_, _, config, err := a.client(r.Context())
	if err != nil {
		return err
	}
	v := a.meet(w, r)
	a.mu.Lock()
	v.state, v.nonce, v.verifier = rand.Text(), rand.Text(), oauth2.GenerateVerifier()
	options := []oauth2.AuthCodeOption{oidc.Nonce(v.nonce), oauth2.S256ChallengeOption(v.verifier)}
	state := v.state
	a.mu.Unlock()
	for name, values := range r.URL.Query() {
		options = append(options, oauth2.SetAuthURLParam(name, values[0]))
	}
	http.Redirect(w, r, config.AuthCodeURL(state, options...), http.StatusSeeOther)
	return nil
}

// callback takes the code, and checks what came as OpenID Connect Core §3.1.3.7 and RFC 9207 ask.
func (a *App) callback(w http.ResponseWriter, r *http.Request) error {
	ctx, provider, config, err := a.client(r.Context())
	if err != nil {
		return err
	}
	v, q := a.meet(w, r), r.URL.Query()
	a.mu.Lock()
	state, nonce, verifier := v.state, v.nonce, v.verifier
	v.state = ""
	a.mu.Unlock()
	switch {
	case state == "" || q.Get("state") != state:
		return errors.New("the state is not that of this browser: sign in again")
	case q.Get("iss") != a.Broker:
		return errors.New("the answer is of another issuer")
	case q.Get("error") != "":
		return errors.New(q.Get("error") + ": " + q.Get("error_description"))
	}
	token, err := config.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		return err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.Verifier(&oidc.Config{ClientID: a.ClientID}).Verify(ctx, raw)
	if err != nil {
		return err
	}
	if id.Nonce != nonce {
		return errors.New("the ID token is of another login")
	}
	claims := map[string]any{}
	if err := id.Claims(&claims); err != nil {
		return err
	}
	if claims["name"] == nil { // scopes are told at userinfo, unless the token is for an API (OpenID Connect Core §5.4)
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err == nil {
			err = info.Claims(&claims)
		}
		if err != nil {
			return err
		}
	}
	sid, _ := claims["sid"].(string)
	a.mu.Lock()
	v.subject, v.sid, v.claims, v.idToken, v.token, v.stock = id.Subject, sid, claims, raw, token, ""
	a.mu.Unlock()
	http.Redirect(w, r, PathHome, http.StatusSeeOther)
	return nil
}

// stock calls the API, with a refreshed token if the old one has expired.
func (a *App) stock(w http.ResponseWriter, r *http.Request) error {
	ctx, _, config, err := a.client(r.Context())
	if err != nil {
		return err
	}
	v := a.meet(w, r)
	a.mu.Lock()
	token := v.token
	a.mu.Unlock()
	if token == nil || a.StockURL == "" {
		return errors.New("sign in first")
	}
	source := config.TokenSource(ctx, token)
	if token, err = source.Token(); err != nil {
		return err
	}
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, a.StockURL, nil)
	if err != nil {
		return err
	}
	token.SetAuthHeader(ask)
	body, err := (&Partner{HTTP: a.HTTP}).send(ask, http.StatusOK, "the warehouse")
	if err != nil {
		return err
	}
	a.mu.Lock()
	v.token, v.stock = token, string(body)
	a.mu.Unlock()
	http.Redirect(w, r, PathHome, http.StatusSeeOther)
	return nil
}

// logout signs out here, and asks the broker to (RP-Initiated Logout §2).
func (a *App) logout(w http.ResponseWriter, r *http.Request) error {
	_, provider, _, err := a.client(r.Context())
	if err != nil {
		return err
	}
	var doc struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&doc); err != nil || doc.EndSession == "" {
		return errors.New("the broker names no end_session_endpoint")
	}
	v := a.meet(w, r)
	a.mu.Lock()
	hint := v.idToken
	*v = visitor{}
	a.mu.Unlock()
	http.Redirect(w, r, doc.EndSession+"?"+url.Values{
		"id_token_hint": {hint}, "post_logout_redirect_uri": {a.URL + PathHome}, "client_id": {a.ClientID},
	}.Encode(), http.StatusSeeOther)
	return nil
}

// told takes a logout token (Back-Channel Logout §2.5).
func (a *App) told(w http.ResponseWriter, r *http.Request) error {
	ctx, provider, _, err := a.client(r.Context())
	if err != nil {
		return err
	}
	token, err := provider.Verifier(&oidc.Config{ClientID: a.ClientID}).VerifyLogout(ctx, r.PostFormValue("logout_token"))
	if err != nil {
		http.Error(w, "the logout token is not accepted", http.StatusBadRequest)
		return nil
	}
	a.forget(token.SessionID)
	w.WriteHeader(http.StatusOK)
	return nil
}

// forget signs the visitors of a session out.
func (a *App) forget(sid string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, v := range a.visitors {
		if sid != "" && v.sid == sid {
			*v = visitor{}
		}
	}
}

// SignedIn lists the subjects that are signed in, for tests.
func (a *App) SignedIn() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []string
	for _, v := range a.visitors {
		if v.subject != "" {
			out = append(out, v.subject)
		}
	}
	return out
}
