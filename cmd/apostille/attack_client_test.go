package main

import (
	"net/http"
	"testing"
	"time"

	"apostille/broker/oauth"
	"apostille/broker/threat"
	"apostille/trust"
)

// A60, A71, A106: who asks.
func (a *arena) clientAttacks(t *testing.T) []threat.Case {
	t.Helper()
	var out []threat.Case
	for _, x := range []struct {
		id, name string
		change   func(f *forgery)
	}{
		{"A60", "an access token of ours", func(f *forgery) { f.header["typ"] = "at+jwt" }},
		{"A60", "a logout token", func(f *forgery) { f.header["typ"] = "logout+jwt" }},
		{"A61", "no exp", func(f *forgery) { f.claims["exp"] = nil }},
		{"A61", "an exp a year away", func(f *forgery) { f.claims["exp"] = time.Now().Add(8760 * time.Hour).Unix() }},
		{"A71", "another server's token endpoint", func(f *forgery) { f.claims["aud"] = "https://other.example/token" }},
		{"A71", "our token endpoint", func(f *forgery) { f.claims["aud"] = ours + "/oauth2/token" }},
		{"A71", "a list with our issuer", func(f *forgery) { f.claims["aud"] = []string{ours} }},
		{"A71", "a list with another server beside us", func(f *forgery) { f.claims["aud"] = []string{ours, "https://other.example"} }},
		{"A71", "our issuer with a slash", func(f *forgery) { f.claims["aud"] = ours + "/" }},
		{"A72", "no jti, so that it could be used twice", func(f *forgery) { f.claims["jti"] = nil }},
		{"A87", "an assertion that speaks for another one", func(f *forgery) { f.claims["sub"] = "portal" }},
	} {
		out = append(out, threat.Case{ID: x.id, Name: x.name, Attack: a.bend(x.change), Twin: a.bend(nil),
			Reason: trust.ReasonClientAuth, Unrecorded: true, Entries: a.entries(atAssertion)})
	}
	plain := func(in threat.Input) threat.Build {
		return func(t testing.TB, at threat.Entry) threat.Input {
			sent := in
			sent.Token = a.good(at).token(t)
			return sent
		}
	}
	authenticated := a.entries(atJWT, atAccessToken, atIDToken, atBearer, atOwn)
	for _, c := range []struct {
		name   string
		in     threat.Input
		reason trust.Reason
	}{
		{"a client without its secret", threat.Input{Form: map[string][]string{"client_id": {"portal"}}, Header: http.Header{"Authorization": nil}}, trust.ReasonClientAuth},
		{"a wrong secret", threat.Input{Header: http.Header{"Authorization": {"Basic cG9ydGFsOndyb25n"}}}, trust.ReasonClientAuth},
		{"two ways of authentication", threat.Input{Form: map[string][]string{"client_id": {"portal"}, "client_secret": {clientSecret}}}, trust.ReasonRequest},
		{"an assertion beside a secret", threat.Input{Form: map[string][]string{"client_assertion_type": {oauth.AssertionTypeJWT}, "client_assertion": {"x"}}}, trust.ReasonRequest},
		{"two Authorization headers", threat.Input{Header: http.Header{"Authorization": {basicHeader("portal"), basicHeader("gateway")}}}, trust.ReasonClientAuth},
		{"another client_id beside the header", threat.Input{Form: map[string][]string{"client_id": {"stranger"}}}, trust.ReasonClientAuth},
		{"a bearer token as authentication", threat.Input{Header: http.Header{"Authorization": {"Bearer x"}}}, trust.ReasonClientAuth},
	} {
		out = append(out, threat.Case{ID: "A106", Name: c.name, Attack: plain(c.in), Twin: plain(threat.Input{}), Reason: c.reason, Unrecorded: true, Entries: authenticated})
	}
	out = append(out, threat.Case{ID: "A106", Name: "a grant that the client lacks", Attack: plain(threat.Input{Header: http.Header{"Authorization": {basicHeader("idle")}}}),
		Twin: plain(threat.Input{}), Reason: trust.ReasonGrantNotAllowed, Entries: authenticated})
	return out
}

func basicHeader(client string) string {
	r, _ := http.NewRequest(http.MethodPost, ours, nil)
	r.SetBasicAuth(client, clientSecret)
	return r.Header.Get("Authorization")
}

// requestAttack is a Case before its entries are known: what is asked for with a good token.
type requestAttack struct {
	id, name string
	reason   trust.Reason
	in       threat.Input
	at       []string
}

// A76, A77, A78, A82, A83, A86: what is asked for.
func (a *arena) requestAttacks() []threat.Case {
	var out []threat.Case
	add := func(x requestAttack) {
		build := func(t testing.TB, e threat.Entry) threat.Input {
			bad := x.in
			bad.Token = a.good(e).token(t)
			return bad
		}
		for _, entry := range x.at {
			out = append(out, threat.Case{ID: x.id, Name: x.name + " at " + entry, Attack: build, Twin: a.bend(nil), Reason: x.reason,
				Entries: a.entries(entry), Unrecorded: entry == atCloud})
		}
	}
	form := func(pairs ...string) threat.Input {
		in := threat.Input{Form: map[string][]string{}}
		for i := 0; i+1 < len(pairs); i += 2 {
			in.Form[pairs[i]] = append(in.Form[pairs[i]], pairs[i+1])
		}
		return in
	}
	exchanges := []string{atJWT, atAccessToken, atIDToken, atCloud, atOwn}
	add(requestAttack{id: "A76", name: "a client that no rule names", reason: trust.ReasonNoRule, in: threat.Input{Header: http.Header{"Authorization": {basicHeader("stranger")}}}, at: []string{atJWT, atAccessToken, atIDToken, atBearer}})
	add(requestAttack{id: "A76", name: "a client beside the unauthenticated rule", reason: trust.ReasonNoRule, in: threat.Input{Header: http.Header{"Authorization": {basicHeader("stranger")}}}, at: []string{atCloud}})
	add(requestAttack{id: "A76", name: "a client that neither holds nor owns it", reason: trust.ReasonNotHolder, in: threat.Input{Header: http.Header{"Authorization": {basicHeader("stranger")}}}, at: []string{atOwn}})

	for _, p := range []string{"actor_token", "actor_token_type", "authorization_details", "request", "request_uri", "claims", "dpop_jkt"} {
		add(requestAttack{id: "A77", name: "the parameter " + p, reason: trust.ReasonUnsupportedParam, in: form(p, "x"), at: subject})
	}
	add(requestAttack{id: "A86", name: "an actor beside the subject", reason: trust.ReasonUnsupportedParam,
		in: form("actor_token", "x", "actor_token_type", oauth.TokenTypeJWT), at: subject})
	for _, p := range []string{"code", "refresh_token", "username", "password", "device_code"} {
		add(requestAttack{id: "A77", name: "another grant's " + p, reason: trust.ReasonRequest, in: form(p, "x"), at: subject})
	}
	add(requestAttack{id: "A77", name: "an assertion beside the subject token", reason: trust.ReasonRequest, in: form("assertion", "x"), at: exchanges})
	add(requestAttack{id: "A77", name: "a subject token beside the assertion", reason: trust.ReasonRequest, in: form("subject_token", "x"), at: []string{atBearer}})
	add(requestAttack{id: "A77", name: "no subject_token_type", reason: trust.ReasonRequest, in: form("subject_token_type", ""), at: exchanges})
	add(requestAttack{id: "A77", name: "a token type to issue that is not built", reason: trust.ReasonUnsupportedType, in: form("requested_token_type", oauth.TokenTypeRefresh), at: exchanges})
	add(requestAttack{id: "A77", name: "a SAML assertion asked for, where the API takes tokens", reason: trust.ReasonUnsupportedType, in: form("requested_token_type", oauth.TokenTypeSAML2), at: exchanges})

	add(requestAttack{id: "A78", name: "declared as an ID token", reason: trust.ReasonAudience, in: threat.Input{TokenType: oauth.TokenTypeIDToken}, at: []string{atJWT, atAccessToken}})
	add(requestAttack{id: "A78", name: "our own declared as an ID token", reason: trust.ReasonType, in: threat.Input{TokenType: oauth.TokenTypeIDToken}, at: []string{atOwn}})
	add(requestAttack{id: "A78", name: "an ID token declared as a JWT", reason: trust.ReasonAudience, in: threat.Input{TokenType: oauth.TokenTypeJWT}, at: []string{atIDToken}})
	for _, typ := range []string{oauth.TokenTypeSAML1, oauth.TokenTypeRefresh, "jwt", "urn:ietf:params:oauth:token-type:JWT"} {
		add(requestAttack{id: "A78", name: "declared as " + typ, reason: trust.ReasonUnsupportedType, in: threat.Input{TokenType: typ}, at: exchanges})
	}

	add(requestAttack{id: "A82", name: "a scope beyond the client's registration", reason: trust.ReasonScopeUnregistered, in: form("scope", "stock.read stock.secret"), at: []string{atJWT, atAccessToken, atIDToken, atBearer}})
	add(requestAttack{id: "A82", name: "a scope that only the rule withholds", reason: trust.ReasonScopeEmpty, in: form("scope", "stock.order"), at: []string{atJWT, atAccessToken, atIDToken, atBearer, atCloud}})
	add(requestAttack{id: "A82", name: "a wildcard", reason: trust.ReasonScopeUnknown, in: form("scope", "*"), at: subject})
	add(requestAttack{id: "A82", name: "a scope in another case", reason: trust.ReasonScopeUnknown, in: form("scope", "STOCK.READ"), at: subject})
	add(requestAttack{id: "A82", name: "a scope nobody defines", reason: trust.ReasonScopeUnknown, in: form("scope", "admin"), at: subject})

	add(requestAttack{id: "A83", name: "an unknown audience", reason: trust.ReasonTargetUnknown, in: form("audience", "https://elsewhere.example"), at: subject})
	add(requestAttack{id: "A83", name: "an unknown resource", reason: trust.ReasonTargetUnknown, in: form("resource", "https://elsewhere.example"), at: subject})
	add(requestAttack{id: "A83", name: "an audience with a slash", reason: trust.ReasonTargetUnknown, in: form("audience", warehouseAud+"/"), at: subject})
	add(requestAttack{id: "A83", name: "an API beside it that no rule is about", reason: trust.ReasonNoRule, in: form("audience", "warehouse", "audience", "inventory"), at: []string{atJWT, atAccessToken, atIDToken, atBearer, atCloud}})
	add(requestAttack{id: "A83", name: "an API that no rule is about", reason: trust.ReasonNoRule, in: form("audience", "inventory"), at: []string{atJWT, atAccessToken, atIDToken, atBearer, atCloud}})
	add(requestAttack{id: "A83", name: "a resource that no rule is about", reason: trust.ReasonNoRule, in: form("audience", "", "resource", inventoryAud+"/items"), at: []string{atJWT, atBearer}})
	return out
}
