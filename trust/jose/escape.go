package jose

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// escaped reads on, from the first backslash, a string that began at start.
func (d *decoder) escaped(start int) (string, error) {
	out := []byte(d.src[start:d.pos])
	for d.pos < len(d.src) {
		c := d.src[d.pos]
		d.pos++
		switch {
		case c == '"':
			if !utf8.Valid(out) {
				return "", errString
			}
			return string(out), nil
		case c == '\\':
			r, ok := d.escape()
			if !ok {
				return "", errString
			}
			out = utf8.AppendRune(out, r)
		case c < ' ':
			return "", errString
		default:
			out = append(out, c)
		}
	}
	return "", errSyntax
}

// escape reads what follows a backslash (RFC 8259 §7).
func (d *decoder) escape() (rune, bool) {
	c := d.peek()
	d.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		return d.unicode()
	}
	return 0, false
}

// unicode reads four hex digits and, for a high surrogate, the low one that must follow. A lone surrogate is refused:
// encoding/json makes U+FFFD of it, so that different names become equal.
func (d *decoder) unicode() (rune, bool) {
	r, ok := d.hex4()
	if !ok || !utf16.IsSurrogate(r) {
		return r, ok
	}
	if d.word(`\u`) != nil {
		return 0, false
	}
	low, ok := d.hex4()
	if !ok {
		return 0, false
	}
	r = utf16.DecodeRune(r, low)
	return r, r != utf8.RuneError
}

func (d *decoder) hex4() (rune, bool) {
	if len(d.src)-d.pos < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(d.src[d.pos:d.pos+4], 16, 16)
	d.pos += 4
	return rune(n), err == nil
}
