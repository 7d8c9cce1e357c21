package xmlsec

import (
	"crypto"
	"errors"
	"net/url"
	"strings"
	"testing"
)

const deflated = "not really compressed \xff\xfe"

func TestSignedQueriesVerify(t *testing.T) {
	t.Parallel()
	for _, key := range []crypto.Signer{rsaKey(), p256(), p384(), p521()} {
		for _, state := range []string{"", "https://app.example/?a=1&b=2 3"} {
			raw := must(SignQuery("SAMLResponse", []byte(deflated), state, key))
			q, err := ParseQuery(raw)
			if err != nil {
				t.Fatalf("%v, of %s", err, raw)
			}
			if q.Parameter != "SAMLResponse" || string(q.Message) != deflated || q.RelayState != state || !q.Signed {
				t.Errorf("read %+v", q)
			}
			if err := q.Verify(public(otherRSA(), key)); err != nil {
				t.Error(err)
			}
			if err := q.Verify(public(otherRSA())); err == nil {
				t.Error("another key verifies it")
			}
		}
	}
}

func TestA24_SignatureOverTheRawQuery(t *testing.T) {
	t.Parallel()
	raw := must(SignQuery("SAMLRequest", []byte(deflated), "state", p256()))
	message, rest, _ := strings.Cut(raw, "&")
	relay, rest, _ := strings.Cut(rest, "&")
	alg, signature, _ := strings.Cut(rest, "&")
	join := func(parts ...string) string { return strings.Join(parts, "&") }
	for _, c := range []struct {
		name, raw string
		want      error // nil: it verifies
	}{
		{"as it was made", raw, nil},
		{"in another order", join(signature, relay, alg, message), nil},
		{"with parameters that nobody signs", join("x=1", raw, "y", ""), nil},
		{"SAMLResponse too", join(raw, strings.Replace(message, "Request", "Response", 1)), ErrQuery},
		{"SAMLResponse instead", strings.Replace(raw, "SAMLRequest", "SAMLResponse", 1), ErrSignature},
		{"the message twice", join(message, raw), ErrQuery},
		{"RelayState twice", join(raw, "RelayState=evil"), ErrQuery},
		{"Signature twice", join(raw, signature), ErrQuery},
		{"SigAlg twice", join(raw, alg), ErrQuery},
		{"a name that is encoded", join(raw, "%52elayState=evil"), ErrQuery},
		{"RelayState left out", join(message, alg, signature), ErrSignature},
		{"another RelayState", strings.Replace(raw, "state", "evil", 1), ErrSignature},
		{"a value encoded otherwise", strings.Replace(raw, "RelayState=state", "RelayState=%73tate", 1), ErrSignature},
		{"an empty RelayState put in", join(message, "RelayState=", alg, signature), ErrSignature},
		{"another message", strings.Replace(raw, "SAMLRequest=", "SAMLRequest=AAAA", 1), ErrSignature},
		{"SigAlg RSA", strings.Replace(raw, "ecdsa-sha256", "rsa-sha256", 1), ErrAlgorithm},
		{"SigAlg SHA-1", strings.Replace(raw, url.QueryEscape(moreDSig+"ecdsa-sha256"), url.QueryEscape(spaceDSig+"rsa-sha1"), 1), ErrAlgorithm},
		{"SigAlg without Signature", join(message, relay, alg), ErrQuery},
		{"Signature without SigAlg", join(message, relay, signature), ErrQuery},
		{"an empty Signature", join(message, relay, alg, "Signature="), ErrQuery},
		{"no signature", join(message, relay), ErrUnsigned},
		{"no message", join(relay, alg, signature), ErrQuery},
		{"a message that is no base64", "SAMLRequest=%21%21", ErrQuery},
		{"a bad escape", "SAMLRequest=%zz", ErrQuery},
		{"a bad escape in a name", "%zz=1&" + raw, ErrQuery},
		{"nothing", "", ErrQuery},
		{"too long", raw + "&" + strings.Repeat("x", maxQuery), ErrQuery},
	} {
		q, err := ParseQuery(c.raw)
		if err == nil {
			err = q.Verify(public(p256()))
		}
		if !errors.Is(err, c.want) || (c.want == nil && err != nil) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}
