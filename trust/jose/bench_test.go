package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// benchClaims is an access token's payload: 20 claims, about 800 bytes.
const benchClaims = `{"iss":"https://idp.hq.hmart.example/realms/head-office","sub":"f3b1c2d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d",` +
	`"aud":["https://id.west.hmart.example","https://warehouse.west.hmart.example"],"exp":1800000900,"iat":1800000000,"nbf":1800000000,` +
	`"auth_time":1799999000,"jti":"0b7c9a52-44a1-4f0a-9a51-7c0b4a0d8e11","azp":"warehouse-portal","client_id":"warehouse-portal","scope":"openid profile inventory:read",` +
	`"acr":"urn:hmart:acr:mfa","amr":["pwd","otp"],"sid":"9d1a7c34-0b2e-4c55-8f6d-1a2b3c4d5e6f","email":"alice@hq.hmart.example","email_verified":true,` +
	`"preferred_username":"alice","department":"logistics","realm_access":{"roles":["offline_access","stock-manager","default-roles"]},"locale":"en-GB"}`

func BenchmarkDecodeObject(b *testing.B) {
	payload := []byte(benchClaims)
	b.Run("strict", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = must(DecodeObject(payload))
		}
	})
	b.Run("encoding_json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var m map[string]any
			if err := json.Unmarshal(payload, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	compact := must(Sign(RS256, "k1", "at+jwt", []byte(benchClaims), rsaKey()))
	b.Run("strict", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = must(Parse(compact))
		}
	})
	b.Run("stdlib", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			parts := strings.Split(compact, ".")
			var header, claims map[string]any
			for i, into := range []*map[string]any{&header, &claims} {
				if err := json.Unmarshal(must(base64.RawURLEncoding.DecodeString(parts[i])), into); err != nil {
					b.Fatal(err)
				}
			}
			_ = must(base64.RawURLEncoding.DecodeString(parts[2]))
		}
	})
}

func BenchmarkVerifyRS256(b *testing.B) {
	token := must(Parse(must(Sign(RS256, "k1", "at+jwt", []byte(benchClaims), rsaKey()))))
	key := Key{ID: "k1", Algs: []Alg{RS256}, Public: rsaKey().Public()}
	b.Run("jwx", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := token.Verify(key); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("stdlib", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sum := sha256.Sum256([]byte(token.jws.signingInput))
			if err := rsa.VerifyPKCS1v15(&rsaKey().PublicKey, crypto.SHA256, sum[:], token.jws.signature); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSignES256(b *testing.B) {
	payload := []byte(benchClaims)
	b.Run("jwx", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = must(Sign(ES256, "k1", "at+jwt", payload, p256()))
		}
	})
	b.Run("stdlib", func(b *testing.B) {
		b.ReportAllocs()
		header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","kid":"k1","typ":"at+jwt"}`))
		for b.Loop() {
			input := header + "." + base64.RawURLEncoding.EncodeToString(payload)
			sum := sha256.Sum256([]byte(input))
			r, s, err := ecdsa.Sign(rand.Reader, p256(), sum[:])
			if err != nil {
				b.Fatal(err)
			}
			var signature [64]byte
			r.FillBytes(signature[:32])
			s.FillBytes(signature[32:])
			_ = input + "." + base64.RawURLEncoding.EncodeToString(signature[:])
		}
	})
}
