package authflow

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"apostille/broker/audit"
	"apostille/broker/mint"
	"apostille/trust"
	"apostille/upstream"
)

func TestOneOfficeGoesStraightThrough(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	state, a := b.open("hq-only", "")
	u, _ := url.Parse(a.location)
	if u.Host != "hq.example" || !mint.IsSecret(state) || u.Query().Get("redirect_uri") != issuer+"/login/callback/hq" {
		t.Fatalf("sent to %q", a.location)
	}
	o := b.callback("hq", state, "ada").outcome(t)
	if !o.OK || o.Result.Trust != "hq" || !o.Result.At.Equal(f.Now()) || b.who("hq") != "ada" {
		t.Errorf("%+v, signed in %q", o, b.who("hq"))
	}
	e := f.trail.last()
	if e.Event != audit.EventLogin || e.Trust != "hq" || e.Issuer != "https://hq.example" || e.Client != "hq-only" || e.Subject == "" ||
		e.Remote != "192.0.2.7" || f.trail.len() != 1 || f.sampled.len() != 0 {
		t.Errorf("recorded %+v", e)
	}
}

func TestSeveralOfficesAreAPicker(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	a := b.get("/broker/oauth2/authorize?app=portal")
	v := a.view(t)
	if len(v.Ranking.Results) != 2 || v.ClientName != "The Portal" || v.Action != "/broker/login" || v.SearchURL != "/broker/login/search" ||
		v.ForgetURL != "/broker/login/forget" || v.CancelURL == "" {
		t.Errorf("view %+v", v)
	}
	a = b.post(v.Action, url.Values{"r": {v.Sealed}, "trust": {"west"}})
	if !strings.HasPrefix(a.location, "https://west.example/") {
		t.Fatalf("%d, sent to %q", a.status, a.location)
	}
	if o := b.callback("west", stateOf(a), "ben").outcome(t); !o.OK || o.Result.Trust != "west" || b.who("west") != "ben" {
		t.Errorf("%+v, signed in %q", o, b.who("west"))
	}
}

func TestAHintGoesStraightThrough(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if _, a := f.browser().open("portal", "&hint=west"); !strings.HasPrefix(a.location, "https://west.example/") {
		t.Errorf("%d, sent to %q", a.status, a.location)
	}
	f.browser().get("/broker/oauth2/authorize?app=portal&hint=other").view(t) // not this application's
}

func TestA120_LookingAtThePickerStoresNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	v := b.get("/broker/oauth2/authorize?app=portal").view(t)
	b.get("/broker/login/search?r=" + v.Sealed + "&q=we").view(t)
	b.post(v.ForgetURL, url.Values{"r": {v.Sealed}}).view(t)
	if n := f.store.pending.Load(); n != 0 {
		t.Errorf("%d things were stored", n)
	}
	if b.post(v.Action, url.Values{"r": {v.Sealed}, "trust": {"hq"}}); f.store.pending.Load() != 1 {
		t.Errorf("an office that was chosen stored %d things", f.store.pending.Load())
	}
	if strings.Contains(v.Sealed, "portal") || len(v.Sealed) > 1000 {
		t.Errorf("sealed: %s", v.Sealed)
	}
}

func TestThePickerSearches(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	v := b.get("/broker/oauth2/authorize?app=portal").view(t)
	for _, path := range []string{"/broker/login", v.SearchURL} {
		a := b.get(path + "?" + url.Values{"r": {v.Sealed}, "q": {"wést"}, "page": {"2"}}.Encode())
		if got := a.view(t); got.Text != "wést" || got.Sealed != v.Sealed || (a.page == "fragment") != (path == v.SearchURL) {
			t.Errorf("%s: %s %+v", path, a.page, got)
		}
		x := b.get(path + "?" + url.Values{"r": {v.Sealed}, "q": {strings.Repeat("x", maxText+1)}}.Encode()).failure(t)
		if x.Kind != Malformed || x.Again == "" {
			t.Errorf("%s with a long text: %+v", path, x)
		}
	}
}

func TestOfficesAreRememberedAndForgotten(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	view := func() []string {
		var ids []string
		for _, o := range b.get("/broker/oauth2/authorize?app=portal").view(t).Ranking.Continue {
			ids = append(ids, o.ID)
		}
		return ids
	}
	choose := func(office, remember string) {
		v := b.get("/broker/oauth2/authorize?app=portal").view(t)
		b.post(v.Action, url.Values{"r": {v.Sealed}, "trust": {office}, "remember": {remember}})
	}
	for _, c := range []struct{ office, remember, want string }{
		{"hq", "", "[]"}, {"hq", "1", "[hq]"}, {"west", "1", "[west hq]"}, {"hq", "1", "[hq west]"}, {"west", "", "[hq west]"},
	} {
		if choose(c.office, c.remember); fmt.Sprint(view()) != c.want {
			t.Errorf("after %+v: %v", c, view())
		}
	}
	v := b.get("/broker/oauth2/authorize?app=portal").view(t)
	b.post(v.ForgetURL, url.Values{"r": {v.Sealed}})
	if fmt.Sprint(view()) != "[]" || b.cookies["__Host-apostille_offices"] != "" {
		t.Errorf("after forgetting: %v", view())
	}
}

func TestTheCookieOfOfficesIsReadStrictly(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for value, want := range map[string]int{
		"hq": 1, "hq~west": 2, "hq~west~other": 3, "hq~hq": 1, "a~b~c~d": 0, "HQ": 0, "hq~": 0, "../x": 0, "hq west": 0,
		strings.Repeat("a", 300): 0, "": 0,
	} {
		r, _ := http.NewRequest(http.MethodGet, issuer, nil)
		r.AddCookie(&http.Cookie{Name: "__Host-apostille_offices", Value: value})
		if got := f.remembered(r); len(got) != want {
			t.Errorf("%q: %q", value, got)
		}
	}
}

func TestAnAddressOfAnotherDomainIsNotShownToAnOffice(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.registry.trusts["hq"].Spec.Login.EmailDomains = []string{"hq.example"}
	for hint, want := range map[string]string{
		"ada@hq.example": "ada@hq.example", "ada@HQ.example": "ada@HQ.example", "ada@home.example": "", "ada": "ada", "": "",
	} {
		f.browser().open("hq-only", "&login_hint="+url.QueryEscape(hint))
		if got := f.provider.asked[len(f.provider.asked)-1].LoginHint; got != want {
			t.Errorf("%q: the office is shown %q", hint, got)
		}
	}
}

func TestTwoTabsBothFinish(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	one, _ := b.open("hq-only", "")
	two, _ := b.open("portal", "&hint=west")
	if one == two {
		t.Fatal("both have one state")
	}
	if o := b.callback("west", two, "ben").outcome(t); !o.OK || o.Result.Trust != "west" {
		t.Errorf("the second tab: %+v", o)
	}
	if o := b.callback("hq", one, "ada").outcome(t); !o.OK || o.Result.Trust != "hq" {
		t.Errorf("the first tab: %+v", o)
	}
	if b.who("hq") != "ada" || b.who("west") != "ben" {
		t.Errorf("signed in: %q, %q", b.who("hq"), b.who("west"))
	}
}

func TestADoubleClickOnThePickerWorks(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	v := b.get("/broker/oauth2/authorize?app=portal").view(t)
	if len(b.cookies) != 0 {
		t.Fatalf("who only looks at the picker is given %v", b.cookies)
	}
	form := url.Values{"r": {v.Sealed}, "trust": {"hq"}}
	impatient := f.browser() // the same browser, before it has seen an answer
	first, second := stateOf(impatient.post(v.Action, form)), stateOf(b.post(v.Action, form))
	maps.Copy(b.cookies, impatient.cookies)
	if first == "" || first == second {
		t.Fatalf("states %q, %q", first, second)
	}
	for _, state := range []string{second, first} { // browsers differ in which answer they follow
		if o := b.callback("hq", state, "ada").outcome(t); !o.OK {
			t.Errorf("%+v", o)
		}
	}
}

func TestTheBackButtonShowsThatTheLoginIsOver(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	state, _ := b.open("hq-only", "")
	b.callback("hq", state, "ada").outcome(t)
	for range 2 {
		a := b.callback("hq", state, "ada")
		if x := a.failure(t); x.Kind != Over || x.Again != "/broker/oauth2/authorize?app=hq-only" || a.status != http.StatusBadRequest {
			t.Errorf("%d %+v", a.status, x)
		}
	}
	again, _ := b.open("hq-only", "")
	if o := b.callback("hq", again, "ada").outcome(t); !o.OK {
		t.Errorf("starting again: %+v", o)
	}
	stranger := f.browser()
	if x := stranger.callback("hq", state, "ada").failure(t); x.Kind != Over || x.Again != "" {
		t.Errorf("another browser is shown %+v", x)
	}
}

func TestALoginThatTookTooLongCanBeginAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	soon, _ := b.open("hq-only", "")
	f.wait(loginTTL - time.Second)
	if o := b.callback("hq", soon, "ada").outcome(t); !o.OK {
		t.Errorf("in time: %+v", o)
	}
	late, _ := b.open("hq-only", "")
	f.wait(loginTTL)
	if x := b.callback("hq", late, "ada").failure(t); x.Kind != Over || x.Again == "" {
		t.Errorf("too late: %+v", x)
	}
}

func TestAPickerThatLayOpenTooLongCanBeginAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	v := b.get("/broker/oauth2/authorize?app=portal").view(t)
	form := url.Values{"r": {v.Sealed}, "trust": {"hq"}}
	f.wait(pickerTTL)
	if a := b.post(v.Action, form); stateOf(a) == "" {
		t.Errorf("in time: %d %s", a.status, a.body)
	}
	f.wait(time.Second)
	if x := b.post(v.Action, form).failure(t); x.Kind != Expired || x.Again != "/broker/oauth2/authorize?app=portal" || x.Cancel == "" {
		t.Errorf("too late: %+v", x)
	}
	b.get("/broker/oauth2/authorize?app=portal").view(t)
}

func TestAResultIsThereOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b, other := f.browser(), f.browser()
	other.open("hq-only", "")
	state, _ := b.open("hq-only", "")
	// The callback's answer, not followed.
	w := b.once(http.MethodGet, "/broker/login/callback/hq?code=code-ada&state="+state, nil, "cross-site")
	back := w.Header().Get("Location")
	ret, handle, found := strings.Cut(back, "&login=")
	if !found || ret != "/broker/oauth2/authorize?app=hq-only" || !mint.IsSecret(handle) {
		t.Fatalf("sent back to %q", back)
	}
	if o := other.get(back).outcome(t); o.OK {
		t.Error("another browser takes it")
	}
	if o := b.get("/broker/oauth2/authorize?app=portal&login=" + handle).outcome(t); o.OK {
		t.Error("it is taken for another request")
	}
	if o := b.get(back).outcome(t); !o.OK || o.Result.Trust != "hq" {
		t.Errorf("the first time: %+v", o)
	}
	if o := b.get(back).outcome(t); o.OK {
		t.Error("it is there twice")
	}
	if o := b.get(ret + "&login=" + state).outcome(t); o.OK {
		t.Error("a state is a result") // A102
	}
}

func TestAResultIsThereForTwoMinutes(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]bool{resultTTL - time.Second: true, resultTTL: false} {
		f := newFixture(t)
		b := f.browser()
		state, _ := b.open("hq-only", "")
		w := b.once(http.MethodGet, "/broker/login/callback/hq?code=code-ada&state="+state, nil, "cross-site")
		f.wait(wait)
		if o := b.get(w.Header().Get("Location")).outcome(t); o.OK != want {
			t.Errorf("after %v: %+v", wait, o)
		}
	}
}

func TestAPersonIsToldWhyAndShownWaysOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		query  string
		finish error
		kind   Kind
		status int
		known  bool
	}{
		"cancelled at the office":  {query: "error=access_denied", kind: Denied, status: 403},
		"the office has a fault":   {query: "error=server_error", kind: Down, status: 503},
		"the office is busy":       {query: "error=temporarily_unavailable", kind: Down, status: 503},
		"the office knows us not":  {query: "error=unauthorized_client", kind: Failed, status: 502},
		"a made-up answer":         {query: "code=guessed", kind: Failed, status: 502},
		"no answer at all":         {query: "x=y", kind: Failed, status: 502},
		"its keys cannot be had":   {query: "code=code-ada", finish: &upstream.Error{Reason: trust.ReasonKeysUnavailable}, kind: Down, status: 503},
		"its token endpoint hangs": {query: "code=code-ada", finish: &upstream.Error{Reason: trust.ReasonUpstreamDown}, kind: Down, status: 503},
		"an error of another type": {query: "code=code-ada", finish: errDown, kind: Failed, status: 502},
	} {
		f := newFixture(t)
		b := f.browser()
		state, _ := b.open("portal", "&hint=hq")
		f.provider.finishErr = c.finish
		a := b.get("/broker/login/callback/hq?state=" + state + "&" + c.query)
		x := a.failure(t)
		if x.Kind != c.kind || a.status != c.status || x.Office != "Office of hq" || x.Application != "The Portal" || x.Reference == "" || x.Cancel == "" {
			t.Errorf("%s: %d %+v", name, a.status, x)
		}
		if e := f.trail.last(); e.Event != audit.EventLoginRefused || e.Trust != "hq" || e.Issuer != "https://hq.example" || e.Reason == "" || e.ID != x.Reference {
			t.Errorf("%s: recorded %+v", name, e)
		}
		if b.who("hq") != "" {
			t.Errorf("%s: %q is signed in", name, b.who("hq"))
		}
		f.provider.finishErr = nil
		// The ways on work.
		if v := b.get(x.Picker).view(t); len(v.Ranking.Results) != 2 || v.Ranking.Direct != "" {
			t.Errorf("%s: another office: %+v", name, v)
		}
		again := b.post(x.Retry.Action, url.Values{"r": {x.Retry.Sealed}, "trust": {x.Retry.Trust}})
		if o := b.callback("hq", stateOf(again), "ada").outcome(t); !o.OK {
			t.Errorf("%s: once more: %+v", name, o)
		}
	}
}

func TestAnOfficeThatCannotBeReachedIsNamed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.provider.beginErr = &upstream.Error{Reason: trust.ReasonUpstreamDown, Detail: "no discovery document"}
	b := f.browser()
	a := b.get("/broker/oauth2/authorize?app=hq-only")
	x := a.failure(t)
	if x.Kind != Down || x.Office != "Office of hq" || x.Retry == nil || x.Picker != "" || a.status != http.StatusServiceUnavailable {
		t.Errorf("%d %+v", a.status, x)
	}
	if f.store.pending.Load() != 0 {
		t.Error("a login that did not begin is stored")
	}
	f.provider.beginErr = nil
	if a := b.post(x.Retry.Action, url.Values{"r": {x.Retry.Sealed}, "trust": {"hq"}}); stateOf(a) == "" {
		t.Errorf("once more: %d %s", a.status, a.body)
	}
}

func TestALoginThatWasNotFreshIsTheApplicationsToDealWith(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	state, _ := b.open("hq-only", "&force=1")
	f.provider.finishErr = &upstream.Error{Reason: trust.ReasonLoginRequired, Detail: "auth_time is older than the request"}
	if o := b.callback("hq", state, "ada").outcome(t); o.OK || o.Result.Refused != trust.ReasonLoginRequired || o.Result.Trust != "" {
		t.Errorf("%+v", o)
	}
	if b.who("hq") != "" {
		t.Error("signed in all the same")
	}
	if e := f.trail.last(); e.Event != audit.EventLoginRefused || e.Reason != string(trust.ReasonLoginRequired) {
		t.Errorf("recorded %+v", e)
	}
	f.provider.finishErr = nil
	state, _ = b.open("hq-only", "&force=1")
	if o := b.callback("hq", state, "ada").outcome(t); !o.OK || o.Result.Refused != "" || !f.provider.asked[1].Force {
		t.Errorf("a fresh one: %+v", o)
	}
}

func TestAnOfficeThatWentAwayMeanwhile(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*fixture){
		"disabled":                        func(f *fixture) { f.registry.trusts["hq"].Spec.Disabled = true },
		"no sign-in with it":              func(f *fixture) { f.registry.trusts["hq"].Spec.Login = nil },
		"taken out":                       func(f *fixture) { delete(f.registry.trusts, "hq") },
		"not this application's any more": func(f *fixture) { f.registry.of["portal"] = []string{"west"} },
	} {
		f := newFixture(t)
		b := f.browser()
		state, _ := b.open("portal", "&hint=hq")
		v := b.get("/broker/oauth2/authorize?app=portal").view(t)
		change(f)
		if x := b.callback("hq", state, "ada").failure(t); x.Kind != Gone || b.who("hq") != "" || x.Retry != nil || x.Cancel == "" {
			t.Errorf("%s, at the callback: %+v", name, x)
		}
		if x := b.post(v.Action, url.Values{"r": {v.Sealed}, "trust": {"hq"}}).failure(t); x.Kind != Gone || x.Picker == "" {
			t.Errorf("%s, at the picker: %+v", name, x)
		}
	}
}

func TestAnApplicationWithoutOfficesTakesNobody(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if x := f.browser().get("/broker/oauth2/authorize?app=lonely").failure(t); x.Kind != NoOffice || x.Cancel == "" {
		t.Errorf("%+v", x)
	}
}

func TestAnAddressCannotStartTooManyLogins(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	v := b.get("/broker/oauth2/authorize?app=portal").view(t)
	f.limited.Store(true)
	form := url.Values{"r": {v.Sealed}, "trust": {"hq"}}
	a := b.post(v.Action, form)
	if x := a.failure(t); x.Kind != Busy || a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" || x.Retry == nil {
		t.Errorf("%d %+v", a.status, x)
	}
	if len(f.provider.asked) != 0 || f.store.pending.Load() != 0 || f.trail.len() != 0 || f.sampled.len() != 1 {
		t.Error("the office was asked, something was stored, or the record was not sampled")
	}
	if f.limited.Store(false); stateOf(b.post(v.Action, form)) == "" {
		t.Error("not even later")
	}
}

func TestNothingIsSignedInThatIsNotRecordedAndStored(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(*fixture){
		"no audit trail":             func(f *fixture) { f.trail.fails = true },
		"a login cannot be read":     func(f *fixture) { f.store.down.Store("peek login") },
		"a login cannot be taken":    func(f *fixture) { f.store.down.Store("take login") },
		"a session cannot be stored": func(f *fixture) { f.store.down.Store("session") },
		"a result cannot be stored":  func(f *fixture) { f.store.down.Store(kindResult) },
	} {
		f := newFixture(t)
		b := f.browser()
		state, _ := b.open("hq-only", "")
		broken(f)
		a := b.callback("hq", state, "ada")
		if x := a.failure(t); x.Kind != Unavailable || a.status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %+v", name, a.status, x)
		}
		f.store.down.Store("")
		if b.who("hq") != "" && name != "a result cannot be stored" {
			t.Errorf("%s: signed in", name)
		}
	}
	f := newFixture(t)
	f.store.down.Store(kindLogin)
	if x := f.browser().get("/broker/oauth2/authorize?app=hq-only").failure(t); x.Kind != Unavailable {
		t.Errorf("a login that cannot be stored: %+v", x)
	}
}

func TestAProviderKeepsToItsLimits(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		start upstream.Start
		good  bool
	}{
		"a long secret":     {upstream.Start{URL: "https://hq.example/", Secret: make([]byte, maxSecret)}, true},
		"a longer secret":   {upstream.Start{URL: "https://hq.example/", Secret: make([]byte, maxSecret+1)}, false},
		"no address at all": {upstream.Start{Secret: []byte("x")}, false},
	} {
		f := newFixture(t)
		f.provider.start = &c.start
		if a := f.browser().get("/broker/oauth2/authorize?app=hq-only"); (a.location != "") != c.good || (f.store.pending.Load() == 1) != c.good {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

// It used to be told as a fault of the store, 503, with a line in the log for each.
func TestA120_ARequestThatIsTooLongToBeKeptIsItsSendersFault(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	if x := b.get("/broker/oauth2/authorize?app=hq-only&login_hint=" + noise(16<<10)).failure(t); x.Kind != Malformed || f.log.Len() != 0 || f.trail.len() != 0 {
		t.Errorf("%+v, log %s", x, f.log)
	}
	if state, a := b.open("hq-only", "&login_hint="+strings.Repeat("x", 500)); state == "" {
		t.Errorf("the twin: %d %s", a.status, a.body)
	}
}

func TestAPanicOfALibraryIsARefusal(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	state, _ := b.open("hq-only", "")
	f.provider.panics = "a value with code-ada"
	if x := b.callback("hq", state, "ada").failure(t); x.Kind != Failed {
		t.Errorf("finish: %+v", x)
	}
	if e := f.trail.last(); e.Reason != string(trust.ReasonPanic) || strings.Contains(e.Detail, "code-ada") {
		t.Errorf("recorded %+v", e)
	}
	if x := b.get("/broker/oauth2/authorize?app=hq-only").failure(t); x.Kind != Failed {
		t.Errorf("begin: %+v", x)
	}
}

func TestASubjectOfAnotherTrustIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	state, _ := b.open("hq-only", "")
	f.provider.foreign = true
	if x := b.callback("hq", state, "ada").failure(t); x.Kind != Failed || b.who("hq")+b.who("other") != "" {
		t.Errorf("%+v", x)
	}
}

func TestA109_AReturnElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	long := "/broker/oauth2/authorize?x=" + strings.Repeat("a", MaxReturn)
	for ret, want := range map[string]bool{
		"/broker/oauth2/authorize?client_id=x&state=%2F%2Fevil": true, "/broker/oauth2/authorize": true,
		"//evil.example/broker/oauth2/authorize": false, "https://evil.example/broker/oauth2/": false, `/\evil.example/oauth2/`: false,
		"http:evil.example": false, "/broker/oauth2/../../evil": false, "/oauth2/authorize": false, "/broker/login": false,
		"/broker/oauth2/a b": false, "/broker/oauth2/authorize?a= b": false, "/broker/oauth2/a\tb": false, "/broker/oauth2/a\r\nLocation: x": false, "/broker/oauth2/a#b": false, "/broker/oauth2/a%2f..%2fb": false,
		"javascript:alert(1)": false, "": false, long: false, "/broker/oauth2//authorize": false, "/broker/oauth2/ä": false, "?x": false,
	} {
		if got := localReturn("/broker", ret); got != want {
			t.Errorf("%.60q: %v", ret, got)
		}
	}
}

func TestA97_TwoLoginsAtOnceNeverCross(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var all sync.WaitGroup
	for n := range 24 {
		all.Go(func() {
			b, person := f.browser(), fmt.Sprintf("person%d", n)
			office := []string{"hq", "west"}[n%2]
			state, _ := b.open("portal", "&hint="+office)
			if o := b.callback(office, state, person).outcome(t); !o.OK || o.Result.Trust != office {
				t.Errorf("%s: %+v", person, o)
			}
			if got := b.who(office); got != person {
				t.Errorf("%s is signed in as %q", person, got)
			}
		})
	}
	all.Wait()
}

func TestALoginIsFinishedOnceHoweverManyCome(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	state, _ := b.open("hq-only", "")
	cookies := b.cookies
	var all sync.WaitGroup
	kinds := make(chan string, 16)
	for range cap(kinds) {
		all.Go(func() {
			each := f.browser()
			for name, value := range cookies {
				each.cookies[name] = value
			}
			w := each.once(http.MethodGet, "/broker/login/callback/hq?code=code-ada&state="+state, nil, "cross-site")
			kinds <- fmt.Sprint(w.Code)
		})
	}
	all.Wait()
	close(kinds)
	count := map[string]int{}
	for k := range kinds {
		count[k]++
	}
	if count["303"] != 1 || count["400"] != 15 {
		t.Errorf("%v", count)
	}
}

func TestHEADUsesNothingUp(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b := f.browser()
	state, _ := b.open("hq-only", "")
	w := b.once(http.MethodHead, "/broker/login/callback/hq?code=code-ada&state="+state, nil, "cross-site")
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("status %d", w.Code)
	}
	if o := b.callback("hq", state, "ada").outcome(t); !o.OK {
		t.Errorf("%+v", o)
	}
}
