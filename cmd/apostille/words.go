package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// table writes aligned columns; the first row is the head.
func table(w io.Writer, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		line := make([]string, len(row))
		for i, cell := range row {
			if line[i] = printable(cell); line[i] == "" {
				line[i] = "-"
			}
		}
		_, _ = fmt.Fprintln(t, strings.Join(line, "\t"))
	}
	_ = t.Flush() // a closed pipe: there is nobody left to tell
}

// printable replaces what a terminal would obey rather than show: control characters, and those that turn the direction of
// text. Values of strangers pass through here.
func printable(s string) string { return escaped(s, "") }

// printableText is printable for text of several lines.
func printableText(s string) string { return escaped(s, "\n\t") }

func escaped(s, keep string) string {
	harmless := func(r rune) bool { return unicode.IsPrint(r) || strings.ContainsRune(keep, r) }
	if strings.IndexFunc(s, func(r rune) bool { return !harmless(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case harmless(r):
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}

// span says a length of time in its largest whole unit that keeps two digits of meaning: "3 min", "26 h", "12 days".
func span(d time.Duration) string {
	d = d.Abs()
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d days", d/(24*time.Hour))
}

// away says where a time lies: "3 min ago", "in 12 days".
func away(t, now time.Time) string {
	if t.After(now) {
		return "in " + span(t.Sub(now))
	}
	return span(now.Sub(t)) + " ago"
}

// stamp writes a time for people; "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// okWord is the mark in front of a check.
func okWord(ok bool) string {
	if ok {
		return "ok"
	}
	return "NO"
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// joinWords splits values at spaces, as a scope parameter is written, and joins them again.
func joinWords(values []string) string {
	return strings.Join(strings.Fields(strings.Join(values, " ")), " ")
}

func joinAnd(words []string) string { return strings.Join(words, " and ") }

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// tomlKey writes a name as TOML wants it in a header: bare if it may be.
func tomlKey(name string) string {
	if strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == "" && name != "" {
		return name
	}
	return strconv.Quote(name)
}

// tomlStrings writes an array of strings on one line.
func tomlStrings(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = strconv.Quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
