package oidc

import (
	"errors"
	"testing"
	"time"

	"apostille/trust"
	"apostille/upstream"
	"apostille/upstream/fake"
)

func TestRefreshFetchesClaimsAgain(t *testing.T) {
	t.Parallel()
	m := meet(t, arrangement{cfg: func(c *LoginConfig) { c.RefreshClaims = true }})
	first, err := m.signIn(t)
	if err != nil || first.Refresh == "" {
		t.Fatalf("%v, no refresh token", err)
	}
	m.later(3 * time.Hour)
	m.op.Break(fake.Faults{Login: fake.LoginFaults{IDToken: map[string]any{"department": "sales"}}})
	second, err := m.Refresh(t.Context(), m.trust, first.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	s := second.Subject
	if s.Sub != first.Subject.Sub || s.Claims["department"] != "sales" || s.Claims["email"] != "alice@hq.hmart.example" || !s.AuthTime.Equal(epoch) || !s.IssuedAt.Equal(m.clock()) {
		t.Errorf("%+v", s)
	}
	if second.Refresh == "" || second.Refresh == first.Refresh {
		t.Error("the token for the next time is not the new one")
	}
	var e *upstream.Error
	if _, err := m.Refresh(t.Context(), m.trust, first.Refresh); why(t, err, first.Refresh) != trust.ReasonUpstreamError || !errors.As(err, &e) || e.Code != "invalid_grant" {
		t.Errorf("a used one: %v", err)
	}
}

func TestRefreshWithoutAnIDTokenTakesUserinfo(t *testing.T) {
	t.Parallel()
	none := map[string]any{"id_token": nil, "refresh_token": nil}
	for name, tc := range map[string]struct {
		faults fake.Faults
		spec   func(*trust.TrustSpec)
		reason trust.Reason
	}{
		"userinfo names the subject":     {fake.Faults{Login: fake.LoginFaults{Token: none}}, nil, ""},
		"userinfo names nobody":          {fake.Faults{Login: fake.LoginFaults{Token: none, UserInfo: map[string]any{"sub": nil}}}, nil, trust.ReasonSubject},
		"userinfo lacks the claim of us": {fake.Faults{Login: fake.LoginFaults{Token: none}}, func(s *trust.TrustSpec) { s.Subject = "oid" }, trust.ReasonSubject},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := meet(t, arrangement{cfg: func(c *LoginConfig) { c.RefreshClaims = true }, spec: tc.spec})
			m.op.Break(fake.Faults{Login: fake.LoginFaults{IDToken: map[string]any{"oid": "o-1"}}})
			first, err := m.signIn(t)
			if err != nil {
				t.Fatal(err)
			}
			m.op.Break(tc.faults)
			got, err := m.Refresh(t.Context(), m.trust, first.Refresh)
			if why(t, err) != tc.reason {
				t.Fatalf("%v", err)
			}
			if err == nil && (got.Subject.Sub != first.Subject.Sub || got.Refresh != first.Refresh || !got.Subject.AuthTime.IsZero() || got.Subject.Claims["name"] != "Alice Martin") {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestRefreshVerifiesTheIDTokenAsALoginDoes(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fake.LoginFaults{
		"another issuer":  {IDToken: map[string]any{"iss": evil}},
		"another client":  {IDToken: map[string]any{"aud": "canteen"}},
		"another key":     {Mint: []fake.MintOption{fake.By(fake.NewKey("ES256"), "ES256")}},
		"an access token": {Mint: []fake.MintOption{fake.Typ("at+jwt")}},
		"another person":  {UserInfo: map[string]any{"sub": "mallory"}},
	} {
		m := meet(t, arrangement{cfg: func(c *LoginConfig) { c.RefreshClaims = true }})
		first, err := m.signIn(t)
		if err != nil {
			t.Fatal(err)
		}
		m.op.Break(fake.Faults{Login: f})
		if got, err := m.Refresh(t.Context(), m.trust, first.Refresh); err == nil || got.Subject.Sub != "" {
			t.Errorf("%s: accepted", name)
		}
	}
}
