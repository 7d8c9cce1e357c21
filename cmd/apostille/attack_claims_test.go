package main

import (
	"strings"
	"time"

	"apostille/trust"
)

// A60 to A68, A86, A88: what tokens say.
func (a *arena) claimAttacks() []attack {
	var out []attack
	add := func(x attack) { out = append(out, x) }
	in := func(d time.Duration) moment { return moment(d) }

	for _, typ := range []string{"logout+jwt", "dpop+jwt", "secevent+jwt", "client-authentication+jwt", "application/logout+jwt", "x"} {
		add(attack{id: "A60", name: "typ " + typ, reason: trust.ReasonType, change: func(f *forgery) { f.header["typ"] = typ }, at: subject})
	}
	add(attack{id: "A60", name: "typ of an access token", reason: trust.ReasonType, change: func(f *forgery) { f.header["typ"] = "at+jwt" }, at: []string{atIDToken}})
	add(attack{id: "A60", name: "a logout token's events", reason: trust.ReasonType, change: set("events", object{"http://schemas.openid.net/event/backchannel-logout": object{}}), at: subject})
	add(attack{id: "A60", name: "a DPoP proof's htm", reason: trust.ReasonType, change: set("htm", "POST"), at: subject})
	add(attack{id: "A60", name: "an ID token's nonce", reason: trust.ReasonType, change: set("nonce", "n-1"), at: []string{atJWT, atAccessToken, atBearer, atCloud, atOwn}})
	add(attack{id: "A60", name: "an ID token's at_hash", reason: trust.ReasonType, change: set("at_hash", "x"), at: []string{atJWT, atAccessToken, atBearer, atCloud, atOwn}})
	add(attack{id: "A60", name: "an access token's scope", reason: trust.ReasonType, change: set("scope", "x"), at: []string{atIDToken}})
	add(attack{id: "A60", name: "own claims that an access token of ours has are gone", reason: trust.ReasonType, change: set("idp", nil), at: []string{atOwn}})

	for name, bad := range map[string]struct {
		claim  string
		value  any
		reason trust.Reason
	}{
		"no exp":           {"exp", nil, trust.ReasonTime},
		"exp as text":      {"exp", "1999999999", trust.ReasonTime},
		"exp as true":      {"exp", true, trust.ReasonTime},
		"exp 1e300":        {"exp", 1e300, trust.ReasonTime},
		"exp in 9999":      {"exp", int64(253402300799), trust.ReasonTime},
		"exp negative":     {"exp", -1, trust.ReasonTime},
		"exp just past":    {"exp", in(-61 * time.Second), trust.ReasonExpired},
		"exp 2 years away": {"exp", in(2 * 366 * 24 * time.Hour), trust.ReasonTime},
		"no iat":           {"iat", nil, trust.ReasonTime},
		"iat in 2099":      {"iat", int64(4070908800), trust.ReasonNotYetValid},
		"iat as text":      {"iat", "0", trust.ReasonTime},
		"nbf ahead":        {"nbf", in(10 * time.Minute), trust.ReasonNotYetValid},
		"nbf as text":      {"nbf", "0", trust.ReasonTime},
	} {
		add(attack{id: "A61", name: name, reason: bad.reason, change: set(bad.claim, bad.value), at: subject})
	}
	add(attack{id: "A61", name: "iat longer ago than the trust accepts", reason: trust.ReasonTooOld, change: set("iat", in(-2*time.Hour)), at: foreign})

	add(attack{id: "A62", name: "expired, and the signature is bad", reason: trust.ReasonExpired, change: func(f *forgery) {
		set("exp", in(-time.Hour))(f)
		f.sign = func([]byte) []byte { return make([]byte, 64) }
	}, at: subject})
	add(attack{id: "A62", name: "only the signature is bad", reason: trust.ReasonSignature, change: func(f *forgery) { f.sign = func([]byte) []byte { return make([]byte, 64) } }, at: subject})

	add(attack{id: "A63", name: "another audience", reason: trust.ReasonAudience, change: set("aud", "https://elsewhere.example"), at: subject})
	add(attack{id: "A63", name: "no audience", reason: trust.ReasonAudience, change: set("aud", nil), at: subject})
	add(attack{id: "A63", name: "the audience of an ID token", reason: trust.ReasonAudience, change: set("aud", "office-app"), at: []string{atJWT, atAccessToken, atBearer, atCloud}})
	add(attack{id: "A63", name: "the audience of a JWT", reason: trust.ReasonAudience, change: set("aud", ours), at: []string{atIDToken}})
	add(attack{id: "A63", name: "an API of ours as audience", reason: trust.ReasonAudience, change: set("aud", warehouseAud), at: foreign})
	add(attack{id: "A63", name: "an audience that is no text", reason: trust.ReasonClaim, change: set("aud", 1), at: subject})
	add(attack{id: "A64", name: "another audience beside ours", reason: trust.ReasonAudience, change: set("aud", []string{ours, "https://elsewhere.example"}), at: []string{atJWT, atAccessToken, atBearer, atCloud}})
	add(attack{id: "A64", name: "another audience beside the API", reason: trust.ReasonAudience, change: set("aud", []string{warehouseAud, "https://elsewhere.example"}), at: []string{atOwn}})
	add(attack{id: "A64", name: "azp of another client", reason: trust.ReasonParty, change: set("azp", "other-app"), at: foreign})
	add(attack{id: "A64", name: "an ID token's other audience without azp", reason: trust.ReasonAudience, change: set("aud", []string{"office-app", "other-app"}), at: []string{atIDToken}})
	add(attack{id: "A65", name: "an audience that another issuer's trust lists", reason: trust.ReasonAudience, change: set("aud", "https://partner-only.example"), at: foreign})

	for name, edit := range map[string]func(string) string{
		"a slash behind": func(s string) string { return s + "/" }, "another case": strings.ToUpper, "a prefix": func(s string) string { return s + ".evil.example" },
		"user info": func(s string) string { return strings.Replace(s, "://", "://x@", 1) }, "a port": func(s string) string { return s + ":443" },
		"a part": func(s string) string { return s[:len(s)-1] }, "a look-alike": func(s string) string { return strings.Replace(s, "o", "ο", 1) },
		"a space behind": func(s string) string { return s + " " }, "a query": func(s string) string { return s + "?" },
	} {
		add(attack{id: "A66", name: "the issuer with " + name, reason: trust.ReasonIssuerUnknown, change: func(f *forgery) {
			iss := f.claims["iss"].(string)
			if edit(iss) == iss { // digits have no case
				iss = strings.Replace(iss, "http", "HTTP", 1)
			}
			f.claims["iss"] = edit(iss)
		}, at: []string{atJWT, atAccessToken, atIDToken, atBearer, atCloud}})
	}
	add(attack{id: "A66", name: "no issuer", reason: trust.ReasonIssuerUnknown, change: set("iss", nil), at: foreign})

	add(attack{id: "A68", name: "the key of another trust under this issuer's kid", reason: trust.ReasonSignature, change: func(f *forgery) {
		f.header["alg"], f.sign = "ES256", a.partner.Sign
	}, at: []string{atCloud, atOwn}})
	add(attack{id: "A68", name: "the key and kid of another trust", reason: trust.ReasonKeyUnknown, dials: 1, at: subject, change: func(f *forgery) {
		f.header["alg"], f.header["kid"], f.sign = "ES256", a.partner.Kid(), a.partner.Sign
	}})

	add(attack{id: "A78", name: "our own issuer in a foreign slot", reason: trust.ReasonType, change: set("iss", ours), at: []string{atIDToken, atBearer}})
	add(attack{id: "A79", name: "an own token that expired", reason: trust.ReasonExpired, change: set("exp", in(-61*time.Second)), at: []string{atOwn}})
	add(attack{id: "A81", name: "the trust's requirement does not hold", reason: trust.ReasonRequire, change: set("department", "sales"), at: foreign})
	add(attack{id: "A81", name: "the required claim is absent", reason: trust.ReasonRequire, change: set("department", nil), at: foreign})
	add(attack{id: "A84", name: "a chain at its end", reason: trust.ReasonChainTooLong, change: set("links", trust.MaxLinks), at: []string{atOwn}})
	add(attack{id: "A84", name: "a chain with a negative length", reason: trust.ReasonClaim, change: set("links", -1), at: []string{atOwn}})
	add(attack{id: "A84", name: "an origin that is gone", reason: trust.ReasonTrustNotLive, change: set("idp", "nobody"), at: []string{atOwn}})
	add(attack{id: "A85", name: "nothing is left of the subject token's life", reason: trust.ReasonLifetime, change: set("exp", in(-5*time.Second)), at: subject})
	add(attack{id: "A86", name: "may_act", reason: trust.ReasonBound, change: set("may_act", object{"sub": "x"}), at: subject})
	add(attack{id: "A88", name: "a DPoP key", reason: trust.ReasonBound, change: set("cnf", object{"jkt": "x"}), at: subject})
	add(attack{id: "A88", name: "a certificate", reason: trust.ReasonBound, change: set("cnf", object{"x5t#S256": "x"}), at: subject})
	add(attack{id: "A88", name: "an empty binding", reason: trust.ReasonBound, change: set("cnf", object{}), at: subject})
	return out
}

// set sets a claim; nil removes it.
func set(claim string, value any) func(*forgery) {
	return func(f *forgery) {
		if d, ok := value.(moment); ok {
			f.claims[claim] = time.Now().Add(time.Duration(d)).Unix()
			return
		}
		f.claims[claim] = value
	}
}

// moment is a NumericDate relative to when the token is made: a row may wait for its turn.
type moment time.Duration
