package jose

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type change = map[string]any

func keyFor(alg Alg) Key { return Key{ID: "k1", Algs: []Alg{alg}, Public: signerFor(alg).Public()} }

func TestParseJWKSReadsWhatMarshalJWKSWrites(t *testing.T) {
	t.Parallel()
	for _, alg := range allAlgs {
		want := Key{ID: "kid of " + string(alg), Algs: []Alg{alg}, Public: signerFor(alg).Public()}
		b, err := MarshalJWKS(NewSet(want))
		if err != nil {
			t.Fatal(err)
		}
		set, refused, err := ParseJWKS(b, nil)
		if err != nil || len(refused) != 0 {
			t.Errorf("%s: %v, %v", alg, refused, err)
			continue
		}
		got := set.Keys()[0]
		if got.ID != want.ID || !slices.Equal(got.Algs, want.Algs) || !equal(got.Public, want.Public) {
			t.Errorf("%s: got %+v, want %+v", alg, got, want)
		}
	}
}

func TestParseJWKSChoosesTheAlgorithms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key     Alg // of the key's type
		change  change
		allowed []Alg
		want    []Alg
	}{
		"an alg is the only one":               {RS256, change{"alg": "PS384"}, nil, []Alg{PS384}},
		"RSA without alg gets all of RSA":      {RS256, change{"alg": nil}, nil, rsaAlgs},
		"RSA without alg gets what is allowed": {RS256, change{"alg": nil}, []Alg{ES256, PS256, RS256}, []Alg{RS256, PS256}},
		"P-256 without alg gets ES256":         {ES256, change{"alg": nil}, nil, []Alg{ES256}},
		"P-384 without alg gets ES384":         {ES384, change{"alg": nil}, nil, []Alg{ES384}},
		"P-521 without alg gets ES512":         {ES512, change{"alg": nil}, nil, []Alg{ES512}},
		"Ed25519 without alg gets EdDSA":       {EdDSA, change{"alg": nil}, nil, []Alg{EdDSA}},
		"unknown members are fine":             {ES256, change{"x5c": []string{"MIIB"}, "exp": 1, "issuer": "x"}, nil, []Alg{ES256}},
		"key_ops with verify is fine":          {ES256, change{"key_ops": []string{"sign", "verify"}}, nil, []Alg{ES256}},
		"no use is fine":                       {ES256, change{"use": nil}, nil, []Alg{ES256}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, refused, err := ParseJWKS(jwksOf(t, jwkOf(t, keyFor(c.key), c.change)), c.allowed)
			if err != nil {
				t.Fatal(err, refused)
			}
			if diff := cmp.Diff(c.want, set.Keys()[0].Algs); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// L26 and A52 to A54: each bad key is refused, and the good key beside it stays usable.
func TestL26_A52_A53_A54_BadKeysAreLeftOutAndReported(t *testing.T) {
	t.Parallel()
	weak := must(rsa.GenerateKey(rand.Reader, 1024))
	raw := func(pub *rsa.PublicKey) change {
		return change{"n": b64(string(pub.N.Bytes())), "e": b64(string(big.NewInt(int64(pub.E)).Bytes()))}
	}
	huge := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), maxRSABits, 1), E: 65537}
	other := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	otherY := jwkOf(t, Key{Algs: []Alg{ES256}, Public: other.Public()}, nil)["y"]
	for name, c := range map[string]struct {
		key    Alg
		change change
		why    string
	}{
		"A54 an oct key":                       {ES256, change{"kty": "oct", "k": "c2VjcmV0"}, "secret"},
		"A54 an oct key without k":             {ES256, change{"kty": "oct"}, "secret"},
		"A54 a private EC key":                 {ES256, change{"d": "AAAA"}, "secret"},
		"A54 a private RSA key":                {RS256, change{"p": "AAAA"}, "secret"},
		"A52 use enc":                          {ES256, change{"use": "enc"}, "use"},
		"A52 use that is a list":               {ES256, change{"use": []string{"sig"}}, "use"},
		"A52 key_ops without verify":           {ES256, change{"key_ops": []string{"encrypt"}}, "key_ops"},
		"A52 key_ops that is a string":         {ES256, change{"key_ops": "verify"}, "key_ops"},
		"A52 alg of another curve":             {ES256, change{"alg": "ES384"}, "does not fit"},
		"A52 alg of another type":              {RS256, change{"alg": "ES256"}, "does not fit"},
		"A52 alg HS256":                        {RS256, change{"alg": "HS256"}, "alg is none of"},
		"A52 alg none":                         {RS256, change{"alg": "none"}, "alg is none of"},
		"A52 alg empty":                        {RS256, change{"alg": ""}, "alg is none of"},
		"A52 alg a number":                     {RS256, change{"alg": 1}, "alg is not a string"},
		"A52 alg for encryption":               {RS256, change{"alg": "RSA-OAEP"}, "alg is none of"},
		"A52 crv of another curve":             {ES256, change{"crv": "P-384"}, "bytes long"},
		"A52 crv secp256k1":                    {ES256, change{"crv": "secp256k1"}, "crv"},
		"A52 crv X25519":                       {EdDSA, change{"crv": "X25519"}, "crv"},
		"A52 crv missing":                      {ES256, change{"crv": nil}, "crv"},
		"A52 kty missing":                      {ES256, change{"kty": nil}, "kty"},
		"A52 kty in lower case":                {RS256, change{"kty": "rsa"}, "kty"},
		"A53 RSA with 1024 bits":               {RS256, raw(&weak.PublicKey), "too weak"},
		"A53 RSA with 8193 bits":               {RS256, raw(huge), "too large"},
		"A53 RSA with an even modulus":         {RS256, change{"n": b64(string(new(big.Int).SetBit(rsaKey().N, 0, 0).Bytes()))}, "even"},
		"A53 exponent 1":                       {RS256, change{"e": "AQ"}, "exponent"},
		"A53 exponent 0":                       {RS256, change{"e": "AA"}, "exponent"},
		"A53 exponent 65536":                   {RS256, change{"e": "AQAA"}, "exponent"},
		"A53 exponent beyond 31 bits":          {RS256, change{"e": "AQAAAAE"}, "exponent"},
		"A53 exponent beyond 64 bits":          {RS256, change{"e": b64(strings.Repeat("\x01", 20))}, "exponent"},
		"A53 a point off the curve":            {ES256, change{"y": otherY}, "not on the curve"},
		"A53 the point 0, 0":                   {ES256, change{"x": b64(string(make([]byte, 32))), "y": b64(string(make([]byte, 32)))}, "not on the curve"},
		"A53 a coordinate that is too short":   {ES256, change{"x": "AQAB"}, "bytes long"},
		"A53 an Ed25519 key that is too short": {EdDSA, change{"x": "AQAB"}, "32 bytes"},
		"A53 no modulus":                       {RS256, change{"n": nil}, "n is missing"},
		"A53 an empty exponent":                {RS256, change{"e": ""}, "e is missing"},
		"A53 padding in a number":              {RS256, change{"e": "AQAB===="}, "base64url"},
		"A47 a kid of 257 bytes":               {ES256, change{"kid": strings.Repeat("k", 257)}, "kid"},
		"A47 a kid with a line break":          {ES256, change{"kid": "a\nb"}, "kid"},
		"A47 a kid that is a number":           {ES256, change{"kid": 7}, "kid is not a string"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := jwkOf(t, Key{ID: "good", Algs: []Alg{EdDSA}, Public: ed().Public()}, nil)
			bad := jwkOf(t, keyFor(c.key), c.change)
			set, refused, err := ParseJWKS(jwksOf(t, good, bad), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(set.Keys()) != 1 || set.Keys()[0].ID != "good" {
				t.Errorf("usable keys: %+v, want the good one", set.Keys())
			}
			if len(refused) != 1 || !strings.Contains(refused[0].Why, c.why) || strings.ContainsAny(refused[0].Kid, "\n") {
				t.Errorf("refused %+v, want one because of %q", refused, c.why)
			}
			if twin, refused, err := ParseJWKS(jwksOf(t, good, jwkOf(t, keyFor(c.key), nil)), nil); err != nil || len(twin.Keys()) != 2 {
				t.Errorf("twin: %v, %v", refused, err)
			}
		})
	}
}

func TestL26_A52_OneKidForDifferentKeysIsAmbiguous(t *testing.T) {
	t.Parallel()
	first := jwkOf(t, keyFor(ES256), nil)
	second := jwkOf(t, Key{ID: "k1", Algs: []Alg{ES256}, Public: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).Public()}, nil)
	third := jwkOf(t, Key{ID: "k3", Algs: []Alg{EdDSA}, Public: ed().Public()}, nil)
	set, refused, err := ParseJWKS(jwksOf(t, first, second, third), nil)
	if err != nil || len(refused) != 2 || len(set.Keys()) != 1 || set.Keys()[0].ID != "k3" {
		t.Errorf("got %+v, refused %+v, %v; want both k1 refused", set.Keys(), refused, err)
	}
	// Twins: another kid; the same key listed twice; one key under one kid for two algorithms.
	second["kid"] = "k2"
	if set, refused, err = ParseJWKS(jwksOf(t, first, second, first), nil); err != nil || len(refused) != 0 || len(set.Keys()) != 2 {
		t.Errorf("got %+v, refused %+v, %v; want k1 once and k2", set.Keys(), refused, err)
	}
	rs, ps := jwkOf(t, keyFor(RS256), nil), jwkOf(t, keyFor(RS256), change{"alg": "PS256"})
	set, _, err = ParseJWKS(jwksOf(t, rs, ps), nil)
	if err != nil || len(set.Keys()) != 1 || !slices.Equal(set.Keys()[0].Algs, []Alg{RS256, PS256}) {
		t.Errorf("got %+v, %v; want one key for both algorithms", set.Keys(), err)
	}
}

func TestParseJWKSRefusesWholeSets(t *testing.T) {
	t.Parallel()
	good := jwkOf(t, keyFor(ES256), nil)
	numbered := func(n int) (keys []map[string]any) {
		for i := range n {
			k := maps.Clone(good)
			k["kid"] = fmt.Sprint(i)
			keys = append(keys, k)
		}
		return keys
	}
	if set, _, err := ParseJWKS(jwksOf(t, numbered(100)...), nil); err != nil || len(set.Keys()) != 100 {
		t.Errorf("twin of 100 keys: %v", err)
	}
	padded := string(jwksOf(t, good)) + strings.Repeat(" ", maxSetBytes)
	if _, _, err := ParseJWKS([]byte(padded[:maxSetBytes]), nil); err != nil {
		t.Errorf("twin of 256 KiB: %v", err)
	}
	for name, c := range map[string]struct {
		in      []byte
		allowed []Alg
		why     string
	}{
		"of 101 keys":                     {jwksOf(t, numbered(101)...), nil, "more than 100"},
		"larger than 256 KiB":             {[]byte(padded[:maxSetBytes+1]), nil, "larger than"},
		"without keys":                    {[]byte(`{"keys":[]}`), nil, "no usable key"},
		"without a keys member":           {[]byte(`{}`), nil, `no "keys"`},
		"with keys that is no array":      {[]byte(`{"keys":{}}`), nil, `no "keys"`},
		"with keys twice":                 {[]byte(`{"keys":[],"keys":[]}`), nil, "duplicate"},
		"that is a single key":            {[]byte(`{"kty":"EC"}`), nil, `no "keys"`},
		"that is an HTML page":            {[]byte(`<html>`), nil, "not an object"},
		"of things that are no keys":      {[]byte(`{"keys":[1,"x",null,[]]}`), nil, "4 refused"},
		"of which no algorithm is wanted": {jwksOf(t, good), []Alg{RS256}, "no usable key"},
		"for an algorithm nobody knows":   {jwksOf(t, good), []Alg{"HS256"}, "none of"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, _, err := ParseJWKS(c.in, c.allowed)
			if err == nil || set != nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("got %v, %v; want an error about %q", set, err, c.why)
			}
		})
	}
}

// FuzzParseJWKS: no panic; what is accepted is strong, has algorithms, and survives being written and read again.
func FuzzParseJWKS(f *testing.F) {
	for _, alg := range []Alg{RS256, ES256, ES512, EdDSA} {
		f.Add(must(MarshalJWKS(NewSet(keyFor(alg)))))
	}
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"c2VjcmV0"},{"kty":"RSA","n":"AQAB","e":"AQ"},{"kty":"EC","crv":"P-256","x":"","y":1}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		set, _, err := ParseJWKS(b, nil)
		if err != nil {
			return
		}
		for _, k := range set.Keys() {
			if err := checkPublic(k.Public); err != nil || len(k.Algs) == 0 {
				t.Errorf("accepted a key for %v: %v", k.Algs, err)
			}
		}
		written, err := MarshalJWKS(set)
		if err != nil {
			t.Fatal(err)
		}
		if again, refused, err := ParseJWKS(written, nil); err != nil || len(refused) != 0 || len(again.Keys()) != len(set.Keys()) {
			t.Errorf("what was written reads as %v, %v", refused, err)
		}
	})
}
