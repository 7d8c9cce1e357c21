package main

import (
	"testing"

	"apostille/trust"
	"apostille/trust/jose"
	"apostille/upstream/keys"
	"apostille/upstream/saml"

	"time"
)

// The bench writes canonical XML by hand; if it were not, no figure would be taken.
func TestTheAssertionsAreGood(t *testing.T) {
	t.Parallel()
	up, err := newUpstream(benchIssuer, benchBroker, "bench-1")
	if err != nil {
		t.Fatal(err)
	}
	o, err := newOffice(up)
	if err != nil {
		t.Fatal(err)
	}
	set, err := jose.ParsePinnedPEM(o.pem(), nil)
	if err != nil {
		t.Fatal(err)
	}
	cache := keys.New(keys.Config{Now: time.Now})
	cache.Replace(map[string]keys.Source{"office": {Static: set}})
	reg, problems := trust.Compile(trust.Spec{
		Issuer: benchBroker,
		APIs:   map[string]trust.APISpec{"warehouse": {Audience: benchAudience, Scopes: map[string]string{benchScope: "See stock"}}},
		Clients: map[string]trust.ClientSpec{
			benchClient: {Grants: []string{"token_exchange"}, APIs: map[string][]string{"warehouse": {benchScope}}},
		},
		Trusts: map[string]trust.TrustSpec{"office": {
			Issuer: benchIssuer, KeySource: "static", SAML2: &trust.AssertionSpec{},
			Grants: []trust.GrantSpec{{Clients: []string{benchClient}, API: "warehouse", Scopes: []string{benchScope}}},
		}},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	made, err := o.assertion(7)
	if err != nil {
		t.Fatal(err)
	}
	if size := len(made) * 3 / 4; size < 5400 || size > 6000 {
		t.Errorf("it has %d bytes, wanted about 5,700", size)
	}
	s, err := (&saml.Verifier{Keys: cache, Now: time.Now}).Assertion(t.Context(), reg, made, benchClient)
	if err != nil || s.Value != "user-7" {
		t.Errorf("subject %+v, error %v", s, err)
	}
}
