package main

import (
	"fmt"
	"io"
	"time"
)

// report prints figures beside their bars. A missed bar is marked, not an error: the machine may be busy, and the
// reader decides.
type report struct {
	out    io.Writer
	missed int
}

func (r *report) title(text string) { fmt.Fprintf(r.out, "\n%s\n", text) }

// figure prints a value without a bar.
func (r *report) figure(name, value string) { fmt.Fprintf(r.out, "  %-46s %12s\n", name, value) }

// atMost prints a value that a bar bounds from above; unit is a format verb with its unit, such as "%.2f x".
func (r *report) atMost(name string, value, bar float64, unit string) {
	r.judged(name, fmt.Sprintf(unit, value), fmt.Sprintf("<= "+unit, bar), value <= bar)
}

// atLeast prints a value that a bar bounds from below.
func (r *report) atLeast(name string, value, bar float64, unit string) {
	r.judged(name, fmt.Sprintf(unit, value), fmt.Sprintf(">= "+unit, bar), value >= bar)
}

func (r *report) judged(name, value, bar string, held bool) {
	verdict := "ok"
	if !held {
		verdict = "MISSED"
		r.missed++
	}
	fmt.Fprintf(r.out, "  %-46s %12s   bar %-12s %s\n", name, value, bar, verdict)
}

func (r *report) end() {
	if r.missed > 0 {
		fmt.Fprintf(r.out, "\n%d bars missed; run again on a quiet machine before believing it\n", r.missed)
		return
	}
	fmt.Fprintln(r.out, "\nall bars held")
}

// neighbours is the median of the ratios of rounds that followed each other: what slows the machine down for a while slows both.
func neighbours(ours, yardstick []time.Duration) float64 {
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = ratio(ours[i], yardstick[i])
	}
	return median(ratios)
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

func micros(d time.Duration) string {
	return fmt.Sprintf("%.1f µs", float64(d)/float64(time.Microsecond))
}
