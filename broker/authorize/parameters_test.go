package authorize

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"apostille/trust"
)

func send(h http.Handler, method, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, issuer+target, http.NoBody))
	return w
}

// Each rule of a parameter: the request with it, and what comes of it with somebody signed in. "" = a code.
func TestEachParameterHasItsRule(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		name string
		set  []string
		code string
	}{
		{"nothing is wrong", nil, ""},
		{"oidcc-response-type-missing: response_type is required", []string{"response_type", ""}, "invalid_request"},
		{"response_type token is not built", []string{"response_type", "token"}, "unsupported_response_type"},
		{"response_type of two is not built", []string{"response_type", "code id_token"}, "unsupported_response_type"},
		{"response_mode query is the usual one", []string{"response_mode", "query"}, ""},
		{"response_mode fragment is refused", []string{"response_mode", "fragment"}, "invalid_request"},
		{"response_mode jwt is refused", []string{"response_mode", "query.jwt"}, "invalid_request"},
		{"A99 no challenge", []string{"code_challenge", "", "code_challenge_method", ""}, "invalid_request"},
		{"A99 a method without challenge", []string{"code_challenge", ""}, "invalid_request"},
		{"A99 plain", []string{"code_challenge_method", "plain"}, "invalid_request"},
		{"A99 no method, which means plain", []string{"code_challenge_method", ""}, "invalid_request"},
		{"A99 another case of the method", []string{"code_challenge_method", "s256"}, "invalid_request"},
		{"A99 a challenge of another length", []string{"code_challenge", challenge + "A"}, "invalid_request"},
		{"A99 a challenge with padding", []string{"code_challenge", challenge + "="}, "invalid_request"},
		{"A99 a challenge of another alphabet", []string{"code_challenge", "+" + challenge[1:]}, "invalid_request"},
		{"oidcc-request-uri-unsigned: request_uri from elsewhere", []string{"request_uri", "https://rp.example/r"}, "request_uri_not_supported"},
		{"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", []string{"request", "e30.e30."}, "request_not_supported"},
		{"oidcc-registration parameter", []string{"registration", "{}"}, "registration_not_supported"},
		{"authorization_details", []string{"authorization_details", "[]"}, "invalid_authorization_details"},
		{"a code bound to a DPoP key is not built", []string{"dpop_jkt", "x"}, "invalid_request"},
		{"an API is named by resource, not audience", []string{"audience", "warehouse"}, "invalid_target"},
		{"oidcc-ensure-request-with-unknown-parameter-succeeds", []string{"extra", "foobar"}, ""},
		{"oidcc-display-page", []string{"display", "page"}, ""},
		{"oidcc-display-popup", []string{"display", "popup"}, ""},
		{"an unknown display", []string{"display", "hologram"}, ""},
		{"oidcc-ui-locales", []string{"ui_locales", "se xx-not_a_tag"}, ""},
		{"oidcc-claims-locales", []string{"claims_locales", "se"}, ""},
		{"oidcc-ensure-request-with-acr-values-succeeds", []string{"acr_values", "1 2"}, ""},
		{"oidcc-ensure-request-with-valid-pkce-succeeds", []string{"nonce", ""}, ""},
		{"oidcc-ensure-request-without-nonce-succeeds-for-code-flow", []string{"nonce", ""}, ""},
		{"oidcc-login-hint", []string{"login_hint", "ada@hq.hmart.example"}, ""},
		{"a login hint of two lines", []string{"login_hint", "a\nb"}, "invalid_request"},
		{"a login hint beyond an address", []string{"login_hint", long(maxHint + 1)}, "invalid_request"},
		{"no state", []string{"state", ""}, ""},
		{"a state at its longest", []string{"state", long(maxState)}, ""},
		{"a state that is too long", []string{"state", long(maxState + 1)}, "invalid_request"},
		{"a state with a line break", []string{"state", "a\r\nb"}, "invalid_request"},
		{"a nonce at its longest", []string{"nonce", long(maxNonce)}, ""},
		{"a nonce that is too long", []string{"nonce", long(maxNonce + 1)}, "invalid_request"},
		{"a nonce with NUL", []string{"nonce", "a\x00"}, "invalid_request"},
		{"an unknown prompt", []string{"prompt", "create"}, "invalid_request"},
		{"prompt none with another", []string{"prompt", "none login"}, "invalid_request"},
		{"prompt none alone", []string{"prompt", "none"}, ""},
		{"max_age that is long enough", []string{"max_age", "10000"}, ""},
		{"max_age below zero", []string{"max_age", "-1"}, "invalid_request"},
		{"max_age in words", []string{"max_age", "ten"}, "invalid_request"},
		{"max_age beyond all ages", []string{"max_age", "99999999999"}, "invalid_request"},
		{"a scope with a quote", []string{"scope", `openid a"b`}, "invalid_scope"},
		{"too many scopes", []string{"scope", numbered(maxScopes + 1)}, "invalid_scope"},
		{"no scope at all", []string{"scope", ""}, ""},
		{"a resource", []string{"scope", "openid stock.read", "resource", "https://warehouse.west.hmart.example"}, ""},
		{"a resource that nobody knows", []string{"resource", "https://a.example"}, "invalid_target"},
		{"a scope that nobody knows", []string{"scope", "openid made.up"}, "invalid_scope"},
		{"a resource with a fragment", []string{"resource", "https://a.example/#x"}, "invalid_target"},
		{"a resource that is no URI", []string{"resource", "warehouse"}, "invalid_target"},
		{"oidcc-claims-essential: claims", []string{"claims", `{"userinfo":{"name":{"essential":true}}}`}, ""},
		{"claims that are no object", []string{"claims", `[]`}, "invalid_request"},
		{"claims with a name twice", []string{"claims", `{"userinfo":null,"userinfo":null}`}, "invalid_request"},
		{"an id_token_hint that is no token", []string{"id_token_hint", "x"}, "invalid_request"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.signIn(t, "hq", "ada", 0)
			w := b.get(portal(c.set...).Encode())
			if c.code == "" {
				if q := granted(t, w, portalURI); q.Get("code") != "the-code" || q.Get("state") != portal(c.set...).Get("state") {
					t.Errorf("answered %v", q)
				}
				return
			}
			q := refused(t, w, portalURI, c.code)
			if len(c.set) > 0 && c.set[0] != "state" && q.Get("state") != "s t&te" {
				t.Errorf("state = %q", q.Get("state"))
			}
		})
	}
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" s" + strings.Repeat("i", i%9) + string(rune('a'+i%26)) + string(rune('a'+i/26)))
	}
	return b.String()
}

func TestARepeatedParameterIsRefusedButResource(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "ada", 0)
	for _, name := range []string{"scope", "response_type", "state", "nonce", "code_challenge", "prompt", "unknown", "request_uri", "login"} {
		q := refused(t, b.get(portal().Encode()+"&"+name+"=x&"+name+"=y"), portalURI, "invalid_request")
		if name == "state" && q.Has("state") { // which of the two would it be
			t.Error("a repeated state is sent back")
		}
	}
	granted(t, b.get(portal("scope", "openid stock.read").Encode()+"&resource=https://warehouse.west.hmart.example&resource=https://warehouse.west.hmart.example/v2"), portalURI)
	if got := b.issued[0].Resources; len(got) != 2 {
		t.Errorf("resources %q", got)
	}
}

func TestAnEmptyParameterIsAbsent(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "ada", 0)
	granted(t, b.get(portal().Encode()+"&request=&max_age=&prompt=&claims=&id_token_hint=&response_mode="), portalURI)
	refused(t, b.get(portal("response_type", "").Encode()+"&response_type="), portalURI, "invalid_request")
	if b.counted.ignored != 0 {
		t.Errorf("%d parameters were ignored", b.counted.ignored)
	}
	b.get(portal("utm_source", "mail").Encode())
	if b.counted.ignored != 1 {
		t.Errorf("%d parameters were ignored, wanted one", b.counted.ignored)
	}
}

func TestA99_PKCEIsLeftOutByWhoMayAndThenWithANonce(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "ada", 0)
	lax := func(set ...string) url.Values {
		return with(with(good("lax", portalURI), "code_challenge", "", "code_challenge_method", ""), set...)
	}
	granted(t, b.get(lax().Encode()), portalURI)
	refused(t, b.get(lax("nonce", "").Encode()), portalURI, "invalid_request")
	refused(t, b.get(lax("scope", "stock.read").Encode()), portalURI, "invalid_request") // no ID token would carry the nonce
	refused(t, b.get(lax("code_challenge", challenge).Encode()), portalURI, "invalid_request")
}

func TestTheRefusalsOfPolicyAreSpelled(t *testing.T) {
	t.Parallel()
	for reason, code := range map[trust.Reason]string{
		trust.ReasonRequire:           codeAccessDenied,
		trust.ReasonSubjectBlocked:    codeAccessDenied,
		trust.ReasonSignIn:            codeAccessDenied,
		trust.ReasonNoRule:            codeAccessDenied,
		trust.ReasonScopeUnknown:      "invalid_scope",
		trust.ReasonScopeUnregistered: "invalid_scope",
		trust.ReasonTargetUnknown:     "invalid_target",
		trust.ReasonTargetsDisagree:   "invalid_target",
		trust.ReasonGrantNotAllowed:   "unauthorized_client",
		trust.ReasonStandingUnknown:   "temporarily_unavailable",
	} {
		b := newBench(t)
		b.signIn(t, "hq", "ada", 0)
		b.reg.evaluate = func(trust.Request, trust.Standing) trust.Decision {
			return trust.Decision{Reason: reason, Detail: "department is not logistics", Trust: "hq"}
		}
		q := refused(t, b.get(portal().Encode()), portalURI, code)
		if strings.Contains(q.Encode(), "logistics") {
			t.Errorf("%s tells why: %v", reason, q)
		}
		if len(b.audit.events) != 1 || b.audit.events[0].Reason != string(reason) || b.audit.events[0].Subject != "ada" {
			t.Errorf("%s is recorded as %+v", reason, b.audit.events)
		}
	}
}
