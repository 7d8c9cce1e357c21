//go:build e2e

package main_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// chrome is a real browser; each person in front of it has a profile of their own.
type chrome struct {
	ctx context.Context
	axe string // the accessibility checker's source
}

// patience is how long a page may take to say what is expected of it.
const patience = 10 * time.Second

// startChrome starts one that believes the authority, as if an administrator had said so: nothing is told to ignore certificates.
func startChrome(t *testing.T, ca *authority) *chrome {
	t.Helper()
	axe, err := os.ReadFile(filepath.Join(peers, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("%v; make e2e installs it", err)
	}
	home := t.TempDir()
	ca.trustedBy(t, home)
	// Nothing of the outside is reached: every party is an address on loopback.
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(filepath.Join(home, "profile")),
		chromedp.Env("HOME="+home), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.*, EXCLUDE *.localhost"))
	alloc, cancelAlloc := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() { cancel(); cancelAlloc() })
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return &chrome{ctx: ctx, axe: string(axe)}
}

// tab is a page that a person looks at.
type tab struct {
	t   *testing.T
	ctx context.Context
	*world

	mu   sync.Mutex
	sent []string // URLs that were asked for
}

// person opens a browser that nobody has used before.
func (w *world) person(t *testing.T) *tab {
	t.Helper()
	return w.open(t, chromedp.WithNewBrowserContext())
}

// another opens a second tab beside the first.
func (b *tab) another() *tab {
	b.t.Helper()
	return b.world.open(b.t, chromedp.WithExistingBrowserContext(chromedp.FromContext(b.ctx).BrowserContextID))
}

func (w *world) open(t *testing.T, where chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(w.chrome.ctx, where)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, world: w}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900)); err != nil { // the first call's context is the tab's life: no timeout
		t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, func(ev any) {
		if e, ok := ev.(*network.EventRequestWillBeSent); ok {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.sent = append(b.sent, e.Request.URL)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return b
}

// passed is the latest URL with this beginning that the browser went to, redirects included.
func (b *tab) passed(start string) string {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, link := range slices.Backward(b.sent) {
		if strings.HasPrefix(link, start) {
			return link
		}
	}
	b.t.Fatalf("the browser has not been at %s", start)
	return ""
}

// do runs steps, for as long as patience goes.
func (b *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.text())
	}
}

// eval evaluates an expression on the page.
func eval[T any](b *tab, expression string, options ...chromedp.EvaluateOption) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, options...))
	if err != nil {
		b.t.Fatalf("%.200s: %v", expression, err)
	}
	return got
}

// text is where the page is and what it says; "" while there is none.
func (b *tab) text() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Evaluate[string]("location.href + '\\n' + document.body.innerText"))
	return text
}

func (b *tab) visit(link string) {
	b.t.Helper()
	b.do("open "+link, chromedp.Navigate(link))
}

// press presses a button or a link, and waits for the page that it leads to.
func (b *tab) press(selector string) {
	b.t.Helper()
	b.led("press "+selector, chromedp.WaitVisible(selector), chromedp.Click(selector))
}

// pressTwice presses a button as impatient people do.
func (b *tab) pressTwice(selector string) {
	b.t.Helper()
	b.do("look for "+selector, chromedp.ScrollIntoView(selector))
	at := eval[[]float64](b, fmt.Sprintf("(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector(%q).getBoundingClientRect())", selector))
	b.do("press twice "+selector, chromedp.MouseClickXY(at[0], at[1]), chromedp.MouseClickXY(at[0], at[1], chromedp.ClickCount(2)))
}

// led runs steps of which the last leads to another page.
func (b *tab) led(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.text())
	}
}

// settles waits until an expression is true on the page.
func (b *tab) settles(expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](expression)); err != nil {
		b.t.Fatalf("%s: %v\n%s", expression, err, b.text())
	}
}

// says waits until the page says all of it.
func (b *tab) says(want ...string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		text := b.text()
		missing := ""
		for _, w := range want {
			if !strings.Contains(text, w) {
				missing = w
			}
		}
		switch {
		case missing == "":
			return
		case time.Now().After(deadline):
			b.t.Fatalf("the page does not say %q:\n%s", missing, text)
		}
		time.Sleep(30 * time.Millisecond) // between looks at a process of somebody else's
	}
}

// never looks once: what says waits for is there already, and this is not.
func (b *tab) never(unwanted string) {
	b.t.Helper()
	if text := b.text(); strings.Contains(text, unwanted) {
		b.t.Fatalf("the page says %q:\n%s", unwanted, text)
	}
}

// shows reloads a page until it says so: for what comes about behind it.
func (b *tab) shows(link, want string) {
	b.t.Helper()
	deadline := time.Now().Add(patience)
	for b.visit(link); !strings.Contains(b.text(), want); b.visit(link) {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s does not say %q:\n%s", link, want, b.text())
		}
	}
}

// scripts switches JavaScript on or off.
func (b *tab) scripts(on bool) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}); err != nil {
		b.t.Fatal(err)
	}
}
