package family_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"apostille/broker/family"
	"apostille/broker/store"
	"apostille/trust"
)

func TestACodeIsWorthWhatTheSignInWasGranted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	g := b.redeem(t, "shop", nil)
	if g.body["token_type"] != "Bearer" || g.str("scope") != "email offline_access openid profile" || g.str("refresh_token") == "" || g.body["issued_token_type"] != nil {
		t.Errorf("answered %s", g.text)
	}
	access := claims(t, g.str("access_token"))
	f := b.family(t, g)
	if access["aud"] != issuer || access["sub"] != kim || access["client_id"] != "shop" || access["acr"] != "mfa" || access["family"] != f.ID ||
		number(t, access["auth_time"]) != start.Add(-5*time.Minute).Unix() || access["scope"] != "email offline_access openid profile" {
		t.Errorf("access token %v", access)
	}
	id := claims(t, g.str("id_token"))
	if id["iss"] != issuer || id["aud"] != "shop" || id["sub"] != kim || id["nonce"] != "n-1" || id["sid"] != "sid-1" || id["acr"] != "mfa" ||
		id["at_hash"] != leftHalf(g.str("access_token")) || number(t, id["auth_time"]) != start.Add(-5*time.Minute).Unix() {
		t.Errorf("ID token %v", id)
	}
	if id["email"] != nil || id["groups"] == nil { // OpenID Connect Core §5.4: the access token opens userinfo, which has them
		t.Errorf("ID token %v", id)
	}
	if f.Client != "shop" || f.Trust != "hq" || f.Sub != kim || f.SID != "sid-1" || !f.Until.Equal(start.Add(12*time.Hour)) {
		t.Errorf("family %+v", f)
	}
	e := b.last()
	if e.Event != "token.issued" || e.Grant != "authorization_code" || e.Client != "shop" || e.Subject != kim || e.IssuedID == "" ||
		!slices.Equal(e.Granted, []string{"email", "offline_access", "openid", "profile"}) {
		t.Errorf("record %+v", e)
	}
}

func TestWhatTheAnswerHoldsFollowsTheScopes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, client string
		change       func(*family.SignIn)
		refresh      bool
		idToken      bool
		email        bool // in the ID token
		aud          string
		scope        string
	}{
		{"openid alone", "shop", func(s *family.SignIn) { s.Scopes = []string{"openid"} }, false, true, false, issuer, "openid"},
		{"an API's scope: the ID token tells the person", "shop", func(s *family.SignIn) {
			s.Scopes, s.Resources = []string{"openid", "email", "stock.read"}, []string{warehouse}
		},
			false, true, true, warehouse, "email openid stock.read"},
		{"an API and no openid", "shop", func(s *family.SignIn) { s.Scopes, s.Resources = []string{"stock.read"}, []string{warehouse} }, false, false, false, warehouse, "stock.read"},
		{"claims asks for an ID token with e-mail", "shop", func(s *family.SignIn) {
			s.ClaimsParam = []byte(`{"id_token":{"email":null,"phone_number":{"essential":true}}}`)
		}, true, true, true, issuer, "email offline_access openid profile"},
		{"claims adds nothing to the scopes", "shop", func(s *family.SignIn) {
			s.Scopes, s.ClaimsParam = []string{"openid"}, []byte(`{"id_token":{"email":{"essential":true}}}`)
		}, false, true, false, issuer, "openid"},
		{"a client that may not refresh gets no refresh token", "plain", nil, false, true, false, issuer, "email openid profile"},
		{"a public application", "phone", nil, true, true, false, issuer, "email offline_access openid profile"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			g := b.redeem(t, c.client, c.change)
			if (g.str("refresh_token") != "") != c.refresh || (g.str("id_token") != "") != c.idToken || g.str("scope") != c.scope {
				t.Errorf("answered %s", g.text)
			}
			if aud := claims(t, g.str("access_token"))["aud"]; aud != c.aud {
				t.Errorf("aud %v", aud)
			}
			if c.idToken {
				if _, told := claims(t, g.str("id_token"))["email"]; told != c.email {
					t.Errorf("ID token %v", claims(t, g.str("id_token")))
				}
			}
		})
	}
}

func TestA99_CodesAreBoundToTheirChallenge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, client string
		sign         func(*family.SignIn)
		form         func(url.Values)
	}{
		{"the verifier is missing", "shop", nil, func(f url.Values) { f.Del("code_verifier") }},
		{"the verifier is another", "shop", nil, func(f url.Values) { f.Set("code_verifier", strings.Repeat("a", 43)) }},
		{"the challenge sent as plain", "shop", nil, func(f url.Values) { f.Set("code_verifier", challenge) }},
		{"a plain challenge", "shop", func(s *family.SignIn) { s.Challenge = verifier }, nil},
		{"a verifier that is too short", "shop", nil, func(f url.Values) { f.Set("code_verifier", verifier[:42]) }},
		{"a verifier where no challenge was sent", "old", func(s *family.SignIn) { s.Challenge = "" }, nil},
		{"no challenge from a client that needs one", "shop", func(s *family.SignIn) { s.Challenge = "" }, func(f url.Values) { f.Del("code_verifier") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			form := codeForm(b.code(t, func(s *family.SignIn) {
				s.Client = c.client
				if c.sign != nil {
					c.sign(s)
				}
			}))
			if c.form != nil {
				c.form(form)
			}
			b.refused(t, b.ask(c.client, form), "invalid_grant", trust.ReasonCode)
			if c.sign == nil { // refused, and not used up
				form.Set("code_verifier", verifier)
				granted(t, b.ask(c.client, form))
			}
		})
	}
	b := newBench(t)
	form := codeForm(b.code(t, func(s *family.SignIn) { s.Client, s.Challenge = "old", "" }))
	form.Del("code_verifier")
	granted(t, b.ask("old", form))
}

func TestA100_ACodeIsRedeemedByItsClientAndPlaceOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		client string
		sign   func(*family.SignIn)
		form   func(url.Values)
	}{
		{"another confidential client", "plain", nil, nil},
		{"another client, public", "phone", nil, nil},
		{"another redirect_uri", "shop", nil, func(f url.Values) { f.Set("redirect_uri", callback+"/") }},
		{"no redirect_uri where one was sent", "shop", nil, func(f url.Values) { f.Del("redirect_uri") }},
		{"another redirect_uri where none was sent", "shop", func(s *family.SignIn) { s.RedirectSent = false }, func(f url.Values) { f.Set("redirect_uri", "https://evil.example") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			code := b.code(t, c.sign)
			form := codeForm(code)
			if c.form != nil {
				c.form(form)
			}
			b.refused(t, b.ask(c.client, form), "invalid_grant", trust.ReasonCode)
			granted(t, b.ask("shop", codeForm(code))) // not used up
		})
	}
	b := newBench(t)
	form := codeForm(b.code(t, func(s *family.SignIn) { s.RedirectSent = false }))
	form.Del("redirect_uri")
	granted(t, b.ask("shop", form))
}

func TestA101_ACodeIsRedeemedOnce(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"at once": 0, "after 30 seconds": 30 * time.Second, "after its minute": 2 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			code := b.code(t, nil)
			first := granted(t, b.ask("shop", codeForm(code)))
			// A stranger, or one without the verifier, proves no theft and harms nobody.
			b.refused(t, b.ask("plain", codeForm(code)), "invalid_grant", trust.ReasonCode)
			if f := b.family(t, first); !f.Ended.IsZero() {
				t.Errorf("family %+v", f)
			}
			b.pass(after)
			b.refused(t, b.ask("shop", codeForm(code)), "invalid_grant", trust.ReasonCodeReused)
			if f := b.family(t, first); f.Ended.IsZero() || f.Why != store.WhyReuse {
				t.Errorf("family %+v", f)
			}
			b.refused(t, b.ask("shop", refreshForm(first.str("refresh_token"))), "invalid_grant", trust.ReasonRefreshReused)
		})
	}
}

func TestA101_ACodeLivesForAMinute(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	early, late := b.code(t, nil), b.code(t, nil)
	b.pass(family.CodeLife - time.Second)
	granted(t, b.ask("shop", codeForm(early)))
	b.pass(time.Second)
	b.refused(t, b.ask("shop", codeForm(late)), "invalid_grant", trust.ReasonCode)
	b.refused(t, b.ask("shop", codeForm("made-up")), "invalid_grant", trust.ReasonCode)
}

func TestA101_AHundredAtOnceRedeemOneCode(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Gate = make(chan struct{}, 100)
	code := b.code(t, nil)
	answers := together(100, func() got { return b.ask("shop", codeForm(code)) })
	won := slices.IndexFunc(answers, func(g got) bool { return g.status == http.StatusOK })
	if n := count(answers, http.StatusOK); n != 1 {
		t.Fatalf("%d answers with tokens", n)
	}
	if f := b.family(t, answers[won]); f.Why != store.WhyReuse {
		t.Errorf("family %+v", f)
	}
	for _, g := range answers {
		if g.status != http.StatusOK && g.str("error") != "invalid_grant" {
			t.Errorf("answered %s", g.text)
		}
	}
}

func together(n int, ask func() got) []got {
	answers := make([]got, n)
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range answers {
		all.Go(func() {
			<-begin
			answers[i] = ask()
		})
	}
	close(begin)
	all.Wait()
	return answers
}

func count(answers []got, status int) (n int) {
	for _, g := range answers {
		if g.status == status {
			n++
		}
	}
	return n
}

func TestARefusedRequestUsesNoCodeUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		break_ func(t *testing.T, b *bench)
		mend   func(t *testing.T, b *bench)
		code   string
		reason trust.Reason
	}{
		{"A80 a blocked subject", func(t *testing.T, b *bench) { b.mark(t, store.SubjectMark{Sub: kim, Blocked: true}) },
			func(t *testing.T, b *bench) { b.mark(t, store.SubjectMark{Sub: kim}) }, "invalid_grant", trust.ReasonSubjectBlocked},
		{"a disabled trust", func(t *testing.T, b *bench) { b.change(t, setTrust(func(s *trust.TrustSpec) { s.Disabled = true })) },
			func(t *testing.T, b *bench) { b.change(t, setTrust(func(s *trust.TrustSpec) { s.Disabled = false })) }, "invalid_grant", trust.ReasonTrustNotLive},
		{"a disabled client", func(t *testing.T, b *bench) { b.change(t, setClient("shop", true)) },
			func(t *testing.T, b *bench) { b.change(t, setClient("shop", false)) }, "invalid_client", trust.ReasonClientAuth},
		{"people of other trusts only", func(t *testing.T, b *bench) {
			b.change(t, setTrust(func(s *trust.TrustSpec) { s.Grants[0].Clients = []string{"guest"} }))
		}, func(t *testing.T, b *bench) {
			b.change(t, setTrust(func(s *trust.TrustSpec) { s.Grants[0].Clients = []string{"shop"} }))
		}, "invalid_grant", trust.ReasonSignIn},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			code := b.code(t, nil)
			c.break_(t, b)
			b.refused(t, b.ask("shop", codeForm(code)), c.code, c.reason)
			c.mend(t, b)
			granted(t, b.ask("shop", codeForm(code)))
		})
	}
}

func setClient(id string, disabled bool) func(*trust.Spec) {
	return func(s *trust.Spec) {
		c := s.Clients[id]
		c.Disabled = disabled
		s.Clients[id] = c
	}
}

func (b *bench) mark(t testing.TB, m store.SubjectMark) {
	t.Helper()
	if err := b.store.SetSubject(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if err := b.marks.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestA79_ACodeOfASessionThatEndedIsWorthNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	session := store.Session{ID: "s-1", Created: start, Seen: start, IdleUntil: start.Add(time.Hour), Until: start.Add(time.Hour),
		Identities: []store.Identity{{Trust: "hq", Sub: kim, SignedIn: start, Until: start.Add(time.Hour), Value: []byte("x")}}}
	if err := b.store.CreateSession(t.Context(), hashOf("cookie"), session); err != nil {
		t.Fatal(err)
	}
	in := func(s *family.SignIn) { s.Session = "s-1" }
	before, after := b.code(t, in), b.code(t, in)
	first := granted(t, b.ask("shop", codeForm(before)))
	if _, _, err := b.store.EndSessions(t.Context(), store.SessionQuery{ID: "s-1"}); err != nil {
		t.Fatal(err)
	}
	b.refused(t, b.ask("shop", codeForm(after)), "invalid_grant", trust.ReasonCode)
	// A code that was stored when its session had just ended.
	b.refused(t, b.ask("shop", codeForm(b.code(t, in))), "invalid_grant", trust.ReasonRevoked)
	b.refused(t, b.ask("shop", refreshForm(first.str("refresh_token"))), "invalid_grant", trust.ReasonRevoked)
	if left, err := b.store.ListFamilies(t.Context(), store.FamilyQuery{Sub: kim}, 10); err != nil || len(left) != 0 {
		t.Errorf("families that live: %+v, %v", left, err)
	}
}

func TestA106_WhoMayRedeem(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	phone := func(s *family.SignIn) { s.Client = "phone" }
	form := codeForm(b.code(t, nil))
	form.Set("client_id", "shop")
	b.refused(t, b.ask("", form), "invalid_client", trust.ReasonClientAuth) // a confidential client without its secret
	b.refused(t, b.ask("", codeForm(b.code(t, nil))), "invalid_client", trust.ReasonClientAuth)
	exchange := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {"x"}, "subject_token_type": {"urn:ietf:params:oauth:token-type:jwt"}}
	b.refused(t, b.ask("phone", exchange), "invalid_client", trust.ReasonClientAuth) // a public one, for another grant
	code := b.code(t, phone)
	form = codeForm(code)
	form.Set("client_secret", secret)
	b.refused(t, b.ask("phone", form), "invalid_client", trust.ReasonClientAuth)
	granted(t, b.ask("phone", codeForm(code)))
	b.change(t, func(s *trust.Spec) {
		c := s.Clients["shop"]
		c.Grants = []string{"authorization_code"}
		s.Clients["shop"] = c
	})
	b.refused(t, b.ask("shop", refreshForm("x")), "unauthorized_client", trust.ReasonGrantNotAllowed)
}

func TestParametersOfOtherGrantsRefuse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	code := b.code(t, nil)
	for name, c := range map[string]struct {
		error  string
		reason trust.Reason
	}{
		"subject_token": {"invalid_request", trust.ReasonRequest}, "refresh_token": {"invalid_request", trust.ReasonRequest},
		"actor_token": {"invalid_request", trust.ReasonUnsupportedParam}, "audience": {"invalid_request", trust.ReasonUnsupportedParam},
		"request": {"request_not_supported", trust.ReasonUnsupportedParam}, "scope": {"invalid_scope", trust.ReasonScopeUnregistered},
		"resource": {"invalid_target", trust.ReasonTargetUnknown},
	} {
		form := codeForm(code)
		form.Set(name, "stock.order")
		b.refused(t, b.ask("shop", form), c.error, c.reason)
	}
	form := codeForm(code)
	form.Del("code")
	b.refused(t, b.ask("shop", form), "invalid_request", trust.ReasonRequest)
	granted(t, b.ask("shop", codeForm(code)))
}

func TestA119_NoSecretReachesRecordOrLog(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	code := b.code(t, func(s *family.SignIn) { s.Upstream = "upstream-refresh-secret" })
	first := granted(t, b.ask("shop", codeForm(code)))
	b.ask("shop", refreshForm(first.str("refresh_token")))
	b.ask("shop", codeForm(code))
	f := b.family(t, first)
	for _, e := range b.events {
		text := strings.Join([]string{e.Detail, e.SubjectSHA256, e.IssuedSHA256, e.IssuedID}, " ")
		for _, never := range []string{code, first.str("refresh_token"), first.str("access_token"), verifier} {
			if strings.Contains(text, never) {
				t.Errorf("record %+v", e)
			}
		}
	}
	if b.log.Len() != 0 || strings.Contains(string(f.Subject), "upstream-refresh-secret") || strings.Contains(string(f.Subject), challenge) {
		t.Errorf("log %s, kept %s", b.log.String(), f.Subject)
	}
}

func TestPagesOfRegisteredOriginsMayAsk(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	from := func(origin string, form url.Values) got {
		r := httptest.NewRequest(http.MethodPost, "/oauth2/token", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
		return b.send(r)
	}
	form := func() url.Values {
		f := codeForm(b.code(t, func(s *family.SignIn) { s.Client = "phone" }))
		f.Set("client_id", "phone")
		return f
	}
	for origin, want := range map[string]string{
		"https://phone.example": "https://phone.example", "https://shop.example": "", "https://evil.example": "", "null": "", "https://phone.example.evil.example": "",
	} {
		g := from(origin, form())
		if got := g.header.Get("Access-Control-Allow-Origin"); g.status != 200 || got != want || g.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %d, allowed %q", origin, g.status, got)
		}
		r := httptest.NewRequest(http.MethodOptions, "/oauth2/token", nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		asked := b.send(r)
		registered := origin == "https://phone.example" || origin == "https://shop.example"
		if asked.status != http.StatusNoContent || (asked.header.Get("Access-Control-Allow-Origin") == origin) != registered {
			t.Errorf("%s: preflight %d %v", origin, asked.status, asked.header)
		}
	}
}

func TestAnOpaqueTokenIsKeptBeforeItIsGiven(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	g := b.redeem(t, "shop", func(s *family.SignIn) {
		s.Scopes, s.Resources = []string{"openid", "offline_access", "open"}, []string{"https://vault.example/v2"}
	})
	kept, ok, err := b.store.Opaque(t.Context(), hashOf(g.str("access_token")))
	if err != nil || !ok || kept.Family == "" || !strings.Contains(string(kept.Claims), `"aud":"https://vault.example"`) || len(g.str("access_token")) != 43 {
		t.Fatalf("kept %v %v: %+v", ok, err, kept)
	}
	again := granted(t, b.ask("shop", refreshForm(g.str("refresh_token"))))
	if _, ok, _ := b.store.Opaque(t.Context(), hashOf(again.str("access_token"))); !ok || again.str("access_token") == g.str("access_token") {
		t.Error("the token of the refresh is not kept")
	}
}
