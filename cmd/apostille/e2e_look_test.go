//go:build e2e

package main_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// screenshots is where pages are kept to be looked at; version control ignores it.
var screenshots = filepath.Join("..", "..", ".cache", "e2e")

// looks are the ways in which every kind of page is looked at.
var looks = []struct {
	name, scheme string
	width        int64
}{{"light", "light", 1280}, {"dark", "dark", 1280}, {"phone", "light", 320}, {"phone-dark", "dark", 320}}

// inspect keeps the page as people see it, and holds it to the accessibility rules, in each look.
func (b *tab) inspect(name string) {
	b.t.Helper()
	if err := os.MkdirAll(screenshots, 0o755); err != nil {
		b.t.Fatal(err)
	}
	for _, look := range looks {
		b.scheme(look.scheme)
		b.do("resize", chromedp.EmulateViewport(look.width, 800))
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
		cancel()
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(screenshots, name+"-"+look.name+".png"), png, 0o644); err != nil {
			b.t.Fatal(err)
		}
		if eval[bool](b, "document.documentElement.scrollWidth > document.documentElement.clientWidth") {
			b.t.Errorf("%s, %s: the page is wider than the window", name, look.name)
		}
		b.accessible(name + ", " + look.name)
	}
	b.scheme("light")
	b.do("resize", chromedp.EmulateViewport(1280, 900))
}

// scheme sets what the person prefers: "light" or "dark".
func (b *tab) scheme(value string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}, {Name: "prefers-reduced-motion", Value: "reduce"}}, // no colour on its way
	}); err != nil {
		b.t.Fatal(err)
	}
}

// accessible runs axe-core. It is evaluated as developer tools do, past the page's policy, which allows no strangers' scripts.
func (b *tab) accessible(where string) {
	b.t.Helper()
	if !eval[bool](b, "!!window.axe") {
		eval[any](b, b.chrome.axe+";0")
	}
	found := eval[string](b, `axe.run().then(r => JSON.stringify(r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html).join(" "))))`, chromedp.EvalAwaitPromise)
	var violations []string
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range violations {
		b.t.Errorf("%s: %s", where, v)
	}
}
