package authorize

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"apostille/broker/audit"
	"apostille/trust"
)

func TestACodeIsMadeOfWhatWasAskedAndGranted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "ada", 0)
	b.reg.evaluate = func(q trust.Request, _ trust.Standing) trust.Decision {
		if q.Grant != trust.GrantCode || q.Client != "portal" || q.Now != noon || len(q.Resources) != 1 {
			t.Errorf("asked to decide %+v", q)
		}
		return trust.Decision{Granted: true, Identity: []string{"openid", "profile"}, Scopes: []string{"stock.read"}}
	}
	w := b.get(portal("scope", "openid profile stock.read stock.order", "max_age", "100", "resource", "https://warehouse.west.hmart.example",
		"claims", `{"id_token":{"email":{"essential":true},"x":null},"new":1}`).Encode())
	if q := granted(t, w, portalURI); q.Get("code") != "the-code" || q.Get("state") != "s t&te" || len(q) != 3 {
		t.Errorf("answered %v", q)
	}
	in := b.issued[0]
	if in.Client != "portal" || in.RedirectURI != portalURI || !in.RedirectSent || in.Challenge != challenge || in.Nonce != "n" ||
		!slices.Equal(in.Scopes, []string{"openid", "profile", "stock.read"}) || in.Session != "session-1" ||
		in.SID != trust.SID("session-1", "portal") ||
		string(in.ClaimsParam) != `{"id_token":{"email":{"essential":true},"x":null}}` {
		t.Errorf("made of %+v", in)
	}
	ev := b.audit.events[0]
	if ev.Event != "code.issued" || ev.IssuedSHA256 != audit.Hash("the-code") || ev.Subject != "ada" || ev.Trust != "hq" ||
		ev.ID != w.Header().Get("X-Correlation-Id") || !slices.Equal(ev.Granted, in.Scopes) {
		t.Errorf("recorded %+v", ev)
	}
}

func TestARedirectURIMayBeLeftOutWithoutOpenIDIfThereIsOne(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "ada", 0)
	granted(t, b.get(portal("redirect_uri", "", "scope", "stock.read").Encode()), portalURI)
	if b.issued[0].RedirectSent || b.issued[0].RedirectURI != portalURI {
		t.Errorf("made of %+v", b.issued[0])
	}
	onErrorPage(t, b.get(with(good("shop", ""), "scope", "stock.read").Encode()), 400) // it has two
}

// OpenID conformance: oidcc-redirect-uri-query-OK.
func TestTheQueryOfARedirectURIStays(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	q := refused(t, b.get(with(good("shop", shopURI), "prompt", "none").Encode()), shopURI+"&", codeLogin)
	if q.Get("tenant") != "7" {
		t.Errorf("answered %v", q)
	}
}

// OpenID conformance: the Form Post OP plan runs every module this way.
func TestA112_FormPostEscapesEveryValue(t *testing.T) {
	t.Parallel()
	const evil = `"><script>alert(1)</script>`
	b := newBench(t)
	b.signIn(t, "hq", "ada", 0)
	w := b.get(portal("response_mode", "form_post", "state", evil).Encode())
	body := w.Body.String()
	if w.Code != 200 || strings.Contains(body, "<script>alert") || !strings.Contains(body, `name="code" value="the-code"`) ||
		!strings.Contains(body, `action="`+portalURI+`"`) || !strings.Contains(body, "<button") || !strings.Contains(body, `name="iss"`) {
		t.Fatalf("answered %d: %s", w.Code, body)
	}
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "form-action 'self' https://portal.west.hmart.example") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %s", policy)
	}
	if w.Header().Get("Cache-Control") != "no-store" {
		t.Error("the page may be kept")
	}
	w = b.get(portal("response_mode", "form_post", "prompt", "login none").Encode())
	if body := w.Body.String(); !strings.Contains(body, `name="error" value="invalid_request"`) || strings.Contains(body, "the-code") {
		t.Errorf("answered %s", body)
	}
	q := refused(t, b.get(with(good("phone", "com.example.phone:/cb"), "response_mode", "form_post").Encode()), "com.example.phone:/cb?", "invalid_request")
	if q.Get("state") == "" {
		t.Error("no state")
	}
}

func TestA112_TheErrorPageEscapesEveryValue(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	w := b.get(url.Values{"client_id": {"<script>alert(1)</script>"}, "ui_locales": {"<b>"}}.Encode())
	onErrorPage(t, w, 400)
	if strings.Contains(w.Body.String(), "alert(1)") {
		t.Error("the page shows what a stranger wrote")
	}
}

func TestA119_NothingSecretIsRecorded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "ada", 0)
	b.get(portal("state", "secret-state", "nonce", "secret-nonce").Encode())
	b.get(portal("id_token_hint", "secret-hint").Encode())
	b.get(portal("redirect_uri", "https://evil.example/secret-uri").Encode())
	b.get(portal("scope", "openid", "request", "secret-object").Encode())
	for _, ev := range append(b.audit.events, b.sampled.events...) {
		for _, text := range []string{ev.Detail, ev.Reason, ev.IssuedSHA256, ev.IssuedID, strings.Join(ev.Requested, " ")} {
			if strings.Contains(text, "secret") || strings.Contains(text, "the-code") {
				t.Errorf("recorded %+v", ev)
			}
		}
	}
}

func TestAPanicIsAnsweredAndNothingIssued(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "ada", 0)
	b.reg.evaluate = func(trust.Request, trust.Standing) trust.Decision { panic("a library") }
	refused(t, b.get(portal().Encode()), portalURI, "server_error")
}
