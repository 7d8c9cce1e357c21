package authorize

import (
	"errors"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"apostille/broker/authflow"
	"apostille/broker/page"
	"apostille/broker/store"
	"apostille/trust"
)

func shop(set ...string) url.Values { return with(good("shop", shopURI), set...) }

var sealedField = regexp.MustCompile(`name="r" value="([^"]+)"`)

// form reads the consent page that was shown.
func form(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	found := sealedField.FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusOK || found == nil || w.Header().Get("Location") != "" {
		t.Fatalf("no consent page: %d to %q %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	return html.UnescapeString(found[1])
}

// say sends the form.
func (b *bench) say(sealed, decision string, ticked ...string) *httptest.ResponseRecorder {
	return post(b.Consent(), ConsentPath, url.Values{"r": {sealed}, "decision": {decision}, "scope": ticked}.Encode(), "Sec-Fetch-Site", "same-origin")
}

func asShop(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	b.signIn(t, "hq", "ada", time.Minute)
	return b
}

func TestScopesAreAskedForInTheLanguageOfThePage(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, locales, read, order string }{
		{"a language that the API has words in", "de", "Lagerbestand &lt;sehen&gt;", "Order stock"},
		{"one that it has none in", "fr", "See stock levels", "Order stock"},
		{"one that no page speaks", "nl", "See stock levels", "Order stock"},
		{"none is asked for", "", "See stock levels", "Order stock"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := asShop(t).get(shop("scope", "openid stock.read stock.order", "ui_locales", row.locales).Encode())
			form(t, w)
			for _, want := range []string{row.read, row.order} {
				if !strings.Contains(w.Body.String(), "<span>"+want+"</span>") {
					t.Errorf("the page lacks %q:\n%s", want, w.Body)
				}
			}
		})
	}
}

func TestAThirdPartyIsAskedForScopeByScope(t *testing.T) {
	t.Parallel()
	b := asShop(t)
	w := b.get(shop("scope", "openid profile stock.read stock.order").Encode())
	sealed := form(t, w)
	body := w.Body.String()
	for _, want := range []string{"See stock levels", "Order stock", "See your name and profile", "Ada &lt;b&gt;", "The hq", "shop.partner.example",
		`value="warehouse stock.read"`, `value="userinfo profile"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if p := w.Header().Get("Content-Security-Policy"); !strings.Contains(p, "form-action 'self' https://shop.partner.example") {
		t.Errorf("policy %s", p)
	}
	if len(b.issued) > 0 {
		t.Fatal("a code was made before anybody was asked")
	}
	if q := granted(t, b.say(sealed, "allow", "warehouse stock.read", "userinfo profile", "warehouse made.up"), shopURI); q.Get("code") == "" {
		t.Fatalf("answered %v", q)
	}
	if got := b.issued[0].Scopes; !slices.Equal(got, []string{"openid", "profile", "stock.read"}) {
		t.Errorf("the code has %q", got)
	}
	given, ok, err := b.store.Consent(t.Context(), "ada", "shop")
	if err != nil || !ok || !slices.Equal(given.Scopes["warehouse"], []string{"stock.read"}) || !slices.Equal(given.Scopes["userinfo"], []string{"profile"}) {
		t.Errorf("remembered %+v %v", given, err)
	}
	if len(b.audit.events) != 2 || b.audit.events[0].Event != "consent.given" || b.audit.events[1].Event != "code.issued" {
		t.Errorf("recorded %+v", b.audit.events)
	}
}

func TestWhatWasAllowedIsRememberedAndMerged(t *testing.T) {
	t.Parallel()
	b := asShop(t)
	form(t, b.get(shop("scope", "openid").Encode())) // the very first time even openid alone is a question
	b.say(form(t, b.get(shop("scope", "openid stock.read").Encode())), "allow", "warehouse stock.read")
	b.issued = nil
	granted(t, b.get(shop("scope", "openid stock.read").Encode()), shopURI)
	granted(t, b.get(shop("scope", "openid stock.read", "prompt", "none").Encode()), shopURI)
	refused(t, b.get(shop("scope", "openid stock.read stock.order", "prompt", "none").Encode()), shopURI, codeConsent)
	form(t, b.get(shop("scope", "openid stock.read", "prompt", "consent").Encode())) // asked again on demand
	w := b.get(shop("scope", "openid stock.order").Encode())
	granted(t, b.say(form(t, w), "allow", "warehouse stock.order"), shopURI)
	given, _, _ := b.store.Consent(t.Context(), "ada", "shop")
	if !slices.Equal(given.Scopes["warehouse"], []string{"stock.order", "stock.read"}) {
		t.Errorf("remembered %v", given.Scopes)
	}
}

// Everything used to be marked as new to somebody who was asked for the first time.
func TestWhatIsNewIsMarkedWhereSomethingIsNot(t *testing.T) {
	t.Parallel()
	b := asShop(t)
	first := b.get(shop("scope", "openid profile stock.read").Encode())
	granted(t, b.say(form(t, first), "allow", "userinfo profile", "warehouse stock.read"), shopURI)
	second := b.get(shop("scope", "openid profile stock.read stock.order").Encode())
	form(t, second)
	const mark = `<span class="tag">`
	if n := strings.Count(first.Body.String(), mark); n != 0 {
		t.Errorf("%d of the first question are marked", n)
	}
	if n := strings.Count(second.Body.String(), mark); n != 1 || !strings.Contains(second.Body.String(), "Order stock "+mark) {
		t.Errorf("%d of the second question are marked, wanted the one that is new:\n%s", n, second.Body)
	}
}

func TestAResourceOfWhichNothingIsAllowedIsLeftOut(t *testing.T) {
	t.Parallel()
	const api = "https://warehouse.west.hmart.example"
	b := asShop(t)
	sealed := form(t, b.get(shop("scope", "openid profile stock.read", "resource", api).Encode()))
	granted(t, b.say(sealed, "allow", "userinfo profile"), shopURI)
	granted(t, b.say(sealed, "allow", "warehouse stock.read"), shopURI)
	if len(b.issued[0].Resources) != 0 || !slices.Equal(b.issued[1].Resources, []string{api}) {
		t.Errorf("the codes name %q and %q", b.issued[0].Resources, b.issued[1].Resources)
	}
}

func TestPromptNoneNeverShowsAPage(t *testing.T) {
	t.Parallel()
	b := asShop(t)
	refused(t, b.get(shop("prompt", "none").Encode()), shopURI, codeConsent)
	if b.pages.last.Template != nil {
		t.Error("a page was shown")
	}
}

func TestDenyingTellsTheClientAndRemembersNothing(t *testing.T) {
	t.Parallel()
	b := asShop(t)
	sealed := form(t, b.get(shop("scope", "openid stock.read").Encode()))
	refused(t, b.say(sealed, "deny", "warehouse stock.read"), shopURI, codeAccessDenied)
	refused(t, b.say(sealed, ""), shopURI, codeAccessDenied)
	only := form(t, b.get(shop("scope", "stock.read").Encode()))
	refused(t, b.say(only, "allow"), shopURI, codeAccessDenied) // allowed nothing
	if _, ok, _ := b.store.Consent(t.Context(), "ada", "shop"); ok || len(b.issued) > 0 {
		t.Error("something came of a no")
	}
	granted(t, b.say(sealed, "allow"), shopURI) // openid is left
}

func TestAFirstPartyIsNotAskedFor(t *testing.T) {
	t.Parallel()
	b := asShop(t)
	granted(t, b.get(portal("prompt", "consent", "scope", "openid stock.read").Encode()), portalURI)
}

// RFC 8252 §8.6: a public application on a custom scheme or loopback may be anybody; what was allowed before counts for the ticks only.
func TestA121_APublicApplicationWithoutAnAddressOfItsOwnIsAskedForEachTime(t *testing.T) {
	t.Parallel()
	for _, redirect := range []string{"com.example.phone:/cb", "http://127.0.0.1:5000/cb"} {
		b := asShop(t)
		phone := func(set ...string) string { return with(good("phone", redirect), set...).Encode() }
		for range 2 {
			w := b.say(form(t, b.get(phone())), "allow", "userinfo profile")
			if granted(t, w, redirect).Get("code") == "" {
				t.Fatal("no code")
			}
		}
		refused(t, b.get(phone("prompt", "none")), redirect, codeConsent)
	}
	b := asShop(t) // with a claimed https address it is asked once
	tablet := good("tablet", "https://tablet.example/cb").Encode()
	b.say(form(t, b.get(tablet)), "allow", "userinfo profile")
	granted(t, b.get(tablet), "https://tablet.example/cb")
}

func TestA121_EvenAFirstPartyOnAPhoneGetsNothingWithoutAWord(t *testing.T) {
	t.Parallel()
	const redirect = "com.example.own:/cb"
	b := asShop(t)
	sealed := form(t, b.get(good("own-phone", redirect).Encode()))
	granted(t, b.say(sealed, "allow"), redirect)
	if _, ok, _ := b.store.Consent(t.Context(), "ada", "own-phone"); ok {
		t.Error("a consent of a first party was remembered")
	}
	refused(t, b.get(with(good("own-phone", redirect), "prompt", "none").Encode()), redirect, codeInteraction)
}

// A sign-in used to count as the person's word. But an office where they are signed in already asks them nothing, so that any program on
// the device got a code without a page being shown.
func TestA121_ASignInIsAWordOnlyIfThePersonWasAskedAnew(t *testing.T) {
	t.Parallel()
	const redirect = "com.example.own:/cb"
	for prompt, asked := range map[string]bool{"": true, "select_account": true, "login": false} {
		b := asShop(t)
		q := with(good("own-phone", redirect), "prompt", prompt)
		b.result, b.resultOf = &authflow.Result{Trust: "hq", At: b.now}, Path+"?"+q.Encode()
		w := b.get(with(q, "login", "handle").Encode())
		if asked {
			form(t, w)
		} else {
			granted(t, w, redirect)
		}
	}
}

// A form that somebody else was shown, or that comes from another site, does nothing.
func TestA108_TheFormIsBoundToBrowserPersonAndSite(t *testing.T) {
	t.Parallel()
	const tickOne = "warehouse stock.read"
	for _, c := range []struct {
		name   string
		change func(b *bench)
		header []string
		sealed string // "" = the page's
		status int    // of an error page; 303 = it begins anew
	}{
		{"another browser", func(b *bench) { b.browser = "browser-2" }, nil, "", 400},
		{"no browser", func(b *bench) { b.browser = "" }, nil, "", 400},
		{"nobody is signed in any more", func(b *bench) { b.session = nil }, nil, "", 303},
		{"another session", func(b *bench) { b.session.ID = "session-2" }, nil, "", 303},
		{"another person", func(b *bench) { b.session.Identities[0].Sub = "eve" }, nil, "", 303},
		{"A96 the claims have become too old", func(b *bench) {
			t, _ := b.reg.Trust("hq")
			t.Spec.Login.MaxClaimsAge = time.Second
		}, nil, "", 303},
		{"a day later", func(b *bench) { b.now = b.now.Add(consentTTL + time.Minute) }, nil, "", 400},
		{"another site", func(*bench) {}, []string{"Sec-Fetch-Site", "cross-site"}, "", 403},
		{"a sibling site", func(*bench) {}, []string{"Sec-Fetch-Site", "same-site"}, "", 403},
		{"another origin in an old browser", func(*bench) {}, []string{"Origin", "https://evil.example"}, "", 403},
		{"no origin to speak of", func(*bench) {}, []string{"Origin", "null"}, "", 403},
		{"a form that we did not seal", func(*bench) {}, nil, "AAAA", 400},
		{"a client that was disabled meanwhile", func(b *bench) {
			c, _ := b.reg.Client("shop")
			c.Spec.Disabled = true
		}, nil, "", 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := asShop(t)
			sealed := form(t, b.get(shop("scope", "openid stock.read").Encode()))
			c.change(b)
			if c.sealed != "" {
				sealed = c.sealed
			}
			w := post(b.Consent(), ConsentPath, url.Values{"r": {sealed}, "decision": {"allow"}, "scope": {tickOne}}.Encode(), c.header...)
			if w.Code != c.status || len(b.issued) > 0 {
				t.Fatalf("answered %d, %d codes", w.Code, len(b.issued))
			}
			if _, ok, _ := b.store.Consent(t.Context(), "ada", "shop"); ok {
				t.Error("a consent was remembered")
			}
			if c.status == 303 && !strings.HasPrefix(w.Header().Get("Location"), Path+"?") {
				t.Errorf("goes on at %s", w.Header().Get("Location"))
			}
		})
	}
}

// While the page lies open the person may sign in again, in a weaker way. The form used to be answered with that sign-in.
func TestAFormIsAnsweredWithASignInOfTheClassThatMustBe(t *testing.T) {
	t.Parallel()
	b := asShop(t)
	sealed := form(t, b.get(shop("claims", `{"id_token":{"acr":{"essential":true,"value":"basic"}}}`).Encode()))
	strong := b.session.Identities[0].Value
	weak, err := trust.DecodeLogin(strong)
	if err != nil {
		t.Fatal(err)
	}
	weak.ACR = "weak"
	if b.session.Identities[0].Value, err = trust.EncodeLogin(weak); err != nil {
		t.Fatal(err)
	}
	w := b.say(sealed, "allow", "userinfo profile")
	if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/") || len(b.issued) != 0 {
		t.Errorf("%d, sent to %q with %d codes", w.Code, to, len(b.issued))
	}
	b.session.Identities[0].Value = strong
	granted(t, b.say(sealed, "allow", "userinfo profile"), shopURI)
}

func TestTheFormIsTakenFromOurOwnPagesOnly(t *testing.T) {
	t.Parallel()
	b := asShop(t)
	sealed := form(t, b.get(shop().Encode()))
	for _, header := range [][]string{{"Sec-Fetch-Site", "same-origin"}, {"Origin", issuer}, {"Origin", issuer, "Host", "internal:8080"}} {
		w := post(b.Consent(), ConsentPath, url.Values{"r": {sealed}, "decision": {"allow"}}.Encode(), header...)
		granted(t, w, shopURI)
	}
	if w := send(b.Consent(), http.MethodGet, ConsentPath+"?r="+sealed+"&decision=allow"); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET answers %d", w.Code)
	}
}

func TestAFormThatIsSentTwiceIsHarmless(t *testing.T) {
	t.Parallel()
	b := asShop(t)
	sealed := form(t, b.get(shop("scope", "openid stock.read").Encode()))
	for range 2 {
		granted(t, b.say(sealed, "allow", "warehouse stock.read"), shopURI)
	}
	given, _, _ := b.store.Consent(t.Context(), "ada", "shop")
	if !slices.Equal(given.Scopes["warehouse"], []string{"stock.read"}) {
		t.Errorf("remembered %v", given.Scopes)
	}
}

func TestConsentThatCannotBeRecordedIsNotGiven(t *testing.T) {
	t.Parallel()
	b := asShop(t)
	sealed := form(t, b.get(shop("scope", "openid stock.read").Encode()))
	b.audit.err = errors.New("no space")
	refused(t, b.say(sealed, "allow", "warehouse stock.read"), shopURI, "temporarily_unavailable")
	if _, ok, _ := b.store.Consent(t.Context(), "ada", "shop"); ok || len(b.issued) > 0 {
		t.Error("something came of it")
	}
}

func TestTheAnswerToAConsentMayBePosted(t *testing.T) {
	t.Parallel()
	b := asShop(t)
	w := b.say(form(t, b.get(shop("response_mode", "form_post").Encode())), "allow", "userinfo profile")
	if w.Code != 200 || !strings.Contains(w.Body.String(), `name="code" value="the-code"`) {
		t.Errorf("answered %d %s", w.Code, w.Body)
	}
}

func TestOnlyWhatWasOfferedCanBeTicked(t *testing.T) {
	t.Parallel()
	offered := map[string][]string{"a": {"read", "write"}, "b": {"read"}}
	got := choose(offered, []string{"a read", "b read", "c read", "a admin", "read", "write"})
	if len(got) != 2 || !slices.Equal(got["a"], []string{"read"}) || !slices.Equal(got["b"], []string{"read"}) {
		t.Errorf("chosen %v", got)
	}
}

// What was allowed another time is not given away when its box is not ticked.
func TestABoxThatIsNotTickedIsLeftOutThoughItWasAllowedBefore(t *testing.T) {
	t.Parallel()
	b := asShop(t)
	ask := shop("scope", "openid stock.read stock.order", "prompt", "consent").Encode()
	granted(t, b.say(form(t, b.get(ask)), "allow", "warehouse stock.read", "warehouse stock.order"), shopURI)
	granted(t, b.say(form(t, b.get(ask)), "allow", "warehouse stock.read"), shopURI)
	if !slices.Equal(b.issued[0].Scopes, []string{"openid", "stock.order", "stock.read"}) || !slices.Equal(b.issued[1].Scopes, []string{"openid", "stock.read"}) {
		t.Errorf("the codes have %q and %q", b.issued[0].Scopes, b.issued[1].Scopes)
	}
}

func TestMergeChangesNeither(t *testing.T) {
	t.Parallel()
	a, b := map[string][]string{"x": {"b", "c"}}, map[string][]string{"x": {"a", "b"}, "y": {"z"}}
	got := store.Consent{Scopes: merge(a, b)}.Scopes
	if !slices.Equal(got["x"], []string{"a", "b", "c"}) || !slices.Equal(got["y"], []string{"z"}) || len(a["x"]) != 2 || len(a) != 1 {
		t.Errorf("merged %v of %v", got, a)
	}
}

func TestEveryLanguageHasEveryMessage(t *testing.T) {
	t.Parallel()
	page.CheckMessages(t, Messages, "authorize")
	texts, err := Messages.ReadFile("messages/en.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, scope := range trust.IdentityScopes {
		if !strings.Contains(string(texts), `"authorize.scope.`+scope+`"`) {
			t.Errorf("no words for %s", scope)
		}
	}
	for _, p := range []*problem{{Status: 500}, {Reason: trust.ReasonClientUnknown}, {Reason: trust.ReasonRedirect}, {Reason: trust.ReasonLoginState}, {}} {
		if !strings.Contains(string(texts), `"`+pageText(p)+`"`) {
			t.Errorf("no message %s", pageText(p))
		}
	}
}

func TestThePagesSpeakTheLanguageOfTheRequest(t *testing.T) {
	t.Parallel()
	b := asShop(t)
	if w := b.get(shop("ui_locales", "de").Encode()); !strings.Contains(w.Body.String(), "bittet um Ihre Erlaubnis") {
		t.Errorf("not German: %s", w.Body)
	}
}
