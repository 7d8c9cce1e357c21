package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func decode(t *testing.T, line []byte) Event {
	t.Helper()
	var e Event
	if err := json.Unmarshal(line, &e); err != nil {
		t.Fatalf("%v in %.200q", err, line)
	}
	return e
}

func TestLine(t *testing.T) {
	t.Parallel()
	t.Run("of a full event is pinned, names and order", func(t *testing.T) {
		t.Parallel()
		const want = `{"time":"2026-11-21T12:00:00.123456Z","id":"c0ffee","event":"token.issued","grant":"token-exchange",` +
			`"client":"warehouse-portal","trust":"head-office","issuer":"https://idp.hq.hmart.example","sub":"bm9ib2R5",` +
			`"rules":["head-office.grant[1]"],"audience":["https://warehouse.west.hmart.example"],` +
			`"requested":["stock.read","stock.order"],"granted":["stock.read"],"reason":"scope_empty",` +
			`"detail":"rule grants stock.read only",` +
			`"subject_token_sha256":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",` +
			`"issued_token_sha256":"60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",` +
			`"issued_jti":"01J","expires":"2026-11-21T12:10:00.123456Z","remote":"192.0.2.7","dropped":3}` + "\n"
		if got := string(appendEvent(nil, full(), noon)); got != want {
			t.Errorf("got  %swant %s", got, want)
		}
	})
	t.Run("says the same as encoding/json, member for member", func(t *testing.T) {
		t.Parallel()
		for name, e := range map[string]*Event{"full": full(), "empty but for the time": {Time: noon}} {
			ref, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			var want, got map[string]any
			if err := json.Unmarshal(ref, &want); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(appendEvent(nil, e, noon), &got); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s:\n%s", name, d)
			}
		}
	})
	t.Run("has every field of Event", func(t *testing.T) {
		t.Parallel()
		e := reflect.ValueOf(*full())
		for i := range e.NumField() {
			if e.Field(i).IsZero() {
				t.Errorf("full() leaves %s out, so no test sees it", e.Type().Field(i).Name)
			}
		}
		if d := cmp.Diff(*full(), decode(t, appendEvent(nil, full(), noon))); d != "" {
			t.Error(d)
		}
	})
	t.Run("takes the writer's clock for an event without a time, and leaves out a year RFC 3339 cannot say", func(t *testing.T) {
		t.Parallel()
		e := decode(t, appendEvent(nil, &Event{Expires: time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC)}, noon))
		if !e.Time.Equal(noon) || !e.Expires.IsZero() {
			t.Errorf("time %v, expires %v", e.Time, e.Expires)
		}
	})
}

// A119: one bounded line whatever the values.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"a newline and a forged record": "x\n{\"event\":\"token.issued\"}\r\n",
		"line separators of Unicode":    "a\u2028b\u2029c\u0085d",
		"quotes and backslashes":        `"\"},{"a":"\\`,
		"terminal escapes":              "\x1b[2J\x9b31m\x7f\x00",
		"text that runs the other way":  "abc\u202etxt.exe\u2066",
		"bytes that are not UTF-8":      "\xff\xfe\xc3(\xed\xa0\x80",
		"beyond the basic plane":        "\U0001F600\U000E0001",
		"a megabyte":                    strings.Repeat("x", 1<<20),
		"a megabyte of newlines":        strings.Repeat("\n", 1<<20),
		"a megabyte of four-byte runes": strings.Repeat("\U000E0001", 1<<18),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkHostile(t, value)
		})
	}
}

// checkHostile puts value into every text and list of an event.
func checkHostile(t *testing.T, value string) {
	t.Helper()
	e := full()
	v := reflect.ValueOf(e).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Interface().(type) {
		case string:
			f.SetString(value)
		case []string:
			f.Set(reflect.ValueOf([]string{value, value, value, value, value, value}))
		}
	}
	line := appendEvent(nil, e, noon)
	if len(line) > maxLine/4 {
		t.Errorf("the line has %d bytes", len(line))
	}
	if n := bytes.Count(line, []byte("\n")); n != 1 || line[len(line)-1] != '\n' {
		t.Errorf("%d newlines", n)
	}
	for _, r := range string(line[:len(line)-1]) {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r == 0x2066 {
			t.Errorf("%U stands in the line", r)
		}
	}
	got := decode(t, line)
	if want := strings.ToValidUTF8(value, "\ufffd"); len(value) <= maxText && !strings.Contains(value, "eyJ") && utf8.ValidString(value) && got.Detail != want {
		t.Errorf("detail came back as %q, want %q", got.Detail, want)
	}
	if len(value) > maxText && !strings.HasSuffix(got.Detail, "bytes more)") {
		t.Errorf("a cut without its mark: %.40q", got.Detail[len(got.Detail)-40:])
	}
}

func FuzzLine(f *testing.F) {
	f.Add("plain")
	f.Add("\xff\u2028\"\\\n")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, value string) { checkHostile(t, value) })
}

func TestCuts(t *testing.T) {
	t.Parallel()
	cutAt := func(s string) string { return decode(t, appendEvent(nil, &Event{Detail: s}, noon)).Detail }
	for name, c := range map[string]struct{ in, want string }{
		"1 KB stays whole":       {strings.Repeat("a", maxText), strings.Repeat("a", maxText)},
		"one more is cut":        {strings.Repeat("a", maxText+1), strings.Repeat("a", maxText) + "… (1 bytes more)"},
		"a rune is never halved": {strings.Repeat("a", maxText-1) + "é", strings.Repeat("a", maxText-1) + "… (2 bytes more)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := cutAt(c.in); got != c.want {
				t.Errorf("got …%q, want …%q", got[maxText-4:], c.want[maxText-4:])
			}
		})
	}
	t.Run("a list says how many it left out", func(t *testing.T) {
		t.Parallel()
		list := make([]string, 1000)
		for i := range list {
			list[i] = fmt.Sprintf("scope-%03d", i) // 9 bytes and their place: 409 fit
		}
		got := decode(t, appendEvent(nil, &Event{Requested: list}, noon)).Requested
		if len(got) != 410 || got[408] != "scope-408" || got[409] != "… (591 more)" {
			t.Errorf("%d values, the last %q", len(got), got[len(got)-2:])
		}
	})
}

// No field is for a token; what gets into one all the same does not get out.
func TestTokensNeverReachALine(t *testing.T) {
	t.Parallel()
	const jws = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln-_"
	for name, c := range map[string]struct{ in, want string }{
		"a token alone":              {jws, "[token]"},
		"one in a library's error":   {`parse "` + jws + `": bad`, `parse "[token]": bad`},
		"two of them":                {jws + " and " + jws, "[token] and [token]"},
		"one glued to a word":        {"token=" + jws + ";", "token=[token];"},
		"an encrypted one":           {"eyJlbmMiOiJBMjU2R0NNIn0....", "[token]"},
		"the head of one":            {"eyJhbGciOiJSUzI1NiIsImtpZCI6IjEyMzQ1Njc4OTAxMjM0NTY3ODkwIn0", "[token]"},
		"three letters are no token": {"eyJ and eyJab", "eyJ and eyJab"},
		"plain text stays":           {"iss https://idp.hq.hmart.example", "iss https://idp.hq.hmart.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := decode(t, appendEvent(nil, &Event{Detail: c.in}, noon)).Detail; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	t.Run("Event has no field beyond those reviewed", func(t *testing.T) {
		t.Parallel()
		const reviewed = "Time ID Event Grant Client Trust Issuer Subject Rules Audiences Requested Granted Reason Detail " +
			"SubjectSHA256 IssuedSHA256 IssuedID Expires Remote Dropped"
		var names []string
		for f := range reflect.TypeFor[Event]().Fields() {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, " "); got != reviewed {
			t.Errorf("fields %s\nreviewed %s: can the new one ever hold a token, code, assertion or secret?", got, reviewed)
		}
	})
}
