package introspect_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"apostille/broker/introspect"
	"apostille/broker/store"
	"apostille/broker/token"
	"apostille/trust"
	"apostille/trust/jose"
)

func TestRFC7662_AnActiveTokenIsToldOfInFull(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.refresh(t, "f-1", "shop")
	for owner, audience := range map[string]string{"gateway": warehouse, "guard": vault} {
		got := b.told(t, owner, b.access(t, audience, "shop", "f-1", nil))
		want := map[string]any{
			"active": true, "iss": issuer, "sub": kim, "client_id": "shop", "aud": audience, "scope": "stock.read", "token_type": "Bearer",
			"iat": float64(start.Unix()), "exp": float64(start.Add(10 * time.Minute).Unix()), "idp": "hq", "department": "logistics",
		}
		if id, _ := got["jti"].(string); id == "" {
			t.Errorf("%s: no jti in %v", owner, got)
		}
		delete(got, "jti")
		if !maps.Equal(got, want) { // neither family nor links, which are our own business
			t.Errorf("%s is told %v, wanted %v", owner, got, want)
		}
	}
	got := b.told(t, "shop", b.refresh(t, "f-2", "shop"))
	want := map[string]any{"active": true, "iss": issuer, "sub": kim, "client_id": "shop", "exp": float64(start.Add(time.Hour).Unix())}
	if !maps.Equal(got, want) {
		t.Errorf("of a refresh token: %v, wanted %v", got, want)
	}
}

// §2.2: whatever is not active, not ours or not this caller's business is {"active": false} and not a word more (THREATS A105).
func TestA105_RFC7662_WhoMayNotKnowIsToldNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	refresh := b.refresh(t, "f-1", "shop")
	jwt, opaque := b.access(t, warehouse, "shop", "f-1", nil), b.access(t, vault, "shop", "f-1", nil)
	two := b.access(t, warehouse, "shop", "", func(d *trust.Decision) { d.Audience = []string{vault, warehouse} })
	for _, c := range []struct {
		name, who, token string
		active           bool
	}{
		{"the API's owner, a JWT", "gateway", jwt, true},
		{"the API's owner, an opaque token", "guard", opaque, true},
		{"the owner of one of two APIs", "gateway", two, true},
		{"the owner of the other", "guard", two, true},
		{"the client it was issued to, a JWT", "shop", jwt, true},
		{"the client it was issued to, an opaque token", "shop", opaque, true},
		{"the client it was issued to, a refresh token", "shop", refresh, true},
		{"the owner of another API, a JWT", "guard", jwt, false},
		{"the owner of another API, an opaque token", "gateway", opaque, false},
		{"an API, a refresh token", "gateway", refresh, false},
		{"somebody else, a JWT", "stranger", jwt, false},
		{"somebody else, an opaque token", "stranger", opaque, false},
		{"somebody else, a refresh token", "stranger", refresh, false},
		{"a token of nobody", "gateway", "nothing-of-ours", false},
		{"a JWT of somebody else", "gateway", "eyJhbGciOiJFUzI1NiJ9.e30.AAAA", false},
		{"a token with a letter changed", "gateway", jwt[:len(jwt)-4] + "AAAA", false},
	} {
		got := b.told(t, c.who, c.token)
		if active(got) != c.active || !c.active && len(got) != 1 {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// §4: the answer is of this moment.
func TestRFC7662_ATokenThatEndedIsNotActive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		end    func(t *testing.T, b *bench)
		active bool // still
	}{
		{"nothing happened", func(*testing.T, *bench) {}, true},
		{"its time is nearly over", func(_ *testing.T, b *bench) { b.now = b.now.Add(10*time.Minute - time.Second) }, true},
		{"its time is over", func(_ *testing.T, b *bench) { b.now = b.now.Add(10*time.Minute + trust.Skew) }, false},
		{"the family ended", func(t *testing.T, b *bench) {
			if _, err := b.store.EndFamilies(t.Context(), store.FamilyQuery{ID: "f-1"}, "logout"); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"another family ended", func(t *testing.T, b *bench) {
			if _, err := b.store.EndFamilies(t.Context(), store.FamilyQuery{ID: "f-2"}, "logout"); err != nil {
				t.Fatal(err)
			}
		}, true},
		{"the subject is blocked", func(t *testing.T, b *bench) { b.mark(t, store.SubjectMark{Sub: kim, Blocked: true}) }, false},
		{"the subject has a cut-off after it", func(t *testing.T, b *bench) {
			b.mark(t, store.SubjectMark{Sub: kim, NotBefore: start.Add(time.Minute)})
		}, false},
		{"the subject has a cut-off before it", func(t *testing.T, b *bench) {
			b.mark(t, store.SubjectMark{Sub: kim, NotBefore: start.Add(-time.Minute)})
		}, true},
		{"the trust is disabled", func(t *testing.T, b *bench) { b.disable(t, "hq", "") }, false},
		{"the client it was issued to is disabled", func(t *testing.T, b *bench) { b.disable(t, "", "shop") }, false},
		{"another client is disabled", func(t *testing.T, b *bench) { b.disable(t, "", "stranger") }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.refresh(t, "f-1", "shop")
			b.refresh(t, "f-2", "shop")
			tokens := map[string]string{"gateway": b.access(t, warehouse, "shop", "f-1", nil), "guard": b.access(t, vault, "shop", "f-1", nil)}
			for owner, raw := range tokens {
				if !active(b.told(t, owner, raw)) {
					t.Fatal("not active before")
				}
			}
			c.end(t, b)
			for owner, raw := range tokens {
				if got := b.told(t, owner, raw); active(got) != c.active || !c.active && len(got) != 1 {
					t.Errorf("%s is told %v", owner, got)
				}
			}
		})
	}
}

func TestRFC7662_ARefreshTokenThatEndedIsNotActive(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end    func(t *testing.T, b *bench, raw string)
		active bool
	}{
		"nothing happened": {func(*testing.T, *bench, string) {}, true},
		"it was used": {func(t *testing.T, b *bench, raw string) {
			out, _, err := b.store.Rotate(t.Context(), store.Rotation{Old: sha256.Sum256([]byte(raw)), Client: "shop",
				Next: store.Refresh{Hash: sha256.Sum256([]byte("next")), Until: b.now.Add(time.Hour)}, Answer: []byte("x"), Grace: time.Minute})
			if err != nil || out != store.RotationDone {
				t.Fatal(out, err)
			}
		}, false},
		"it lay unused":  {func(_ *testing.T, b *bench, _ string) { b.now = b.now.Add(time.Hour) }, false},
		"nearly so long": {func(_ *testing.T, b *bench, _ string) { b.now = b.now.Add(time.Hour - time.Second) }, true},
		"its family ended": {func(t *testing.T, b *bench, _ string) {
			if _, err := b.store.EndFamilies(t.Context(), store.FamilyQuery{ID: "f-1"}, "logout"); err != nil {
				t.Fatal(err)
			}
		}, false},
		"the trust is disabled":  {func(t *testing.T, b *bench, _ string) { b.disable(t, "hq", "") }, false},
		"the subject is blocked": {func(t *testing.T, b *bench, _ string) { b.mark(t, store.SubjectMark{Sub: kim, Blocked: true}) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			raw := b.refresh(t, "f-1", "shop")
			c.end(t, b, raw)
			if got := b.told(t, "shop", raw); active(got) != c.active || !c.active && len(got) != 1 {
				t.Errorf("%v", got)
			}
		})
	}
}

// §2.1: POST, a form, one token, from a client that authenticates. Hints help nobody and harm nobody.
func TestRFC7662_WhatARequestNeeds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	raw := b.access(t, warehouse, "shop", "", nil)
	form := func(pairs ...string) url.Values {
		v := url.Values{}
		for i := 0; i+1 < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		return v
	}
	for _, c := range []struct {
		name, client string
		form         url.Values
		status       int
		code         string
	}{
		{"a good one", "gateway", form("token", raw), 200, ""},
		{"with a hint", "gateway", form("token", raw, "token_type_hint", "access_token"), 200, ""},
		{"with a wrong hint", "gateway", form("token", raw, "token_type_hint", "refresh_token"), 200, ""},
		{"with a hint that nobody knows", "gateway", form("token", raw, "token_type_hint", "x"), 200, ""},
		{"authenticated in the form", "", form("token", raw, "client_id", "gateway", "client_secret", secret), 200, ""},
		{"without authentication", "", form("token", raw), 401, "invalid_client"},
		{"with a client_id alone", "", form("token", raw, "client_id", "gateway"), 401, "invalid_client"},
		{"a public application", "", form("token", raw, "client_id", "phone"), 401, "invalid_client"},
		{"with a wrong secret", "", form("token", raw, "client_id", "gateway", "client_secret", "wrong"), 401, "invalid_client"},
		{"an unknown client", "nobody", form("token", raw), 401, "invalid_client"},
		{"authenticated twice", "gateway", form("token", raw, "client_secret", secret), 400, "invalid_request"},
		{"without a token", "gateway", form(), 400, "invalid_request"},
		{"with an empty token", "gateway", form("token", ""), 400, "invalid_request"},
		{"with two tokens", "gateway", form("token", raw, "token", raw), 400, "invalid_request"},
	} {
		g := b.post(b, c.client, c.form)
		if g.Code != c.status || c.code != "" && g.body["error"] != c.code || (c.status == 200) != active(g.body) {
			t.Errorf("%s: %d %s", c.name, g.Code, g.Body)
		}
		if c.status == 401 && !strings.HasPrefix(g.Header().Get("WWW-Authenticate"), "Basic ") { // RFC 6749 §5.2
			t.Errorf("%s: challenge %q", c.name, g.Header().Get("WWW-Authenticate"))
		}
		if strings.Contains(g.Body.String(), raw) || g.Header().Get("X-Correlation-Id") == "" || g.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v %s", c.name, g.Header(), g.Body)
		}
	}
	for name, r := range map[string]*http.Request{
		"by GET": httptest.NewRequest(http.MethodGet, issuer+introspect.Path+"?token="+raw, nil),
		"the token in the query, where logs see it": httptest.NewRequest(http.MethodPost, issuer+introspect.Path+"?token="+raw, nil),
		"as JSON": httptest.NewRequest(http.MethodPost, issuer+introspect.Path, strings.NewReader(`{"token":"`+raw+`"}`)),
	} {
		r.SetBasicAuth("gateway", secret)
		r.Header.Set("Content-Type", map[bool]string{true: "application/json", false: "application/x-www-form-urlencoded"}[name == "as JSON"])
		w := httptest.NewRecorder()
		if b.ServeHTTP(w, r); w.Code != http.StatusBadRequest || strings.Contains(w.Body.String(), "active") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if strings.Contains(b.log.String(), raw) || strings.Contains(b.log.String(), secret) {
		t.Errorf("the log: %s", b.log.String())
	}
}

// blind is what knows nothing of anybody.
type blind struct{}

func (blind) Standing(context.Context, trust.Subject, string) trust.Standing { return trust.Standing{} }

// RFC 7662 has no words for it, and "inactive" would be a lie that APIs act on.
func TestWhatCannotBeKnownIsNotCalledInactive(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hide  func(*bench)
		token func(t *testing.T, b *bench) (client, raw string)
	}{
		"the standing of a subject": {func(b *bench) { b.Standings = blind{} },
			func(t *testing.T, b *bench) (string, string) {
				return "gateway", b.access(t, warehouse, "shop", "", nil)
			}},
		"the store, of a refresh token": {func(b *bench) { b.Store = down{b.store} },
			func(t *testing.T, b *bench) (string, string) { return "shop", b.refresh(t, "f-1", "shop") }},
		"the store, of an opaque token": {func(b *bench) { _ = b.store.Close() },
			func(t *testing.T, b *bench) (string, string) { return "guard", b.access(t, vault, "shop", "", nil) }},
		"a key": {func(b *bench) { b.Verifier = failing{errors.New("keys are away")} },
			func(t *testing.T, b *bench) (string, string) {
				return "gateway", b.access(t, warehouse, "shop", "", nil)
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			client, raw := c.token(t, b)
			if !active(b.told(t, client, raw)) {
				t.Fatal("not active before")
			}
			c.hide(b)
			g := b.post(b, client, url.Values{"token": {raw}})
			if g.Code != http.StatusServiceUnavailable || g.Header().Get("Retry-After") == "" || strings.Contains(g.Body.String(), "active") {
				t.Errorf("%d %v %s", g.Code, g.Header(), g.Body)
			}
			if !strings.Contains(b.log.String(), "introspection or revocation failed") {
				t.Errorf("the log: %s", b.log.String())
			}
		})
	}
}

// Only who fails is counted: a gateway asks for a whole site from one address.
func TestLimitsCountThoseWhoFail(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.policy.Limits = token.NewLimits(token.Rate{PerSecond: 0.001, Burst: 2}, token.Rate{})
	for range 10 {
		b.told(t, "gateway", "x")
	}
	for i, want := range []int{401, 401, 429} {
		if g := b.post(b, "nobody", url.Values{"token": {"x"}}); g.Code != want {
			t.Errorf("attempt %d: %d, wanted %d", i, g.Code, want)
		}
	}
	b.told(t, "gateway", "x")
}

func TestRFC9701_TheAnswerIsAJWTWhereThatIsAskedFor(t *testing.T) {
	t.Parallel()
	const jwtType = "application/token-introspection+jwt"
	b := newBench(t)
	good := b.access(t, warehouse, "shop", "", nil)
	for _, c := range []struct {
		name   string
		accept []string
		jwt    bool
	}{
		{"by name", []string{jwtType}, true},
		{"in other letters", []string{"Application/Token-Introspection+JWT"}, true},
		{"among others", []string{"application/json;q=0.5, " + jwtType + ";q=0.9"}, true},
		{"in a line of its own", []string{"application/json", jwtType}, true},
		{"anything", []string{"*/*"}, false},
		{"JSON", []string{"application/json"}, false},
		{"nothing", nil, false},
		{"a name that begins so", []string{jwtType + "s"}, false},
	} {
		var header []string
		for _, a := range c.accept {
			header = append(header, "Accept", a)
		}
		for _, raw := range []string{good, "x"} {
			g := b.post(b, "gateway", url.Values{"token": {raw}}, header...)
			if isJWT := g.Header().Get("Content-Type") == jwtType; isJWT != c.jwt || g.Code != http.StatusOK {
				t.Fatalf("%s: %d %v %s", c.name, g.Code, g.Header(), g.Body)
			}
			if !c.jwt {
				continue
			}
			parsed, err := jose.Parse(g.Body.String())
			if err != nil {
				t.Fatal(err)
			}
			found, _, _ := own{}.Lookup(t.Context(), "", "", parsed.Header.Alg)
			inner, _ := parsed.Claims["token_introspection"].(map[string]any)
			if parsed.Verify(found[0]) != nil || parsed.Header.Typ != "token-introspection+jwt" || active(inner) != (raw == good) {
				t.Errorf("%s: %+v %v", c.name, parsed.Header, parsed.Claims)
			}
			// §5: iss, aud, iat and the answer; sub and exp at the top would make it look like another kind of token.
			if names := slices.Sorted(maps.Keys(parsed.Claims)); !slices.Equal(names, []string{"aud", "iat", "iss", "token_introspection"}) ||
				parsed.Claims["aud"] != "gateway" || parsed.Claims["iss"] != issuer {
				t.Errorf("%s: %v", c.name, parsed.Claims)
			}
			if active(b.told(t, "gateway", g.Body.String())) { // §8.1
				t.Errorf("%s: the answer is a token itself", c.name)
			}
		}
	}
	refused := b.post(b, "", url.Values{"token": {good}}, "Accept", jwtType)
	if refused.Code != http.StatusUnauthorized || refused.body["error"] != "invalid_client" { // §4: errors stay as they are
		t.Errorf("%d %s", refused.Code, refused.Body)
	}
}
