package family_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"apostille/broker/family"
	"apostille/broker/store"
	"apostille/trust"
	"apostille/upstream"
)

func (b *bench) refresh(client, token string) got { return b.ask(client, refreshForm(token)) }

func grace(d time.Duration) func(*trust.AppSpec) {
	return func(a *trust.AppSpec) { a.RefreshGrace = &d }
}

func TestARefreshRotatesAndTellsTheSamePerson(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.redeem(t, "shop", nil)
	b.pass(time.Hour)
	second := granted(t, b.refresh("shop", first.str("refresh_token")))
	if second.str("refresh_token") == "" || second.str("refresh_token") == first.str("refresh_token") || second.str("scope") != first.str("scope") {
		t.Errorf("answered %s", second.text)
	}
	// OpenID Connect Core §12.2
	before, after := claims(t, first.str("id_token")), claims(t, second.str("id_token"))
	for _, same := range []string{"iss", "sub", "aud", "auth_time", "sid", "acr"} {
		if before[same] != after[same] {
			t.Errorf("%s was %v and is %v", same, before[same], after[same])
		}
	}
	if after["nonce"] != nil || number(t, after["iat"]) != b.Now().Unix() || after["at_hash"] != leftHalf(second.str("access_token")) {
		t.Errorf("ID token %v", after)
	}
	if f := claims(t, second.str("access_token"))["family"]; f != claims(t, first.str("access_token"))["family"] {
		t.Errorf("another family: %v", f)
	}
	granted(t, b.refresh("shop", second.str("refresh_token")))
}

func TestTheAnswerIsFetchedAgainWithinTheGrace(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.redeem(t, "shop", nil)
	second := granted(t, b.refresh("shop", first.str("refresh_token")))
	b.pass(9 * time.Second)
	again := granted(t, b.refresh("shop", first.str("refresh_token")))
	if again.text != second.text {
		t.Errorf("answered %s, and before %s", again.text, second.text)
	}
	e := b.last()
	if e.IssuedID != claims(t, second.str("access_token"))["jti"] || !strings.Contains(e.Detail, "again") {
		t.Errorf("record %+v", e)
	}
	b.refused(t, b.refresh("plain", first.str("refresh_token")), "unauthorized_client", trust.ReasonGrantNotAllowed)
	b.refused(t, b.refresh("old", first.str("refresh_token")), "invalid_grant", trust.ReasonRefresh)
	granted(t, b.refresh("shop", second.str("refresh_token")))
}

func TestA103_AUsedRefreshTokenEndsItsFamily(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		app    func(*trust.AppSpec)
		before func(t *testing.T, b *bench, second got)
	}{
		{"after the grace", nil, func(_ *testing.T, b *bench, _ got) { b.pass(11 * time.Second) }},
		{"once its successor was used", nil, func(t *testing.T, b *bench, second got) {
			granted(t, b.refresh("shop", second.str("refresh_token")))
		}},
		{"at once, where there is no grace", grace(0), func(*testing.T, *bench, got) {}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if c.app != nil {
				b.change(t, setApp("shop", c.app))
			}
			first := b.redeem(t, "shop", nil)
			second := granted(t, b.refresh("shop", first.str("refresh_token")))
			c.before(t, b, second)
			b.refused(t, b.refresh("shop", first.str("refresh_token")), "invalid_grant", trust.ReasonRefreshReused)
			if f := b.family(t, first); f.Why != store.WhyReuse {
				t.Errorf("family %+v", f)
			}
			b.refused(t, b.refresh("shop", second.str("refresh_token")), "invalid_grant", trust.ReasonRefreshReused)
			// R03, A79: the access tokens ended with it.
			exchange := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {second.str("access_token")},
				"subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"}}
			b.refused(t, b.ask("shop", exchange), "invalid_request", trust.ReasonRevoked)
		})
	}
}

func TestA103_AHundredAtOnce(t *testing.T) {
	t.Parallel()
	t.Run("with grace all get one answer", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		b.Gate = make(chan struct{}, 100)
		first := b.redeem(t, "shop", nil)
		answers := together(100, func() got { return b.refresh("shop", first.str("refresh_token")) })
		for _, g := range answers {
			if g.status != http.StatusOK || g.text != answers[0].text {
				t.Fatalf("answered %s and %s", g.text, answers[0].text)
			}
		}
		granted(t, b.refresh("shop", answers[0].str("refresh_token")))
	})
	t.Run("without grace one gets an answer and the family ends", func(t *testing.T) {
		t.Parallel()
		b := newBench(t)
		b.Gate = make(chan struct{}, 100)
		b.change(t, setApp("shop", grace(0)))
		first := b.redeem(t, "shop", nil)
		answers := together(100, func() got { return b.refresh("shop", first.str("refresh_token")) })
		if n := count(answers, http.StatusOK); n != 1 {
			t.Fatalf("%d answers with tokens", n)
		}
		won := answers[slices.IndexFunc(answers, func(g got) bool { return g.status == http.StatusOK })]
		if f := b.family(t, won); f.Why != store.WhyReuse {
			t.Errorf("family %+v", f)
		}
		b.refused(t, b.refresh("shop", won.str("refresh_token")), "invalid_grant", trust.ReasonRefreshReused)
	})
}

func TestA100_ARefreshTokenIsItsClients(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.redeem(t, "shop", nil)
	for _, other := range []string{"old", "phone", "guest"} {
		b.refused(t, b.refresh(other, first.str("refresh_token")), "invalid_grant", trust.ReasonRefresh)
	}
	b.refused(t, b.refresh("shop", "made-up"), "invalid_grant", trust.ReasonRefresh)
	granted(t, b.refresh("shop", first.str("refresh_token"))) // not used up
}

func TestA96_EveryRefreshIsDecidedAgain(t *testing.T) {
	t.Parallel()
	hq := func(change func(*trust.TrustSpec)) func(*testing.T, *bench) {
		return func(t *testing.T, b *bench) { b.change(t, setTrust(change)) }
	}
	for _, c := range []struct {
		name         string
		break_, mend func(t *testing.T, b *bench)
		code         string
		reason       trust.Reason
	}{
		{"A80 the subject is blocked", func(t *testing.T, b *bench) { b.mark(t, store.SubjectMark{Sub: kim, Blocked: true}) },
			func(t *testing.T, b *bench) { b.mark(t, store.SubjectMark{Sub: kim}) }, "invalid_grant", trust.ReasonSubjectBlocked},
		{"sign-ins before now do not count", func(t *testing.T, b *bench) { b.mark(t, store.SubjectMark{Sub: kim, NotBefore: b.Now()}) },
			func(t *testing.T, b *bench) { b.mark(t, store.SubjectMark{Sub: kim}) }, "invalid_grant", trust.ReasonNotBefore},
		{"the trust is disabled", hq(func(s *trust.TrustSpec) { s.Disabled = true }), hq(func(s *trust.TrustSpec) { s.Disabled = false }),
			"invalid_grant", trust.ReasonTrustNotLive},
		{"the trust requires more", hq(func(s *trust.TrustSpec) { s.Require = map[string]trust.ConditionSpec{"groups": {Exact: "board"}} }),
			hq(func(s *trust.TrustSpec) { s.Require = nil }), "invalid_grant", trust.ReasonRequire},
		{"the sign-in rule is gone", hq(func(s *trust.TrustSpec) { s.Grants[0].Clients = []string{"guest"} }),
			hq(func(s *trust.TrustSpec) { s.Grants[0].Clients = []string{"shop"} }), "invalid_grant", trust.ReasonSignIn},
		{"the client is disabled", func(t *testing.T, b *bench) { b.change(t, setClient("shop", true)) },
			func(t *testing.T, b *bench) { b.change(t, setClient("shop", false)) }, "invalid_client", trust.ReasonClientAuth},
		{"the claims are too old", hq(func(s *trust.TrustSpec) { s.Login.MaxClaimsAge = 30 * time.Minute }),
			hq(func(s *trust.TrustSpec) { s.Login.MaxClaimsAge = 0 }), "invalid_grant", trust.ReasonClaimsTooOld},
		{"it asks for more than it was given", func(*testing.T, *bench) {}, nil, "invalid_scope", trust.ReasonScopeUnregistered},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			first := b.redeem(t, "shop", nil)
			b.pass(time.Hour)
			c.break_(t, b)
			form := refreshForm(first.str("refresh_token"))
			if c.mend == nil {
				form.Set("scope", "openid address")
			}
			b.refused(t, b.ask("shop", form), c.code, c.reason)
			if c.mend != nil {
				c.mend(t, b)
			}
			granted(t, b.refresh("shop", first.str("refresh_token"))) // refused, and not used up
		})
	}
}

func TestARefreshTokenEndsInTime(t *testing.T) {
	t.Parallel()
	long := func(s *trust.TrustSpec) { s.Login.MaxClaimsAge = 12 * time.Hour }
	for _, c := range []struct {
		name string
		app  func(*trust.AppSpec)
		good time.Duration
		bad  time.Duration
	}{
		{"by session_max", func(*trust.AppSpec) {}, 12*time.Hour - time.Second, 12 * time.Hour},
		{"by lying unused", func(a *trust.AppSpec) { a.RefreshIdle = time.Hour }, time.Hour - time.Second, time.Hour},
		{"by refresh_lifetime", func(a *trust.AppSpec) { a.RefreshLifetime, a.RefreshIdle = 2*time.Hour, 2*time.Hour }, 2*time.Hour - time.Second, 2 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.change(t, setTrust(long))
			b.change(t, setApp("shop", c.app))
			one, other := b.redeem(t, "shop", nil), b.redeem(t, "shop", nil)
			b.pass(c.good)
			if g := granted(t, b.refresh("shop", one.str("refresh_token"))); c.name != "by lying unused" && g.body["expires_in"] != 1.0 {
				t.Errorf("a token that outlives its family: %s", g.text)
			}
			b.pass(c.bad - c.good)
			b.refused(t, b.refresh("shop", other.str("refresh_token")), "invalid_grant", trust.ReasonRefresh)
		})
	}
}

func TestRFC6749_NarrowingBindsOneToken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.redeem(t, "shop", func(s *family.SignIn) {
		s.Scopes, s.Resources = []string{"openid", "offline_access", "email", "stock.read"}, []string{warehouse}
	})
	ask := func(token string, pairs ...string) got {
		form := refreshForm(token)
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		return granted(t, b.ask("shop", form))
	}
	less := ask(first.str("refresh_token"), "scope", "openid stock.read")
	if less.str("scope") != "openid stock.read" {
		t.Errorf("answered %s", less.text)
	}
	all := ask(less.str("refresh_token"))
	if all.str("scope") != "email offline_access openid stock.read" {
		t.Errorf("after a narrower one: %s", all.text)
	}
	form := refreshForm(all.str("refresh_token"))
	form.Set("resource", "https://vault.example")
	b.refused(t, b.ask("shop", form), "invalid_target", trust.ReasonTargetUnknown)
	ask(all.str("refresh_token"), "resource", warehouse)
}

func TestRFC8707_ACodeForTwoAPIsServesEachInTurn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	vault := "https://vault.example/v2"
	code := b.code(t, func(s *family.SignIn) {
		s.Scopes, s.Resources = []string{"openid", "offline_access", "stock.read", "open"}, []string{warehouse, vault}
	})
	form := codeForm(code)
	form.Set("resource", warehouse)
	first := granted(t, b.ask("shop", form))
	if first.str("scope") != "offline_access openid stock.read" || claims(t, first.str("access_token"))["aud"] != warehouse {
		t.Errorf("answered %s", first.text)
	}
	form = refreshForm(first.str("refresh_token"))
	form.Set("resource", vault)
	second := granted(t, b.ask("shop", form))
	if second.str("scope") != "offline_access open openid" {
		t.Errorf("answered %s", second.text)
	}
}

func TestWhatTheRegistrationLostIsDropped(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.redeem(t, "shop", func(s *family.SignIn) {
		s.Scopes, s.Resources = []string{"openid", "offline_access", "stock.read"}, []string{warehouse}
	})
	register := func(scopes ...string) {
		b.change(t, func(s *trust.Spec) {
			c := s.Clients["shop"]
			c.APIs = map[string][]string{"warehouse": scopes}
			s.Clients["shop"] = c
			hq := s.Trusts["hq"]
			hq.Grants = []trust.GrantSpec{hq.Grants[0], {Clients: []string{"shop"}, API: "warehouse", Scopes: []string{"stock.read", "stock.order"}, DefaultScopes: []string{"stock.order"}}}
			s.Trusts["hq"] = hq
		})
	}
	// The rules now give more by default: a refresh never does.
	register("stock.order")
	b.refused(t, b.refresh("shop", first.str("refresh_token")), "invalid_scope", trust.ReasonScopeEmpty)
	register("stock.order", "stock.read")
	if g := granted(t, b.refresh("shop", first.str("refresh_token"))); g.str("scope") != "offline_access openid stock.read" {
		t.Errorf("answered %s", g.text)
	}
}

func TestA96_AThirdPartyKeepsWhatIsConsentedTo(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	give := func(scopes ...string) {
		t.Helper()
		if err := b.store.PutConsent(t.Context(), store.Consent{Sub: kim, Client: "guest", Scopes: map[string][]string{"userinfo": scopes}}); err != nil {
			t.Fatal(err)
		}
	}
	give("email", "offline_access", "profile")
	first := b.redeem(t, "guest", nil)
	id := claims(t, first.str("id_token"))
	if id["sub"] == kim || id["sub"] != trust.PairwiseSub([]byte(strings.Repeat("\t", 32)), "guests", kim) {
		t.Errorf("the sub of the sector: %v", id)
	}
	if sub := claims(t, first.str("access_token"))["sub"]; sub != id["sub"] { // it used to be the public one
		t.Errorf("the token for userinfo tells the application the sub %v", sub)
	}
	give("offline_access")
	second := granted(t, b.refresh("guest", first.str("refresh_token")))
	if second.str("scope") != "offline_access openid" {
		t.Errorf("answered %s", second.text)
	}
	if _, err := b.store.WithdrawConsent(t.Context(), kim, "guest"); err != nil {
		t.Fatal(err)
	}
	b.refused(t, b.refresh("guest", second.str("refresh_token")), "invalid_grant", trust.ReasonRevoked)
	give("offline_access")
	third := b.redeem(t, "guest", nil)
	give() // a family that nobody ended: DECIDE refuses all the same
	b.refused(t, b.refresh("guest", third.str("refresh_token")), "invalid_grant", trust.ReasonConsent)
}

// office answers for fresh claims.
type office struct {
	b     *bench
	asked atomic.Int64
	sub   string
	err   error
	last  atomic.Value // refresh token that came last
}

func (o *office) Refresh(_ context.Context, tr *trust.Trust, token string) (upstream.Login, error) {
	o.asked.Add(1)
	o.last.Store(token)
	s := o.b.signIn(nil).Subject
	s.Trust, s.Sub, s.Claims = tr.ID, o.sub, map[string]any{"groups": []any{"night"}, "email": "kim@new.example"}
	return upstream.Login{Subject: s, Refresh: token + "+"}, o.err
}

func TestA96_FreshClaimsComeFromTheUpstream(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	o := &office{b: b, sub: kim}
	b.families.Claims = o
	first := b.redeem(t, "shop", func(s *family.SignIn) { s.Upstream = "up" })
	first = granted(t, b.refresh("shop", first.str("refresh_token")))
	if o.asked.Load() != 0 {
		t.Error("the upstream was asked for claims that are a moment old")
	}
	b.pass(2 * time.Hour)
	b.change(t, setTrust(func(s *trust.TrustSpec) { s.Login.MaxClaimsAge = time.Hour })) // would be too old
	b.Gate = make(chan struct{}, 100)
	answers := together(20, func() got { return b.refresh("shop", first.str("refresh_token")) })
	if count(answers, http.StatusOK) != 20 || o.asked.Load() != 1 || o.last.Load() != "up" {
		t.Fatalf("%d answers, the upstream was asked %d times with %v", count(answers, http.StatusOK), o.asked.Load(), o.last.Load())
	}
	id := claims(t, answers[0].str("id_token"))
	if groups, _ := id["groups"].([]any); !slices.Equal(groups, []any{"night"}) || number(t, id["auth_time"]) != start.Add(-5*time.Minute).Unix() {
		t.Errorf("ID token %v", id)
	}
	b.pass(30 * time.Minute)
	next := granted(t, b.refresh("shop", answers[0].str("refresh_token")))
	if o.last.Load() != "up+" {
		t.Errorf("asked with %v, though the upstream had given another", o.last.Load())
	}
	for _, c := range []struct {
		name   string
		sub    string
		err    error
		code   string
		reason trust.Reason
	}{
		{"it is down", kim, &upstream.Error{Reason: trust.ReasonUpstreamDown}, "temporarily_unavailable", trust.ReasonUpstreamDown},
		{"it no longer knows the person", kim, &upstream.Error{Reason: trust.ReasonUpstreamError, Code: "invalid_grant"}, "invalid_grant", trust.ReasonUpstreamError},
		{"it answers about somebody else", "somebody", nil, "invalid_grant", trust.ReasonSubject},
		{"it answers with an error that says nothing", kim, context.DeadlineExceeded, "temporarily_unavailable", trust.ReasonUpstreamDown},
	} {
		b.pass(5 * time.Minute)
		o.sub, o.err = c.sub, c.err
		b.refused(t, b.refresh("shop", next.str("refresh_token")), c.code, c.reason)
	}
	o.sub, o.err = kim, nil
	granted(t, b.refresh("shop", next.str("refresh_token"))) // nothing was used up
}

func TestAStoreThatFailsIssuesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.redeem(t, "shop", nil)
	code := b.code(t, nil)
	b.families.Store = broken{b.store}
	b.refused(t, b.ask("shop", codeForm(code)), "temporarily_unavailable", trust.ReasonStore)
	b.refused(t, b.refresh("shop", first.str("refresh_token")), "temporarily_unavailable", trust.ReasonStore)
	b.families.Store = b.store
	granted(t, b.ask("shop", codeForm(code)))
	granted(t, b.refresh("shop", first.str("refresh_token")))
}

// broken reads, and cannot write.
type broken struct{ store.Families }

func (broken) RedeemCode(context.Context, store.Hash, store.Family, *store.Refresh) (bool, error) {
	return false, context.DeadlineExceeded
}

func (broken) Rotate(context.Context, store.Rotation) (store.Rotated, []byte, error) {
	return store.RotationUnknown, nil, context.DeadlineExceeded
}

func TestA119_TheKeptAnswerOpensWithThePredecessorOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	spy := &spying{Families: b.store}
	b.families.Store = spy
	first := b.redeem(t, "shop", nil)
	second := granted(t, b.refresh("shop", first.str("refresh_token")))
	for _, never := range []string{second.str("refresh_token"), second.str("access_token"), "eyJ", first.str("refresh_token")} {
		if len(spy.answer) == 0 || strings.Contains(string(spy.answer), never) {
			t.Errorf("kept: %s", spy.answer)
		}
	}
	b.change(t, setApp("shop", grace(0)))
	granted(t, b.refresh("shop", second.str("refresh_token")))
	if spy.answer != nil {
		t.Error("without grace an answer is kept")
	}
}

// spying sees what is kept.
type spying struct {
	store.Families
	answer []byte
}

func (s *spying) Rotate(ctx context.Context, r store.Rotation) (store.Rotated, []byte, error) {
	s.answer = r.Answer
	return s.Families.Rotate(ctx, r)
}
