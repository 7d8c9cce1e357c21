package introspect_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"apostille/broker/audit"
	"apostille/broker/introspect"
)

// revoke posts to the other endpoint.
func (b *bench) revoke(client string, form url.Values) got { return b.post(b.Revoke(), client, form) }

func (b *bench) revoked(t *testing.T, client, raw string, more ...string) {
	t.Helper()
	form := url.Values{"token": {raw}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	g := b.revoke(client, form)
	if g.Code != http.StatusOK || g.Body.Len() != 0 || g.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v %s", g.Code, g.Header(), g.Body)
	}
}

func TestRFC7009_AClientTakesItsTokensBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name            string
		which           string   // is taken back
		more            []string // of the form
		access, refresh bool     // is active afterwards
	}{
		{"nothing: the twin", "", nil, true, true},
		{"a JWT, and not what it came with", "jwt", nil, false, true},
		{"an opaque token, and not what it came with", "opaque", nil, false, true},
		{"a refresh token, and with it the family (§2.1)", "refresh", nil, false, false},
		{"by a hint", "refresh", []string{"token_type_hint", "refresh_token"}, false, false},
		{"by a wrong hint (§2.1)", "refresh", []string{"token_type_hint", "access_token"}, false, false},
		{"by a hint that nobody knows (§2.1)", "jwt", []string{"token_type_hint", "pat"}, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			tokens := map[string]string{"refresh": b.refresh(t, "f-1", "shop")}
			tokens["jwt"], tokens["opaque"] = b.access(t, warehouse, "shop", "f-1", nil), b.access(t, vault, "shop", "f-1", nil)
			other := b.access(t, warehouse, "shop", "", nil)
			if c.which != "" {
				b.revoked(t, "shop", tokens[c.which], c.more...)
				b.revoked(t, "shop", tokens[c.which], c.more...) // again, as a client that lost the answer does
			}
			which := c.which
			if which == "" || which == "refresh" {
				which = "jwt"
			}
			if active(b.told(t, "shop", tokens[which])) != c.access || active(b.told(t, "shop", tokens["refresh"])) != c.refresh {
				t.Errorf("access %v, refresh %v", b.told(t, "shop", tokens[which]), b.told(t, "shop", tokens["refresh"]))
			}
			if !active(b.told(t, "shop", other)) {
				t.Error("another token of the client went with it")
			}
			if c.which == "" {
				return
			}
			if len(b.events) == 0 || b.events[0].Event != audit.EventRevoked || b.events[0].Client != "shop" || b.events[0].Subject != kim || b.events[0].ID == "" {
				t.Errorf("recorded %+v", b.events)
			}
		})
	}
}

func TestRFC7009_OnlyItsOwnClientTakesATokenBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	refresh := b.refresh(t, "f-1", "shop")
	jwt, opaque := b.access(t, warehouse, "shop", "f-1", nil), b.access(t, vault, "shop", "f-1", nil)
	for name, c := range map[string]struct {
		client string
		form   url.Values
		status int
		code   string
	}{
		"the API's owner, a JWT":           {"gateway", url.Values{"token": {jwt}}, 400, "invalid_grant"},
		"the API's owner, an opaque token": {"guard", url.Values{"token": {opaque}}, 400, "invalid_grant"},
		"somebody else, a refresh token":   {"stranger", url.Values{"token": {refresh}}, 400, "invalid_grant"},
		"a public application":             {"", url.Values{"token": {refresh}, "client_id": {"phone"}}, 400, "invalid_grant"},
		"its client_id alone":              {"", url.Values{"token": {refresh}, "client_id": {"shop"}}, 401, "invalid_client"},
		"nobody":                           {"", url.Values{"token": {jwt}}, 401, "invalid_client"},
		"its client, without a token":      {"shop", url.Values{}, 400, "invalid_request"},
		"its client, two at once":          {"shop", url.Values{"token": {jwt, opaque}}, 400, "invalid_request"},
	} {
		g := b.revoke(c.client, c.form)
		if g.Code != c.status || g.body["error"] != c.code || strings.Contains(g.Body.String(), kim) {
			t.Errorf("%s: %d %s", name, g.Code, g.Body)
		}
	}
	for _, raw := range []string{refresh, jwt, opaque} {
		if !active(b.told(t, "shop", raw)) {
			t.Error("it was taken back all the same")
		}
	}
	if len(b.events) != 0 {
		t.Errorf("recorded %+v", b.events)
	}
	r := httptest.NewRequest(http.MethodGet, issuer+introspect.RevokePath+"?token="+jwt, nil)
	r.SetBasicAuth("shop", secret)
	w := httptest.NewRecorder()
	if b.Revoke().ServeHTTP(w, r); w.Code != http.StatusBadRequest || !active(b.told(t, "shop", jwt)) {
		t.Errorf("by GET: %d %s", w.Code, w.Body)
	}
}

// §2.1: an application that cannot keep a secret takes back what it was issued, by its client_id.
func TestRFC7009_APublicApplicationTakesItsTokensBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	refresh := b.refresh(t, "f-1", "phone")
	jwt := b.access(t, warehouse, "phone", "f-1", nil)
	if !active(b.told(t, "gateway", jwt)) {
		t.Fatal("not active before")
	}
	b.revoked(t, "", refresh, "client_id", "phone")
	if active(b.told(t, "gateway", jwt)) {
		t.Error("the family lives")
	}
}

// §2.2: what is not a token of ours, or over already, is as the client wants it.
func TestRFC7009_WhatIsNoTokenIsAnswered200(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	over := b.access(t, warehouse, "shop", "", nil)
	b.now = b.now.Add(12 * time.Minute)
	for _, raw := range []string{"x", "a.b.c", over, strings.Repeat("x", 1000)} {
		b.revoked(t, "shop", raw)
	}
	if len(b.events) != 0 {
		t.Errorf("recorded %+v", b.events)
	}
}

// Nobody may take a revocation for done that was not (THREATS A104).
func TestA104_RFC7009_ARevocationThatFailsSaysSo(t *testing.T) {
	t.Parallel()
	for _, which := range []string{"jwt", "opaque", "refresh"} {
		b := newBench(t)
		tokens := map[string]string{"refresh": b.refresh(t, "f-1", "shop")}
		tokens["jwt"], tokens["opaque"] = b.access(t, warehouse, "shop", "f-1", nil), b.access(t, vault, "shop", "f-1", nil)
		b.Store = down{b.store}
		g := b.revoke("shop", url.Values{"token": {tokens[which]}})
		if g.Code != http.StatusServiceUnavailable || g.Header().Get("Retry-After") == "" || len(b.events) != 0 { // §2.2.1
			t.Errorf("%s: %d %v %s", which, g.Code, g.Header(), g.Body)
		}
		b.Store = b.store
		if !active(b.told(t, "shop", tokens[which])) {
			t.Errorf("%s: it was taken back all the same", which)
		}
		b.revoked(t, "shop", tokens[which])
		if active(b.told(t, "shop", tokens[which])) {
			t.Errorf("%s: still active", which)
		}
	}
}
