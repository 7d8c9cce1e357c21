package authorize

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"apostille/broker/oauth"
	"apostille/trust"
)

// Limits of single parameters, in bytes unless said otherwise.
const (
	maxState     = 2 << 10
	maxNonce     = 512
	maxHint      = 320 // an e-mail address at its longest
	maxScopes    = 128 // how many
	maxResources = 10  // how many
	maxACRs      = 16  // how many
	maxACR       = 128 // of each that an office is asked for
	maxLocales   = 8   // how many
	maxAgeDigits = 9   // of max_age, in seconds: 31 years
)

// request is an authorization request that was read and checked. Whether it is granted depends on who signs in.
type request struct {
	client     *trust.Client
	Redirect   string // where the answer goes: as sent, or the only one registered
	Sent       bool   // redirect_uri was sent; the token request must then repeat it (RFC 6749 §4.1.3)
	State      string
	FormPost   bool
	Scopes     []string
	Resources  []string
	Challenge  string
	Nonce      string
	prompt     prompt
	MaxAge     time.Duration
	HasMaxAge  bool
	claims     Claims
	acr        []string // asked for, in order of preference
	acrBound   bool     // no other will do
	LoginHint  string
	IDPHint    string
	Locales    []string
	idToken    string   // id_token_hint as sent
	subs       []string // the `sub` that the client wants to see, if bound
	bound      bool
	pushed     string // handle of a pushed request; "" = none
	selfReturn string // path and query of this very request, in one spelling
}

// check reads the rest. Its faults are told to the client.
func (q *request) check(v values) *problem {
	for _, step := range []func(values) *problem{
		q.once, q.built, q.response, q.scope, q.limits, q.proof, q.when, q.whose, q.resources,
	} {
		if p := step(v); p != nil {
			return p
		}
	}
	return nil
}

func (q *request) once(v values) *problem {
	if len(v.repeated) == 0 {
		return nil
	}
	name := "a parameter"
	if contains(read, v.repeated[0]) {
		name = v.repeated[0]
	}
	return redirected(oauth.CodeInvalidRequest, name+" is repeated")
}

func (q *request) built(v values) *problem {
	for _, u := range unbuilt {
		if v.get(u.name) != "" {
			p := redirected(u.code, "parameter "+u.name+" is not supported by this server")
			p.Reason = trust.ReasonUnsupportedParam
			return p
		}
	}
	if v.get("request_uri") != "" { // a pushed one has been replaced by its parameters
		p := redirected(oauth.CodeRequestURI, "request_uri takes pushed requests only")
		p.Reason = trust.ReasonUnsupportedParam
		return p
	}
	return nil
}

func (q *request) response(v values) *problem {
	if !q.client.MayUse(trust.GrantCode) {
		return refusedBy(&trust.Decision{Reason: trust.ReasonGrantNotAllowed, Detail: "the client's grants do not list authorization_code"})
	}
	switch v.get("response_type") {
	case "":
		return redirected(oauth.CodeInvalidRequest, "response_type is missing")
	case "code":
	default:
		return redirected(codeResponseType, "response_type must be code")
	}
	switch mode := v.get("response_mode"); {
	case mode == "", mode == "query":
	case mode != "form_post":
		return redirected(oauth.CodeInvalidRequest, "response_mode must be query or form_post")
	case !q.FormPost:
		return redirected(oauth.CodeInvalidRequest, "response_mode form_post needs an http redirect_uri")
	}
	return nil
}

func (q *request) scope(v values) *problem {
	q.Scopes = v.words("scope")
	if len(q.Scopes) > maxScopes {
		return redirected(oauth.CodeInvalidScope, "too many scopes")
	}
	for _, s := range q.Scopes {
		if !printable(s) || strings.ContainsAny(s, `"\`) { // RFC 6749 §3.3
			return redirected(oauth.CodeInvalidScope, "scope has a character that no scope may have")
		}
	}
	return nil
}

func (q *request) limits(v values) *problem {
	q.Nonce, q.LoginHint, q.IDPHint = v.get("nonce"), v.get("login_hint"), v.get("idp_hint")
	q.Locales = v.words("ui_locales")
	q.Locales = q.Locales[:min(len(q.Locales), maxLocales)]
	switch {
	case q.State != v.get("state"):
		return redirected(oauth.CodeInvalidRequest, "state is too long or has a character outside of printable ASCII")
	case len(q.Nonce) > maxNonce || !printable(q.Nonce):
		return redirected(oauth.CodeInvalidRequest, "nonce is too long or has a character outside of printable ASCII")
	case len(q.LoginHint) > maxHint || !text(q.LoginHint):
		return redirected(oauth.CodeInvalidRequest, "login_hint is too long or not a line of text")
	}
	return nil
}

// when reads what is asked of the sign-in itself.
func (q *request) when(v values) *problem {
	var p *problem
	if q.prompt, p = parsePrompt(v.words("prompt")); p != nil {
		return p
	}
	if age := v.get("max_age"); age != "" {
		seconds, err := strconv.ParseUint(age, 10, 32)
		if err != nil || len(age) > maxAgeDigits {
			return redirected(oauth.CodeInvalidRequest, "max_age is not a number of seconds")
		}
		q.MaxAge, q.HasMaxAge = time.Duration(seconds)*time.Second, true
	}
	q.acr = v.words("acr_values")
	q.acr = q.acr[:min(len(q.acr), maxACRs)]
	return nil
}

// whose reads what is asked of the identity.
func (q *request) whose(v values) *problem {
	q.idToken = v.get("id_token_hint")
	raw := v.get("claims")
	if raw == "" {
		return nil
	}
	var err error
	if q.claims, err = parseClaims(raw); err != nil {
		return redirected(oauth.CodeInvalidRequest, err.Error())
	}
	q.subs, q.bound = q.claims.subjects()
	acr, essential := q.claims.acr()
	if q.acrBound = essential; essential {
		q.acr = acr
	} else {
		q.acr = append(acr, q.acr...)
	}
	return nil
}

func (q *request) resources(v values) *problem {
	q.Resources = v.all["resource"]
	if len(q.Resources) > maxResources {
		return redirected(oauth.CodeInvalidTarget, "too many resources")
	}
	for _, r := range q.Resources {
		if u, err := url.Parse(r); err != nil || !u.IsAbs() || strings.Contains(r, "#") { // RFC 8707 §2
			return redirected(oauth.CodeInvalidTarget, "resource is not an absolute URI without fragment")
		}
	}
	return nil
}

// printable says that s is VSCHAR and spaces only (RFC 6749 appendix A.5): what survives every way of sending it back.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// text says that s is a line of valid UTF-8 without control characters.
func text(s string) bool {
	return strings.ToValidUTF8(s, "") == s && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}
