package fake

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// request is an authorization request (OpenID Connect Core 1.0 §3.1.2.1) that was found good enough to answer.
type request struct {
	client    string
	redirect  string
	mode      string // "query" or "form_post"
	state     string
	nonce     string
	challenge string // S256
	scopes    []string
	prompts   []string
	maxAge    time.Duration
	hasMaxAge bool
	hint      string
	acrs      []string
}

// acrs that the provider knows; the first is what it does unasked.
var knownACRs = []string{"urn:fake:password", "urn:fake:mfa"}

// authorize is the authorization endpoint. The sign-in form posts back to the very URL that showed it, with `person`.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request, f Faults) {
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.refusePage(w, "The request is not a form.")
		return
	}
	form, wrong := p.pushedOrSent(r)
	if wrong != "" {
		p.refusePage(w, wrong)
		return
	}
	ask, wrong := p.readRequest(form)
	if wrong != "" {
		p.refusePage(w, wrong)
		return
	}
	if code := ask.fault(form); code != "" {
		p.answer(w, ask, url.Values{"error": {code}, "error_description": {Notice}}, f)
		return
	}
	if code := f.Login.Error; code != "" {
		p.answer(w, ask, url.Values{"error": {code}, "error_description": {"an error that was asked for; " + Notice}}, f)
		return
	}
	p.proceed(w, r, ask, f)
}

// proceed signs in, shows the form, or answers at once.
func (p *Provider) proceed(w http.ResponseWriter, r *http.Request, ask request, f Faults) {
	if r.Method == http.MethodPost && r.PostForm.Has("person") {
		h, ok := p.person(r.PostForm.Get("person"))
		if !ok {
			p.answer(w, ask, url.Values{"error": {"access_denied"}, "error_description": {"the person cancelled"}}, f)
			return
		}
		p.succeed(w, ask, p.signIn(w, h.Username), f)
		return
	}
	s, ok := p.sessionOf(r)
	enough := ok && !(ask.hasMaxAge && p.o.Now().Sub(s.authTime) > ask.maxAge)
	switch {
	case slices.Contains(ask.prompts, "none") && !enough:
		p.answer(w, ask, url.Values{"error": {"login_required"}}, f)
	case enough && !slices.Contains(ask.prompts, "login") && !slices.Contains(ask.prompts, "select_account"):
		p.succeed(w, ask, s, f)
	default:
		p.loginPage(w, r, ask)
	}
}

// succeed answers with a code.
func (p *Provider) succeed(w http.ResponseWriter, ask request, s session, f Faults) {
	p.mu.Lock()
	s.clients[ask.client] = true
	p.mu.Unlock()
	in := signedIn{ask: ask, username: s.username, sid: s.sid, authTime: s.authTime, acr: knownACRs[0]}
	for _, acr := range ask.acrs {
		if slices.Contains(knownACRs, acr) {
			in.acr = acr
			break
		}
	}
	p.answer(w, ask, url.Values{"code": {p.keep(p.memory.codes, in, codeLife)}}, f)
}

// pushedOrSent is the request's parameters, from the pushed request if it names one (RFC 9126 §4). A pushed request lives on while the
// form is shown.
func (p *Provider) pushedOrSent(r *http.Request) (url.Values, string) {
	form := r.Form
	uri := form.Get("request_uri")
	if uri == "" {
		if p.o.RequirePAR {
			return nil, "This provider takes pushed authorization requests only."
		}
		return form, ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	pu, ok := p.memory.pushed[uri]
	if !ok || !p.o.Now().Before(pu.expires) || url.Values(pu.form).Get("client_id") != form.Get("client_id") {
		return nil, "The pushed request is unknown, has expired or is another client's."
	}
	return pu.form, ""
}

// readRequest reads a request; wrong says why the browser must not be sent back.
func (p *Provider) readRequest(form url.Values) (ask request, wrong string) {
	c, ok := p.client(form.Get("client_id"))
	if !ok {
		return ask, "No relying party has this client_id."
	}
	redirect := form.Get("redirect_uri")
	u, err := url.Parse(redirect)
	if err != nil || u.Host == "" || len(c.RedirectURIs) > 0 && !slices.Contains(c.RedirectURIs, redirect) {
		return ask, "The redirect_uri is not registered."
	}
	ask = request{
		client: c.ID, redirect: redirect, mode: form.Get("response_mode"), state: form.Get("state"), nonce: form.Get("nonce"),
		scopes: strings.Fields(form.Get("scope")), prompts: strings.Fields(form.Get("prompt")), hint: form.Get("login_hint"),
		acrs: strings.Fields(form.Get("acr_values")), challenge: form.Get("code_challenge"),
	}
	if n, err := strconv.Atoi(form.Get("max_age")); err == nil && n >= 0 {
		ask.maxAge, ask.hasMaxAge = time.Duration(n)*time.Second, true
	}
	if ask.mode == "" {
		ask.mode = "query"
	}
	return ask, ""
}

// fault is the error code a request deserves; "" = none.
func (ask *request) fault(form url.Values) string {
	for name, values := range form {
		if len(values) > 1 && name != "person" {
			return "invalid_request"
		}
	}
	switch {
	case form.Get("response_type") != "code":
		return "unsupported_response_type"
	case ask.mode != "query" && ask.mode != "form_post":
		ask.mode = "query"
		return "invalid_request"
	case !slices.Contains(ask.scopes, "openid"):
		return "invalid_scope"
	case ask.challenge == "" || form.Get("code_challenge_method") != "S256":
		return "invalid_request" // RFC 9700 §2.1.1
	}
	return ""
}

// answer sends the browser back with parameters, by redirect or by a form that posts itself.
func (p *Provider) answer(w http.ResponseWriter, ask request, params url.Values, f Faults) {
	if ask.state != "" {
		params.Set("state", ask.state)
	}
	if !p.o.NoIss {
		params.Set("iss", p.o.Issuer) // RFC 9207 §2
	}
	f.Login.bend(params)
	if ask.mode == "form_post" {
		p.formPost(w, ask.redirect, params)
		return
	}
	u, err := url.Parse(ask.redirect)
	if err != nil {
		p.refusePage(w, "The redirect_uri is not a URL.")
		return
	}
	q := u.Query()
	for name, v := range params {
		q[name] = v
	}
	u.RawQuery = q.Encode()
	w.Header().Set("Location", u.String())
	w.WriteHeader(http.StatusSeeOther)
}
