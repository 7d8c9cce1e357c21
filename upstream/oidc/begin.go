package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"apostille/trust"
	"apostille/upstream"
)

// Limits of what an application may have passed on to an upstream.
const (
	maxLoginHint = 256
	maxLocales   = 8
)

var locale = regexp.MustCompile(`^[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8}){0,8}$`)

// Begin implements upstream.Provider: the code flow with PKCE (RFC 7636) and nonce, pushed where the upstream takes that (RFC 9126).
func (rp *RelyingParty) Begin(ctx context.Context, t *trust.Trust, state, redirect string, ask upstream.Ask) (_ upstream.Start, err error) {
	defer rp.guarded(&err)
	p, err := rp.reached(ctx, t)
	if err != nil {
		return upstream.Start{}, err
	}
	secret := newMemo()
	q := p.request(secret, ask)
	q.Set("state", state)
	q.Set("redirect_uri", redirect)
	if p.meta.par != "" {
		if q, err = p.push(ctx, q); err != nil {
			return upstream.Start{}, err
		}
	}
	return upstream.Start{URL: withQuery(p.meta.authorization, q), Secret: secret[:]}, nil
}

// request is the authorization request (OpenID Connect Core 1.0 §3.1.2.1) without state and redirect_uri.
func (p *party) request(m memo, ask upstream.Ask) url.Values {
	digest := sha256.Sum256([]byte(m.verifier()))
	q := url.Values{
		"response_type":         {"code"},
		"client_id":             {p.cfg.ClientID},
		"scope":                 {p.scope()},
		"nonce":                 {m.nonce()},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(digest[:])},
		"code_challenge_method": {"S256"},
	}
	if p.cfg.ResponseMode == ModeFormPost {
		q.Set("response_mode", ModeFormPost)
	}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("prompt", p.prompt(ask))
	set("max_age", maxAge(ask))
	set("login_hint", loginHint(ask.LoginHint))
	set("acr_values", strings.Join(p.theirACRs(ask.ACRValues), " "))
	set("ui_locales", locales(ask.Locales))
	return q
}

func (p *party) scope() string {
	scopes := p.cfg.Scopes
	if len(scopes) == 0 {
		scopes = []string{"openid", "profile", "email"}
	}
	if !slices.Contains(scopes, "openid") {
		scopes = append([]string{"openid"}, scopes...)
	}
	if p.cfg.RefreshClaims && !slices.Contains(scopes, "offline_access") {
		scopes = append(slices.Clone(scopes), "offline_access")
	}
	return strings.Join(scopes, " ")
}

// prompt leaves select_account out where the upstream does not say that it knows it: many refuse the whole request (OpenID Connect Core 1.0
// §3.1.2.1 leaves it open), and an account was chosen with the office.
func (p *party) prompt(ask upstream.Ask) string {
	var prompts []string
	if ask.Force {
		prompts = append(prompts, "login")
	}
	if ask.Select && p.meta.selects {
		prompts = append(prompts, "select_account")
	}
	return strings.Join(prompts, " ")
}

// maxAge also goes with prompt=login: only with max_age MUST an upstream send auth_time (OpenID Connect Core 1.0 §2), and without it
// nobody could tell whether the person was asked.
func maxAge(ask upstream.Ask) string {
	switch {
	case ask.Force:
		return "0"
	case ask.HasMaxAge:
		return strconv.FormatInt(int64(max(ask.MaxAge, 0)/time.Second), 10)
	}
	return ""
}

// loginHint passes on what a person or an application gave, if it is fit for a URL and a foreign log.
func loginHint(hint string) string {
	if len(hint) > maxLoginHint || strings.ContainsFunc(hint, unicode.IsControl) {
		return ""
	}
	return hint
}

// theirACRs maps our values back to those of the upstream, in order of preference; what the table does not list is dropped.
func (p *party) theirACRs(ours []string) []string {
	var theirs []string
	for _, want := range ours {
		var matching []string
		for their, our := range p.trust.Spec.Login.ACR {
			if our == want && !slices.Contains(theirs, their) {
				matching = append(matching, their)
			}
		}
		slices.Sort(matching)
		theirs = append(theirs, matching...)
	}
	return theirs
}

func locales(list []string) string {
	var fit []string
	for _, l := range list {
		if locale.MatchString(l) && len(fit) < maxLocales {
			fit = append(fit, l)
		}
	}
	return strings.Join(fit, " ")
}

// push sends the request to the upstream and returns what is left for the browser to carry (RFC 9126 §2, §4).
func (p *party) push(ctx context.Context, q url.Values) (url.Values, error) {
	doc, err := p.post(ctx, p.meta.par, q)
	if err != nil {
		return nil, err
	}
	uri, _ := doc["request_uri"].(string)
	if wrong := identifier(uri, maxEndpoint); wrong != "" {
		return nil, &upstream.Error{Reason: trust.ReasonUpstreamError, Detail: "the pushed request was answered without a usable request_uri"}
	}
	return url.Values{"client_id": {p.cfg.ClientID}, "request_uri": {uri}}, nil
}

// withQuery adds parameters to an endpoint, which may have some (RFC 6749 §3.1); ours win.
func withQuery(endpoint string, add url.Values) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return endpoint // readMetadata has parsed it
	}
	q := u.Query()
	for name, v := range add {
		q[name] = v
	}
	u.RawQuery = q.Encode()
	return u.String()
}
