package fake_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"apostille/trust/jose"
	"apostille/upstream/fake"
)

func offline(alg jose.Alg) *fake.Provider {
	return fake.NewProvider(fake.Options{Issuer: "https://hq.example", Alg: alg, Now: fixed})
}

func TestMintAddsTheUsualClaims(t *testing.T) {
	t.Parallel()
	p := offline("ES256")
	tok := verified(t, p, p.Mint(map[string]any{"sub": "anna"}))
	for name, want := range map[string]any{
		"iss": "https://hq.example", "sub": "anna",
		"iat": json.Number("1793610000"), "exp": json.Number("1793610300"),
	} {
		if tok.Claims[name] != want {
			t.Errorf("%s is %v, want %v", name, tok.Claims[name], want)
		}
	}
	if tok.Header.Kid != p.Kid() || tok.Header.Typ != "jwt" {
		t.Errorf("header %+v", tok.Header)
	}
	if again := verified(t, p, p.Mint(nil)); again.Claims["jti"] == tok.Claims["jti"] {
		t.Error("two tokens share a jti")
	}
}

func TestMintLetsClaimsBeReplacedAndLeftOut(t *testing.T) {
	t.Parallel()
	p := offline("ES256")
	tok := verified(t, p, p.Mint(map[string]any{"iss": "https://other.example", "exp": nil}))
	if _, has := tok.Claims["exp"]; has || tok.Claims["iss"] != "https://other.example" {
		t.Errorf("claims %v", tok.Claims)
	}
}

// Both ways of signing, jose's and the one by hand, make tokens that verify.
func TestMintSignsWithEveryAlgorithm(t *testing.T) {
	t.Parallel()
	for _, alg := range []jose.Alg{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"} {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			p := offline(alg)
			verified(t, p, p.Mint(nil))
			if tok := verified(t, p, p.Mint(nil, fake.Header("typ", "at+jwt"))); tok.Header.Typ != "at+jwt" {
				t.Errorf("typ is %q", tok.Header.Typ)
			}
		})
	}
}

func TestMintMakesTokensThatAreWrong(t *testing.T) {
	t.Parallel()
	p := offline("ES256")
	for _, tt := range []struct {
		name string
		opts []fake.MintOption
	}{
		{"without algorithm", []fake.MintOption{fake.Header("alg", "none"), fake.SignWith(func([]byte) []byte { return nil })}},
		{"with a critical header", []fake.MintOption{fake.Header("crit", []string{"b64"})}},
		{"signed by another key", []fake.MintOption{fake.By(fake.NewKey("ES256"), "ES256")}},
		{"under another algorithm's name", []fake.MintOption{fake.Header("alg", "RS256")}},
		{"with an unknown kid", []fake.MintOption{fake.Kid("nobody")}},
		{"with a key that does not fit", []fake.MintOption{fake.By(fake.NewKey("ES256"), "RS256")}},
		{"with a kid of 64 KB", []fake.MintOption{fake.Kid(strings.Repeat("k", 64<<10))}},
		{"keyed with the public key", []fake.MintOption{fake.Header("alg", "HS256"), fake.SignWith(func(in []byte) []byte {
			m := hmac.New(sha256.New, p.PEM())
			m.Write(in)
			return m.Sum(nil)
		})}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tok, err := jose.Parse(p.Mint(nil, tt.opts...))
			if err == nil && verifies(p, tok) {
				t.Error("verifies")
			}
		})
	}
}

func TestAHeaderMemberCanBeLeftOut(t *testing.T) {
	t.Parallel()
	p := offline("ES256")
	for _, raw := range []string{p.Mint(nil, fake.Kid(""), fake.Typ("")), p.Mint(nil, fake.Header("kid", nil), fake.Header("typ", nil))} {
		head, _, _ := strings.Cut(raw, ".")
		b, err := base64.RawURLEncoding.DecodeString(head)
		if err != nil || string(b) != `{"alg":"ES256"}` {
			t.Errorf("header %s, %v", b, err)
		}
	}
}

func TestRotationKeepsTheOldKeyUntilItIsWithdrawn(t *testing.T) {
	t.Parallel()
	p := offline("ES256")
	before, old := p.Mint(nil), p.Kid()
	kid := p.Rotate()
	if kid == old || p.Kid() != kid {
		t.Fatalf("signs with %q after %q", p.Kid(), old)
	}
	if verified(t, p, p.Mint(nil)).Header.Kid != kid {
		t.Error("the new key does not sign")
	}
	tok := verified(t, p, before)
	p.Withdraw(old)
	if verifies(p, tok) {
		t.Error("the withdrawn key is still published")
	}
	verified(t, p, p.Mint(nil))
}

func TestThePEMIsThePublicKey(t *testing.T) {
	t.Parallel()
	p := offline("ES256")
	set, err := jose.ParsePEM(p.PEM(), []jose.Alg{"ES256"})
	if err != nil || len(set.Keys()) != 1 {
		t.Fatalf("%v", err)
	}
	tok := verified(t, p, p.Mint(nil))
	if err := tok.Verify(set.Keys()[0]); err != nil {
		t.Error(err)
	}
	forged, err := jose.Parse(p.Mint(nil, fake.By(fake.NewKey("ES256"), "ES256")))
	if err != nil {
		t.Fatal(err)
	}
	if err := forged.Verify(set.Keys()[0]); !errors.Is(err, jose.ErrSignature) {
		t.Errorf("another key's signature: %v", err)
	}
}
