package jose

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseReadsHeaderAndClaims(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header string
		want   Header
	}{
		"alg alone":                                 {`{"alg":"ES256"}`, Header{Alg: ES256}},
		"alg, kid and typ":                          {`{"alg":"ES256","kid":"k1","typ":"JWT"}`, Header{ES256, "k1", "jwt"}},
		"typ with its media type prefix":            {`{"alg":"ES256","typ":"Application/AT+JWT"}`, Header{Alg: ES256, Typ: "at+jwt"}},
		"the certificate thumbprints of Entra":      {`{"alg":"ES256","x5t":"a","x5t#S256":"b"}`, Header{Alg: ES256}},
		"an empty kid and typ, which are absent":    {`{"alg":"ES256","kid":"","typ":""}`, Header{Alg: ES256}},
		"white space":                               {" {\n\"alg\" : \"ES256\" } ", Header{Alg: ES256}},
		"a kid that is a path, opaque like another": {`{"alg":"ES256","kid":"../../dev/null"}`, Header{Alg: ES256, Kid: "../../dev/null"}},
		"the longest kid":                           {`{"alg":"ES256","kid":"` + strings.Repeat("k", maxKid) + `"}`, Header{Alg: ES256, Kid: strings.Repeat("k", maxKid)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, err := Parse(forge(c.header, aliceClaims))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, token.Header); diff != "" {
				t.Error(diff)
			}
			want := map[string]any{"iss": "https://idp.hq.hmart.example", "sub": "alice", "exp": json.Number("1800000000")}
			if diff := cmp.Diff(want, token.Claims); diff != "" {
				t.Error(diff)
			}
			if err := token.Verify(p256Key()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestL24_ParseRefusesHeaders(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header string
		want   Fault
	}{
		"without alg":                    {`{"kid":"k1"}`, ErrAlgorithm},
		"with ES256K":                    {`{"alg":"ES256K"}`, ErrAlgorithm},
		"with alg in lower case":         {`{"alg":"es256"}`, ErrAlgorithm},
		"with alg that is a list":        {`{"alg":["ES256"]}`, ErrHeader},
		"with alg null":                  {`{"alg":null}`, ErrHeader},
		"with a case variant of alg":     {`{"alg":"ES256","ALG":"ES256"}`, ErrHeader},
		"with kid that is a number":      {`{"alg":"ES256","kid":1}`, ErrHeader},
		"with x5t that is an object":     {`{"alg":"ES256","x5t":{}}`, ErrHeader},
		"with cty":                       {`{"alg":"ES256","cty":"JWT"}`, ErrHeader},
		"with a member nobody knows":     {`{"alg":"ES256","nonce":"x"}`, ErrHeader},
		"with a typ that is too long":    {`{"alg":"ES256","typ":"` + strings.Repeat("x", maxTyp+1) + `"}`, ErrHeader},
		"with a typ outside ASCII":       {`{"alg":"ES256","typ":"\u212awt"}`, ErrHeader},
		"with a typ that is only prefix": {`{"alg":"ES256","typ":"application/"}`, ErrHeader},
		"longer than 4 KiB":              {`{"alg":"ES256"` + strings.Repeat(" ", maxHeader) + `}`, ErrHeader},
		"that is an array":               {`["ES256"]`, ErrMalformed},
		"that is no JSON":                {`alg=ES256`, ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if token, err := Parse(forge(c.header, aliceClaims)); !errors.Is(err, c.want) || token != nil {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestErrorsHoldNoTokenBytes(t *testing.T) {
	t.Parallel()
	const marker = "zzSECRETzz"
	for _, token := range []string{
		marker, marker + "." + marker + "." + marker, forge(`{"alg":"`+marker+`"}`, aliceClaims), forge(`{"alg":"ES256","`+marker+`":1}`, aliceClaims),
		forge(`{"alg":"ES256","kid":"`+marker+`\n"}`, aliceClaims), forge(`{"alg":"ES256","typ":"`+marker+`\n"}`, aliceClaims),
		forge(`{"alg":"ES256"}`, `{"`+marker+`":1,"`+marker+`":"`+marker+`"}`), forge(`{"alg":"ES256"}`, `{"a":"`+marker), strings.Repeat(marker, MaxToken),
	} {
		_, err := Parse(token)
		if err == nil {
			t.Errorf("%.60s… was accepted", token)
		} else if strings.Contains(err.Error(), marker) || strings.Contains(err.Error(), b64(marker)) {
			t.Errorf("error shows token bytes: %v", err)
		}
	}
}

// FuzzParse: no panic; an accepted token is small, has one spelling, a header of ours and claims that encoding/json reads alike.
func FuzzParse(f *testing.F) {
	f.Add(forge(`{"alg":"ES256","kid":"k1","typ":"at+jwt"}`, aliceClaims))
	f.Add(forge(`{"alg":"none"}`, aliceClaims))
	f.Add(forge(`{"alg":"ES256","crit":["b64"],"b64":false}`, `{"sub":"a","SUB":"b"}`))
	f.Add("..")
	f.Fuzz(func(t *testing.T, compact string) {
		token, err := Parse(compact)
		if err != nil {
			if token != nil {
				t.Error("a token beside an error")
			}
			return
		}
		if len(compact) > MaxToken || !token.Header.Alg.Valid() || len(token.Header.Kid) > maxKid {
			t.Errorf("accepted %d bytes with header %+v", len(compact), token.Header)
		}
		parts := strings.Split(compact, ".")
		for _, part := range parts {
			if b, err := decodeBase64(part); err != nil || b64(string(b)) != part {
				t.Errorf("part %q is not canonical", part)
			}
		}
		payload, _ := decodeBase64(parts[1])
		checkStandard(t, payload, token.Claims)
		if err := token.Verify(p256Key()); err != nil && !errors.Is(err, ErrSignature) && !errors.Is(err, ErrAlgorithm) {
			t.Errorf("Verify: %v", err)
		}
	})
}
