package jose

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
)

const plainHeader = `{"alg":"ES256","kid":"k1"}`

// attack is a token that must be refused, and its twin: the same without the attack, which must pass.
type attack struct {
	name  string
	token string
	want  Fault
	twin  string // a genuine token if empty
}

// runAttacks checks each attack and twin against a set that holds the key they are signed with.
func runAttacks(t *testing.T, attacks []attack) {
	t.Helper()
	set := NewSet(p256Key())
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			if err := accept(a.token, set); !errors.Is(err, a.want) {
				t.Errorf("attack: got %v, want %v", err, a.want)
			}
			if a.twin == "" {
				a.twin = forge(plainHeader, aliceClaims)
			}
			if err := accept(a.twin, set); err != nil {
				t.Errorf("twin: %v", err)
			}
		})
	}
}

func TestA44_AlgNone(t *testing.T) {
	t.Parallel()
	var attacks []attack
	for _, alg := range []string{"none", "None", "NONE", "nOnE", ""} {
		header := `{"alg":"` + alg + `","kid":"k1"}`
		attacks = append(attacks,
			attack{name: alg + " with a signature", token: forge(header, aliceClaims), want: ErrAlgorithm},
			attack{name: alg + " with an empty signature", token: b64(header) + "." + b64(aliceClaims) + ".", want: ErrMalformed},
			attack{name: alg + " without the last dot", token: b64(header) + "." + b64(aliceClaims), want: ErrMalformed})
	}
	runAttacks(t, append(attacks, attack{name: "no alg", token: forge(`{"kid":"k1"}`, aliceClaims), want: ErrAlgorithm}))
}

func TestA45_PublicKeyUsedAsHMACSecret(t *testing.T) {
	t.Parallel()
	der := must(x509.MarshalPKIXPublicKey(p256().Public()))
	secrets := map[string][]byte{
		"PEM":          pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"DER":          der,
		"JWK":          must(json.Marshal(jwkOf(t, p256Key(), nil))),
		"point":        must(p256().PublicKey.Bytes()),
		"RSA modulus":  rsaKey().N.Bytes(),
		"empty secret": nil,
	}
	var attacks []attack
	for name, secret := range secrets {
		input := b64(`{"alg":"HS256","kid":"k1"}`) + "." + b64(aliceClaims)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(input))
		attacks = append(attacks, attack{name: name, token: input + "." + b64(string(mac.Sum(nil))), want: ErrAlgorithm})
	}
	runAttacks(t, attacks)
}

func TestA45_TheKeyDecidesTheAlgorithm(t *testing.T) {
	t.Parallel()
	for _, alg := range rsaAlgs {
		token, err := Parse(must(Sign(alg, "k1", "", []byte(aliceClaims), rsaKey())))
		if err != nil {
			t.Fatal(err)
		}
		for _, keyAlg := range allAlgs {
			err := token.Verify(Key{Algs: []Alg{keyAlg}, Public: rsaKey().Public()})
			if keyAlg == alg && err != nil {
				t.Errorf("%s with a key for it: %v", alg, err)
			}
			if keyAlg != alg && !errors.Is(err, ErrAlgorithm) {
				t.Errorf("%s with a key for %s: got %v, want %v", alg, keyAlg, err, ErrAlgorithm)
			}
		}
		if err := token.Verify(Key{Algs: []Alg{alg}, Public: p256().Public()}); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%s with an EC key said to be for it: got %v, want %v", alg, err, ErrAlgorithm)
		}
		if err := token.Verify(Key{}); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%s with the zero key: got %v, want %v", alg, err, ErrAlgorithm)
		}
	}
}

func TestA46_KeyFromTheHeader(t *testing.T) {
	t.Parallel()
	var attacks []attack
	embedded := string(must(json.Marshal(jwkOf(t, p256Key(), nil))))
	for member, value := range map[string]string{
		"jwk": embedded, "jku": `"https://evil.example/jwks"`, "x5u": `"https://evil.example/cert"`, "x5c": `["MIIB"]`,
	} {
		attacks = append(attacks, attack{
			name:  member,
			token: forge(`{"alg":"ES256","kid":"k1","`+member+`":`+value+`}`, aliceClaims), want: ErrHeader,
			twin: forge(`{"alg":"ES256","kid":"k1","x5t":"harmless"}`, aliceClaims),
		})
	}
	runAttacks(t, attacks)
}

func TestA47_KidInjection(t *testing.T) {
	t.Parallel()
	header := func(kid string) string {
		return string(must(json.Marshal(map[string]string{"alg": "ES256", "kid": kid})))
	}
	runAttacks(t, []attack{
		{name: "a path is looked up, not opened", token: forge(header("../../dev/null"), aliceClaims), want: ErrSignature},
		{name: "SQL is looked up, not run", token: forge(header("k1' OR '1'='1"), aliceClaims), want: ErrSignature},
		{name: "line breaks would forge log lines", token: forge(header("k1\r\nlevel=info"), aliceClaims), want: ErrHeader},
		{name: "an escape sequence", token: forge(header("k1\x1b[2J"), aliceClaims), want: ErrHeader},
		{name: "a NUL", token: forge(header("k1\x00"), aliceClaims), want: ErrHeader},
		{name: "outside ASCII", token: forge(header("k١"), aliceClaims), want: ErrHeader},
		{name: "257 bytes", token: forge(header(strings.Repeat("k", 257)), aliceClaims), want: ErrHeader},
		{name: "64 KiB", token: forge(header(strings.Repeat("k", 64<<10)), aliceClaims), want: ErrTooLarge},
	})
}

func TestA48_Crit(t *testing.T) {
	t.Parallel()
	runAttacks(t, []attack{
		{name: "an unknown extension", token: forge(`{"alg":"ES256","kid":"k1","crit":["zz"],"zz":1}`, aliceClaims), want: ErrHeader},
		{name: "an empty list", token: forge(`{"alg":"ES256","kid":"k1","crit":[]}`, aliceClaims), want: ErrHeader},
		{name: "a known member", token: forge(`{"alg":"ES256","kid":"k1","crit":["kid"]}`, aliceClaims), want: ErrHeader},
		{name: "b64 false and critical", token: forge(`{"alg":"ES256","kid":"k1","b64":false,"crit":["b64"]}`, aliceClaims), want: ErrHeader},
		{name: "b64 false", token: forge(`{"alg":"ES256","kid":"k1","b64":false}`, aliceClaims), want: ErrHeader},
		{name: "b64 true", token: forge(`{"alg":"ES256","kid":"k1","b64":true}`, aliceClaims), want: ErrHeader},
	})
}

func TestA49_JSONSerialisation(t *testing.T) {
	t.Parallel()
	parts := strings.Split(forge(plainHeader, aliceClaims), ".")
	one := `"protected":"` + parts[0] + `","signature":"` + parts[2] + `"`
	compact := strings.Join(parts, ".")
	runAttacks(t, []attack{
		{name: "flattened", token: `{"payload":"` + parts[1] + `",` + one + `}`, want: ErrMalformed, twin: compact},
		{name: "general", token: `{"payload":"` + parts[1] + `","signatures":[{` + one + `}]}`, want: ErrMalformed, twin: compact},
		{name: "two signatures", token: `{"payload":"` + parts[1] + `","signatures":[{` + one + `},{` + one + `}]}`, want: ErrMalformed, twin: compact},
		{name: "compact inside JSON", token: `{"a.":"` + compact + `"}`, want: ErrMalformed, twin: compact},
	})
}

func TestA50_OneTokenHasOneSpelling(t *testing.T) {
	t.Parallel()
	genuine := forge(plainHeader, `{"sub":"ab?>~~~","x":1}`) // base64 of it has - and _
	parts := strings.Split(genuine, ".")
	// A 64-byte signature leaves four bits in its last character.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, genuine[len(genuine)-1])
	standardAlphabet := base64.RawStdEncoding.EncodeToString(must(decodeBase64(parts[1])))
	if standardAlphabet == parts[1] {
		t.Fatal("the payload does not tell the alphabets apart")
	}
	runAttacks(t, []attack{
		{name: "padding", token: genuine + "==", want: ErrMalformed, twin: genuine},
		{name: "trailing bits", token: genuine[:len(genuine)-1] + alphabet[last+1:last+2], want: ErrMalformed, twin: genuine},
		{name: "the standard alphabet", token: parts[0] + "." + standardAlphabet + "." + parts[2], want: ErrMalformed, twin: genuine},
		{name: "a trailing line break", token: genuine + "\n", want: ErrMalformed, twin: genuine},
		{name: "a line break inside", token: genuine[:20] + "\r\n" + genuine[20:], want: ErrMalformed, twin: genuine},
		{name: "a leading space", token: " " + genuine, want: ErrMalformed, twin: genuine},
		{name: "Bearer in front", token: "Bearer " + genuine, want: ErrMalformed, twin: genuine},
		{name: "one character cut off", token: genuine[:len(genuine)-1], want: ErrMalformed, twin: genuine},
		{name: "a NUL appended", token: genuine + "\x00", want: ErrMalformed, twin: genuine},
	})
	// Two characters less is canonical again, of a signature that is too short.
	if err := accept(genuine[:len(genuine)-2], NewSet(p256Key())); !errors.Is(err, ErrSignature) {
		t.Errorf("signature of 63 bytes: got %v, want %v", err, ErrSignature)
	}
}

func TestA51_DuplicateAndCaseVariantMembers(t *testing.T) {
	t.Parallel()
	body := func(payload string) string { return forge(plainHeader, payload) }
	runAttacks(t, []attack{
		{name: "sub twice", token: body(`{"sub":"alice","sub":"admin"}`), want: ErrMalformed, twin: body(`{"sub":"alice","sub2":"admin"}`)},
		{name: "sub twice, once escaped", token: body(`{"sub":"alice","\u0073ub":"admin"}`), want: ErrMalformed, twin: body(`{"\u0073ub":"alice"}`)},
		{name: "sub and SUB", token: body(`{"sub":"alice","SUB":"admin"}`), want: ErrMalformed, twin: body(`{"sub":"alice","user":"admin"}`)},
		{name: "SUB alone", token: body(`{"SUB":"admin"}`), want: ErrMalformed, twin: body(`{"sub":"admin"}`)},
		{name: "ſub, which folds to sub", token: body(`{"ſub":"admin"}`), want: ErrMalformed, twin: body(`{"über":"admin"}`)},
		{name: "linKs with the Kelvin sign", token: body(`{"lin\u212as":1}`), want: ErrMalformed, twin: body(`{"links":1}`)},
		{name: "Exp", token: body(`{"Exp":9999999999}`), want: ErrMalformed, twin: body(`{"exp":9999999999}`)},
		{name: "two unregistered names", token: body(`{"Role":"a","ROLE":"b"}`), want: ErrMalformed, twin: body(`{"Role":"a","Roles":"b"}`)},
		{name: "a name and its variant", token: body(`{"role":"a","Role":"b"}`), want: ErrMalformed, twin: body(`{"Role":"a"}`)},
		{name: "a duplicate deep inside", token: body(`{"act":{"sub":"a","sub":"b"}}`), want: ErrMalformed, twin: body(`{"act":{"sub":"a","SUB":"b"}}`)},
		{name: "alg twice", token: forge(`{"alg":"ES256","alg":"none","kid":"k1"}`, aliceClaims), want: ErrMalformed},
		{name: "alg and Alg", token: forge(`{"alg":"ES256","Alg":"none","kid":"k1"}`, aliceClaims), want: ErrHeader},
	})
}

func TestA55_A56_A58_EncryptedTokens(t *testing.T) {
	t.Parallel()
	jwe := func(header string) string {
		return b64(header) + "." + b64("key") + "." + b64("iv") + "." + b64("text") + "." + b64("t")
	}
	runAttacks(t, []attack{
		{name: "a JWE", token: jwe(`{"alg":"RSA-OAEP","enc":"A256GCM"}`), want: ErrMalformed},
		{name: "a JWE with direct key, its second part empty", token: b64(`{"alg":"dir","enc":"A256GCM"}`) + ".." + b64("iv") + "." + b64("text") + "." + b64("t"), want: ErrMalformed},
		{name: "p2c of 2^31", token: jwe(`{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2c":2147483647}`), want: ErrMalformed},
		{name: "zip in a JWE", token: jwe(`{"alg":"dir","enc":"A256GCM","zip":"DEF"}`), want: ErrMalformed},
		{name: "an empty ciphertext", token: b64(`{"alg":"dir","enc":"A256GCM"}`) + ".a.b..c", want: ErrMalformed},
		{name: "zip in a JWS", token: forge(`{"alg":"ES256","kid":"k1","zip":"DEF"}`, aliceClaims), want: ErrHeader},
		{name: "enc in a JWS", token: forge(`{"alg":"ES256","kid":"k1","enc":"A256GCM"}`, aliceClaims), want: ErrHeader},
		{name: "p2c in a JWS", token: forge(`{"alg":"ES256","kid":"k1","p2c":2147483647}`, aliceClaims), want: ErrHeader},
	})
}

func TestA57_Size(t *testing.T) {
	t.Parallel()
	// The longest token is one whose padding claim fills it up to the last byte that base64 allows.
	short := len(forge(plainHeader, `{"x":""}`))
	longest := forge(plainHeader, `{"x":"`+strings.Repeat("x", (MaxToken-short)*3/4)+`"}`)
	if len(longest) > MaxToken || len(longest) < MaxToken-4 {
		t.Fatalf("%d bytes", len(longest))
	}
	entries := func(n int) string {
		return forge(plainHeader, `{"aud":[`+strings.Repeat("0,", n-2)+`0]}`)
	}
	runAttacks(t, []attack{
		{name: "2 MB", token: strings.Repeat("a", 2<<20), want: ErrTooLarge, twin: longest},
		{name: "one byte too many", token: longest + strings.Repeat("A", MaxToken+1-len(longest)), want: ErrTooLarge, twin: longest},
		{name: "a million dots", token: strings.Repeat(".", 1<<20), want: ErrTooLarge},
		{name: "16 KiB of dots", token: strings.Repeat(".", MaxToken), want: ErrMalformed},
		{name: "100,000 audiences", token: entries(100_000), want: ErrTooLarge, twin: entries(maxValues)},
		{name: "2,001 values", token: entries(maxValues + 1), want: ErrMalformed, twin: entries(maxValues)},
		{name: "5,000 levels", token: forge(plainHeader, nested(5000)), want: ErrMalformed, twin: forge(plainHeader, nested(maxDepth))},
	})
}

func TestA59_BadSignatureNumbers(t *testing.T) {
	t.Parallel()
	genuine := forge(plainHeader, aliceClaims)
	input := genuine[:strings.LastIndexByte(genuine, '.')]
	raw := must(decodeBase64(genuine[len(input)+1:]))
	n := p256().Params().N
	r, s := new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])
	der := must(asn1.Marshal(struct{ R, S *big.Int }{r, s}))
	order := n.FillBytes(make([]byte, 32))
	var attacks []attack
	for name, signature := range map[string][]byte{
		"r = s = 0":         make([]byte, 64),
		"r = 0":             append(make([]byte, 32), raw[32:]...),
		"s = 0":             append(raw[:32:32], make([]byte, 32)...),
		"r = n":             append(order[:32:32], raw[32:]...),
		"r and s swapped":   append(raw[32:64:64], raw[:32]...),
		"DER in place":      der,
		"an odd length":     raw[:63],
		"a leading zero":    append([]byte{0}, raw...),
		"a trailing zero":   append(raw[:64:64], 0),
		"twice as long":     append(raw[:64:64], raw...),
		"one byte":          {1},
		"that of an RSA":    must(sign(RS256, []byte(input), rsaKey())),
		"another message's": must(sign(ES256, []byte(input+"x"), p256())),
	} {
		attacks = append(attacks, attack{name: name, token: input + "." + b64(string(signature)), want: ErrSignature, twin: genuine})
	}
	runAttacks(t, attacks)
}

func TestA61_NumbersAndStringsStayApart(t *testing.T) {
	t.Parallel()
	// Whether these times are acceptable is for the claims rules; here none may turn into another type or lose a digit.
	token, err := Parse(forge(plainHeader, `{"exp":"1800000000","iat":1e300,"nbf":12345678901234567890}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := token.Claims["exp"]; got != any("1800000000") {
		t.Errorf("exp is %#v, want the string", got)
	}
	if got := token.Claims["iat"]; got != any(json.Number("1e300")) {
		t.Errorf("iat is %#v, want the number as written", got)
	}
	if got := token.Claims["nbf"]; got != any(json.Number("12345678901234567890")) {
		t.Errorf("nbf is %#v, want the number as written", got)
	}
}

func TestA62_NoTokenBesideAnError(t *testing.T) {
	t.Parallel()
	genuine := forge(plainHeader, aliceClaims)
	if token, err := Parse(genuine); err != nil || token == nil {
		t.Errorf("twin: %v", err)
	}
	for _, bad := range []string{"", genuine + "=", forge(`{"alg":"none"}`, aliceClaims), forge(plainHeader, aliceClaims+"}")} {
		if token, err := Parse(bad); err == nil || token != nil {
			t.Errorf("%.40q: got %v, %v; want nil and an error", bad, token, err)
		}
	}
}

func TestAPanicOfTheLibraryIsASignatureError(t *testing.T) {
	t.Parallel()
	token, err := Parse(forge(plainHeader, aliceClaims))
	if err != nil {
		t.Fatal(err)
	}
	pointless := &ecdsa.PublicKey{Curve: elliptic.P256()} // only a faulty loader makes such a key
	if err := token.Verify(Key{Algs: []Alg{ES256}, Public: pointless}); !errors.Is(err, ErrSignature) {
		t.Errorf("got %v, want %v", err, ErrSignature)
	}
	if err := token.Verify(p256Key()); err != nil {
		t.Errorf("twin: %v", err)
	}
}
