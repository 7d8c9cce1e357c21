package mint_test

import (
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"apostille/broker/keyring"
	"apostille/broker/mint"
	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/fake"
)

const issuer = "https://id.west.example"

var now = time.Date(2026, 11, 2, 9, 0, 0, 700e6, time.UTC)

// signers holds a key per algorithm.
type signers map[jose.Alg]crypto.Signer

func (s signers) Signer(alg jose.Alg) (keyring.Signer, error) {
	key, ok := s[alg]
	if !ok {
		return keyring.Signer{}, errors.New("no active signing key")
	}
	return keyring.Signer{Kid: "kid-" + string(alg), Alg: alg, Key: key}, nil
}

func newMinter() (*mint.Minter, signers) {
	keys := signers{"ES256": fake.NewKey("ES256"), "RS256": fake.NewKey("RS256"), "EdDSA": fake.NewKey("EdDSA")}
	return &mint.Minter{Issuer: issuer, Keys: keys}, keys
}

func decision(change func(*trust.Decision)) *trust.Decision {
	d := &trust.Decision{
		Granted: true, Trust: "head-office", Sub: "c3ViamVjdA", ClientID: "portal",
		Audience: []string{"https://warehouse.example"}, Scopes: []string{"stock.order", "stock.read"},
		Expires: now.Add(10 * time.Minute), Token: trust.TokenSpec{Alg: "ES256", Typ: "at+jwt"}, Links: 1,
	}
	if change != nil {
		change(d)
	}
	return d
}

func parts(t *testing.T, raw string) (header, payload string) {
	t.Helper()
	p := strings.Split(raw, ".")
	if len(p) != 3 {
		t.Fatalf("%d parts", len(p))
	}
	for i := range 2 {
		b, err := base64.RawURLEncoding.DecodeString(p[i])
		if err != nil {
			t.Fatal(err)
		}
		p[i] = string(b)
	}
	return p[0], p[1]
}

func TestATokenSaysExactlyThisAndNothingElse(t *testing.T) {
	t.Parallel()
	m, _ := newMinter()
	token, err := m.Mint(decision(nil), now)
	if err != nil {
		t.Fatal(err)
	}
	header, payload := parts(t, token.Raw)
	if want := `{"alg":"ES256","kid":"kid-ES256","typ":"at+jwt"}`; header != want {
		t.Errorf("header %s, wanted %s", header, want)
	}
	want := `{"iss":"https://id.west.example","sub":"c3ViamVjdA","aud":"https://warehouse.example","client_id":"portal",` +
		`"scope":"stock.order stock.read","iat":1793610000,"exp":1793610600,"jti":"` + token.ID + `","idp":"head-office","links":1}`
	if payload != want {
		t.Errorf("claims\n%s, wanted\n%s", payload, want)
	}
	if token.Issued.Unix() != 1793610000 || token.Expires.Unix() != 1793610600 {
		t.Errorf("issued %v, expires %v", token.Issued, token.Expires)
	}
}

func TestClaimsFollowTheDecision(t *testing.T) {
	t.Parallel()
	m, _ := newMinter()
	for _, c := range []struct {
		name   string
		change func(*trust.Decision)
		want   map[string]any // nil: the claim is absent
	}{
		{"one audience is a plain string", nil, map[string]any{"aud": "https://warehouse.example"}},
		{"several audiences are an array", func(d *trust.Decision) { d.Audience = []string{"a", "b"} }, map[string]any{"aud": []any{"a", "b"}}},
		{"no scopes are an empty string", func(d *trust.Decision) { d.Scopes = nil }, map[string]any{"scope": ""}},
		{"no link is left out", func(d *trust.Decision) { d.Links = 0 }, map[string]any{"links": nil}},
		{"an unauthenticated rule names its trust as client", func(d *trust.Decision) { d.ClientID = "trust:hq" }, map[string]any{"client_id": "trust:hq"}},
		{"mapped claims keep their type", func(d *trust.Decision) {
			d.Claims = map[string]any{"department": "logistics", "level": json.Number("3"), "groups": []any{"a", "b"}, "on": true}
		}, map[string]any{"department": "logistics", "level": 3.0, "groups": []any{"a", "b"}, "on": true}},
		{"quotes, breaks and other letters survive", func(d *trust.Decision) {
			d.Claims = map[string]any{"name": "a\"b\\c\r\nd\u2028é<>&"}
			d.Sub = "s\"ü"
		}, map[string]any{"name": "a\"b\\c\r\nd\u2028é<>&", "sub": "s\"ü"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			token, err := m.Mint(decision(c.change), now)
			if err != nil {
				t.Fatal(err)
			}
			_, payload := parts(t, token.Raw)
			var claims map[string]any
			if err := json.Unmarshal([]byte(payload), &claims); err != nil {
				t.Fatalf("%s: %v", payload, err)
			}
			for name, want := range c.want {
				got, present := claims[name]
				if want == nil && present || want != nil && !equal(got, want) {
					t.Errorf("%s = %v, wanted %v", name, got, want)
				}
			}
		})
	}
}

func equal(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

func TestMappedClaimsComeInOneOrder(t *testing.T) {
	t.Parallel()
	m, _ := newMinter()
	for range 5 {
		token, err := m.Mint(decision(func(d *trust.Decision) { d.Claims = map[string]any{"c": 1, "a": 2, "b": 3} }), now)
		if err != nil {
			t.Fatal(err)
		}
		if _, payload := parts(t, token.Raw); !strings.HasSuffix(payload, `"a":2,"b":3,"c":1}`) {
			t.Fatalf("claims %s", payload)
		}
	}
}

func TestEachAPIGetsItsAlgorithmAndTyp(t *testing.T) {
	t.Parallel()
	m, keys := newMinter()
	for alg, typ := range map[jose.Alg]string{"ES256": "at+jwt", "RS256": "JWT", "EdDSA": "at+jwt"} {
		minted, err := m.Mint(decision(func(d *trust.Decision) { d.Token = trust.TokenSpec{Alg: string(alg), Typ: typ} }), now)
		if err != nil {
			t.Fatal(err)
		}
		token, err := jose.Parse(minted.Raw)
		if err != nil {
			t.Fatal(err)
		}
		if token.Header.Alg != alg || token.Header.Typ != strings.ToLower(typ) || token.Header.Kid != "kid-"+string(alg) {
			t.Errorf("header %+v", token.Header)
		}
		if err := token.Verify(jose.Key{Algs: []jose.Alg{alg}, Public: keys[alg].Public()}); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
		if err := token.Verify(jose.Key{Algs: []jose.Alg{"EdDSA"}, Public: ed25519.PublicKey(make([]byte, 32))}); err == nil {
			t.Errorf("%s: another key verifies it", alg)
		}
	}
}

func TestA85_ATokenNeverOutlivesItsDecision(t *testing.T) {
	t.Parallel()
	m, _ := newMinter()
	for _, life := range []time.Duration{time.Second, 1200 * time.Millisecond, 1999 * time.Millisecond, time.Minute, 24 * time.Hour} {
		for _, fraction := range []time.Duration{0, time.Nanosecond, 300 * time.Millisecond, 999 * time.Millisecond} {
			at := now.Truncate(time.Second).Add(fraction)
			d := decision(func(d *trust.Decision) { d.Expires = at.Add(life) })
			token, err := m.Mint(d, at)
			if err != nil {
				t.Fatal(err)
			}
			if token.Expires.After(d.Expires) || token.Issued.After(at) {
				t.Errorf("life %v at %v: issued %v, expires %v", life, at, token.Issued, token.Expires)
			}
		}
	}
}

func TestWhatIsNoGrantIsNotMinted(t *testing.T) {
	t.Parallel()
	m, _ := newMinter()
	long := strings.Repeat("x", mint.MaxToken)
	for _, c := range []struct {
		name   string
		change func(*trust.Decision)
		want   error // nil: any
	}{
		{"a refusal", func(d *trust.Decision) { d.Granted = false }, nil},
		{"no audience", func(d *trust.Decision) { d.Audience = nil }, nil},
		{"nothing left of the lifetime", func(d *trust.Decision) { d.Expires = now }, nil},
		{"less than a second left", func(d *trust.Decision) { d.Expires = now.Add(200 * time.Millisecond) }, nil},
		{"an algorithm without a key", func(d *trust.Decision) { d.Token.Alg = "RS512" }, nil},
		{"a claim that is no JSON", func(d *trust.Decision) { d.Claims = map[string]any{"f": func() {}} }, nil},
		{"claims beyond 8 KB", func(d *trust.Decision) { d.Claims = map[string]any{"long": long} }, mint.ErrTooLarge},
		{"claims beyond what a JWS may have", func(d *trust.Decision) { d.Claims = map[string]any{"long": long + long} }, mint.ErrTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			token, err := m.Mint(decision(c.change), now)
			if err == nil || token.Raw != "" {
				t.Fatalf("token %q, error %v", token.Raw, err)
			}
			if c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("error %v, wanted %v", err, c.want)
			}
			if strings.Contains(err.Error(), "xxx") {
				t.Error("the error quotes a claim")
			}
		})
	}
}

func TestA107_IdentifiersHave128RandomBits(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		id := mint.NewID()
		if len(id) != 26 || seen[id] || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") != "" {
			t.Fatalf("identifier %q", id)
		}
		seen[id] = true
	}
	letters := map[rune]bool{}
	for id := range maps.Keys(seen) {
		for _, r := range id {
			letters[r] = true
		}
	}
	if got := len(slices.Collect(maps.Keys(letters))); got != 32 {
		t.Errorf("%d of 32 letters occur", got)
	}
}
