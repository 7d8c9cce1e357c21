package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"testing"
)

// RFC 7638 §3.1.
const rfc7638Key = `{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`

// RFC 8037 appendix A.2.
const rfc8037Key = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`

// The key of RFC 7517 appendix A.1; its thumbprint was computed with Python's hashlib over the canonical JSON written by hand.
const rfc7517Key = `{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}`

func TestThumbprintIsThatOfTheStandards(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ key, want string }{
		"RFC 7638 §3.1, RSA":     {rfc7638Key, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
		"RFC 8037 A.3, Ed25519":  {rfc8037Key, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
		"RFC 7517 A.1 key, P256": {rfc7517Key, "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, refused, err := ParseJWKS([]byte(`{"keys":[`+c.key+`]}`), nil)
			if err != nil {
				t.Fatal(err, refused)
			}
			if got, err := Thumbprint(set.Keys()[0].Public); err != nil || got != c.want {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
		})
	}
}

func TestMarshalJWKSWritesPublicMembersInAStableOrder(t *testing.T) {
	t.Parallel()
	ec, _, err := ParseJWKS([]byte(`{"keys":[`+rfc7517Key+`,`+rfc8037Key+`]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := MarshalJWKS(ec)
	want := `{"keys":[{"crv":"P-256","kty":"EC","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"sig","alg":"ES256"},` +
		`{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"sig","alg":"EdDSA"}]}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	if got, err := MarshalJWKS(NewSet()); err != nil || string(got) != `{"keys":[]}` {
		t.Errorf("empty set: got %s, %v", got, err)
	}
}

func TestMarshalJWKSRefusesKeysNobodyShouldPublish(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]Key{
		"without algorithm":          {ID: "k", Public: p256().Public()},
		"with one that does not fit": {ID: "k", Algs: []Alg{RS256}, Public: p256().Public()},
		"a private key":              {ID: "k", Algs: []Alg{ES256}, Public: p256()},
		"a weak key":                 {ID: "k", Algs: []Alg{RS256}, Public: must(rsa.GenerateKey(rand.Reader, 1024)).Public()},
		"with a kid that breaks":     {ID: "k\n", Algs: []Alg{ES256}, Public: p256().Public()},
	} {
		if b, err := MarshalJWKS(NewSet(k)); err == nil {
			t.Errorf("%s: got %s", name, b)
		}
	}
}

func TestThumbprintRefusesKeysWeDoNotUse(t *testing.T) {
	t.Parallel()
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	for name, pub := range map[string]crypto.PublicKey{
		"nil": nil, "a private key": p256(), "P-224": p224.Public(), "an empty RSA key": &rsa.PublicKey{}, "a string": "key",
	} {
		if got, err := Thumbprint(pub); err == nil {
			t.Errorf("%s: got %s", name, got)
		}
	}
}
