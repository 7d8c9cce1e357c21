package audit

import (
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	maxText = 1 << 10 // bytes of one value, before escaping
	maxList = 4 << 10 // bytes of all values of a list together
)

// appendEvent appends e as one line of JSON with its newline. It is written by hand because every issued token waits for
// it; a test compares it with encoding/json.
func appendEvent(b []byte, e *Event, now time.Time) []byte {
	at := e.Time
	if at.IsZero() {
		at = now
	}
	b = append(b, `{"time":"`...)
	b = append(appendTime(b, at), '"')
	b = appendText(b, "id", e.ID, true)
	b = appendText(b, "event", e.Event, true)
	b = appendText(b, "grant", e.Grant, false)
	b = appendText(b, "client", e.Client, false)
	b = appendText(b, "trust", e.Trust, false)
	b = appendText(b, "issuer", e.Issuer, false)
	b = appendText(b, "sub", e.Subject, false)
	b = appendList(b, "rules", e.Rules)
	b = appendList(b, "audience", e.Audiences)
	b = appendList(b, "requested", e.Requested)
	b = appendList(b, "granted", e.Granted)
	b = appendText(b, "reason", e.Reason, false)
	b = appendText(b, "detail", e.Detail, false)
	b = appendText(b, "subject_token_sha256", e.SubjectSHA256, false)
	b = appendText(b, "issued_token_sha256", e.IssuedSHA256, false)
	b = appendText(b, "issued_jti", e.IssuedID, false)
	// RFC 3339 has four digits for the year; a reader would refuse the line for another.
	if y := e.Expires.Year(); !e.Expires.IsZero() && y >= 0 && y <= 9999 {
		b = appendName(b, "expires")
		b = append(b, '"')
		b = append(appendTime(b, e.Expires), '"')
	}
	b = appendText(b, "remote", e.Remote, false)
	if e.Dropped != 0 {
		b = appendName(b, "dropped")
		b = strconv.AppendInt(b, e.Dropped, 10)
	}
	return append(b, '}', '\n')
}

// appendTime always writes six digits after the second, so that lines sort as text. time has a fast path for RFC3339 as
// it stands, and none for a layout with them.
func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	b = t.AppendFormat(b, time.RFC3339)
	b = b[:len(b)-len("Z")]
	micros := t.Nanosecond() / 1000
	b = append(b, '.')
	for unit := 100_000; unit > 0; unit /= 10 {
		b = append(b, byte('0'+micros/unit%10))
	}
	return append(b, 'Z')
}

func appendName(b []byte, name string) []byte {
	b = append(b, ',', '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

func appendText(b []byte, name, s string, always bool) []byte {
	if s == "" && !always {
		return b
	}
	return appendValue(appendName(b, name), s)
}

func appendList(b []byte, name string, list []string) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(appendName(b, name), '[')
	room := maxList
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		room -= min(len(s), maxText) + 1 // an empty value costs its place too
		if room < 0 {
			b = append(b, `"… (`...)
			b = strconv.AppendInt(b, int64(len(list)-i), 10)
			b = append(b, ` more)"`...)
			break
		}
		b = appendValue(b, s)
	}
	return append(b, ']')
}

// appendValue appends s as a JSON string, cut to maxText, without what looks like a token.
func appendValue(b []byte, s string) []byte {
	var cut int
	if len(s) > maxText {
		end := maxText
		for end > 0 && !utf8.RuneStart(s[end]) {
			end--
		}
		s, cut = s[:end], len(s)-end
	}
	b = append(b, '"')
	b = appendEscaped(b, mask(s))
	if cut > 0 {
		b = append(b, "… ("...)
		b = strconv.AppendInt(b, int64(cut), 10)
		b = append(b, " bytes more)"...)
	}
	return append(b, '"')
}

// plain says which bytes stand for themselves in a JSON string and on a terminal.
var plain = func() (t [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendEscaped escapes what JSON must, and all else that does not print: a terminal or a viewer that takes U+2028 for
// the end of a line must not be talked into anything.
func appendEscaped(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		start := i
		for i < len(s) && plain[s[i]] {
			i++
		}
		if b = append(b, s[start:i]...); i == len(s) {
			break
		}
		c := s[i]
		if c == '"' || c == '\\' {
			b = append(b, '\\', c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if (r == utf8.RuneError && size == 1) || !unicode.IsPrint(r) {
			b = appendUnicode(b, r)
		} else {
			b = append(b, s[i:i+size]...)
		}
		i += size
	}
	return b
}

// appendUnicode appends r as \uXXXX, or as a surrogate pair (RFC 8259 §7).
func appendUnicode(b []byte, r rune) []byte {
	if r >= 0x10000 {
		r -= 0x10000
		return appendUnicode(appendUnicode(b, 0xd800+r>>10), 0xdc00+r&0x3ff)
	}
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[r>>12], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
