package mint_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"apostille/broker/mint"
	"apostille/trust"
	"apostille/trust/jose"
)

func app(change func(*trust.AppSpec)) *trust.AppSpec {
	a := &trust.AppSpec{}
	if change != nil {
		change(a)
	}
	return a
}

// read checks the signature and returns header and claims.
func read(t *testing.T, keys signers, raw string) (jose.Header, map[string]any) {
	t.Helper()
	token, err := jose.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	alg := token.Header.Alg
	if err := token.Verify(jose.Key{ID: token.Header.Kid, Algs: []jose.Alg{alg}, Public: keys[alg].Public()}); err != nil {
		t.Fatal(err)
	}
	return token.Header, token.Claims
}

func TestAnIDTokenSaysExactlyThisAndNothingElse(t *testing.T) {
	t.Parallel()
	m, keys := newMinter()
	spec := mint.IDToken{
		Client: "shop", App: app(nil), Sub: "kim", AuthTime: now.Add(-time.Minute), ACR: "mfa", Nonce: `n"1`, SID: "s-1",
		AccessToken: "access", Expires: now.Add(10 * time.Minute), Claims: map[string]any{"name": "Kim", "email": "kim@hq.example"},
	}
	token, err := m.IDToken(spec, now)
	if err != nil {
		t.Fatal(err)
	}
	header, payload := parts(t, token.Raw)
	if want := `{"alg":"RS256","kid":"kid-RS256","typ":"JWT"}`; header != want {
		t.Errorf("header %s, wanted %s", header, want)
	}
	sum := sha256.Sum256([]byte("access"))
	want := `{"iss":"https://id.west.example","sub":"kim","aud":"shop","iat":1793610000,"exp":1793610600,"auth_time":1793609940,"acr":"mfa",` +
		`"nonce":"n\"1","sid":"s-1","at_hash":"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `","email":"kim@hq.example","name":"Kim"}`
	if payload != want {
		t.Errorf("payload\n%s, wanted\n%s", payload, want)
	}
	read(t, keys, token.Raw)

	bare, err := m.IDToken(mint.IDToken{Client: "shop", App: app(nil), Sub: "kim", Expires: now.Add(time.Minute)}, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, payload := parts(t, bare.Raw); payload != `{"iss":"https://id.west.example","sub":"kim","aud":"shop","iat":1793610000,"exp":1793610060}` {
		t.Errorf("without the rest: %s", payload)
	}
}

func TestIDTokensAreSignedAsTheApplicationWants(t *testing.T) {
	t.Parallel()
	m, keys := newMinter()
	for alg, half := range map[string]func() []byte{
		"RS256": func() []byte { s := sha256.Sum256([]byte("access")); return s[:16] },
		"ES256": func() []byte { s := sha256.Sum256([]byte("access")); return s[:16] },
		"EdDSA": func() []byte { s := sha512.Sum512([]byte("access")); return s[:32] },
	} {
		a := app(func(a *trust.AppSpec) { a.IDTokenAlg = alg })
		token, err := m.IDToken(mint.IDToken{Client: "shop", App: a, Sub: "kim", AccessToken: "access", Expires: now.Add(time.Minute)}, now)
		if err != nil {
			t.Fatal(err)
		}
		if h, c := read(t, keys, token.Raw); string(h.Alg) != alg || c["at_hash"] != base64.RawURLEncoding.EncodeToString(half()) {
			t.Errorf("%s: %v %v", alg, h, c)
		}
	}
}

func TestAnIDTokenLivesForAnHourAtMost(t *testing.T) {
	t.Parallel()
	m, _ := newMinter()
	for _, c := range []struct{ bound, want time.Duration }{{24 * time.Hour, time.Hour}, {time.Minute, time.Minute}} {
		token, err := m.IDToken(mint.IDToken{Client: "shop", App: app(nil), Sub: "kim", Expires: now.Add(c.bound)}, now)
		if err != nil || !token.Expires.Equal(now.Add(c.want).Truncate(time.Second)) {
			t.Errorf("bound %s: until %s, %v", c.bound, token.Expires, err)
		}
	}
	for name, bad := range map[string]mint.IDToken{
		"nothing left": {Client: "shop", App: app(nil), Sub: "kim", Expires: now}, "no bound": {Client: "shop", App: app(nil), Sub: "kim"},
		"no application": {Client: "shop", Sub: "kim", Expires: now.Add(time.Hour)}, "no subject": {Client: "shop", App: app(nil), Expires: now.Add(time.Hour)},
		"no client": {App: app(nil), Sub: "kim", Expires: now.Add(time.Hour)},
	} {
		if token, err := m.IDToken(bad, now); err == nil || token.Raw != "" {
			t.Errorf("%s: %v", name, token)
		}
	}
}

func TestApplicationsOfOneSectorKnowAPersonByOneSub(t *testing.T) {
	t.Parallel()
	m, _ := newMinter()
	m.Salt = bytes.Repeat([]byte{1}, 32)
	in := func(sector string) *trust.AppSpec { return app(func(a *trust.AppSpec) { a.Sector = sector }) }
	public, a, b := m.Sub(in(""), "kim"), m.Sub(in("a"), "kim"), m.Sub(in("b"), "kim")
	if public != "kim" || a == "kim" || a == b || a != m.Sub(in("a"), "kim") || a == m.Sub(in("a"), "lee") || m.Sub(nil, "kim") != "kim" {
		t.Errorf("public %s, sectors %s and %s", public, a, b)
	}
	token, err := m.IDToken(mint.IDToken{Client: "shop", App: in("a"), Sub: "kim", Expires: now.Add(time.Minute)}, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, payload := parts(t, token.Raw); !strings.Contains(payload, `"sub":"`+a+`"`) || strings.Contains(payload, "kim") {
		t.Errorf("payload %s", payload)
	}
}

func TestALogoutTokenIsNoIDToken(t *testing.T) {
	t.Parallel()
	m, keys := newMinter()
	token, err := m.LogoutToken(mint.LogoutToken{Client: "shop", App: app(func(a *trust.AppSpec) { a.IDTokenAlg, a.Sector = "ES256", "x" }), Sub: "as-known", SID: "s-1"}, now)
	if err != nil {
		t.Fatal(err)
	}
	h, c := read(t, keys, token.Raw)
	events, _ := c["events"].(map[string]any)
	_, isLogout := events["http://schemas.openid.net/event/backchannel-logout"]
	if h.Typ != "logout+jwt" || h.Alg != "ES256" || c["iss"] != issuer || c["aud"] != "shop" || c["sub"] != "as-known" || c["sid"] != "s-1" ||
		c["jti"] != token.ID || token.ID == "" || c["nonce"] != nil || !isLogout || len(events) != 1 {
		t.Errorf("header %+v, claims %v", h, c)
	}
	if life := token.Expires.Sub(token.Issued); life <= 0 || life > 2*time.Minute {
		t.Errorf("it lives for %s", life)
	}
	sidOnly, err := m.LogoutToken(mint.LogoutToken{Client: "shop", App: app(nil), SID: "s-1"}, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, c := read(t, keys, sidOnly.Raw); c["sub"] != nil {
		t.Errorf("claims %v", c)
	}
	if _, err := m.LogoutToken(mint.LogoutToken{Client: "shop", App: app(nil)}, now); err == nil {
		t.Error("a logout of nobody")
	}
}

func TestATokenOfASignInSaysSo(t *testing.T) {
	t.Parallel()
	m, keys := newMinter()
	token, err := m.Mint(decision(func(d *trust.Decision) { d.AuthTime, d.ACR, d.Family = now.Add(-time.Hour), "mfa", "f-1" }), now)
	if err != nil {
		t.Fatal(err)
	}
	if _, c := read(t, keys, token.Raw); c["auth_time"] != json.Number("1793606400") || c["acr"] != "mfa" || c["family"] != "f-1" {
		t.Errorf("claims %v", c)
	}
	other, err := m.Mint(decision(nil), now)
	if err != nil {
		t.Fatal(err)
	}
	if _, c := read(t, keys, other.Raw); c["auth_time"] != nil || c["acr"] != nil || c["family"] != nil {
		t.Errorf("claims %v", c)
	}
}

func TestAnOpaqueTokenIsAHandle(t *testing.T) {
	t.Parallel()
	m, _ := newMinter()
	opaque := decision(func(d *trust.Decision) { d.Token.Format = "opaque" })
	one, err1 := m.Mint(opaque, now)
	two, err2 := m.Mint(opaque, now)
	if err1 != nil || err2 != nil || len(one.Raw) != 43 || one.Raw == two.Raw || strings.Contains(one.Raw, ".") {
		t.Fatalf("%+v %v, %+v %v", one, err1, two, err2)
	}
	var c map[string]any
	if err := json.Unmarshal(one.Claims, &c); err != nil || c["jti"] != one.ID || c["aud"] != "https://warehouse.example" || c["sub"] != "c3ViamVjdA" {
		t.Errorf("claims %s: %v", one.Claims, err)
	}
	jwt, err := m.Mint(decision(func(d *trust.Decision) { d.Token.Format = "jwt" }), now)
	if err != nil || jwt.Claims != nil || strings.Count(jwt.Raw, ".") != 2 {
		t.Errorf("%+v %v", jwt, err)
	}
	large := decision(func(d *trust.Decision) {
		d.Token.Format, d.Claims = "opaque", map[string]any{"notes": strings.Repeat("x", mint.MaxToken)}
	})
	if _, err := m.Mint(large, now); err == nil {
		t.Error("claims without bound")
	}
}
