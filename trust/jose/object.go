package jose

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of DecodeObject.
const (
	maxDepth  = 32    // nested objects and arrays, the outermost counted
	maxValues = 2_000 // object members and array elements in all
)

// What DecodeObject refuses. The texts name no input, which may be a token.
var (
	errSyntax    = errors.New("JSON: syntax error")
	errObject    = errors.New("JSON: not an object")
	errTrailing  = errors.New("JSON: data after the object")
	errDuplicate = errors.New("JSON: duplicate member")
	errDepth     = fmt.Errorf("JSON: nested deeper than %d", maxDepth)
	errValues    = fmt.Errorf("JSON: more than %d values", maxValues)
	errString    = errors.New("JSON: string is not valid UTF-8 or holds a control character, unknown escape or lone surrogate")
)

// DecodeObject decodes one JSON object (RFC 8259) strictly: no member name twice in one object, at any depth; valid UTF-8 and
// paired surrogates only; at most 32 levels and 2,000 values; nothing but white space after it. Values are those of
// encoding/json with UseNumber: map[string]any, []any, string, json.Number, bool, nil. The caller bounds the size of b.
//
// It exists because encoding/json takes the last of two equal names and matches struct fields in any case, so that two
// readers of one token can see two subjects.
func DecodeObject(b []byte) (map[string]any, error) {
	d := decoder{src: string(b), left: maxValues}
	d.space()
	if d.peek() != '{' {
		return nil, errObject
	}
	m, err := d.object(1)
	if err != nil {
		return nil, err
	}
	d.space()
	if d.pos != len(d.src) {
		return nil, errTrailing
	}
	return m, nil
}

// decoder is a single pass over src. Strings without escapes are substrings of it.
type decoder struct {
	src  string
	pos  int
	left int // values that may still come
}

// peek returns the byte at pos, 0 at the end (which no grammar rule expects).
func (d *decoder) peek() byte {
	if d.pos < len(d.src) {
		return d.src[d.pos]
	}
	return 0
}

func (d *decoder) space() {
	for d.pos < len(d.src) {
		switch d.src[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

// take skips white space, and c if it is next.
func (d *decoder) take(c byte) bool {
	d.space()
	if d.peek() != c {
		return false
	}
	d.pos++
	return true
}

func (d *decoder) object(depth int) (map[string]any, error) {
	d.pos++ // {
	// One member of a token takes about 40 bytes; the outermost object holds nearly all of them.
	hint := 0
	if depth == 1 {
		hint = min(len(d.src)/40, 32)
	}
	m := make(map[string]any, hint)
	if d.take('}') {
		return m, nil
	}
	for {
		d.space()
		name, err := d.string()
		if err != nil {
			return nil, err
		}
		if _, dup := m[name]; dup {
			return nil, errDuplicate
		}
		if !d.take(':') {
			return nil, errSyntax
		}
		if m[name], err = d.value(depth); err != nil {
			return nil, err
		}
		if d.take('}') {
			return m, nil
		}
		if !d.take(',') {
			return nil, errSyntax
		}
	}
}

func (d *decoder) array(depth int) ([]any, error) {
	d.pos++ // [
	a := []any{}
	if d.take(']') {
		return a, nil
	}
	for {
		v, err := d.value(depth)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
		if d.take(']') {
			return a, nil
		}
		if !d.take(',') {
			return nil, errSyntax
		}
	}
}

// value reads any value; depth is that of the object or array it stands in.
func (d *decoder) value(depth int) (any, error) {
	if d.left--; d.left < 0 {
		return nil, errValues
	}
	d.space()
	switch c := d.peek(); {
	case c == '"':
		return d.string()
	case c == '{' || c == '[':
		if depth == maxDepth {
			return nil, errDepth
		}
		if c == '{' {
			return d.object(depth + 1)
		}
		return d.array(depth + 1)
	case c == '-' || isDigit(c):
		return d.number()
	case c == 't':
		return true, d.word("true")
	case c == 'f':
		return false, d.word("false")
	default:
		return nil, d.word("null")
	}
}

func (d *decoder) word(w string) error {
	if !strings.HasPrefix(d.src[d.pos:], w) {
		return errSyntax
	}
	d.pos += len(w)
	return nil
}

// number reads the grammar of RFC 8259 §6 and keeps the text, so that no digit is lost.
func (d *decoder) number() (json.Number, error) {
	start := d.pos
	if d.peek() == '-' {
		d.pos++
	}
	if d.peek() == '0' {
		d.pos++
	} else if !d.digits() {
		return "", errSyntax
	}
	if d.peek() == '.' {
		d.pos++
		if !d.digits() {
			return "", errSyntax
		}
	}
	if c := d.peek(); c == 'e' || c == 'E' {
		d.pos++
		if c := d.peek(); c == '+' || c == '-' {
			d.pos++
		}
		if !d.digits() {
			return "", errSyntax
		}
	}
	return json.Number(d.src[start:d.pos]), nil
}

// digits skips digits and says whether there was one.
func (d *decoder) digits() bool {
	start := d.pos
	for isDigit(d.peek()) {
		d.pos++
	}
	return d.pos > start
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// string reads a string; one without escapes costs no copy.
func (d *decoder) string() (string, error) {
	if d.peek() != '"' {
		return "", errSyntax
	}
	d.pos++
	start, ascii := d.pos, true
	for d.pos < len(d.src) {
		switch c := d.src[d.pos]; {
		case c == '"':
			s := d.src[start:d.pos]
			d.pos++
			if !ascii && !utf8.ValidString(s) {
				return "", errString
			}
			return s, nil
		case c == '\\':
			return d.escaped(start)
		case c < ' ':
			return "", errString
		case c >= utf8.RuneSelf:
			ascii = false
		}
		d.pos++
	}
	return "", errSyntax
}
