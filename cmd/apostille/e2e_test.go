//go:build e2e

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"apostille/upstream/fake"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// chrome is a real browser with a profile of its own.
type chrome struct {
	t   *testing.T
	ctx context.Context
	axe string // the checker's source
}

// screenshots is where pages are kept to be looked at; version control ignores it.
var screenshots = filepath.Join("..", "..", ".cache", "e2e")

// startChrome starts one that ends with the test.
func startChrome(t *testing.T) *chrome {
	t.Helper()
	axe, err := os.ReadFile(filepath.Join("..", "..", "testdata", "interop", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("%v; make e2e installs it", err)
	}
	if err := os.MkdirAll(screenshots, 0o755); err != nil {
		t.Fatal(err)
	}
	// Nothing of the outside is reached: every host of the demo is under .localhost.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE localhost, EXCLUDE 127.0.0.1"))
	alloc, cancelAlloc := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() { cancel(); cancelAlloc() })
	c := &chrome{t: t, ctx: ctx, axe: string(axe)}
	c.do("start", chromedp.EmulateViewport(1280, 900))
	return c
}

// do runs steps, for half a minute at most.
func (c *chrome) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	c.t.Helper()
	done := make(chan error, 1)
	go func() { done <- chromedp.Do(c.ctx, steps...) }() // its first call's context is the browser's life, so no timeout there
	select {
	case err := <-done:
		if err != nil {
			c.t.Fatalf("%s: %v\n%s", what, err, c.text())
		}
	case <-time.After(30 * time.Second):
		c.t.Fatalf("%s: nothing after 30 s", what)
	}
}

// eval evaluates an expression on the page.
func eval[T any](c *chrome, expression string) T {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, 30*time.Second)
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		c.t.Fatalf("%s: %v", expression, err)
	}
	return got
}

func (c *chrome) text() string {
	ctx, cancel := context.WithTimeout(c.ctx, 5*time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText")) // for messages only
	return text
}

func (c *chrome) open(link string) { c.t.Helper(); c.do("open "+link, chromedp.Navigate(link)) }

// press presses a button and waits for the page that it leads to.
func (c *chrome) press(selector string) {
	c.t.Helper()
	c.do("press "+selector, chromedp.WaitVisible(selector))
	ctx, cancel := context.WithTimeout(c.ctx, 30*time.Second)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(selector)); err != nil {
		c.t.Fatalf("press %s: %v\n%s", selector, err, c.text())
	}
}

func (c *chrome) says(want string) {
	c.t.Helper()
	if text := c.text(); !strings.Contains(text, want) {
		c.t.Fatalf("the page does not say %q:\n%s", want, text)
	}
}

// scheme sets what the person prefers: "light" or "dark".
func (c *chrome) scheme(value string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, 10*time.Second)
	defer cancel()
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}},
	}); err != nil {
		c.t.Fatal(err)
	}
}

// inspect keeps the page as people see it, in light, dark and on a phone, and holds it to the accessibility rules in each.
func (c *chrome) inspect(name string) {
	c.t.Helper()
	for _, look := range []struct {
		name, scheme string
		width        int64
	}{{"light", "light", 1280}, {"dark", "dark", 1280}, {"phone", "light", 320}, {"phone-dark", "dark", 320}} {
		c.scheme(look.scheme)
		c.do("resize", chromedp.EmulateViewport(look.width, 800))
		ctx, cancel := context.WithTimeout(c.ctx, 30*time.Second)
		png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		cancel()
		if err != nil {
			c.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(screenshots, name+"-"+look.name+".png"), png, 0o644); err != nil {
			c.t.Fatal(err)
		}
		if over := eval[bool](c, "document.documentElement.scrollWidth > document.documentElement.clientWidth"); over {
			c.t.Errorf("%s, %s: the page is wider than the window", name, look.name)
		}
		c.accessible(name + ", " + look.name)
	}
	c.scheme("light")
	c.do("resize", chromedp.EmulateViewport(1280, 900))
}

// accessible runs axe-core. It is evaluated as developer tools do, past the page's policy, which allows no strangers' scripts.
func (c *chrome) accessible(where string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, 30*time.Second)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[any](c.axe+";0")); err != nil {
		c.t.Fatal(err)
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[string](
		`axe.run().then(r => JSON.stringify(r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html).join(" "))))`, chromedp.EvalAwaitPromise))
	if err != nil {
		c.t.Fatal(err)
	}
	var violations []string
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		c.t.Fatal(err)
	}
	for _, v := range violations {
		c.t.Errorf("%s: %s", where, v)
	}
}

// scripts switches JavaScript on or off.
func (c *chrome) scripts(on bool) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, 10*time.Second)
	defer cancel()
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}); err != nil {
		c.t.Fatal(err)
	}
}

// inBrowser runs the demo's parties and a browser in front of them.
func inBrowser(t *testing.T, act func(c *chrome, parties *cast), edit ...func(string) string) {
	t.Helper()
	t.Parallel()
	b := startChrome(t)
	var out bytes.Buffer
	d := &demo{app: &app{stdout: &out, stderr: &out}}
	d.edit = func(file string) error {
		text, err := os.ReadFile(file)
		for _, change := range edit {
			text = []byte(change(string(text)))
		}
		if err != nil || len(edit) == 0 {
			return err
		}
		return os.WriteFile(file, text, 0o600)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	if err := d.perform(ctx, func(_ context.Context, parties *cast) error { act(b, parties); return nil }); err != nil {
		t.Fatal(err)
	}
}

const (
	atHead = `button[name="trust"][value="head-office"]`
	atWest = `button[name="trust"][value="west"]`
	alice  = `button[name="person"][value="alice"]`
)

// signIn picks the head office and is Alice.
func (c *chrome) signIn(parties *cast) {
	c.t.Helper()
	c.open(parties.urls.Portal + "/login")
	c.press(atHead)
	c.press(alice)
	c.says("Signed in as Alice Martin")
}

func TestE2EOneSignInOpensBothApplications(t *testing.T) {
	inBrowser(t, func(c *chrome, parties *cast) {
		c.open(parties.urls.Portal + "/login")
		c.says("HMart Region West")
		c.inspect("picker")
		c.press(atHead)
		c.press(alice)
		c.says("Signed in as Alice Martin")
		c.press(`form[action="/stock"] button`)
		c.says("kimchi")
		c.open(parties.urls.Orders + "/login") // somebody else's application: no office is asked for, but she is
		c.says("DDStore orders")
		c.inspect("consent")
		c.press(`button[name="decision"][value="allow"]`)
		c.says("Signed in as Alice Martin")
		c.open(parties.urls.Orders + "/login?prompt=none")
		c.says("Signed in as Alice Martin")
		c.open(parties.urls.Broker + "/account")
		c.says("DDStore orders")
		c.inspect("account")
		c.press(`button[name="client"][value="ddstore-orders"]`)
		c.open(parties.urls.Orders + "/login?prompt=none")
		c.says("consent_required")
		c.open(parties.urls.Orders + "/login")
		c.press(`button[name="decision"][value="deny"]`)
		c.says("access_denied")
	})
}

func TestE2EPeopleSignOutEverywhere(t *testing.T) {
	inBrowser(t, func(c *chrome, parties *cast) {
		c.signIn(parties)
		c.open(parties.urls.Orders + "/login")
		c.press(`button[name="decision"][value="allow"]`)
		c.open(parties.urls.Portal + "/")
		c.press(`form[action="/logout"] button`)
		c.says("asks to sign you out")
		c.inspect("logout")
		c.press(`button[name="decision"][value="stay"]`)
		c.says("still signed in")
		c.open(parties.urls.Broker + "/oauth2/end_session")
		c.press(`button[name="decision"][value="leave"]`)
		c.says("You are signed out")
		c.inspect("signed-out")
		eventually(t, "an application was not told", func() bool { return len(parties.orders.SignedIn())+len(parties.portal.SignedIn()) == 0 })
		for _, at := range []string{parties.urls.Portal, parties.urls.Orders} {
			c.open(at + "/login?prompt=none")
			c.says("login_required")
		}
		c.open(parties.urls.Broker + "/account")
		c.says("Nobody is signed in")
		c.inspect("nobody")
	})
}

func TestE2EAFreshSignInIsAskedForWhereItIsWanted(t *testing.T) {
	inBrowser(t, func(c *chrome, parties *cast) {
		c.open(parties.urls.Portal + "/login?prompt=none")
		c.says("login_required")
		c.signIn(parties)
		c.open(parties.urls.Portal + "/login?max_age=3600")
		c.says("Signed in as Alice Martin")
		for _, wish := range []string{"prompt=login", "max_age=0"} {
			c.open(parties.urls.Portal + "/login?" + wish + "&idp_hint=head-office")
			c.says("Sign in")
			c.press(alice)
			c.says("Signed in as Alice Martin")
		}
		c.open(parties.urls.Portal + "/login?prompt=select_account")
		c.says("Continue with HMart Head Office") // which this browser remembers
		c.do("open the others", chromedp.Click("summary"))
		c.press(atWest)
		c.press(`button[name="person"][value="wendy"]`)
		c.says("Signed in as Wendy Okafor")
	})
}

func TestE2EOfficesAreFoundWithAndWithoutJavaScript(t *testing.T) {
	many := func(text string) string {
		var b strings.Builder
		b.WriteString(text)
		for n := range 40 {
			fmt.Fprintf(&b, "\n[trust.branch-%d]\nname = \"Branch Göteborg %d\"\nissuer = \"http://branch%d.localhost:9\"\nkeys = { discovery = true }\n"+
				"[trust.branch-%d.login]\nprotocol = \"oidc\"\nclient_id = \"west\"\nauth = \"none\"\n[[trust.branch-%d.grant]]\nclients = [\"warehouse-portal\"]\nsign_in = true\n", n, n, n, n, n)
		}
		return b.String()
	}
	inBrowser(t, func(c *chrome, parties *cast) {
		c.open(parties.urls.Portal + "/login")
		c.inspect("picker-many")
		search := `input[type="search"], input[name="q"]`
		c.do("type", chromedp.SendKeys(search, "gotebrg 17")) // a typo, no accents
		eventually(t, "the search found nothing", func() bool {
			return eval[string](c, `(document.querySelector('button[name="trust"]') || {}).value || ""`) == "branch-17"
		})
		c.scripts(false)
		c.open(parties.urls.Portal + "/login")
		c.do("type", chromedp.SendKeys(search, "head office"))
		c.do("submit", chromedp.Submit(search))
		c.do("wait", chromedp.WaitVisible(atHead))
		c.press(atHead)
		c.press(alice)
		c.says("Signed in as Alice Martin")
		c.scripts(true)
		// The choice is remembered, until it is forgotten.
		c.open(parties.urls.Portal + "/login?prompt=select_account")
		c.says("HMart Head Office")
		c.inspect("picker-remembered")
		c.press(`form[action$="/login/forget"] button`)
		if text := c.text(); strings.Contains(text, "Continue with") {
			t.Errorf("still remembered:\n%s", text)
		}
		// The domain of an address finds the office by itself.
		c.open(parties.urls.Portal + "/login?prompt=login&login_hint=someone@west.hmart.example")
		c.says("HMart Region West")
	}, many)
}

func TestE2EWhatGoesWrongIsSaid(t *testing.T) {
	inBrowser(t, func(c *chrome, parties *cast) {
		c.open(parties.urls.Portal + "/login")
		c.press(atHead)
		c.press(`button[name="person"][value=""]`) // cancels at the office
		c.inspect("office-said-no")
		c.signIn(parties)
		// Back to a login that is over.
		c.do("back", chromedp.NavigateBack())
		c.open(parties.urls.Broker + "/login/callback/head-office?code=x&state=" + strings.Repeat("A", 43))
		c.inspect("login-over")
		c.open(parties.urls.Broker + "/oauth2/authorize?client_id=warehouse-portal&redirect_uri=https%3A%2F%2Fevil.example")
		c.inspect("not-registered")
		parties.office.Break(fake.Faults{Status500: true, Only: fake.PathToken})
		c.open(parties.urls.Portal + "/login?prompt=login&idp_hint=head-office")
		c.press(alice)
		c.inspect("office-away")
		parties.office.Repair()
		c.open(parties.urls.Portal + "/login") // what went wrong since has not signed her out
		c.says("Signed in as Alice Martin")
	})
}
