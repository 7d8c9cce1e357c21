package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
)

// FuzzInspect feeds inspect what strangers send: it must not fail, JSON must be JSON, and text must be harmless to a terminal.
func FuzzInspect(f *testing.F) {
	for _, seed := range []string{
		"", "a", "a.b.c", "a.b.c.d.e", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYWxsb3J5In0.AAAA", "Bearer eyJhbGciOiJFUzI1NiJ9.e30.",
		"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiLCm1sySiJ9.AAAA", "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjFlOTk5fQ.AAAA", "bnVsbA.WzFd.AAAA",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, output := range []string{"json", "text"} {
			var out bytes.Buffer
			a := &app{stdin: strings.NewReader(raw), stdout: &out, stderr: &out, now: time.Now, output: output, configs: []string{defaultConfig}}
			if err := a.inspect("-"); err != nil {
				return // nothing but white space, or too large
			}
			if output == "json" && !json.Valid(out.Bytes()) {
				t.Fatalf("not JSON: %q", out.String())
			}
			obeyed := func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }
			if output == "text" && strings.ContainsFunc(out.String(), obeyed) {
				t.Fatalf("a terminal would obey: %q", out.String())
			}
		}
	})
}
