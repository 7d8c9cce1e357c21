package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// maxInput bounds what is read from a file or from standard input, in bytes: far more than any token or key set.
const maxInput = 1 << 20

// input reads an argument that is @FILE, "-" for standard input, or the text itself. White space around it is dropped.
func (a *app) input(arg, what string) (string, error) {
	var text []byte
	var err error
	switch {
	case arg == "-":
		text, err = a.readStdin(what)
	case strings.HasPrefix(arg, "@"):
		text, err = readLimited(arg[1:])
	default:
		text = []byte(arg)
	}
	if err != nil {
		return "", usage("%s: %w", what, err)
	}
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return "", usage("%s is empty: give @FILE, - for standard input, or the text itself", what)
	}
	return string(text), nil
}

// readStdin reads standard input, which has one reader only: what comes second would get nothing and not know why.
func (a *app) readStdin(what string) ([]byte, error) {
	if a.stdinUser != "" {
		return nil, fmt.Errorf("standard input is already read as %s: give one of them as a file", a.stdinUser)
	}
	a.stdinUser = what
	return limited(a.stdin)
}

func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := limited(f)
	return b, errors.Join(err, f.Close())
}

func limited(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err == nil && len(b) > maxInput {
		return nil, fmt.Errorf("larger than %d bytes", maxInput)
	}
	return b, err
}

// clientSecret reads a secret from a file ("-" is standard input), or else from the environment: never from the command line,
// which other users of the machine can see. "" is none.
func (a *app) clientSecret(file string) (string, error) {
	var secret []byte
	var err error
	switch file {
	case "":
		return os.Getenv("APOSTILLE_CLIENT_SECRET"), nil
	case "-":
		secret, err = a.readStdin("--client-secret-file")
	default:
		secret, err = readLimited(file)
	}
	if err != nil {
		return "", usage("--client-secret-file: %w", err)
	}
	if secret = bytes.TrimRight(secret, "\r\n"); len(secret) == 0 {
		return "", usage("--client-secret-file %s is empty", file)
	}
	return string(secret), nil
}

// parseSpan reads a duration as Go writes it, or whole days as "30d".
func parseSpan(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 36500 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	} else if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, nil
	}
	return 0, fmt.Errorf("%q is not a duration: write it as 30d, 12h or 90m", text)
}

// spanFlag is a duration on the command line.
type spanFlag time.Duration

func (s *spanFlag) String() string { return span(time.Duration(*s)) }
func (s *spanFlag) Type() string   { return "duration" }
func (s *spanFlag) Set(text string) error {
	d, err := parseSpan(text)
	*s = spanFlag(d)
	return err
}

// momentFlag is a time on the command line: RFC 3339, a date, or a span before now. The zero value is not given.
type momentFlag struct {
	time.Time
	now func() time.Time
}

func (m *momentFlag) String() string {
	if m.IsZero() {
		return ""
	}
	return m.Format(time.RFC3339)
}
func (m *momentFlag) Type() string { return "time" }
func (m *momentFlag) Set(text string) error {
	t, err := parseMoment(text, m.now())
	m.Time = t
	return err
}

func parseMoment(text string, now time.Time) (time.Time, error) {
	if text == "now" {
		return now, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	if d, err := parseSpan(text); err == nil {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("%q is no time: write 2026-01-31T12:00:00Z, 2026-01-31, now, or 2d for two days ago", text)
}
