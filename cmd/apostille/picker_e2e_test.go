//go:build e2e

package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// watchPaint notes, for each key that changes the results, the milliseconds from the key's event to the end of the frame that shows
// them: a task that is posted from an animation frame runs when that frame has been painted.
const watchPaint = `(() => {
	let pressed = 0;
	window.painted = [];
	document.addEventListener('keydown', (event) => { pressed = event.timeStamp; }, true);
	new MutationObserver((changes) => {
		if (!pressed || !changes.some((c) => [...c.addedNodes].some((n) => n.id === 'results'))) return;
		const from = pressed;
		pressed = 0;
		requestAnimationFrame(() => {
			const after = new MessageChannel();
			after.port1.onmessage = () => window.painted.push(performance.now() - from);
			after.port2.postMessage(0);
		});
	}).observe(document.body, { childList: true, subtree: true });
})();0`

// BenchmarkPickerInABrowser types into the picker of the demo with 8,000 more offices, a key at a time as a quick person does, in a
// real browser on this machine. docs/performance.md has the bar.
func BenchmarkPickerInABrowser(b *testing.B) {
	var out bytes.Buffer
	d := &demo{app: &app{stdout: &out, stderr: &out}}
	d.edit = func(file string) error { addOffices(b, file, "warehouse-portal", 8000); return nil }
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
	defer cancel()
	err := d.perform(ctx, func(ctx context.Context, parties *cast) error {
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(b.TempDir()),
			chromedp.Flag("disable-background-networking", true), chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE 127.0.0.1"))
		ctx, stop := chromedp.NewExecAllocator(ctx, options...)
		defer stop()
		ctx, stop = chromedp.NewContext(ctx)
		defer stop()
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(parties.urls.Portal+"/login"), chromedp.WaitVisible(`input[name="q"]`),
			chromedp.Focus(`input[name="q"]`)); err != nil {
			return err
		}
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[int](watchPaint)); err != nil {
			return err
		}
		for _, text := range []string{"university of goteb", "klinkum munster", "zuerich inst", "東京", "stadtwerke lodz 2"} {
			if _, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.querySelector('input[name="q"]').select(), 0`)); err != nil { // typed over
				return err
			}
			for _, key := range text {
				if err := chromedp.Do(ctx, chromedp.KeyEvent(string(key)), chromedp.Sleep(150*time.Millisecond)); err != nil {
					return err
				}
			}
		}
		times, err := chromedp.Run(ctx, chromedp.Evaluate[[]float64]("window.painted"))
		if err != nil {
			return err
		}
		slices.Sort(times)
		if len(times) < 50 {
			b.Fatalf("%d keys showed results", len(times))
		}
		b.ReportMetric(times[len(times)/2], "median-ms")
		b.ReportMetric(times[len(times)*95/100], "p95-ms")
		b.ReportMetric(times[len(times)-1], "max-ms")
		b.ReportMetric(float64(len(times)), "keys")
		b.ReportMetric(0, "ns/op")
		return nil
	})
	if err != nil && !strings.Contains(err.Error(), "context canceled") {
		b.Fatalf("%v\n%s", err, out.String())
	}
}
