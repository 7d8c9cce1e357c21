package oidc

import (
	"encoding/json"
	"strings"
	"testing"

	"apostille/trust"
	"apostille/upstream/fake"
)

func info(pairs ...any) fake.LoginFaults {
	return fake.LoginFaults{UserInfo: idClaims(pairs...).IDToken}
}

func TestUserinfoIsOfTheSameSubOrNothing(t *testing.T) {
	t.Parallel()
	run(t, map[string]bend{
		"another sub":           {info("sub", "somebody else"), trust.ReasonSubject},
		"no sub":                {info("sub", nil), trust.ReasonSubject},
		"a sub of a list":       {info("sub", []string{"fake|alice"}), trust.ReasonSubject},
		"a sub of an object":    {info("sub", map[string]any{"a": 1}), trust.ReasonSubject},
		"a SUB beside it":       {info("SUB", "admin"), ""},
		"a signed answer":       {fake.LoginFaults{UserInfoJWT: true}, trust.ReasonUpstreamError},
		"a claim of 20 KB":      {info("padding", strings.Repeat("a", 20<<10)), trust.ReasonUpstreamDown},
		"with the rest missing": {info("name", nil, "email", nil, "email_verified", nil), ""},
	}, arrangement{})
	for name, c := range map[string]struct {
		faults fake.Faults
		reason trust.Reason
	}{
		"500":        {fake.Faults{Status500: true}, trust.ReasonUpstreamDown},
		"HTML":       {fake.Faults{HTML: true}, trust.ReasonUpstreamError},
		"a redirect": {fake.Faults{RedirectTo: "/elsewhere"}, trust.ReasonUpstreamDown},
		"too much":   {fake.Faults{Huge: true}, trust.ReasonUpstreamDown},
	} {
		m := meet(t, arrangement{})
		c.faults.Only = fake.PathUserInfo
		m.op.Break(c.faults)
		if _, err := m.signIn(t); why(t, err) != c.reason {
			t.Errorf("%s: %v", name, err)
		}
		if m.op.Requests("other") != 0 {
			t.Errorf("%s: the token was sent on", name)
		}
	}
}

func TestWithoutUserinfoNobodyAsks(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]arrangement{
		"not configured": {cfg: func(c *LoginConfig) { c.UserInfo = false }},
		"not there":      {},
	} {
		m := meet(t, a)
		if name == "not there" {
			m.op.Break(fake.Faults{Discovery: map[string]any{"userinfo_endpoint": nil}})
		}
		got, err := m.signIn(t)
		if err != nil || got.Subject.Claims["email"] != nil || got.Subject.Claims["name"] != "Alice Martin" || m.op.Requests(fake.PathUserInfo) != 0 {
			t.Errorf("%s: %v %v", name, err, got.Subject.Claims)
		}
	}
}

func TestA94_UserinfoAddsAndNeverReplaces(t *testing.T) {
	t.Parallel()
	m := meet(t, arrangement{})
	m.op.Break(fake.Faults{Login: info("name", "Mallory", "department", "board", "phone_number", "+41", "iss", us, "aud", us, "exp", 1, "scope", "admin", "acr",
		"urn:fake:mfa", "amr", []string{"hwk"}, "auth_time", 1, "sid", "x", "act", map[string]any{"sub": "x"}, "_claim_sources", map[string]any{"a": 1}, "nonce", "x")})
	got, err := m.signIn(t)
	if err != nil {
		t.Fatal(err)
	}
	c := got.Subject.Claims
	for name, want := range map[string]any{"name": "Alice Martin", "department": "logistics", "phone_number": "+41", "iss": m.op.Issuer(), "aud": clientID,
		"scope": nil, "acr": "urn:fake:password", "amr": nil, "act": nil, "_claim_sources": nil, "nonce": nil, "sid": m.op.Sessions("alice")[0]} {
		if c[name] != want {
			t.Errorf("%s is %v, want %v", name, c[name], want)
		}
	}
	if c["exp"] == json.Number("1") || c["auth_time"] == json.Number("1") || got.Subject.ACR != "basic" {
		t.Errorf("claims %v", c)
	}
}

func TestA90_AnAddressIsVerifiedByABooleanOfTheSameSource(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		id, info        []any
		email, verified any
	}{
		"true is true":                              {nil, nil, "alice@hq.hmart.example", true},
		"false is false":                            {nil, []any{"email_verified", false}, "alice@hq.hmart.example", false},
		"the string is nothing":                     {nil, []any{"email_verified", "true"}, "alice@hq.hmart.example", nil},
		"1 is nothing":                              {nil, []any{"email_verified", 1}, "alice@hq.hmart.example", nil},
		"absent stays absent":                       {nil, []any{"email_verified", nil}, "alice@hq.hmart.example", nil},
		"the string in an ID token is nothing":      {[]any{"email", "a@b.example", "email_verified", "true"}, nil, "a@b.example", nil},
		"another source's word is not borrowed":     {[]any{"email", "a@b.example"}, nil, "a@b.example", nil},
		"nor is the ID token's for another address": {[]any{"email_verified", true}, nil, nil, true},
		"both in the ID token":                      {[]any{"email", "a@b.example", "email_verified", true}, []any{"email_verified", false}, "a@b.example", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := meet(t, arrangement{})
			m.op.Break(fake.Faults{Login: fake.LoginFaults{IDToken: idClaims(tc.id...).IDToken, UserInfo: idClaims(tc.info...).IDToken}})
			got, err := m.signIn(t)
			if err != nil || got.Subject.Claims["email"] != tc.email || got.Subject.Claims["email_verified"] != tc.verified {
				t.Errorf("%v: email %v, verified %v", err, got.Subject.Claims["email"], got.Subject.Claims["email_verified"])
			}
			if got.Subject.Sub != trust.DeriveSub(m.op.Issuer(), "sub", m.op.Sub("alice")) {
				t.Error("the address changed who it is")
			}
		})
	}
}
