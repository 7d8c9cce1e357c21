package token_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"apostille/broker/audit"
	"apostille/broker/oauth"
	"apostille/broker/token"
	"apostille/trust"
)

func TestEveryGrantTakesTheSameStepsInOneOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, client string
		form         func(b *bench) url.Values
		steps        []string
	}{
		{"token exchange", "portal", func(b *bench) url.Values { return exchangeForm(b.mint(nil)) }, []string{"verify", "standing", "issue", "audit"}},
		{"JWT bearer", "portal", func(b *bench) url.Values { return bearerForm(b.mint(nil)) }, []string{"verify", "standing", "issue", "audit"}},
		{"client credentials", "portal", func(*bench) url.Values { return ownForm() }, []string{"verify", "standing", "issue", "audit"}},
		{"a one-time token", "portal", func(b *bench) url.Values { return exchangeForm(b.mint(map[string]any{"aud": "once"})) },
			[]string{"verify", "standing", "claim", "issue", "audit"}},
		{"an unauthenticated rule", "", func(b *bench) url.Values { return exchangeForm(b.mint(map[string]any{"aud": "open"})) },
			[]string{"verify", "standing", "issue", "audit"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			g := b.ask(t, c.client, c.form(b).Encode())
			if g.status != http.StatusOK || !slices.Equal(b.steps, c.steps) {
				t.Errorf("answered %d %s by steps %v, wanted %v", g.status, g.text, b.steps, c.steps)
			}
			if len(b.events) != 1 || len(b.sampled) != 0 || b.events[0].Event != audit.EventIssued {
				t.Fatalf("records %+v, sampled %+v", b.events, b.sampled)
			}
		})
	}
}

func TestAnIssuedTokenIsAnsweredAndOnRecord(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	subject := b.mint(nil)
	g := b.ask(t, "portal", exchangeForm(subject).Encode())
	raw, _ := g.body["access_token"].(string)
	if g.status != 200 || g.body["token_type"] != "Bearer" || g.body["issued_token_type"] != oauth.TokenTypeAccessToken ||
		g.body["scope"] != "stock.read" || g.body["expires_in"] != 300.0 || g.body["refresh_token"] != nil {
		t.Errorf("answered %s", g.text)
	}
	e := b.events[0]
	if e.Client != "portal" || e.Trust != "hq" || e.Issuer != upstream || e.Subject != trust.DeriveSub(upstream, "sub", "svc-1") ||
		e.Grant != "token_exchange" || e.Reason != "" || e.Remote != "192.0.2.1" || e.ID != g.header.Get("X-Correlation-Id") {
		t.Errorf("record %+v", e)
	}
	if e.SubjectSHA256 != audit.Hash(subject) || e.IssuedSHA256 != audit.Hash(raw) || e.IssuedID == "" || !e.Time.Equal(now) {
		t.Errorf("record %+v", e)
	}
	if !slices.Equal(e.Rules, []string{"hq.grant[0]"}) || !slices.Equal(e.Granted, []string{"stock.read"}) || !slices.Equal(e.Audiences, []string{"https://warehouse.example"}) {
		t.Errorf("record %+v", e)
	}
	if !slices.Equal(b.outcomes, []string{"token_exchange issued"}) {
		t.Errorf("counted %v", b.outcomes)
	}
	if other := newBench(t).ask(t, "portal", ownForm().Encode()); other.body["issued_token_type"] != nil {
		t.Errorf("RFC 8693's member in another grant's answer: %s", other.text)
	}
}

func TestAnUnauthenticatedRuleNamesItsTrustAsTheClient(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if g := b.ask(t, "", exchangeForm(b.mint(map[string]any{"aud": "open"})).Encode()); g.status != 200 || b.events[0].Client != "trust:open" {
		t.Errorf("answered %s, record %+v", g.text, b.events)
	}
	for name, change := range map[string]func(form url.Values) string{
		"a client_id without authentication": func(f url.Values) string { f.Set("client_id", "portal"); return "" },
		"a wrong secret":                     func(f url.Values) string { f.Set("client_id", "portal"); f.Set("client_secret", "x"); return "" },
	} {
		b := newBench(t)
		form := exchangeForm(b.mint(map[string]any{"aud": "open"}))
		g := b.ask(t, change(form), form.Encode())
		b.refused(t, g, 401, oauth.CodeInvalidClient, trust.ReasonClientAuth)
		if len(b.sampled) != 1 {
			t.Errorf("%s: a stranger's refusal is not sampled", name)
		}
	}
	b = newBench(t)
	g := b.ask(t, "portal", exchangeForm(b.mint(map[string]any{"aud": "open"})).Encode())
	b.refused(t, g, 400, oauth.CodeInvalidTarget, trust.ReasonNoRule)
}

func TestEachStepRefusesAndTheLaterOnesDoNotRun(t *testing.T) {
	t.Parallel()
	good := func(b *bench) string { return exchangeForm(b.mint(nil)).Encode() }
	for _, c := range []struct {
		name   string
		client string
		break_ func(b *bench)
		form   func(b *bench) string
		status int
		code   string
		reason trust.Reason
		steps  []string
	}{
		{"no grant_type", "portal", nil, func(*bench) string { return "scope=x" }, 400, oauth.CodeInvalidRequest, trust.ReasonRequest, []string{"audit"}},
		{"an unknown grant_type", "portal", nil, func(*bench) string { return "grant_type=password" }, 400, oauth.CodeUnsupportedGrantType, trust.ReasonUnsupportedGrant, []string{"audit"}},
		{"a repeated parameter", "portal", nil, func(b *bench) string { return good(b) + "&scope=x" }, 400, oauth.CodeInvalidRequest, trust.ReasonRequest, []string{"audit"}},
		{"a body over the limit", "portal", func(b *bench) { b.MaxBody = 10 }, good, 400, oauth.CodeInvalidRequest, trust.ReasonRequest, []string{"audit"}},
		{"a full gate", "portal", func(b *bench) {
			b.Gate = token.NewGate(1)
			b.Gate <- struct{}{}
		}, good, 503, oauth.CodeUnavailable, trust.ReasonOverloaded, []string{"audit"}},
		{"a wrong secret", "nobody", nil, good, 401, oauth.CodeInvalidClient, trust.ReasonClientAuth, []string{"audit"}},
		{"a grant the client lacks", "idle", nil, good, 400, oauth.CodeUnauthorizedClient, trust.ReasonGrantNotAllowed, []string{"audit"}},
		{"a bad credential", "portal", nil, func(b *bench) string { return exchangeForm(b.mint(map[string]any{"exp": 1})).Encode() },
			400, oauth.CodeInvalidRequest, trust.ReasonExpired, []string{"verify", "audit"}},
		{"a standing nobody knows", "portal", func(b *bench) { b.standing = trust.Standing{} }, good, 503, oauth.CodeUnavailable, trust.ReasonStandingUnknown, []string{"verify", "standing", "audit"}},
		{"a blocked subject", "portal", func(b *bench) { b.standing.Blocked = true }, good, 400, oauth.CodeInvalidRequest, trust.ReasonSubjectBlocked, []string{"verify", "standing", "audit"}},
		{"policy says no to a one-time token: it is not used up", "portal", nil, func(b *bench) string {
			form := exchangeForm(b.mint(map[string]any{"aud": "once"}))
			form.Set("scope", "unknown")
			return form.Encode()
		}, 400, oauth.CodeInvalidScope, trust.ReasonScopeUnknown, []string{"verify", "standing", "audit"}},
		{"the store does not answer", "portal", func(b *bench) { b.claimErr = errDisk }, func(b *bench) string {
			return exchangeForm(b.mint(map[string]any{"aud": "once"})).Encode()
		}, 503, oauth.CodeUnavailable, trust.ReasonStore, []string{"verify", "standing", "claim", "audit"}},
		{"no key signs", "portal", func(b *bench) { b.signErr = errDisk }, good, 500, oauth.CodeServerError, trust.ReasonPanic, []string{"verify", "standing", "issue", "audit"}},
		{"claims that make the token too large", "portal", nil, func(b *bench) string {
			return exchangeForm(b.mint(map[string]any{"notes": strings.Repeat("x", 9000)})).Encode()
		}, 400, oauth.CodeInvalidRequest, trust.ReasonIssuedTooLarge, []string{"verify", "standing", "issue", "audit"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if c.break_ != nil {
				c.break_(b)
			}
			g := b.ask(t, c.client, c.form(b))
			b.refused(t, g, c.status, c.code, c.reason)
			if !slices.Equal(b.steps, c.steps) {
				t.Errorf("steps %v, wanted %v", b.steps, c.steps)
			}
			if (c.status == 503) != (g.header.Get("Retry-After") != "") {
				t.Errorf("status %d with Retry-After %q", g.status, g.header.Get("Retry-After"))
			}
			if strings.Contains(g.text, "disk") || strings.Contains(g.text, "eyJ") {
				t.Errorf("the cause is told: %s", g.text)
			}
		})
	}
}

func TestWithoutARecordThereIsNoToken(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.auditErr = audit.ErrUnavailable
	g := b.ask(t, "portal", exchangeForm(b.mint(nil)).Encode())
	b.refused(t, g, 503, oauth.CodeUnavailable, trust.ReasonAudit)
	// The sink was waited for once: a second wait would double the two seconds.
	if want := []string{"verify", "standing", "issue", "audit"}; !slices.Equal(b.steps, want) {
		t.Errorf("steps %v, wanted %v", b.steps, want)
	}
	b.auditErr = nil
	if g := b.ask(t, "portal", exchangeForm(b.mint(nil)).Encode()); g.status != 200 {
		t.Errorf("when it writes again: %s", g.text)
	}
}

func TestARefusalIsAnsweredThoughItCannotBeRecorded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.auditErr = errors.New("full")
	if g := b.ask(t, "idle", exchangeForm(b.mint(nil)).Encode()); g.status != 400 || g.body["error"] != oauth.CodeUnauthorizedClient {
		t.Errorf("answered %d %s", g.status, g.text)
	}
	if !strings.Contains(b.log.String(), "audit record of a refusal") {
		t.Error("the log does not say that the record is missing")
	}
}

func TestR15_APanicIsAnsweredCountedAndRecorded(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{"a text with a token": "eyJhbGciOiJub25lIn0.e30.", "an error": errDisk, "a nil map": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.panics = value
			if value == nil {
				b.Grants[trust.GrantTokenExchange] = grant{nil, b} // a nil dereference
			}
			g := b.ask(t, "portal", exchangeForm("x").Encode())
			if value != nil {
				b.refused(t, g, 500, oauth.CodeServerError, trust.ReasonPanic)
			} else if g.status != 500 || g.body["error"] != oauth.CodeServerError {
				t.Errorf("answered %d %s", g.status, g.text)
			}
			if !strings.Contains(b.log.String(), "panic") || strings.Contains(b.log.String(), "eyJhbGci") {
				t.Errorf("the log says %s", b.log.String())
			}
			b = newBench(t)
			if g := b.ask(t, "portal", exchangeForm(b.mint(nil)).Encode()); g.status != 200 {
				t.Errorf("the twin: %s", g.text)
			}
		})
	}
}

func TestAPanicLeavesItsPlaceInTheGate(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Gate = token.NewGate(1)
	b.panics = "boom"
	for range 3 {
		if g := b.ask(t, "portal", exchangeForm(b.mint(nil)).Encode()); g.status != 500 {
			t.Fatalf("answered %d %s", g.status, g.text)
		}
	}
	b.panics = nil
	if g := b.ask(t, "portal", exchangeForm(b.mint(nil)).Encode()); g.status != 200 {
		t.Errorf("after panics: %s", g.text)
	}
}

func TestAOneTimeTokenIsUsedUpByTheFirstGrant(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	once := b.mint(map[string]any{"aud": "once", "jti": "j-1"})
	if g := b.ask(t, "portal", exchangeForm(once).Encode()); g.status != 200 {
		t.Fatal(g.text)
	}
	if g := b.ask(t, "portal", bearerForm(once).Encode()); g.status != 400 || g.body["error"] != oauth.CodeInvalidGrant {
		t.Errorf("the second use: %d %s", g.status, g.text)
	}
	if last := b.events[len(b.events)-1]; last.Reason != string(trust.ReasonReplayed) {
		t.Errorf("record %+v", last)
	}
	if g := b.ask(t, "portal", bearerForm(b.mint(map[string]any{"aud": "once", "jti": "j-2"})).Encode()); g.status != 200 {
		t.Errorf("another token: %s", g.text)
	}
}

func TestFailedClientAuthenticationGetsAChallenge(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	g := b.ask(t, "nobody", ownForm().Encode())
	if g.status != 401 || g.header.Get("WWW-Authenticate") != `Basic realm="`+issuer+`"` {
		t.Errorf("status %d, challenge %q", g.status, g.header.Get("WWW-Authenticate"))
	}
	form := ownForm()
	form.Set("client_id", "nobody")
	form.Set("client_secret", "x")
	// RFC 9110 §15.5.2: every 401 carries one, whichever way was tried.
	if g := b.ask(t, "", form.Encode()); g.status != 401 || g.header.Get("WWW-Authenticate") == "" {
		t.Errorf("post: status %d, challenge %q", g.status, g.header.Get("WWW-Authenticate"))
	}
}

func TestRFC6749_AParameterNobodyKnowsIsIgnoredAndCounted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	form := ownForm()
	if g := b.ask(t, "portal", form.Encode()); g.status != 200 || b.ignored != 0 {
		t.Fatalf("known parameters: status %d, %d counted", g.status, b.ignored)
	}
	form.Set("connector_id", "ldap")
	form.Set("empty_counts_as_absent", "")
	if g := b.ask(t, "portal", form.Encode()); g.status != 200 || b.ignored != 1 {
		t.Errorf("status %d, %d counted, want 1", g.status, b.ignored)
	}
}

func TestOnlyAPostIsAnswered(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} {
		b := newBench(t)
		w := httptest.NewRecorder()
		b.ServeHTTP(w, httptest.NewRequest(method, "/oauth2/token", strings.NewReader(ownForm().Encode())))
		if w.Code != 400 || w.Header().Get("Allow") != "POST" || len(b.sampled) != 1 || slices.Contains(b.steps, "verify") {
			t.Errorf("%s: %d, Allow %q, records %v, steps %v", method, w.Code, w.Header().Get("Allow"), b.sampled, b.steps)
		}
	}
}
