package bearer_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"apostille/broker/bearer"
	"apostille/upstream/fake"
)

type changes = map[string]any

// Each row is one attack or fault and its twin, the nearest token that is right.
func TestTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	none := fake.SignWith(func([]byte) []byte { return nil })
	hmacPEM := fake.SignWith(func(in []byte) []byte {
		m := hmac.New(sha256.New, b.broker.PEM())
		m.Write(in)
		return m.Sum(nil)
	})
	otherKey := fake.NewKey("ES256")
	const malformed, notAccess = "the access token is malformed", "not an access token"
	const algorithm, expired, early = "signed with an algorithm that is not accepted here", "the access token has expired", "the access token is not valid yet"
	const elsewhere = "issued by another domain; exchange it at https://id.west.example/oauth2/token"
	const otherAPI = "issued for another audience; ask for https://warehouse.west.example"

	for _, tt := range []struct {
		name     string
		claims   changes
		opts     []fake.MintOption
		says     string // description; "" = any
		twin     changes
		twinOpts []fake.MintOption
	}{
		{name: "A44 alg none with an empty signature", opts: []fake.MintOption{fake.Header("alg", "none"), none}},
		{name: "A44 alg nOnE", opts: []fake.MintOption{fake.Header("alg", "nOnE")}},
		{name: "A44 an empty signature under a good algorithm", opts: []fake.MintOption{none}, says: malformed},
		{name: "A45 HS256 keyed with the public key's PEM", opts: []fake.MintOption{fake.Header("alg", "HS256"), hmacPEM}, says: algorithm},
		{name: "A46 a key in the header", opts: []fake.MintOption{fake.Header("jwk", changes{"kty": "EC"})}, says: malformed},
		{name: "A47 a kid that is a path", opts: []fake.MintOption{fake.Kid("../../dev/null")}, says: "the signing key is not known (yet)"},
		{name: "A48 a critical extension", opts: []fake.MintOption{fake.Header("crit", []string{"zz"})}, says: malformed},
		{name: "A59 a signature of zeroes", opts: []fake.MintOption{fake.SignWith(func([]byte) []byte { return make([]byte, 64) })}},
		{name: "another key under the broker's kid", opts: []fake.MintOption{fake.By(otherKey, "ES256")}, says: "the signature is invalid"},
		{name: "an algorithm that the key is not for", opts: []fake.MintOption{fake.By(fake.NewKey("EdDSA"), "EdDSA")}},
		{name: "an algorithm that is not on the list", opts: []fake.MintOption{fake.By(fake.NewKey("ES384"), "ES384")}, says: algorithm},

		{name: "A60 typ JWT, as ID tokens have", opts: []fake.MintOption{fake.Typ("JWT")}, says: notAccess},
		{name: "A60 no typ", opts: []fake.MintOption{fake.Typ("")}, says: notAccess},
		{name: "A60 typ logout+jwt", opts: []fake.MintOption{fake.Typ("logout+jwt")}, says: notAccess},
		{name: "A60 typ dpop+jwt", opts: []fake.MintOption{fake.Typ("dpop+jwt")}, says: notAccess,
			twinOpts: []fake.MintOption{fake.Typ("application/at+jwt")}}, // RFC 9068 §4 allows both forms
		{name: "A60 an ID token's nonce", claims: changes{"nonce": "n"}, says: notAccess},
		{name: "A60 an ID token's at_hash", claims: changes{"at_hash": "h"}, says: notAccess},
		{name: "A60 a logout token's events", claims: changes{"events": changes{}}, says: notAccess},
		{name: "A60 a DPoP proof's htm", claims: changes{"htm": "GET"}, says: notAccess},
		{name: "A60 no client_id", claims: changes{"client_id": nil}, says: notAccess},
		{name: "A60 no scope", claims: changes{"scope": nil}, says: notAccess},
		{name: "A60 scope as an array", claims: changes{"scope": []string{"stock.read"}}, says: notAccess},
		{name: "A60 no jti", claims: changes{"jti": nil}, says: notAccess, twin: changes{"jti": "1"}},
		{name: "A60 no sub", claims: changes{"sub": nil}, says: notAccess},
		{name: "A60 an empty sub", claims: changes{"sub": ""}, says: notAccess},
		{name: "A60 a sub that is a number", claims: changes{"sub": 7}, says: notAccess},

		{name: "A61 no exp", claims: changes{"exp": nil}, says: notAccess},
		{name: "A61 exp as a string", claims: changes{"exp": "4102444800"}, says: notAccess},
		{name: "A61 exp in the year 9999", claims: changes{"exp": int64(253402300799)}, says: notAccess},
		{name: "A61 exp before 1970", claims: changes{"exp": -1}, says: notAccess},
		{name: "A61 no iat", claims: changes{"iat": nil}, says: notAccess},
		{name: "A61 exp one minute ago", claims: changes{"exp": seconds(-60 * time.Second)}, says: expired, twin: changes{"exp": seconds(-59 * time.Second)}},
		{name: "A61 iat more than a minute ahead", claims: changes{"iat": seconds(61 * time.Second)}, says: early, twin: changes{"iat": seconds(60 * time.Second)}},
		{name: "A61 nbf more than a minute ahead", claims: changes{"nbf": seconds(61 * time.Second)}, says: early, twin: changes{"nbf": seconds(60 * time.Second)}},
		{name: "A61 nbf as a string", claims: changes{"nbf": "0"}, says: notAccess, twin: changes{"nbf": 0}},
		{name: "A62 expired and signed by another key", claims: changes{"exp": seconds(-time.Hour)}, opts: []fake.MintOption{fake.By(otherKey, "ES256")}, says: "the signature is invalid"},

		{name: "A63 another audience", claims: changes{"aud": "https://payroll.west.example"}, says: otherAPI},
		{name: "A63 no audience", claims: changes{"aud": nil}, says: notAccess},
		{name: "A63 an empty list of audiences", claims: changes{"aud": []string{}}, says: notAccess, twin: changes{"aud": []string{audience}}},
		{name: "A63 a list of others", claims: changes{"aud": []string{"https://payroll.west.example", issuer}}, says: otherAPI,
			twin: changes{"aud": []string{"https://payroll.west.example", audience}}},
		{name: "A63 a list with a number", claims: changes{"aud": []any{audience, 1}}, says: notAccess, twin: changes{"aud": []any{audience, "1"}}},
		{name: "A63 the audience with a slash", claims: changes{"aud": audience + "/"}, says: otherAPI},
		{name: "A63 a prefix of the audience", claims: changes{"aud": "https://warehouse.west"}, says: otherAPI},

		{name: "A66 the issuer with a slash", claims: changes{"iss": issuer + "/"}, says: elsewhere},
		{name: "A66 the issuer in capitals", claims: changes{"iss": "https://ID.west.example"}, says: elsewhere},
		{name: "A66 the issuer with a port", claims: changes{"iss": issuer + ":443"}, says: elsewhere},
		{name: "A68 a foreign issuer", claims: changes{"iss": "https://idp.hq.example"}, says: elsewhere, twin: changes{"iss": issuer}},
		{name: "A68 no issuer", claims: changes{"iss": nil}, says: elsewhere},
		{name: "A88 a token bound to a key", claims: changes{"cnf": changes{"jkt": "x"}}, says: "tokens bound to a key are not accepted here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bad := b.call(b.token(tt.claims, tt.opts...), "stock.read")
			if bad.reached || bad.Code != http.StatusUnauthorized {
				t.Fatalf("status %d, handler reached: %v", bad.Code, bad.reached)
			}
			code, says := bad.problem(t)
			if code != "invalid_token" || tt.says != "" && says != tt.says {
				t.Errorf("%s: %s, want %s", code, says, tt.says)
			}
			want := `Bearer realm="` + audience + `", error="invalid_token", error_description="` + says +
				`", resource_metadata="https://warehouse.west.example/.well-known/oauth-protected-resource"`
			if bad.challenge() != want {
				t.Errorf("challenge %s\nwant      %s", bad.challenge(), want)
			}
			if good := b.call(b.token(tt.twin, tt.twinOpts...), "stock.read"); !good.reached || good.Code != http.StatusOK {
				t.Errorf("the twin: status %d, %s", good.Code, good.Body)
			}
		})
	}
}

func TestA57_TokensOutOfProportionAreRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for name, raw := range map[string]string{
		"2 MB":           b.token(changes{"pad": strings.Repeat("A", 2<<20)}),
		"a million dots": strings.Repeat(".", 1_000_000),
		"opaque":         "2YotnFZFEjr1zCsicMWpAA",
		"five parts":     b.token(nil) + ".a.b",
		"padded":         b.token(nil) + "==",
	} {
		if a := b.call(raw); a.reached || a.Code != http.StatusUnauthorized {
			t.Errorf("%s: status %d", name, a.Code)
		}
	}
	if n := b.source.lookups(); n != 0 {
		t.Errorf("%d key look-ups for them", n)
	}
	if a := b.call(b.token(nil)); !a.reached {
		t.Errorf("the twin: status %d", a.Code)
	}
}

// A stranger's token costs no key look-up, so no fetch either, and its issuer appears in the log only.
func TestAForeignTokenIsToldWhereToExchange(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *bearer.Config) { c.TokenEndpoint = "https://login.west.example/token" })
	hq := fake.NewProvider(fake.Options{Issuer: "https://idp.hq.example", Alg: "ES256", Now: fixed})
	a := b.call(hq.Mint(claims(nil), fake.Typ("at+jwt")))
	_, says := a.problem(t)
	if a.Code != http.StatusUnauthorized || says != "issued by another domain; exchange it at https://login.west.example/token" {
		t.Errorf("status %d, %q", a.Code, says)
	}
	if strings.Contains(a.challenge()+a.Body.String(), "idp.hq.example") {
		t.Error("the answer echoes the foreign issuer")
	}
	if !strings.Contains(b.log.String(), "idp.hq.example") {
		t.Error("the log does not name it")
	}
	if b.source.lookups() != 0 {
		t.Error("keys were looked up")
	}
	if a := b.call(b.token(nil)); !a.reached || b.source.lookups() != 1 {
		t.Errorf("the twin: status %d, %d look-ups", a.Code, b.source.lookups())
	}
}

// An ID token of the broker itself: its client's audience, typ JWT, no scope. Not even an API that asks for typ JWT and shares
// the client's name takes it.
func TestA60_OurOwnIDTokenIsNoAccessToken(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *bearer.Config) { c.Typ = "JWT" })
	id := changes{"sub": "8S3mNq", "aud": audience, "nonce": "n-0S6", "auth_time": seconds(0)}
	if a := b.call(b.broker.Mint(id)); a.reached || a.Code != http.StatusUnauthorized {
		t.Errorf("with nonce: status %d", a.Code)
	}
	delete(id, "nonce")
	if a := b.call(b.broker.Mint(id)); a.reached || a.Code != http.StatusUnauthorized {
		t.Errorf("without nonce: status %d", a.Code)
	}
	if a := b.call(b.broker.Mint(claims(nil))); !a.reached {
		t.Errorf("the twin, an access token of typ JWT: status %d %s", a.Code, a.Body)
	}
}

func TestTheConfiguredTypIsTheOnlyOne(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *bearer.Config) { c.Typ = "JWT" })
	if a := b.call(b.token(nil)); a.reached {
		t.Error("at+jwt passes where JWT is configured")
	}
	if a := b.call(b.token(nil, fake.Typ("JWT"))); !a.reached {
		t.Errorf("the twin: status %d", a.Code)
	}
}

func TestTheSkewCanBeLess(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *bearer.Config) { c.Skew = time.Second })
	if a := b.call(b.token(changes{"exp": seconds(-time.Second)})); a.reached {
		t.Error("a second late passes")
	}
	if a := b.call(b.token(changes{"exp": seconds(0)})); !a.reached {
		t.Errorf("the twin: status %d", a.Code)
	}
}

func TestThePrincipal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	a := b.call(b.token(changes{"jti": "t1", "aud": []string{audience, "https://other.example"}}), "stock.read")
	p := a.principal
	if p.Subject != "8S3mNq" || p.ClientID != "warehouse-portal" || p.Origin != "head-office" || p.Issuer != issuer || p.ID != "t1" {
		t.Errorf("got %+v", p)
	}
	if !slices.Equal(p.Audience, []string{audience, "https://other.example"}) || !slices.Equal(p.Scopes, []string{"stock.read", "stock.order"}) {
		t.Errorf("audience %v, scopes %v", p.Audience, p.Scopes)
	}
	if !p.Issued.Equal(clock) || !p.Expires.Equal(clock.Add(5*time.Minute)) {
		t.Errorf("from %v to %v", p.Issued, p.Expires)
	}
	if p.Claims["department"] != "logistics" || !p.Has("stock.order") || p.Has("stock") {
		t.Errorf("claims %v, scopes %v", p.Claims, p.Scopes)
	}
	if _, ok := bearer.From(t.Context()); ok {
		t.Error("a principal without a guard")
	}
}
