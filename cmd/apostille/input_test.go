package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseSpan(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"30d": 30 * 24 * time.Hour, "0d": 0, "12h": 12 * time.Hour, "90m": 90 * time.Minute, "1h30m": 90 * time.Minute,
	} {
		if got, err := parseSpan(text); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "-1d", "1.5d", "99999999d", "-1h", "soon", "10"} {
		if got, err := parseSpan(text); err == nil {
			t.Errorf("%q passes for %v", text, got)
		}
	}
}

func TestParseMoment(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"now": now, "2026-01-01": time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		"2026-01-31T14:00:00+02:00": now, "2d": now.Add(-48 * time.Hour),
	} {
		if got, err := parseMoment(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "yesterday", "31.1.2026", "2026-02-30"} {
		if got, err := parseMoment(text, now); err == nil {
			t.Errorf("%q passes for %v", text, got)
		}
	}
}

func TestInputIsReadFromOneOfThreePlaces(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(" from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]string{"@" + file: "from a file", "-": "from stdin", " text ": "text"} {
		a := &app{stdin: strings.NewReader("from stdin\n")}
		if got, err := a.input(arg, "it"); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", arg, got, err, want)
		}
	}
	a := &app{stdin: strings.NewReader("x")}
	if _, err := a.input("-", "the token"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.input("-", "the secret"); err == nil || !strings.Contains(err.Error(), "already read as the token") {
		t.Errorf("standard input is read twice: %v", err)
	}
	large := &app{stdin: strings.NewReader(strings.Repeat("x", maxInput+1))}
	if _, err := large.input("-", "it"); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("more than maxInput is read: %v", err)
	}
}

func TestSpansAreSaidInOneUnit(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 s", 90 * time.Second: "90 s", 3 * time.Minute: "3 min", 26 * time.Hour: "26 h", -72 * time.Hour: "3 days",
	} {
		if got := span(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestPrintableDisarmsWhatATerminalObeys(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain ä €": "plain ä €", "\x1b[2J": `\u001b[2J`, "a\nb": `a\u000ab`, "\u202eevil": `\u202eevil`, "\U000e0001": `\U000e0001`,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := printableText("a\n\tb\x1b"); got != "a\n\tb\\u001b" {
		t.Errorf("text of several lines: %q", got)
	}
}
