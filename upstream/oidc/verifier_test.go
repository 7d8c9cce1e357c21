package oidc

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"apostille/trust"
	"apostille/upstream/keys"
)

func TestSubjectOfAJWT(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw := f.hq.token(t, nil, edit(f.claims, object{"scope": "b a b", "jti": "j-1", "level": 3}))
	got, err := f.Verify(t.Context(), f.reg, raw, f.want)
	if err != nil {
		t.Fatal(err)
	}
	want := trust.Subject{
		Credential: trust.CredentialJWT, Trust: "hq", Origin: "hq", Domain: them, Kind: "sub", Value: "u-1",
		Sub: trust.DeriveSub(them, "sub", "u-1"), Scopes: []string{"a", "b"}, HasScopes: true, Issuer: them, TokenID: "j-1",
		IssuedAt: epoch.Add(-10 * time.Second), Expires: epoch.Add(300 * time.Second),
	}
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(trust.Subject{}, "Claims", "Checks")); d != "" {
		t.Error(d)
	}
	if got.Claims["level"] != num("3") || len(got.Claims) != 8 {
		t.Errorf("claims %v", got.Claims)
	}
	var names []string
	for _, c := range got.Checks {
		if names = append(names, c.Name); !c.OK || strings.Contains(c.Detail, raw[:30]) {
			t.Errorf("check %+v", c)
		}
	}
	order := []string{checkFormat, checkIssuer, checkAudience, checkTrust, checkType, checkParty, checkBinding, checkTimes, checkSubject, checkTokenID, checkScopes, checkSignature}
	if !slices.Equal(names, order) {
		t.Errorf("checks %v, want %v", names, order)
	}
}

func TestSubjectOfAnIDTokenIsTheSamePerson(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	got, err := f.Verify(t.Context(), f.reg, f.hq.token(t, nil, f.idTokenClaims), f.wantID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Sub != trust.DeriveSub(them, "sub", "u-1") || got.Credential != trust.CredentialIDToken || got.HasScopes {
		t.Errorf("subject %+v", got)
	}
	if last := got.Checks[len(got.Checks)-1]; last.Name != checkIDToken || !last.OK {
		t.Errorf("go-oidc was not asked: %+v", got.Checks)
	}
}

func TestSubjectOfAnOwnToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw := f.ours.token(t, object{"typ": "at+jwt"}, edit(f.own, object{"links": 2}))
	orOwn := f.want
	orOwn.OrOwn = true
	for _, want := range []Want{f.wantOwn, orOwn} {
		got, err := f.Verify(t.Context(), f.reg, raw, want)
		if err != nil {
			t.Fatal(err)
		}
		wanted := trust.Subject{
			Credential: trust.CredentialOwnToken, Trust: trust.Local, Origin: "hq", Domain: us, Sub: "s-1",
			Scopes: []string{"stock.read"}, HasScopes: true, Issuer: us, TokenID: "j-1",
			IssuedAt: epoch.Add(-10 * time.Second), Expires: epoch.Add(300 * time.Second),
			Audience: []string{"https://warehouse.example"}, ClientID: "portal", Links: 2,
		}
		if d := cmp.Diff(wanted, got, cmpopts.IgnoreFields(trust.Subject{}, "Claims", "Checks")); d != "" {
			t.Error(d)
		}
	}
}

func TestA78_TypeIssuerAndPolicyMustAgree(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	jwt, id := f.hq.token(t, nil, f.claims), f.hq.token(t, nil, f.idTokenClaims)
	own := f.ours.token(t, object{"typ": "at+jwt"}, f.own)
	ownByThem := f.hq.token(t, object{"typ": "at+jwt"}, f.own)
	with := func(typ trust.CredentialType) Want { return Want{Type: typ, Client: "portal"} }
	for name, tc := range map[string]struct {
		raw    string
		want   Want
		reason trust.Reason
	}{
		"a JWT as a JWT":                   {jwt, f.want, ""},
		"an ID token as an ID token":       {id, f.wantID, ""},
		"an own token as an own token":     {own, f.wantOwn, ""},
		"a JWT as an ID token":             {jwt, f.wantID, trust.ReasonAudience},
		"an ID token as a JWT":             {id, f.want, trust.ReasonAudience},
		"an own token as a JWT":            {own, f.want, trust.ReasonType},
		"an own token as an ID token":      {own, f.wantID, trust.ReasonType},
		"a JWT as an own token":            {jwt, f.wantOwn, trust.ReasonType},
		"their key for our issuer":         {ownByThem, f.wantOwn, trust.ReasonKeyUnknown},
		"a JWT as a client":                {jwt, with(trust.CredentialClient), trust.ReasonType},
		"a JWT as nothing":                 {jwt, Want{Client: "portal"}, trust.ReasonType},
		"an ID token of a JWT-only issuer": {f.elsewhere.token(t, nil, edit(f.idTokenClaims, object{"iss": other})), f.wantID, trust.ReasonType},
		"SAML":                             {"PHNhbWw+", f.want, trust.ReasonMalformed},
		"nothing":                          {"", f.want, trust.ReasonMalformed},
		"too much":                         {strings.Repeat("a", 20<<10), f.want, trust.ReasonTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := f.Verify(t.Context(), f.reg, tc.raw, tc.want)
			if got := reasonOf(t, err); got != tc.reason {
				t.Errorf("reason %q (%v), want %q", got, err, tc.reason)
			}
		})
	}
}

func TestA76_ClientWithoutARuleIsRefusedBeforeKeysAreLookedUp(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw := f.hq.token(t, nil, f.claims)
	for client, reason := range map[string]trust.Reason{"stranger": trust.ReasonNoRule, "": trust.ReasonClientRequired, "unheard-of": trust.ReasonNoRule} {
		_, err := f.Verify(t.Context(), f.reg, raw, Want{Type: trust.CredentialJWT, Client: client})
		if got := reasonOf(t, err); got != reason {
			t.Errorf("%q: reason %q, want %q", client, got, reason)
		}
		var e *Error
		if errors.As(err, &e) && e.Trust != "hq" {
			t.Errorf("%q: the error names trust %q", client, e.Trust)
		}
	}
	if n := f.keys.lookups.Load(); n != 0 {
		t.Errorf("%d key look-ups, want none", n)
	}
	if _, err := f.Verify(t.Context(), f.reg, raw, f.want); err != nil || f.keys.lookups.Load() != 1 {
		t.Errorf("the twin: %v, %d look-ups", err, f.keys.lookups.Load())
	}
}

func TestA69_DisabledTrustIsAnUnknownIssuer(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	raw := f.elsewhere.token(t, nil, edit(f.claims, object{"iss": other}))
	if _, err := f.Verify(t.Context(), f.reg, raw, f.want); err != nil {
		t.Fatal(err)
	}
	disabled := compile(t, func(s *trust.Spec) {
		o := s.Trusts["other"]
		o.Disabled = true
		s.Trusts["other"] = o
	})
	_, err := f.Verify(t.Context(), disabled, raw, f.want)
	if got := reasonOf(t, err); got != trust.ReasonIssuerUnknown {
		t.Errorf("reason %q, want %q: remembered across a reload", got, trust.ReasonIssuerUnknown)
	}
}

func TestA62_NothingLeavesWithABadSignature(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	good := f.hq.token(t, nil, f.claims)
	forged := newSigner(t, "k1").token(t, nil, f.claims)
	for name, raw := range map[string]string{
		"another key under the same kid": forged,
		"a changed payload":              good[:strings.IndexByte(good, '.')+1] + encode(t, edit(f.claims, object{"sub": "admin"})) + good[strings.LastIndexByte(good, '.'):],
		"a signature of zeros":           good[:strings.LastIndexByte(good, '.')+1] + base64.RawURLEncoding.EncodeToString(make([]byte, 64)),
	} {
		for _, want := range []Want{f.want} {
			sub, err := f.Verify(t.Context(), f.reg, raw, want)
			if got := reasonOf(t, err); got != trust.ReasonSignature || sub.Claims != nil || sub.Sub != "" {
				t.Errorf("%s: reason %q, subject %+v", name, got, sub)
			}
		}
	}
	if _, err := f.Verify(t.Context(), f.reg, good, f.want); err != nil {
		t.Errorf("the twin: %v", err)
	}
	_, err := f.Verify(t.Context(), f.reg, newSigner(t, "k1").token(t, nil, f.idTokenClaims), f.wantID)
	if got := reasonOf(t, err); got != trust.ReasonSignature {
		t.Errorf("an ID token: reason %q", got)
	}
}

func TestUnavailableKeysAreNotABadToken(t *testing.T) {
	t.Parallel()
	for _, want := range []func(*fixture) (Want, object){
		func(f *fixture) (Want, object) { return f.want, f.claims },
		func(f *fixture) (Want, object) { return f.wantID, f.idTokenClaims },
	} {
		f := newFixture(t)
		w, claims := want(f)
		f.keys.err = fmt.Errorf("%w: upstream down", keys.ErrUnavailable)
		_, err := f.Verify(t.Context(), f.reg, f.hq.token(t, nil, claims), w)
		if got := reasonOf(t, err); got != trust.ReasonKeysUnavailable || !errors.Is(err, keys.ErrUnavailable) {
			t.Errorf("reason %q, err %v", got, err)
		}
	}
}

func TestR15_PanicIsARefusal(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.keys.panics = true
	for raw, want := range map[string]Want{f.hq.token(t, nil, f.claims): f.want, f.hq.token(t, nil, f.idTokenClaims): f.wantID} {
		sub, err := f.Verify(t.Context(), f.reg, raw, want)
		if got := reasonOf(t, err); got != trust.ReasonPanic || sub.Sub != "" || strings.Contains(fmt.Sprintf("%v %v", err, errors.Unwrap(err)), "SECRET") {
			t.Errorf("reason %q, err %v", got, err)
		}
	}
	f.keys.panics = false
	if _, err := f.Verify(t.Context(), f.reg, f.hq.token(t, nil, f.claims), f.want); err != nil {
		t.Errorf("the twin: %v", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	second := compile(t)
	raw := f.hq.token(t, nil, f.claims)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 20 {
				reg := f.reg
				if i%2 == 0 {
					reg = second
				}
				if _, err := f.Verify(t.Context(), reg, raw, f.want); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkVerify(b *testing.B) {
	f := newFixture(b)
	s := newRSASigner(b, "r1")
	f.keys.publish("hq", s.key())
	var distinct []string
	for i := range 512 {
		distinct = append(distinct, s.token(b, nil, edit(f.claims, object{"sub": fmt.Sprintf("u-%d", i), "jti": fmt.Sprintf("j-%d", i), "scope": "inventory:read"})))
	}
	run := func(b *testing.B, v *Verifier, tokens []string) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			if _, err := v.Verify(b.Context(), f.reg, tokens[i%len(tokens)], f.want); err != nil {
				b.Fatal(err)
			}
			i++
		}
	}
	b.Run("stdlib RSA only", func(b *testing.B) {
		sum := sha256.Sum256([]byte("x"))
		sig, err := rsa.SignPKCS1v15(rand.Reader, s.rsa, crypto.SHA256, sum[:])
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if err := rsa.VerifyPKCS1v15(&s.rsa.PublicKey, crypto.SHA256, sum[:], sig); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("distinct", func(b *testing.B) {
		run(b, &Verifier{Keys: f.keys, Now: f.Now, Capacity: -1}, distinct)
	})
	b.Run("distinct, remembering", func(b *testing.B) {
		run(b, &Verifier{Keys: f.keys, Now: f.Now, Capacity: 16}, distinct)
	})
	b.Run("repeated", func(b *testing.B) {
		run(b, f.Verifier, distinct[:1])
	})
}
