package jose

import (
	"crypto"
	"errors"
	"io"
	"strings"
	"testing"
)

// opaque is a key behind an interface, as an HSM has it.
type opaque struct{ crypto.Signer }

func TestSignedTokensVerify(t *testing.T) {
	t.Parallel()
	for _, alg := range allAlgs {
		for name, key := range map[string]crypto.Signer{"raw": signerFor(alg), "opaque": opaque{signerFor(alg)}} {
			t.Run(string(alg)+" "+name, func(t *testing.T) {
				t.Parallel()
				compact, err := Sign(alg, "k1", "at+jwt", []byte(aliceClaims), key)
				if err != nil {
					t.Fatal(err)
				}
				header := must(decodeBase64(strings.Split(compact, ".")[0]))
				if want := `{"alg":"` + string(alg) + `","kid":"k1","typ":"at+jwt"}`; string(header) != want {
					t.Errorf("header %s, want %s", header, want)
				}
				token, err := Parse(compact)
				if err != nil {
					t.Fatal(err)
				}
				if err := token.Verify(Key{Algs: []Alg{alg}, Public: key.Public()}); err != nil {
					t.Errorf("own signature: %v", err)
				}
				token.jws.signature[len(token.jws.signature)-1] ^= 1
				if err := token.Verify(Key{Algs: []Alg{alg}, Public: key.Public()}); !errors.Is(err, ErrSignature) {
					t.Errorf("one bit changed: got %v, want %v", err, ErrSignature)
				}
			})
		}
	}
}

func TestSignLeavesOutAnEmptyKidAndTyp(t *testing.T) {
	t.Parallel()
	compact, err := Sign(ES256, "", "", []byte(aliceClaims), p256())
	if err != nil {
		t.Fatal(err)
	}
	if got, _, _ := strings.Cut(compact, "."); got != b64(`{"alg":"ES256"}`) {
		t.Errorf("header part %s", got)
	}
}

func TestSignQuotesWhatJSONQuotes(t *testing.T) {
	t.Parallel()
	const kid = `a"b\c<&>/~ d`
	compact, err := Sign(ES256, kid, "", []byte(aliceClaims), p256())
	if err != nil {
		t.Fatal(err)
	}
	token, err := Parse(compact)
	if err != nil {
		t.Fatal(err)
	}
	if token.Header.Kid != kid {
		t.Errorf("kid %q, want %q", token.Header.Kid, kid)
	}
}

// broken fails or panics where a key store would.
type broken struct {
	crypto.Signer
	panics bool
}

func (b broken) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	if b.panics {
		panic("key material")
	}
	return nil, errors.New("the token was removed")
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	big := []byte(`{"x":"` + strings.Repeat("x", MaxToken) + `"}`)
	for name, c := range map[string]struct {
		alg      Alg
		kid, typ string
		payload  []byte
		key      crypto.Signer
		want     Fault
	}{
		"HS256":                            {"HS256", "k", "", []byte(aliceClaims), p256(), ErrAlgorithm},
		"none":                             {"none", "k", "", []byte(aliceClaims), p256(), ErrAlgorithm},
		"ES256 with a P-384 key":           {ES256, "k", "", []byte(aliceClaims), p384(), ErrAlgorithm},
		"RS256 with an EC key":             {RS256, "k", "", []byte(aliceClaims), p256(), ErrAlgorithm},
		"no key":                           {ES256, "k", "", []byte(aliceClaims), nil, ErrAlgorithm},
		"a kid that no Parse would take":   {ES256, "k\n", "", []byte(aliceClaims), p256(), ErrHeader},
		"a typ that no Parse would take":   {ES256, "k", strings.Repeat("t", 65), []byte(aliceClaims), p256(), ErrHeader},
		"a token that no Parse would take": {ES256, "k", "", big, p256(), ErrTooLarge},
		"a key store that fails":           {ES256, "k", "", []byte(aliceClaims), broken{p256(), false}, ErrSignature},
		"a key store that panics":          {ES256, "k", "", []byte(aliceClaims), broken{p256(), true}, ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, err := Sign(c.alg, c.kid, c.typ, c.payload, c.key)
			if !errors.Is(err, c.want) || token != "" {
				t.Errorf("got %q, %v; want %v", token, err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "key material") {
				t.Errorf("error shows the panic value: %v", err)
			}
		})
	}
}
