package oidc

import (
	"encoding/base64"
	"encoding/json"
	"testing"

	"apostille/trust"
)

// FuzzClaims signs any payload with a trusted key: whatever is accepted keeps the promises of Subject, and nothing panics.
func FuzzClaims(f *testing.F) {
	fx := newFixture(f)
	for _, seed := range []object{fx.claims, fx.idTokenClaims, fx.own, edit(fx.claims, object{"scp": []any{"a", 1}, "nbf": 1.5})} {
		b, err := json.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	header := object{"alg": "ES256", "kid": "k1", "typ": "JWT"}
	f.Fuzz(func(t *testing.T, payload []byte) {
		input := encode(t, header) + "." + base64.RawURLEncoding.EncodeToString(payload)
		for _, want := range []Want{fx.want, fx.wantID, fx.wantOwn} {
			sub, err := fx.Verify(t.Context(), fx.reg, fx.hq.sign(t, input), want)
			if err != nil {
				if r := reasonOf(t, err); r == trust.ReasonPanic {
					t.Fatal(err)
				}
				continue
			}
			switch {
			case sub.Credential != want.Type, want.Type == trust.CredentialOwnToken: // signed by the wrong key
				t.Fatalf("accepted as %q for %q", sub.Credential, want.Type)
			case sub.Sub != trust.DeriveSub(sub.Domain, sub.Kind, sub.Value), sub.Value == "", sub.Issuer != them:
				t.Fatalf("identity %+v", sub)
			case !epoch.Before(sub.Expires.Add(trust.Skew)), sub.IssuedAt.After(epoch.Add(trust.Skew)):
				t.Fatalf("times %+v", sub)
			case sub.Claims["cnf"] != nil, sub.Claims["may_act"] != nil:
				t.Fatalf("bound token accepted: %v", sub.Claims)
			}
		}
	})
}
