package authflow

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"apostille/broker/store"
	"apostille/trust"
	"apostille/upstream"
)

// speaksSAML makes an office of a fixture one that speaks SAML. The provider does not care.
func (f *fixture) speaksSAML(office string) {
	f.registry.mu.Lock()
	defer f.registry.mu.Unlock()
	t := *f.registry.trusts[office]
	t.Spec.Login = &trust.LoginSpec{Protocol: trust.ProtocolSAML}
	f.registry.trusts[office] = &t
}

func TestA34_AnAssertionIsLaidAsideSealedUntilTheBrowserComes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.speaksSAML("hq")
	b := f.browser()
	state, _ := b.open("hq-only", "")
	form := url.Values{"RelayState": {state}, "SAMLResponse": {"x"}, "code": {"code-ada"}}
	w := b.once(http.MethodPost, "/broker/saml/acs", form, "cross-site")
	to := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/broker/login/hop?h=") {
		t.Fatalf("%d, sent to %q", w.Code, to)
	}
	kept, ok, err := f.store.PeekPending(t.Context(), kindHop, strings.TrimPrefix(to, "/broker/login/hop?h="))
	if err != nil || !ok || strings.Contains(string(kept.Value), "ada") || strings.Contains(string(kept.Value), state) {
		t.Errorf("%v %v: it lies there for everybody to read", ok, err)
	}
	if o := b.get(to).outcome(t); !o.OK || b.who("hq") != "ada" {
		t.Errorf("%+v", o)
	}
	if x := b.postFrom("/broker/saml/acs", form).failure(t); x.Kind != Over {
		t.Errorf("posted again: %+v", x)
	}
}

// A65: an answer in another protocol than the login's is nobody's, and leaves the login as it is.
func TestA65_AnAnswerComesByTheProtocolOfTheLogin(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.speaksSAML("hq")
	b := f.browser()
	state, _ := b.open("hq-only", "")
	for name, bad := range map[string]answer{
		"OpenID Connect, by GET":  b.get("/broker/login/callback/hq?code=code-ada&state=" + state),
		"OpenID Connect, by POST": b.postFrom("/broker/login/callback/hq", url.Values{"code": {"code-ada"}, "state": {state}}),
	} {
		if x := bad.failure(t); x.Kind != Malformed {
			t.Errorf("%s: %+v", name, x)
		}
	}
	if o := b.postFrom("/broker/saml/acs", url.Values{"RelayState": {state}, "code": {"code-ada"}}).outcome(t); !o.OK {
		t.Errorf("the twin: %+v", o)
	}
	f = newFixture(t)
	b = f.browser()
	state, _ = b.open("hq-only", "")
	if x := b.postFrom("/broker/saml/acs", url.Values{"RelayState": {state}, "code": {"code-ada"}}).failure(t); x.Kind != Malformed {
		t.Errorf("SAML for OpenID Connect: %+v", x)
	}
	if o := b.callback("hq", state, "ada").outcome(t); !o.OK {
		t.Errorf("the twin: %+v", o)
	}
}

// A120: strangers cannot have large things kept.
func TestA120_ALargeAnswerIsKeptOnlyIfTheOfficeMadeIt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		screen error
		good   bool
	}{
		{"the office did", nil, true},
		{"it did not", &upstream.Error{Reason: trust.ReasonSignature, Detail: "not signed"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t)
			f.speaksSAML("hq")
			f.provider.screenErr = c.screen
			b := f.browser()
			state, _ := b.open("hq-only", "")
			before := f.store.pending.Load()
			a := b.postFrom("/broker/saml/acs", url.Values{"RelayState": {state}, "code": {"code-ada"}, "SAMLResponse": {noise(200_000)}})
			if c.good {
				if o := a.outcome(t); !o.OK {
					t.Errorf("%+v", o)
				}
				return
			}
			if x := a.failure(t); x.Kind != Failed || f.store.pending.Load() != before {
				t.Errorf("%+v, %d kept", x, f.store.pending.Load()-before)
			}
		})
	}
}

// One answer was kept as often as it was posted, 2 MB each: somebody with an account at an office could fill the disk.
func TestA120_ALargeAnswerIsKeptOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.speaksSAML("hq")
	b := f.browser()
	state, _ := b.open("hq-only", "")
	post := func(credential, padding string) *httptest.ResponseRecorder {
		return b.once(http.MethodPost, "/broker/saml/acs", url.Values{
			"RelayState": {state}, "code": {"code-ada"}, "SAMLResponse": {credential + padding},
		}, "cross-site")
	}
	before := f.store.pending.Load()
	first := post("_one__", noise(100_000))
	if again := post("_one__", noise(120_000)); first.Code != http.StatusSeeOther || again.Code == http.StatusSeeOther || f.store.pending.Load() != before+1 {
		t.Errorf("%d, then %d; %d kept", first.Code, again.Code, f.store.pending.Load()-before)
	}
	if other := post("_other", noise(100_000)); other.Code != http.StatusSeeOther {
		t.Errorf("another one: %d", other.Code)
	}
	if o := b.get(first.Header().Get("Location")).outcome(t); !o.OK {
		t.Errorf("the one that was kept: %+v", o)
	}
}

// Messages of 1 MB were read for as many strangers at once as there were.
func TestA28_WithoutAPlaceAMessageIsNotRead(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.speaksSAML("hq")
	b := f.browser()
	state, _ := b.open("hq-only", "")
	form := url.Values{"RelayState": {state}, "code": {"code-ada"}}
	f.places.full.Store(true)
	for path, form := range map[string]url.Values{"/broker/saml/acs": form, "/broker/saml/logout": {"SAMLRequest": {"x"}}} {
		before := f.store.pending.Load()
		a := b.postFrom(path, form)
		if x := a.failure(t); x.Kind != Busy || a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" || f.store.pending.Load() != before {
			t.Errorf("%s: %d %+v", path, a.status, x)
		}
	}
	f.places.full.Store(false)
	if o := b.postFrom("/broker/saml/acs", form).outcome(t); !o.OK || f.places.in.Load() != 0 {
		t.Errorf("with a place: %+v, %d were not left", o, f.places.in.Load())
	}
}

// A35: what is good once signs in once, also after a store that failed.
func TestA35_ACredentialThatIsGoodOnceSignsInOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.speaksSAML("hq")
	f.provider.once = f.Now().Add(time.Hour)
	signIn := func() answer {
		b := f.browser()
		state, _ := b.open("hq-only", "")
		return b.postFrom("/broker/saml/acs", url.Values{"RelayState": {state}, "code": {"code-ada"}})
	}
	if o := signIn().outcome(t); !o.OK {
		t.Fatalf("%+v", o)
	}
	if x := signIn().failure(t); x.Kind != Failed {
		t.Errorf("a second time: %+v", x)
	}
	// The mark is that of exchanges: one credential, one use.
	if seen, err := f.store.Claimed(t.Context(), store.KindSubject, "https://hq.example", "the-only-one"); err != nil || !seen {
		t.Errorf("%v %v: an exchange would take it", seen, err)
	}
}

func TestARequestByPOSTIsAPageWithAButton(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.speaksSAML("hq")
	f.provider.start = &upstream.Start{URL: "https://hq.example/sso", Form: url.Values{"SAMLRequest": {"<&>"}, "RelayState": {"s"}}, Secret: []byte("x")}
	f.withRealPages(t)
	b := f.browser()
	w := b.once(http.MethodGet, "/broker/oauth2/authorize?app=hq-only", nil, "none")
	body := w.Body.String()
	for _, want := range []string{`action="https://hq.example/sso"`, `name="SAMLRequest" value="&lt;&amp;&gt;"`, `<button class="button primary wide">Continue</button>`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s:\n%s", want, body)
		}
	}
	if csp := w.Header().Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || !strings.Contains(csp, "script-src 'self'") {
		t.Errorf("policy %q", csp)
	}
}
