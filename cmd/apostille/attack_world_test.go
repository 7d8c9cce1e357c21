package main

import (
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"apostille/broker/oauth"
	"apostille/broker/store"
	"apostille/broker/store/sqlite"
	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/fake"
)

func TestA80_ABlockIsSeenAtTheServersNextLook(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	if a.server.follower.Every > time.Second {
		t.Fatalf("the store is asked every %s: a block would not show within two seconds", a.server.follower.Every)
	}
	a.warm(t)
	token := a.office.Mint(foreignClaims(a.office))
	if out := a.ask(t, "portal", exchangeForm(token, "jwt"), nil); out.Status != http.StatusOK {
		t.Fatalf("before the block: %s", out.Body)
	}
	beside, err := sqlite.Open(t.Context(), filepath.Join(a.dir, "apostille.db"), sqlite.Options{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = beside.Close() }()
	sub := trust.DeriveSub(a.office.Issuer(), "sub", "svc-1")
	set := func(m store.SubjectMark) {
		if err := beside.SetSubject(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	set(store.SubjectMark{Sub: sub, Blocked: true})
	for _, form := range []url.Values{exchangeForm(token, "jwt"), exchangeForm(token, "access_token"), bearerForm(token)} {
		out := a.ask(t, "portal", form, nil)
		if out.Status != http.StatusBadRequest || out.Audit[0].Reason != string(trust.ReasonSubjectBlocked) {
			t.Errorf("a remembered token of a blocked subject: %d %s", out.Status, out.Body)
		}
	}
	set(store.SubjectMark{Sub: sub})
	if out := a.ask(t, "portal", exchangeForm(token, "jwt"), nil); out.Status != http.StatusOK {
		t.Errorf("after the block: %s", out.Body)
	}
}

func TestR03_WhatWasUsedOnceStaysUsedAfterARestart(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	token := a.once.Mint(map[string]any{"sub": "svc-1", "aud": ours})
	assertion := func() url.Values {
		return with(with(ownForm(), "client_assertion_type", oauth.AssertionTypeJWT), "client_assertion", a.goodToken(t, atAssertion))
	}
	used := assertion()
	if out := a.ask(t, "portal", exchangeForm(token, "jwt"), nil); out.Status != http.StatusOK {
		t.Fatalf("the first exchange: %s", out.Body)
	}
	if out := a.ask(t, "", used, nil); out.Status != http.StatusOK {
		t.Fatalf("the first assertion: %s", out.Body)
	}
	a.close()
	a.open(t)
	if out := a.ask(t, "portal", exchangeForm(token, "jwt"), nil); out.Status != http.StatusBadRequest || out.Audit[0].Reason != string(trust.ReasonReplayed) {
		t.Errorf("the second exchange: %d %s", out.Status, out.Body)
	}
	if out := a.ask(t, "", used, nil); out.Status != http.StatusUnauthorized {
		t.Errorf("the second assertion: %d %s", out.Status, out.Body)
	}
	if out := a.ask(t, "portal", exchangeForm(a.once.Mint(map[string]any{"sub": "svc-1", "aud": ours}), "jwt"), nil); out.Status != http.StatusOK {
		t.Errorf("another token: %s", out.Body)
	}
	if out := a.ask(t, "", assertion(), nil); out.Status != http.StatusOK {
		t.Errorf("another assertion: %s", out.Body)
	}
}

// Real issued tokens, exchanged on: each step may only lose. An opaque token is held to what a JWT is.
func TestA84_A85_AChainOfExchangesOnlyShrinks(t *testing.T) {
	t.Parallel()
	for format, change := range formats {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			chainShrinks(t, newArena(t, change...))
		})
	}
}

func chainShrinks(t *testing.T, a *arena) {
	claimsOf := func(t *testing.T, token string) map[string]any {
		if strings.Contains(token, ".") {
			return claimsOf(t, token)
		}
		return a.introspected(t, "gateway", token)
	}
	first := a.ask(t, "portal", exchangeForm(a.office.Mint(foreignClaims(a.office)), "jwt"), nil)
	if first.Status != http.StatusOK {
		t.Fatal(first.Body)
	}
	on := func(client, audience, scope string) answered {
		form := exchangeForm(first.Token.AccessToken, "access_token")
		return a.ask(t, client, with(with(form, "audience", audience), "scope", scope), nil)
	}
	second := on("gateway", "inventory", "items.read")
	if second.Status != http.StatusOK {
		t.Fatal(second.Body)
	}
	before, after := claimsOf(t, first.Token.AccessToken), claimsOf(t, second.Token.AccessToken)
	if after["exp"].(float64) > before["exp"].(float64) || after["links"] != 2.0 || after["sub"] != before["sub"] || after["idp"] != "office" {
		t.Errorf("claims %v, then %v", before, after)
	}
	for _, c := range []struct {
		name, client, audience, scope string
		reason                        trust.Reason
	}{
		{"the scope's own name where the rule maps it", "gateway", "inventory", "stock.read", trust.ReasonScopeEmpty},
		{"back to where it came from", "gateway", "warehouse", "stock.read", trust.ReasonNoRule},
		{"by the client it was issued to, for more", "portal", "warehouse", "stock.order", trust.ReasonScopeEmpty},
		{"by the client it was issued to, for somebody else", "portal", "inventory", "items.read", trust.ReasonNotHolder},
		{"by anybody else", "stranger", "warehouse", "stock.read", trust.ReasonNotHolder},
	} {
		out := on(c.client, c.audience, c.scope)
		if out.Status != http.StatusBadRequest || out.Audit[0].Reason != string(c.reason) {
			t.Errorf("%s: %d %s, reason %q, wanted %q", c.name, out.Status, out.Body, out.Audit[0].Reason, c.reason)
		}
	}
	form := exchangeForm(second.Token.AccessToken, "access_token")
	if out := a.ask(t, "gateway", with(with(form, "audience", "inventory"), "scope", "items.read"), nil); out.Status == http.StatusOK {
		t.Errorf("the mapped scope was mapped again: %s", out.Body)
	}
}

func claimsOf(t testing.TB, raw string) map[string]any {
	t.Helper()
	payload, err := b64.DecodeString(strings.Split(raw, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

// The least of all limits, in a whole broker: API, client, rule, subject token.
func TestA85_TheIssuedTokenEndsWithTheLeastOfItsLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		edit []string
		life time.Duration // of the subject token
		want float64       // seconds, at most; and nearly so
	}{
		{"the API's", nil, time.Hour, 600},
		{"the subject token's", nil, 90 * time.Second, 90},
		{"the client's", []string{"[client.portal]\n", "[client.portal]\nlifetime = \"2m\"\n"}, time.Hour, 120},
		{"the rule's", []string{"default_scopes = [\"stock.read\"]", "lifetime = \"3m\""}, time.Hour, 180},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newArena(t, c.edit...)
			claims := foreignClaims(a.office)
			claims["exp"] = time.Now().Add(c.life).Unix()
			out := a.ask(t, "portal", exchangeForm(a.office.Mint(claims), "jwt"), nil)
			if out.Status != http.StatusOK {
				t.Fatal(out.Body)
			}
			issued := claimsOf(t, out.Token.AccessToken)
			life := issued["exp"].(float64) - issued["iat"].(float64)
			if life > c.want || life < c.want-5 || float64(out.Token.ExpiresIn) != life || issued["exp"].(float64) > float64(claims["exp"].(int64)) {
				t.Errorf("it lives %v s, expires_in %d, wanted %v", life, out.Token.ExpiresIn, c.want)
			}
		})
	}
}

func TestA86_AForeignActIsNeverCopied(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	claims := foreignClaims(a.office)
	maps.Copy(claims, map[string]any{"act": map[string]any{"sub": "evil"}, "roles": []string{"admin"}, "acr": "high"})
	out := a.ask(t, "portal", exchangeForm(a.office.Mint(claims), "jwt"), nil)
	if out.Status != http.StatusOK {
		t.Fatal(out.Body)
	}
	issued := claimsOf(t, out.Token.AccessToken)
	for _, name := range []string{"act", "roles", "acr", "department", "may_act"} {
		if issued[name] != nil {
			t.Errorf("%s = %v was passed through", name, issued[name])
		}
	}
}

func TestA114_ForgedHostsShowNowhere(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	const evil = "evil.example"
	headers := http.Header{
		"X-Forwarded-Host": {evil}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Port": {"666"}, "X-Forwarded-Prefix": {"/" + evil},
		"Forwarded": {"for=1.2.3.4;host=" + evil + ";proto=http"}, "X-Original-Url": {"https://" + evil}, "X-Host": {evil},
		"X-Forwarded-For": {"6.6.6.6"}, "X-Forwarded-Server": {evil}, "Origin": {"https://" + evil}, "Referer": {"https://" + evil},
	}
	get := func(path string, forged bool) (string, http.Header) {
		r := httptest.NewRequest(http.MethodGet, ours+path, nil)
		if forged {
			r.Host = evil
			r.Header = headers.Clone()
		}
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, r)
		return strconv.Itoa(w.Code) + w.Body.String(), w.Header()
	}
	for _, path := range []string{
		"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/oauth2/jwks", "/oauth2/token", "/nothing", "//oauth2/jwks",
	} {
		plain, _ := get(path, false)
		forged, header := get(path, true)
		if path != "/oauth2/token" && plain != forged { // an error of the token endpoint has a reference of its own
			t.Errorf("%s answers otherwise:\n%s\n%s", path, plain, forged)
		}
		for name, values := range header {
			if strings.Contains(strings.Join(values, " "), evil) {
				t.Errorf("%s: header %s is %q", path, name, values)
			}
		}
		if strings.Contains(forged, evil) {
			t.Errorf("%s shows it: %s", path, forged)
		}
	}
	out := a.ask(t, "portal", exchangeForm(a.office.Mint(foreignClaims(a.office)), "jwt"), headers)
	if claims := claimsOf(t, out.Token.AccessToken); claims["iss"] != ours {
		t.Errorf("iss %v", claims["iss"])
	}
	if out.Audit[0].Remote == "6.6.6.6" {
		t.Error("an address that anybody can claim is on record as the client's")
	}
}

func TestA120_FloodsGrowNothing(t *testing.T) {
	t.Parallel()
	t.Run("labels of metrics are from fixed lists", func(t *testing.T) {
		t.Parallel()
		a := newArena(t)
		series := func() int {
			w := httptest.NewRecorder()
			a.server.metrics.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
			return strings.Count(w.Body.String(), "\napostille_")
		}
		flood := func(n int) {
			for i := range n {
				x := "x" + strconv.Itoa(i)
				a.ask(t, "", url.Values{"grant_type": {x}}, nil)
				a.ask(t, "", with(ownForm(), "client_id", x), nil)
				a.ask(t, "portal", with(ownForm(), "scope", x), nil)
				claims := foreignClaims(a.partner)
				claims["iss"] = "https://" + x + ".example"
				a.ask(t, "portal", exchangeForm(a.partner.Mint(claims), "jwt"), nil)
			}
		}
		flood(2)
		before := series()
		if flood(60); series() != before {
			t.Errorf("%d series, then %d", before, series())
		}
	})
	t.Run("refusals of strangers are sampled, those of clients are not", func(t *testing.T) {
		t.Parallel()
		a := newArena(t)
		count := func(n int, ask func() answered) (records int) {
			for range n {
				records += len(ask().Audit)
			}
			return records
		}
		began := time.Now()
		strangers := count(400, func() answered { return a.ask(t, "", with(ownForm(), "client_id", "nobody"), nil) })
		if most := strangersPerSecond * (int(time.Since(began).Seconds()) + 2); strangers > most || strangers == 0 {
			t.Errorf("400 refusals of strangers left %d records, at most %d may", strangers, most)
		}
		if clients := count(60, func() answered { return a.ask(t, "portal", with(ownForm(), "scope", "x"), nil) }); clients != 60 {
			t.Errorf("60 refusals of a client left %d records", clients)
		}
	})
	t.Run("an address that asks too often is told to wait", func(t *testing.T) {
		t.Parallel()
		a := newArena(t, "per_ip = { rate = 0 }", "per_ip = { rate = 0.01, burst = 2 }")
		throttled(t, a, "portal")
	})
	t.Run("a client that asks too often is told to wait", func(t *testing.T) {
		t.Parallel()
		a := newArena(t, "per_client = { rate = 0 }", "per_client = { rate = 0.01, burst = 2 }")
		throttled(t, a, "portal")
		form := with(with(ownForm(), "client_assertion_type", oauth.AssertionTypeJWT), "client_assertion", a.goodToken(t, atAssertion))
		if out := a.ask(t, "", form, nil); out.Status != http.StatusOK {
			t.Errorf("another client has to wait as well: %s", out.Body)
		}
	})
}

// throttled expects that two requests pass and the third does not, and a reload refills nothing.
func throttled(t *testing.T, a *arena, client string) {
	t.Helper()
	for i, want := range []int{http.StatusOK, http.StatusOK, http.StatusTooManyRequests, http.StatusTooManyRequests} {
		if i == 3 {
			a.reload(t)
		}
		out := a.ask(t, client, ownForm(), nil)
		if out.Status != want || (want != http.StatusOK) != (out.Header.Get("Retry-After") != "") {
			t.Errorf("request %d: %d, Retry-After %q", i, out.Status, out.Header.Get("Retry-After"))
		}
		if want != http.StatusOK && (len(out.Audit) != 1 || out.Audit[0].Reason != string(trust.ReasonRateLimited)) {
			t.Errorf("request %d left %+v", i, out.Audit)
		}
	}
}

// A119: what a confused or hostile client puts where it does not belong. ask looks for the credentials everywhere.
func TestA119_NothingSecretIsWrittenWhateverGoesWrong(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	a.warm(t)
	token := a.office.Mint(foreignClaims(a.office))
	bad := token[:len(token)-8] + "AAAAAAAA"
	const broken = "line\r\n{\"event\":\"token.issued\"}\u2028"
	for name, c := range map[string]struct {
		client string
		form   url.Values
		header http.Header
	}{
		"a bad signature":                 {"portal", exchangeForm(bad, "jwt"), nil},
		"the token as its own type":       {"portal", with(exchangeForm(token, "jwt"), "subject_token_type", token), nil},
		"the token as audience":           {"portal", with(exchangeForm(token, "jwt"), "audience", token), nil},
		"the token as resource":           {"portal", with(exchangeForm(token, "jwt"), "resource", token), nil},
		"the token as scope":              {"portal", with(exchangeForm(token, "jwt"), "scope", token), nil},
		"the token as grant_type":         {"portal", with(exchangeForm(token, "jwt"), "grant_type", token), nil},
		"the token as a parameter's name": {"portal", url.Values{token: {"x", "y"}, "subject_token": {token}}, nil},
		"the token as client_id":          {"", with(exchangeForm(token, "jwt"), "client_id", token), nil},
		"the token as a bearer":           {"", exchangeForm(token, "jwt"), http.Header{"Authorization": {"Bearer " + token}}},
		"the token as actor":              {"portal", with(exchangeForm(token, "jwt"), "actor_token", token), nil},
		"the token as a client assertion": {"", with(with(ownForm(), "client_assertion", token), "client_assertion_type", oauth.AssertionTypeJWT), nil},
		"the token twice":                 {"portal", with(exchangeForm(token, "jwt"), "subject_token", token, token), nil},
		"a secret beside the header":      {"portal", with(ownForm(), "client_secret", clientSecret), nil},
		"a secret of somebody else":       {"", with(with(ownForm(), "client_id", "nobody"), "client_secret", clientSecret), nil},
		"a secret that is not encoded":    {"", ownForm(), http.Header{"Authorization": {"Basic portal:" + clientSecret}}},
		"breaks in the client":            {"", with(ownForm(), "client_id", broken), nil},
		"breaks in the scope":             {"portal", with(ownForm(), "scope", broken), nil},
		"breaks in the audience":          {"portal", with(ownForm(), "audience", broken), nil},
		"breaks in the grant":             {"portal", with(ownForm(), "grant_type", broken), nil},
		"breaks in the token":             {"portal", exchangeForm(broken+token, "jwt"), nil},
		"breaks in a name":                {"portal", url.Values{broken: {"x", "y"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			out := a.ask(t, c.client, c.form, c.header)
			if out.Status < 400 || out.Status >= 500 {
				t.Errorf("status %d: %s", out.Status, out.Body)
			}
			for _, r := range out.Body {
				if r < ' ' || r > '~' {
					t.Errorf("the answer has %q", r)
				}
			}
		})
	}
	t.Run("the credential of a claim", func(t *testing.T) {
		for _, claim := range []string{"iss", "aud", "azp", "sub", "jti", "scope"} {
			claims := foreignClaims(a.office)
			claims[claim] = token
			form := exchangeForm(a.office.Mint(claims), "jwt")
			form["actor_token_unknown"] = []string{token} // ask looks for its parts too
			out := a.ask(t, "portal", form, nil)
			for part := range strings.SplitSeq(token, ".") {
				if out.Status != http.StatusOK && (strings.Contains(out.Body, part) || strings.Contains(a.trail.String(), part)) {
					t.Errorf("a token in %s was written", claim)
				}
			}
		}
	})
	t.Run("in the query", func(t *testing.T) {
		r := httptest.NewRequest(http.MethodPost, ours+"/oauth2/token?client_id=portal&client_secret="+clientSecret, strings.NewReader(ownForm().Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		a.handler.ServeHTTP(w, r)
		if written := w.Body.String() + a.trail.String() + a.log.String(); w.Code != http.StatusBadRequest || strings.Contains(written, clientSecret) {
			t.Errorf("status %d: %s", w.Code, w.Body)
		}
	})
	for _, text := range []string{a.trail.String(), a.log.String()} {
		for line := range strings.Lines(text) {
			if !json.Valid([]byte(line)) {
				t.Errorf("not one record a line: %q", line)
			}
		}
	}
}

// A52 to A54: keys that an upstream should not publish, and tokens signed with them.
func TestKeysThatShouldNotBePublishedVerifyNothing(t *testing.T) {
	t.Parallel()
	key := fake.NewKey("ES256")
	good := jwkOf(t, "good", key.Public())
	bad := func(change map[string]any) map[string]any {
		k := maps.Clone(good)
		k["kid"] = "bad"
		maps.Copy(k, change)
		return k
	}
	other := jwkOf(t, "bad", fake.NewKey("ES256").Public())
	for _, c := range []struct {
		id, name string
		keys     []any // beside the good one
		reason   trust.Reason
		alg      string
	}{
		{"A52", "one kid for two keys", []any{bad(nil), other}, trust.ReasonKeyUnknown, "ES256"},
		{"A52", "a key for encryption", []any{bad(map[string]any{"use": "enc"})}, trust.ReasonKeyUnknown, "ES256"},
		{"A52", "a key that may not verify", []any{bad(map[string]any{"use": nil, "key_ops": []string{"encrypt"}})}, trust.ReasonKeyUnknown, "ES256"},
		{"A52", "an algorithm of another type", []any{bad(map[string]any{"alg": "RS256"})}, trust.ReasonKeyUnknown, "ES256"},
		{"A52", "a curve of another size", []any{bad(map[string]any{"crv": "P-384"})}, trust.ReasonKeyUnknown, "ES256"},
		{"A53", "a point off the curve", []any{bad(map[string]any{"x": b64.EncodeToString(make([]byte, 32))})}, trust.ReasonKeyUnknown, "ES256"},
		{"A53", "a short RSA key", []any{map[string]any{"kty": "RSA", "kid": "bad", "e": "AQAB", "n": b64.EncodeToString([]byte(strings.Repeat("\xff", 128)))}}, trust.ReasonKeyUnknown, "RS256"},
		{"A53", "an exponent of one", []any{map[string]any{"kty": "RSA", "kid": "bad", "e": "AQ", "n": b64.EncodeToString([]byte(strings.Repeat("\xff", 256)))}}, trust.ReasonKeyUnknown, "RS256"},
		{"A54", "a symmetric key", []any{map[string]any{"kty": "oct", "kid": "bad", "k": "c2VjcmV0"}}, trust.ReasonAlgorithm, "HS256"},
		{"A54", "a private key", []any{bad(map[string]any{"d": b64.EncodeToString(make([]byte, 32))})}, trust.ReasonKeyUnknown, "ES256"},
		{"L26", "all of them at once", []any{bad(nil), other, map[string]any{"kty": "oct", "kid": "bad", "k": "c2VjcmV0"}, "no key", nil}, trust.ReasonKeyUnknown, "ES256"},
	} {
		t.Run(c.id+"_"+c.name, func(t *testing.T) {
			t.Parallel()
			set, err := json.Marshal(map[string]any{"keys": append(c.keys, good)})
			if err != nil {
				t.Fatal(err)
			}
			published := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) }))
			t.Cleanup(published.Close)
			a := newArena(t, "keys = { discovery = true }", `keys = { jwks_url = "`+published.URL+`" }`)
			send := func(kid, alg string) answered {
				f := a.good(a.entry(atJWT))
				f.header["kid"], f.header["alg"], f.sign = kid, alg, by(key)
				return a.ask(t, "portal", exchangeForm(f.token(t), "jwt"), nil)
			}
			if out := send("good", "ES256"); out.Status != http.StatusOK {
				t.Fatalf("the good key beside it: %s", out.Body)
			}
			out := send("bad", c.alg)
			if out.Status != http.StatusBadRequest || len(out.Audit) != 1 || out.Audit[0].Reason != string(c.reason) {
				t.Errorf("%d %s, records %+v", out.Status, out.Body, out.Audit)
			}
			if !strings.Contains(a.log.String(), "bad") {
				t.Error("the log does not say that a key was left out")
			}
		})
	}
}

func jwkOf(t *testing.T, kid string, public any) map[string]any {
	t.Helper()
	set, err := jose.MarshalJWKS(jose.NewSet(jose.Key{ID: kid, Algs: []jose.Alg{"ES256"}, Public: public}))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Keys []map[string]any }
	if err := json.Unmarshal(set, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Keys[0]
}

// A store that stopped answering makes every standing unknown: nothing is issued on what was known before.
func TestNothingIsIssuedOnAnOldPictureOfTheStore(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	if out := a.ask(t, "portal", ownForm(), nil); out.Status != http.StatusOK {
		t.Fatal(out.Body)
	}
	a.server.marks.Now = func() time.Time { return time.Now().Add(time.Minute) }
	r := httptest.NewRequest(http.MethodPost, ours+"/oauth2/token", strings.NewReader(ownForm().Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("portal", clientSecret)
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}
