package authflow

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"apostille/broker/mint"
)

func TestA65_AnAnswerAtAnotherOfficesCallbackIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	state, _ := b.open("portal", "&hint=hq")
	if x := b.callback("west", state, "ada").failure(t); x.Kind != Malformed || b.who("hq")+b.who("west") != "" {
		t.Errorf("GET: %+v", x)
	}
	form := url.Values{"state": {state}, "code": {"code-ada"}}
	if x := b.postFrom("/broker/login/callback/west", form).failure(t); x.Kind != Malformed {
		t.Errorf("POST: %+v", x)
	}
	if o := b.callback("hq", state, "ada").outcome(t); !o.OK {
		t.Errorf("at its own: %+v", o)
	}
}

func TestA108_AnotherBrowserCannotFinishALogin(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	attacker, victim, newcomer := f.browser(), f.browser(), f.browser()
	state, _ := attacker.open("hq-only", "")
	victim.open("hq-only", "")
	for name, b := range map[string]*browser{"with a login of its own": victim, "without cookies": newcomer} {
		x := b.callback("hq", state, "mallory").failure(t)
		if x.Kind != OtherBrowser || x.Again != "" || b.who("hq") != "" {
			t.Errorf("%s: %+v", name, x)
		}
	}
	if o := attacker.callback("hq", state, "mallory").outcome(t); !o.OK {
		t.Errorf("in its own: %+v", o)
	}
}

// Both tabs were given the browser's ID under one cookie name, so that only the login of the later answer could be finished.
func TestTwoTabsOfANewBrowserBothFinish(t *testing.T) {
	t.Parallel()
	for name, order := range map[string][]int{"in order": {0, 1}, "the later first": {1, 0}} {
		f := newFixture(t)
		b, stranger := f.browser(), f.browser()
		var states []string
		tabs := []*browser{f.browser(), f.browser()} // requests that are sent before either is answered carry no cookie
		for _, tab := range tabs {
			state, _ := tab.open("hq-only", "")
			states = append(states, state)
		}
		for _, tab := range tabs {
			maps.Copy(b.cookies, tab.cookies)
		}
		for _, i := range order {
			if x := stranger.callback("hq", states[i], "mallory").failure(t); x.Kind != OtherBrowser {
				t.Errorf("%s: a stranger's %d: %+v", name, i, x)
			}
			if o := b.callback("hq", states[i], "ada").outcome(t); !o.OK || b.who("hq") != "ada" {
				t.Errorf("%s: tab %d: %+v", name, i, o)
			}
		}
	}
}

func TestA108_AnotherSitesFormChoosesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	v := b.get("/broker/oauth2/authorize?app=portal").view(t)
	for _, path := range []string{v.Action, v.ForgetURL} {
		form := url.Values{"r": {v.Sealed}, "trust": {"hq"}, "remember": {"1"}}
		a := b.postFrom(path, form)
		if x := a.failure(t); x.Kind != Foreign || a.status != http.StatusForbidden {
			t.Errorf("%s: %+v", path, x)
		}
		if b.cookies["__Host-apostille_offices"] != "" || f.store.pending.Load() != 0 {
			t.Errorf("%s had an effect", path)
		}
	}
	// Old browsers send Origin only.
	for origin, want := range map[string]int{"https://id.west.example": http.StatusSeeOther, "https://evil.example": http.StatusForbidden, "null": http.StatusForbidden} {
		r := httptest.NewRequest(http.MethodPost, "https://id.west.example/broker/login", strings.NewReader(url.Values{"r": {v.Sealed}, "trust": {"hq"}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", origin)
		r.Host = "internal.example" // A114: a proxy's name for us counts for nothing
		w := httptest.NewRecorder()
		if f.handler.ServeHTTP(w, r); w.Code != want {
			t.Errorf("origin %s: %d", origin, w.Code)
		}
	}
}

func TestA114_AForgedHostBuildsNoURL(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	r := httptest.NewRequest(http.MethodGet, "https://evil.example/broker/oauth2/authorize?app=hq-only", nil)
	for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "Forwarded", "X-Original-URL"} {
		r.Header.Set(name, "evil.example")
	}
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	if to := w.Header().Get("Location"); !strings.Contains(to, url.QueryEscape(issuer+"/login/callback/hq")) || strings.Contains(to, "evil") {
		t.Errorf("sent to %q", to)
	}
}

func TestAnAnswerThatIsPostedIsFinishedByTheHop(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	state, _ := b.open("hq-only", "")
	form := url.Values{"state": {state}, "code": {"code-ada"}}
	w := b.once(http.MethodPost, "/broker/login/callback/hq", form, "cross-site")
	to := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/broker/login/hop?h=") || strings.Contains(to, "ada") || strings.Contains(to, state) {
		t.Fatalf("%d, sent to %q", w.Code, to)
	}
	if len(w.Result().Cookies()) != 0 {
		t.Error("the answer to a POST without cookies sets some")
	}
	if o := b.get(to).outcome(t); !o.OK || b.who("hq") != "ada" {
		t.Errorf("%+v", o)
	}
	if x := b.get(to).failure(t); x.Kind != Over {
		t.Errorf("again: %+v", x)
	}
	if x := b.postFrom("/broker/login/callback/hq", form).failure(t); x.Kind != Over || x.Again != "" {
		t.Errorf("posted again: %+v", x)
	}
}

// noise is text that cannot be shrunk by much.
func noise(n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(mint.NewSecret())
	}
	return b.String()
}

// Each posted answer is kept until the browser fetches it, and one login's state used to be good for any number of them.
func TestA120_AnswersThatArePostedAreLimited(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	state, _ := b.open("hq-only", "")
	good := url.Values{"state": {state}, "code": {"code-ada"}}
	long := url.Values{"state": {state}, "code": {noise(16 << 10)}}
	before := f.store.pending.Load()
	f.limited.Store(true)
	if a := b.postFrom("/broker/login/callback/hq", good); a.failure(t).Kind != Busy || a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" {
		t.Errorf("one too many: %d %s", a.status, a.body)
	}
	f.limited.Store(false)
	if x := b.postFrom("/broker/login/callback/hq", long).failure(t); x.Kind != Malformed {
		t.Errorf("one that is too long: %+v", x)
	}
	if f.log.Len() != 0 || f.trail.len() != 0 {
		t.Errorf("a stranger fills log or trail: %s", f.log)
	}
	if o := b.postFrom("/broker/login/callback/hq", good).outcome(t); !o.OK || b.who("hq") != "ada" {
		t.Errorf("the twin: %+v", o)
	}
	if kept := f.store.pending.Load() - before; kept > 3 { // the long one, the hop, the result
		t.Errorf("%d things were kept", kept)
	}
}

func TestA108_AHopInAnotherBrowserFinishesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	attacker, victim := f.browser(), f.browser()
	state, _ := attacker.open("hq-only", "")
	form := url.Values{"state": {state}, "code": {"code-mallory"}}
	victim.open("hq-only", "")
	if x := victim.postFrom("/broker/login/callback/hq", form).failure(t); x.Kind != OtherBrowser || victim.who("hq") != "" {
		t.Errorf("%+v", x)
	}
	if o := attacker.postFrom("/broker/login/callback/hq", form).outcome(t); !o.OK {
		t.Errorf("in its own: %+v", o)
	}
}

func TestAHopIsThereForTwoMinutes(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]bool{hopTTL - time.Second: true, hopTTL: false} {
		f := newFixture(t)
		b := f.browser()
		state, _ := b.open("hq-only", "")
		w := b.once(http.MethodPost, "/broker/login/callback/hq", url.Values{"state": {state}, "code": {"code-ada"}}, "cross-site")
		f.wait(wait)
		if a := b.get(w.Header().Get("Location")); (a.page == "") != want {
			t.Errorf("after %v: %s", wait, a.body)
		}
	}
}

func TestA120_AnAnswerToNoLoginIsNotKept(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	before := f.store.pending.Load()
	for _, state := range []string{"", "x", strings.Repeat("A", 43), mint.NewSecret()} {
		x := f.browser().postFrom("/broker/login/callback/hq", url.Values{"state": {state}, "code": {"code-ada"}}).failure(t)
		if x.Kind != Over {
			t.Errorf("%q: %+v", state, x)
		}
	}
	if f.store.pending.Load() != before {
		t.Error("something was stored")
	}
	if f.trail.len() != 0 || f.sampled.len() != 4 {
		t.Errorf("recorded %d, sampled %d: what strangers cause must be sampled", f.trail.len(), f.sampled.len())
	}
}

func TestA102_AHandleOfOneKindIsNoneOfAnother(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	state, _ := b.open("hq-only", "")
	w := b.once(http.MethodPost, "/broker/login/callback/hq", url.Values{"state": {state}, "code": {"code-ada"}}, "cross-site")
	_, hopHandle, _ := strings.Cut(w.Header().Get("Location"), "h=")
	for name, path := range map[string]string{
		"a state at the hop":       "/broker/login/hop?h=" + state,
		"a hop at the callback":    "/broker/login/callback/hq?code=code-ada&state=" + hopHandle,
		"a sealed text as a state": "/broker/login/callback/hq?code=code-ada&state=" + b.cookies["__Host-apostille_back"],
	} {
		if x := b.get(path).failure(t); x.Kind != Over || b.who("hq") != "" {
			t.Errorf("%s: %+v", name, x)
		}
	}
	// A text sealed for one purpose is none for another.
	if x := b.get("/broker/login?r=" + b.cookies["__Host-apostille_back"]).failure(t); x.Kind != Malformed {
		t.Errorf("a way back at the picker: %+v", x)
	}
	if o := b.get("/broker/login/hop?h=" + hopHandle).outcome(t); !o.OK {
		t.Errorf("the hop at the hop: %+v", o)
	}
}

func TestARequestThatIsNotOursIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	v := b.get("/broker/oauth2/authorize?app=portal").view(t)
	state, _ := b.open("hq-only", "")
	good := url.Values{"r": {v.Sealed}, "trust": {"hq"}}
	with := func(name string, values ...string) url.Values {
		out := url.Values{"r": good["r"], "trust": good["trust"]}
		out[name] = values
		return out
	}
	for name, a := range map[string]answer{
		"no request":          b.get("/broker/login"),
		"a changed request":   b.get("/broker/login?r=" + v.Sealed[:len(v.Sealed)-2] + "AA"),
		"a request twice":     b.get("/broker/login?r=" + v.Sealed + "&r=" + v.Sealed),
		"a query of nonsense": b.get("/broker/login?r=%zz"),
		"a form twice":        b.post("/broker/login", with("trust", "hq", "west")),
		"a form without":      b.post("/broker/login", url.Values{}),
		"a form too long":     b.post("/broker/login", with("x", strings.Repeat("x", maxForm))),
		"a state twice":       b.get("/broker/login/callback/hq?code=code-ada&state=" + state + "&state=" + state),
		"a code twice":        b.get("/broker/login/callback/hq?code=code-ada&code=code-ben&state=" + state),
		"forget nothing":      b.post("/broker/login/forget", url.Values{}),
	} {
		if x := a.failure(t); x.Kind != Malformed || a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %+v", name, a.status, x)
		}
	}
	if x := b.post("/broker/login", with("trust", "other")).failure(t); x.Kind != Gone {
		t.Errorf("another application's office: %+v", x)
	}
	if a := b.post("/broker/login", good); stateOf(a) == "" {
		t.Errorf("the good form: %s", a.body)
	}
	if o := b.callback("hq", state, "ada").outcome(t); !o.OK {
		t.Errorf("the good state: %+v", o)
	}
}

func TestA119_NothingSecretReachesLogTrailOrPage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	var shown bytes.Buffer
	state, _ := b.open("hq-only", "")
	for _, path := range []string{
		"/broker/login/callback/west?code=code-ada&state=" + state,  // mix-up
		"/broker/login/callback/hq?code=secret-code&state=" + state, // refused by the office
		"/broker/login/callback/hq?code=secret-code&state=" + state, // over
	} {
		shown.WriteString(b.get(path).body)
	}
	f.provider.finishErr = errDown
	again, _ := b.open("hq-only", "")
	shown.WriteString(b.callback("hq", again, "ada").body)
	f.provider.finishErr = nil
	last, _ := b.open("hq-only", "")
	b.callback("hq", last, "ada").outcome(t)
	for _, e := range append(f.trail.events, f.sampled.events...) {
		shown.WriteString(strings.Join([]string{e.ID, e.Detail, e.Reason, e.Trust, e.Client, e.Issuer, e.Subject}, " "))
	}
	shown.Write(f.log.Bytes())
	if len(b.cookies) != 3 { // session, browser, way back
		t.Errorf("the cookies %v", b.cookies)
	}
	for _, secret := range slices.Concat([]string{state, again, last, "secret-code", "code-ada"}, slices.Collect(maps.Values(b.cookies))) {
		if secret == "" || strings.Contains(shown.String(), secret) {
			t.Errorf("%q is shown or was never there", secret)
		}
	}
	if f.log.Len() == 0 || f.trail.len() < 3 {
		t.Error("nothing was written: the test proves nothing")
	}
}

func FuzzUnseal(f *testing.F) {
	x := newFixture(f)
	good, err := x.seal(Request{Client: "portal", Return: "/broker/oauth2/authorize"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if q, refused := x.unseal(text); refused == nil && q.Client != "portal" { // sealed by a worker's own setup, never made up
			t.Errorf("%q is a request of ours: %+v", text, q)
		}
	})
}

func FuzzLocalReturn(f *testing.F) {
	for _, s := range []string{"/broker/oauth2/authorize?x=y", "//e", `/\e`, "/broker/oauth2/..", "/broker/oauth2/%2e%2e/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, ret string) {
		if !localReturn("/broker", ret) {
			return
		}
		base, _ := url.Parse("https://id.west.example/broker/oauth2/authorize")
		u, err := base.Parse(withLogin(ret, "h"))
		if err != nil || u.Host != base.Host || u.Scheme != "https" || !strings.HasPrefix(u.Path, "/broker/oauth2/") || strings.Contains(u.Path, "..") {
			t.Errorf("%q leads to %v (%v)", ret, u, err)
		}
	})
}
