package authorize

import (
	"html"
	"maps"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	formAction  = regexp.MustCompile(`<form id="answer" method="post" action="([^"]*)">`)
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

// posted reads an answer that the browser is to post to a client; ok = false if there is none.
func posted(w *httptest.ResponseRecorder) (action string, fields url.Values, ok bool) {
	body := w.Body.String()
	found := formAction.FindStringSubmatch(body)
	if found == nil {
		return "", nil, false
	}
	fields = url.Values{}
	for _, f := range hiddenField.FindAllStringSubmatch(body, -1) {
		fields.Add(html.UnescapeString(f[1]), html.UnescapeString(f[2]))
	}
	return html.UnescapeString(found[1]), fields, true
}

// OpenID conformance, Form Post OP: the plan runs each module of Basic with response_mode=form_post. What such a module can see of the
// authorization endpoint is the same as without it, value by value, but comes as a form to the redirect URI: what must not be sent
// there at all (a page, a login) is not sent by a form either.
func TestFormPostAnswersWhatAQueryWould(t *testing.T) {
	t.Parallel()
	const code, onPage, login = "a code", "a page of ours", "a login"
	fresh, old := time.Minute, time.Hour
	for _, c := range []struct {
		module string
		ago    *time.Duration // since somebody signed in; nil = nobody is
		set    []string
		want   string // an error of RFC 6749 or OpenID Connect otherwise
	}{
		{"oidcc-server", &fresh, nil, code},
		{"oidcc-response-type-missing", &fresh, []string{"response_type", ""}, "invalid_request"},
		{"oidcc-idtoken-signature", &fresh, nil, code},
		{"oidcc-idtoken-unsigned", &fresh, nil, code},
		{"oidcc-userinfo-get", &fresh, nil, code},
		{"oidcc-userinfo-post-header", &fresh, nil, code},
		{"oidcc-userinfo-post-body", &fresh, nil, code},
		{"oidcc-ensure-request-without-nonce-succeeds-for-code-flow", &fresh, []string{"nonce", ""}, code},
		{"oidcc-scope-profile", &fresh, []string{"scope", "openid profile"}, code},
		{"oidcc-scope-email", &fresh, []string{"scope", "openid email"}, code},
		{"oidcc-scope-address", &fresh, []string{"scope", "openid address"}, code},
		{"oidcc-scope-phone", &fresh, []string{"scope", "openid phone"}, code},
		{"oidcc-scope-all", &fresh, []string{"scope", "openid profile email address phone"}, code},
		{"oidcc-ensure-other-scope-order-succeeds", &fresh, []string{"scope", "profile openid"}, code},
		{"oidcc-display-page", &fresh, []string{"display", "page"}, code},
		{"oidcc-display-popup", &fresh, []string{"display", "popup"}, code},
		{"oidcc-prompt-login", &fresh, []string{"prompt", "login"}, login},
		{"oidcc-prompt-none-not-logged-in", nil, []string{"prompt", "none"}, "login_required"},
		{"oidcc-prompt-none-logged-in", &fresh, []string{"prompt", "none"}, code},
		{"oidcc-max-age-1", &old, []string{"max_age", "1"}, login},
		{"oidcc-max-age-1 and prompt none", &old, []string{"max_age", "1", "prompt", "none"}, "login_required"},
		{"oidcc-max-age-10000", &old, []string{"max_age", "10000"}, code},
		{"oidcc-ensure-request-with-unknown-parameter-succeeds", &fresh, []string{"extra", "foobar"}, code},
		{"oidcc-id-token-hint, of somebody unknown", &fresh, []string{"id_token_hint", "x.y.z", "prompt", "none"}, "invalid_request"},
		{"oidcc-login-hint", &fresh, []string{"login_hint", "ada@hq.example"}, code},
		{"oidcc-ui-locales", &fresh, []string{"ui_locales", "se"}, code},
		{"oidcc-claims-locales", &fresh, []string{"claims_locales", "se"}, code},
		{"oidcc-ensure-request-with-acr-values-succeeds", &fresh, []string{"acr_values", "1 2"}, code},
		{"oidcc-codereuse", &fresh, nil, code},
		{"oidcc-codereuse-30seconds", &fresh, nil, code},
		{"oidcc-ensure-registered-redirect-uri", &fresh, []string{"redirect_uri", portalURI + "/other"}, onPage},
		{"oidcc-ensure-redirect-uri-in-authorization-request", &fresh, []string{"redirect_uri", ""}, onPage},
		{"oidcc-server-client-secret-post", &fresh, nil, code},
		{"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", &fresh, []string{"request", "e30.e30."}, "request_not_supported"},
		{"oidcc-claims-essential", &fresh, []string{"claims", `{"userinfo":{"name":{"essential":true}}}`}, code},
		{"oidcc-ensure-request-object-with-redirect-uri", &fresh, []string{"request", "e30.e30."}, "request_not_supported"},
		{"oidcc-refresh-token", &fresh, []string{"scope", "openid offline_access"}, code},
		{"oidcc-ensure-request-with-valid-pkce-succeeds", &fresh, nil, code},
	} {
		t.Run(c.module, func(t *testing.T) {
			t.Parallel()
			ask := func(mode string) (*bench, *httptest.ResponseRecorder) {
				b := newBench(t)
				if c.ago != nil {
					b.signIn(t, "hq", "ada", *c.ago)
				}
				return b, b.get(portal(append([]string{"response_mode", mode}, c.set...)...).Encode())
			}
			byQuery, plain := ask("")
			byForm, w := ask("form_post")
			action, fields, form := posted(w)
			switch c.want {
			case onPage:
				onErrorPage(t, plain, 400)
				onErrorPage(t, w, 400)
			case login:
				if byForm.began == nil || byQuery.began == nil || !strings.Contains(byForm.began.Return, "response_mode=form_post") {
					t.Errorf("no login was begun, or its answer will be another: %d %+v", w.Code, byForm.began)
				}
			default:
				want := answered(t, plain, portalURI)
				if (c.want == code) != (want.Get("code") == "the-code") || c.want != code && want.Get("error") != c.want {
					t.Fatalf("by query %v, wanted %s", want, c.want)
				}
				for _, q := range []url.Values{want, fields} { // it ends with a reference of its own
					if text := q.Get("error_description"); text != "" {
						said, _, _ := strings.Cut(text, " (reference ")
						q.Set("error_description", said)
					}
				}
				if w.Code != 200 || action != portalURI || !maps.EqualFunc(fields, want, func(a, b []string) bool { return len(a) == 1 && len(b) == 1 && a[0] == b[0] }) {
					t.Errorf("answered %d with a form of %v to %q, wanted %v", w.Code, fields, action, want)
				}
				return
			}
			if form {
				t.Errorf("%v is posted to %s", fields, action)
			}
		})
	}
}

// OpenID conformance: oidcc-ensure-post-request-succeeds in the Form Post plan: the request may be posted as well.
func TestARequestThatIsPostedMayBeAnsweredByAForm(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "ada", 0)
	to := post(b, Path, portal("response_mode", "form_post").Encode()).Header().Get("Location")
	if action, fields, ok := posted(b.get(strings.TrimPrefix(to, Path+"?"))); !ok || action != portalURI || fields.Get("code") != "the-code" || fields.Get("state") != "s t&te" {
		t.Errorf("posted %v to %s", fields, action)
	}
	// oidcc-redirect-uri-query-OK: what the client registered stays, and nothing is added to it.
	w := b.get(with(good("shop", shopURI), "prompt", "none", "response_mode", "form_post").Encode())
	if action, fields, ok := posted(w); !ok || action != shopURI || fields.Get("error") == "" {
		t.Errorf("posted %v to %s", fields, action)
	}
}
