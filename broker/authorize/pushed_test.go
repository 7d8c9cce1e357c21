package authorize

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"apostille/broker/clientauth"
	"apostille/broker/oauth"
	"apostille/trust"
)

// knock lets in whoever names a client and the secret "right".
type knock struct{}

func (knock) Authenticate(_ context.Context, q clientauth.Request) (string, error) {
	switch {
	case q.Params.Get("client_secret") == "right":
		return q.Params.Get("client_id"), nil
	case len(q.Authorization) > 0:
		return "shop", nil
	case q.Params.Has("client_id"):
		return "", &clientauth.Error{Reason: trust.ReasonClientAuth, Detail: "wrong"}
	}
	return "", nil
}

func (b *bench) push(v url.Values, header ...string) *httptest.ResponseRecorder {
	return post(b.Pushed(knock{}, func(string) bool { return true }), PushedPath, v.Encode(), header...)
}

func (b *bench) pushed(t *testing.T, v url.Values) string {
	t.Helper()
	w := b.push(with(v, "client_secret", "right"))
	var out struct {
		URI     string `json:"request_uri"`
		Expires int    `json:"expires_in"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || w.Code != http.StatusCreated || out.Expires != 600 ||
		!strings.HasPrefix(out.URI, pushedPrefix) || len(out.URI) != len(pushedPrefix)+43 || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("answered %d %s", w.Code, w.Body)
	}
	return out.URI
}

func by(client, uri string, more ...string) string {
	return with(url.Values{"client_id": {client}, "request_uri": {uri}}, more...).Encode()
}

func TestAPushedRequestIsAnsweredOnceAndAloneCounts(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.signIn(t, "hq", "ada", 0)
	uri := b.pushed(t, portal())
	refusedElsewhere := by("shop", uri)
	onErrorPage(t, b.get(refusedElsewhere), 400) // RFC 9126 §2.2: bound to its client
	// What the browser brings besides is not looked at.
	q := granted(t, b.get(by("portal", uri, "state", "forged", "redirect_uri", "https://evil.example", "scope", "stock.order")), portalURI)
	if q.Get("state") != "s t&te" || len(b.issued[0].Scopes) != 2 {
		t.Errorf("answered %v with %v", q, b.issued[0].Scopes)
	}
	onErrorPage(t, b.get(by("portal", uri)), 400) // RFC 9126 §7.3: once
	if len(b.issued) != 1 {
		t.Errorf("%d codes", len(b.issued))
	}
}

func TestAPushedRequestSurvivesTheLoginAndEndsInTime(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	uri := b.pushed(t, portal())
	b.get(by("portal", uri))
	if b.began == nil || b.began.Return != Path+"?"+by("portal", uri) {
		t.Fatalf("began %+v", b.began)
	}
	b.signIn(t, "hq", "ada", 0)
	granted(t, b.get(by("portal", uri)), portalURI)
	uri = b.pushed(t, portal())
	b.now = b.now.Add(pushedTTL)
	onErrorPage(t, b.get(by("portal", uri)), 400)
}

func TestAPushedRequestIsUsedUpByAWord(t *testing.T) {
	t.Parallel()
	b := asShop(t)
	uri := b.pushed(t, shop())
	sealed := form(t, b.get(by("shop", uri)))
	for range 2 { // a double click: RFC 9126 §4 allows it
		granted(t, b.say(sealed, "allow", "userinfo profile"), shopURI)
	}
	onErrorPage(t, b.get(by("shop", uri)), 400)
	uri = b.pushed(t, shop("prompt", "consent"))
	refused(t, b.say(form(t, b.get(by("shop", uri))), "deny"), shopURI, codeAccessDenied)
	onErrorPage(t, b.get(by("shop", uri)), 400)
}

func TestPushingIsCheckedAsAskingIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		params url.Values
		header []string
		code   string
		status int
	}{
		{"a wrong secret", portal("client_secret", "wrong"), nil, "invalid_client", 401},
		{"no authentication at all", portal("client_id", ""), nil, "invalid_client", 401},
		{"another client_id than authenticated", portal(), []string{"Authorization", "Basic x"}, "invalid_request", 400},
		{"RFC 9126 §2.1: request_uri", portal("client_secret", "right", "request_uri", pushedPrefix+"x"), nil, "invalid_request", 400},
		{"a redirect URI that is not registered", portal("client_secret", "right", "redirect_uri", "https://evil.example"), nil, "invalid_request", 400},
		{"no challenge", portal("client_secret", "right", "code_challenge", "", "code_challenge_method", ""), nil, "invalid_request", 400},
		{"fapi2 par-plain-pkce-rejected", portal("client_secret", "right", "code_challenge_method", "plain"), nil, "invalid_request", 400},
		{"a request object", portal("client_secret", "right", "request", "x"), nil, "request_not_supported", 400},
		{"a repeated parameter", url.Values{"client_id": {"portal"}, "scope": {"a", "b"}}, nil, "invalid_request", 400},
		{"more than is kept", portal("client_secret", "right", "scope", strings.Repeat("x", maxPushed)), nil, "invalid_request", 400},
		{"not a form", portal("client_secret", "right"), []string{"Content-Type", "application/json"}, "invalid_request", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			w := b.push(c.params, c.header...)
			var out struct{ Error, Reference string }
			if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil || out.Error != c.code || w.Code != c.status || out.Reference == "" {
				t.Fatalf("answered %d %s", w.Code, w.Body)
			}
			if (w.Code == 401) != (w.Header().Get("WWW-Authenticate") != "") {
				t.Errorf("challenge %q", w.Header().Get("WWW-Authenticate"))
			}
			if len(b.sampled.events) != 1 || strings.Contains(b.sampled.events[0].Detail, "right") {
				t.Errorf("recorded %+v", b.sampled.events)
			}
		})
	}
}

func TestPushingHasALimit(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	w := post(b.Pushed(knock{}, func(string) bool { return false }), PushedPath, portal("client_secret", "right").Encode())
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), oauth.CodeUnavailable) {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

func TestA102_AHandleOfAnotherKindIsNoPushedRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	uri := b.pushed(t, portal())
	handle := strings.TrimPrefix(uri, pushedPrefix)
	if _, ok, err := b.store.PeekPending(t.Context(), "login", handle); ok || err != nil {
		t.Errorf("found under another kind: %v", err)
	}
	onErrorPage(t, b.get(by("portal", pushedPrefix)), 400)
	b.now = b.now.Add(time.Second)
	onErrorPage(t, b.get(by("portal", pushedPrefix+handle[1:])), 400)
}
