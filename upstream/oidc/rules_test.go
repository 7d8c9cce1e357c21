package oidc

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"apostille/trust"
)

type object = map[string]any

// rule is one row: a good token with one change, and what has to come of it.
type rule struct {
	name   string
	header object
	change object       // nil values delete
	reason trust.Reason // "" = accepted
}

func (f *fixture) check(t *testing.T, want Want, base object, rules []rule) {
	t.Helper()
	s := f.hq
	if want.Type == trust.CredentialOwnToken {
		s = f.ours
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			raw := s.token(t, r.header, edit(base, r.change))
			sub, err := f.Verify(t.Context(), f.reg, raw, want)
			if got := reasonOf(t, err); got != r.reason {
				t.Fatalf("reason %q (%v), want %q", got, err, r.reason)
			}
			if err != nil && !reflect.DeepEqual(sub, trust.Subject{}) {
				t.Errorf("A62: claims left with the error: %+v", sub)
			}
			if err != nil && strings.Contains(err.Error(), raw[:40]) {
				t.Errorf("the error holds the token: %v", err)
			}
		})
	}
}

func num(s string) json.Number { return json.Number(s) }

func TestL25_ClaimRulesOfJWTs(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	now := epoch.Unix()
	f.check(t, f.want, f.claims, []rule{
		{name: "as it should be"},

		{"A66 another issuer", nil, object{"iss": "https://nobody.example"}, trust.ReasonIssuerUnknown},
		{"A66 a trailing slash", nil, object{"iss": them + "/"}, trust.ReasonIssuerUnknown},
		{"A66 another case", nil, object{"iss": "https://IDP.hq.example"}, trust.ReasonIssuerUnknown},
		{"A66 an explicit port", nil, object{"iss": them + ":443"}, trust.ReasonIssuerUnknown},
		{"A66 userinfo", nil, object{"iss": "https://idp.hq.example@evil.example"}, trust.ReasonIssuerUnknown},
		{"A66 a prefix", nil, object{"iss": them + ".evil.example"}, trust.ReasonIssuerUnknown},
		{"no issuer", nil, object{"iss": nil}, trust.ReasonIssuerUnknown},
		{"an issuer that is a list", nil, object{"iss": []string{them}}, trust.ReasonClaim},
		{"A68 an issuer whose keys are others", nil, object{"iss": other}, trust.ReasonSignature},
		{"A78 our own issuer", nil, object{"iss": us}, trust.ReasonType},

		{"A63 aud is listed second", nil, object{"aud": "https://second.example"}, ""},
		{"A63 aud is a list of one", nil, object{"aud": []string{us}}, ""},
		{"A64 aud is a list of two that are both ours", nil, object{"aud": []string{us, "https://second.example"}}, ""},
		{"A64 aud names somebody else as well", nil, object{"aud": []string{us, "https://evil.example"}}, trust.ReasonAudience},
		{"A64 aud names somebody else first", nil, object{"aud": []string{"https://evil.example", us}}, trust.ReasonAudience},
		{"A64 aud of two trusts at once", nil, object{"aud": []string{us, "https://once.example"}}, trust.ReasonAudience},
		{"A63 aud of another client", nil, object{"aud": "mobile"}, trust.ReasonAudience},
		{"A63 no aud", nil, object{"aud": nil}, trust.ReasonAudience},
		{"A63 an empty aud", nil, object{"aud": ""}, trust.ReasonAudience},
		{"A63 an empty list", nil, object{"aud": []string{}}, trust.ReasonAudience},
		{"A63 aud with another case", nil, object{"aud": "https://BROKER.example"}, trust.ReasonAudience},
		{"aud is a number", nil, object{"aud": 1}, trust.ReasonClaim},
		{"aud holds a number", nil, object{"aud": []any{us, 1}}, trust.ReasonClaim},

		{"typ JWT", object{"typ": "JWT"}, nil, ""},
		{"typ at+jwt", object{"typ": "at+jwt"}, nil, ""},
		{"typ application/at+jwt", object{"typ": "application/AT+jwt"}, nil, ""},
		{"A60 typ logout+jwt", object{"typ": "logout+jwt"}, nil, trust.ReasonType},
		{"A60 typ dpop+jwt", object{"typ": "dpop+jwt"}, nil, trust.ReasonType},
		{"A60 typ secevent+jwt", object{"typ": "secevent+jwt"}, nil, trust.ReasonType},
		{"A60 typ client-authentication+jwt", object{"typ": "client-authentication+jwt"}, nil, trust.ReasonType},
		{"A60 a nonce: an ID token", nil, object{"nonce": "n"}, trust.ReasonType},
		{"A60 at_hash: an ID token", nil, object{"at_hash": "x"}, trust.ReasonType},
		{"A60 c_hash: an ID token", nil, object{"c_hash": "x"}, trust.ReasonType},
		{"A60 s_hash: an ID token", nil, object{"s_hash": "x"}, trust.ReasonType},
		{"A60 events: a logout token", nil, object{"events": object{"http://schemas.openid.net/event/backchannel-logout": object{}}}, trust.ReasonType},
		{"A60 htm: a DPoP proof", nil, object{"htm": "POST"}, trust.ReasonType},
		{"A60 htu: a DPoP proof", nil, object{"htu": us}, trust.ReasonType},

		{"A64 azp that is an audience", nil, object{"azp": us}, ""},
		{"A64 azp of another client", nil, object{"azp": "evil"}, trust.ReasonParty},
		{"A64 an empty azp", nil, object{"azp": ""}, trust.ReasonParty},
		{"azp is a number", nil, object{"azp": 1}, trust.ReasonClaim},
		{"client_id, with no parties listed", nil, object{"client_id": "inventory"}, ""},
		{"client_id is a number", nil, object{"client_id": 1}, trust.ReasonClaim},

		{"A88 cnf", nil, object{"cnf": object{"jkt": "x"}}, trust.ReasonBound},
		{"A86 may_act", nil, object{"may_act": object{"sub": "x"}}, trust.ReasonBound},
		{"A86 act is no reason to refuse", nil, object{"act": object{"sub": "x"}}, ""},

		{"A61 no exp", nil, object{"exp": nil}, trust.ReasonTime},
		{"A61 no iat", nil, object{"iat": nil}, trust.ReasonTime},
		{"A61 exp is a string", nil, object{"exp": "1999999999"}, trust.ReasonTime},
		{"A61 exp is a fraction", nil, object{"exp": num("1767323345.5")}, ""},
		{"A61 exp in scientific notation", nil, object{"exp": num("1.767323345e9")}, ""},
		{"A61 exp is 1e300", nil, object{"exp": num("1e300")}, trust.ReasonTime},
		{"A61 exp is 1e999", nil, object{"exp": num("1e999")}, trust.ReasonTime},
		{"A61 exp is in the year 9999", nil, object{"exp": 253402300799}, trust.ReasonTime},
		{"A61 exp is negative", nil, object{"exp": -1}, trust.ReasonTime},
		{"A61 exp is in milliseconds", nil, object{"exp": now * 1000}, trust.ReasonTime},
		{"A61 exp is true", nil, object{"exp": true}, trust.ReasonTime},
		{"A61 exp is 366 days away", nil, object{"exp": now + 366*86400}, ""},
		{"A61 exp is further away", nil, object{"exp": now + 366*86400 + 1}, trust.ReasonTime},
		{"expired within the skew", nil, object{"exp": now - 59}, ""},
		{"expired beyond the skew", nil, object{"exp": now - 60}, trust.ReasonExpired},
		{"nbf now", nil, object{"nbf": now}, ""},
		{"nbf within the skew", nil, object{"nbf": now + 60}, ""},
		{"A61 nbf beyond the skew", nil, object{"nbf": now + 61}, trust.ReasonNotYetValid},
		{"A61 nbf is a string", nil, object{"nbf": "0"}, trust.ReasonTime},
		{"iat within the skew", nil, object{"iat": now + 60}, ""},
		{"A61 iat beyond the skew", nil, object{"iat": now + 61}, trust.ReasonNotYetValid},
		{"A61 iat in 2099", nil, object{"iat": 4070908800}, trust.ReasonNotYetValid},
		{"iat is an hour ago", nil, object{"iat": now - 3600}, ""},
		{"A61 iat is longer ago than max_age", nil, object{"iat": now - 3601}, trust.ReasonTooOld},

		{"no sub", nil, object{"sub": nil}, trust.ReasonSubject},
		{"an empty sub", nil, object{"sub": ""}, trust.ReasonSubject},
		{"sub is a number", nil, object{"sub": 7}, trust.ReasonSubject},
		{"sub of 1024 bytes", nil, object{"sub": strings.Repeat("x", 1024)}, ""},
		{"sub of 1025 bytes", nil, object{"sub": strings.Repeat("x", 1025)}, trust.ReasonSubject},
		{"sub with a line break", nil, object{"sub": "a\nb"}, trust.ReasonSubject},
		{"sub with a NUL", nil, object{"sub": "a\x00"}, trust.ReasonSubject},

		{"jti", nil, object{"jti": "j"}, ""},
		{"jti of 257 bytes", nil, object{"jti": strings.Repeat("x", 257)}, trust.ReasonTokenID},
		{"jti is a number", nil, object{"jti": 7}, trust.ReasonClaim},

		{"scope", nil, object{"scope": "a b"}, ""},
		{"scp as a string", nil, object{"scp": "a b"}, ""},
		{"scp as a list", nil, object{"scp": []string{"a", "b"}}, ""},
		{"scope and scp agree", nil, object{"scope": "b a", "scp": []string{"a", "b"}}, ""},
		{"scope and scp differ", nil, object{"scope": "a", "scp": []string{"a", "b"}}, trust.ReasonClaim},
		{"an empty scope and a scp", nil, object{"scope": "", "scp": "a"}, trust.ReasonClaim},
		{"scope is a list", nil, object{"scope": []string{"a"}}, trust.ReasonClaim},
		{"scp holds a number", nil, object{"scp": []any{1}}, trust.ReasonClaim},
		{"a scope with a quote", nil, object{"scope": `a"b`}, trust.ReasonClaim},

		{"A74 an unknown kid", object{"kid": "k9"}, nil, trust.ReasonKeyUnknown},
		{"A47 a kid that is a path", object{"kid": "../../dev/null"}, nil, trust.ReasonKeyUnknown},
		{"A46 a key in the header", object{"jwk": object{"kty": "EC"}}, nil, trust.ReasonHeader},
		{"A46 a key URL in the header", object{"jku": "https://evil.example/keys"}, nil, trust.ReasonHeader},
		{"A46 a certificate in the header", object{"x5c": []string{"x"}}, nil, trust.ReasonHeader},
		{"A45 HS256", object{"alg": "HS256"}, nil, trust.ReasonAlgorithm},
		{"A45 none", object{"alg": "none"}, nil, trust.ReasonAlgorithm},
		{"A45 another algorithm than the key's", object{"alg": "RS256"}, nil, trust.ReasonKeyUnknown},
	})
}

func TestL19_L21_ClaimRulesOfIDTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	now := epoch.Unix()
	f.check(t, f.wantID, f.idTokenClaims, []rule{
		{name: "as it should be"},
		{"without a nonce", nil, object{"nonce": nil}, ""},
		{"typ JWT", object{"typ": "JWT"}, nil, ""},
		{"A60 typ at+jwt", object{"typ": "at+jwt"}, nil, trust.ReasonType},
		{"A60 typ logout+jwt", object{"typ": "logout+jwt"}, nil, trust.ReasonType},
		{"A60 scope", nil, object{"scope": "a"}, trust.ReasonType},
		{"A60 scp", nil, object{"scp": "a"}, trust.ReasonType},
		{"A60 client_id", nil, object{"client_id": "mobile"}, trust.ReasonType},
		{"A60 events", nil, object{"events": object{}}, trust.ReasonType},
		{"no sub", nil, object{"sub": nil}, trust.ReasonSubject},
		{"no aud", nil, object{"aud": nil}, trust.ReasonAudience},
		{"no exp", nil, object{"exp": nil}, trust.ReasonTime},
		{"no iat", nil, object{"iat": nil}, trust.ReasonTime},
		{"expired within the skew", nil, object{"exp": now - 59}, ""},
		{"expired beyond the skew", nil, object{"exp": now - 60}, trust.ReasonExpired},
		{"nbf beyond the skew", nil, object{"nbf": now + 61}, trust.ReasonNotYetValid},
		{"A63 the audience of JWTs", nil, object{"aud": us}, trust.ReasonAudience},
		{"A64 several audiences and azp", nil, object{"aud": []string{"mobile", "desktop"}, "azp": "mobile"}, ""},
		{"A64 several audiences without azp", nil, object{"aud": []string{"mobile", "desktop"}}, trust.ReasonParty},
		{"A64 azp of another client", nil, object{"azp": "evil"}, trust.ReasonParty},
		{"A88 cnf", nil, object{"cnf": object{}}, trust.ReasonBound},
		{"A74 an unknown kid", object{"kid": "k9"}, nil, trust.ReasonKeyUnknown},
		{"a distributed claim whose source is missing: go-oidc refuses", nil, object{"_claim_names": object{"x": "s"}}, trust.ReasonClaim},
		{"its twin", nil, object{"_claim_names": object{"x": "s"}, "_claim_sources": object{"s": object{"endpoint": "http://127.0.0.1:1"}}}, ""},
	})
}

func TestClaimRulesOfOwnTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	now := epoch.Unix()
	at := object{"typ": "at+jwt"}
	f.check(t, f.wantOwn, f.own, []rule{
		{"as it should be", at, nil, ""},
		{"typ JWT", object{"typ": "JWT"}, nil, ""},
		{"no typ", nil, nil, trust.ReasonType},
		{"another typ", object{"typ": "logout+jwt"}, nil, trust.ReasonType},
		{"A78 a foreign issuer", at, object{"iss": them}, trust.ReasonType},
		{"no client_id", at, object{"client_id": nil}, trust.ReasonType},
		{"no scope", at, object{"scope": nil}, trust.ReasonType},
		{"an empty scope", at, object{"scope": ""}, ""},
		{"no jti", at, object{"jti": nil}, trust.ReasonType},
		{"an empty jti", at, object{"jti": ""}, trust.ReasonTokenID},
		{"no idp", at, object{"idp": nil}, trust.ReasonType},
		{"idp is a number", at, object{"idp": 1}, trust.ReasonClaim},
		{"no sub", at, object{"sub": nil}, trust.ReasonSubject},
		{"no exp", at, object{"exp": nil}, trust.ReasonTime},
		{"no iat", at, object{"iat": nil}, trust.ReasonTime},
		{"older than any max_age", at, object{"iat": now - 7200}, ""},
		{"no aud", at, object{"aud": nil}, trust.ReasonAudience},
		{"an audience that is no API's", at, object{"aud": []string{"https://warehouse.example", "https://gone.example"}}, trust.ReasonAudience},
		{"links", at, object{"links": 2}, ""},
		{"links is negative", at, object{"links": -1}, trust.ReasonClaim},
		{"links is a string", at, object{"links": "1"}, trust.ReasonClaim},
		{"A60 a nonce: an ID token of ours", at, object{"nonce": "n"}, trust.ReasonType},
		{"A60 events: a logout token of ours", at, object{"events": object{}}, trust.ReasonType},
		{"A88 cnf", at, object{"cnf": object{}}, trust.ReasonBound},
	})
}

func TestRulesThatATrustSets(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(s *trust.Spec) {
		hq := s.Trusts["hq"]
		hq.JWT = &trust.UseSpec{Audiences: []string{us}, Parties: []string{"inventory"}, Types: []string{"example+jwt"}, MaxAge: 60e9}
		hq.Subject, hq.Domain = "/act/oid", "hq-people"
		s.Trusts["hq"] = hq
	})
	base := edit(f.claims, object{"azp": "inventory", "act": object{"oid": "o-1"}, "sub": nil})
	typ := object{"typ": "example+jwt"}
	f.check(t, f.want, base, []rule{
		{"as it should be", typ, nil, ""},
		{"a default typ that is not listed", object{"typ": "JWT"}, nil, trust.ReasonType},
		{"no typ", nil, nil, trust.ReasonType},
		{"client_id that is listed", typ, object{"azp": nil, "client_id": "inventory"}, ""},
		{"azp listed, client_id not", typ, object{"client_id": "evil"}, trust.ReasonParty},
		{"azp that is an audience, but not listed", typ, object{"azp": us}, trust.ReasonParty},
		{"neither azp nor client_id", typ, object{"azp": nil}, trust.ReasonParty},
		{"older than max_age", typ, object{"iat": epoch.Unix() - 61}, trust.ReasonTooOld},
		{"the subject claim is missing", typ, object{"act": object{}}, trust.ReasonSubject},
		{"the subject's parent is no object", typ, object{"act": "o-1"}, trust.ReasonSubject},
	})
	sub, err := f.Verify(t.Context(), f.reg, f.hq.token(t, typ, base), f.want)
	if err != nil || sub.Kind != "/act/oid" || sub.Value != "o-1" || sub.Domain != "hq-people" || sub.Sub != trust.DeriveSub("hq-people", "/act/oid", "o-1") {
		t.Errorf("subject %+v, err %v", sub, err)
	}
}

func TestOneTimeUseNeedsATokenID(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	base := edit(f.claims, object{"aud": "https://once.example", "jti": "j-1"})
	f.check(t, f.want, base, []rule{
		{name: "as it should be"},
		{"no jti", nil, object{"jti": nil}, trust.ReasonTokenID},
		{"an empty jti", nil, object{"jti": ""}, trust.ReasonTokenID},
	})
	raw := f.hq.token(t, nil, base)
	for range 2 { // remembered or not
		sub, err := f.Verify(t.Context(), f.reg, raw, f.want)
		if err != nil || !sub.OneTime || sub.TokenID != "j-1" || sub.Trust != "hq-once" {
			t.Errorf("subject %+v, err %v", sub, err)
		}
	}
}
