package oidc

import (
	"testing"

	"apostille/trust"
)

func TestExamineUnverifiedMakesEveryCheckButTheSignature(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	forged := f.elsewhere.token(t, nil, f.claims)
	if _, err := f.Verify(t.Context(), f.reg, forged, f.want); reasonOf(t, err) != trust.ReasonSignature {
		t.Fatalf("a forged token: %v", err)
	}
	lookups := f.keys.lookups.Load()
	s, err := f.ExamineUnverified(t.Context(), f.reg, forged, f.want)
	if err != nil {
		t.Fatal(err)
	}
	if s.Trust != "hq" || s.Sub != trust.DeriveSub(them, "sub", "u-1") {
		t.Errorf("subject %+v", s)
	}
	for _, c := range s.Checks {
		if c.OK == (c.Name == checkSignature) {
			t.Errorf("check %+v", c)
		}
	}
	if f.keys.lookups.Load() != lookups {
		t.Error("a key was looked up")
	}
	if _, err := f.Verify(t.Context(), f.reg, forged, f.want); reasonOf(t, err) != trust.ReasonSignature {
		t.Errorf("what was examined unverified counts as verified: %v", err)
	}
}

func TestExamineUnverifiedIgnoresWhatVerifyRemembers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw := f.hq.token(t, nil, f.claims)
	if _, err := f.Verify(t.Context(), f.reg, raw, f.want); err != nil {
		t.Fatal(err)
	}
	s, err := f.ExamineUnverified(t.Context(), f.reg, raw, f.want)
	if err != nil {
		t.Fatal(err)
	}
	if last := s.Checks[len(s.Checks)-1]; last.Name != checkSignature || last.OK {
		t.Errorf("the signature passes as checked: %+v", s.Checks)
	}
}

func TestExamineUnverifiedRefusesWhatVerifyRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, c := range map[string]struct {
		change object
		want   Want
		reason trust.Reason
	}{
		"another audience": {object{"aud": "https://stranger.example"}, f.want, trust.ReasonAudience},
		"expired":          {object{"exp": epoch.Unix() - 3600}, f.want, trust.ReasonExpired},
		"unknown issuer":   {object{"iss": "https://stranger.example"}, f.want, trust.ReasonIssuerUnknown},
		"no subject":       {object{"sub": nil}, f.want, trust.ReasonSubject},
		"bound to a key":   {object{"cnf": object{"jkt": "x"}}, f.want, trust.ReasonBound},
		"no rule":          {nil, Want{Type: trust.CredentialJWT, Client: "stranger"}, trust.ReasonNoRule},
	} {
		raw := f.hq.token(t, nil, edit(f.claims, c.change))
		_, verified := f.Verify(t.Context(), f.reg, raw, c.want)
		_, examined := f.ExamineUnverified(t.Context(), f.reg, raw, c.want)
		if reasonOf(t, verified) != c.reason || reasonOf(t, examined) != c.reason {
			t.Errorf("%s: verified %v, examined %v, want %s", name, verified, examined, c.reason)
		}
	}
}

func TestExamineUnverifiedReadsIDTokensAndOwnTokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, c := range map[string]struct {
		raw  string
		want Want
	}{
		"an ID token, which go-oidc reads too": {f.elsewhere.token(t, nil, f.idTokenClaims), f.wantID},
		"a token of our own issuer":            {f.elsewhere.token(t, object{"typ": "at+jwt"}, f.own), f.wantOwn},
	} {
		if s, err := f.ExamineUnverified(t.Context(), f.reg, c.raw, c.want); err != nil || s.Sub == "" {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}
