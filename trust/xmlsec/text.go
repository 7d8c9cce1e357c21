package xmlsec

import (
	"errors"
	"strconv"
	"strings"
)

// What a byte is to the reader. Bytes above ASCII are plain: checkCharacters has seen to them.
const (
	isSpace      = 1 << iota
	isLetter     // or _: starts a name
	isInName     // letters too
	changesText  // in text it is a reference, a line end or not allowed
	changesValue // the same in the value of an attribute
	isDelimiter  // quotes a value or ends a tag
)

var class = func() (c [256]byte) {
	for b := range 0x20 {
		c[b] = changesText | changesValue
	}
	c['\t'], c['\n'], c['\r'], c[' '] = isSpace|changesValue, isSpace|changesValue, isSpace|changesText|changesValue, isSpace
	c['&'], c['<'] = changesText|changesValue, changesText|changesValue
	for b := 'a'; b <= 'z'; b++ {
		c[b], c[b-'a'+'A'] = isLetter|isInName, isLetter|isInName
	}
	for _, b := range "0123456789-." {
		c[b] = isInName
	}
	c['_'] = isLetter | isInName
	c['"'], c['\''], c['>'] = isDelimiter, isDelimiter, isDelimiter
	return c
}()

// qname reads a name with an optional prefix (Namespaces in XML 1.0 §4), of ASCII only.
func (r *reader) qname() (prefix, local string, err error) {
	if local, err = r.ncname(); err != nil || !r.next(":") {
		return "", local, err
	}
	prefix = local
	local, err = r.ncname()
	return prefix, local, err
}

func (r *reader) ncname() (string, error) {
	start := r.pos
	if class[r.peek()]&isLetter == 0 {
		return "", r.malformed("expected a name")
	}
	for class[r.peek()]&isInName != 0 {
		r.pos++
	}
	if r.pos-start > maxName {
		return "", faultf(ErrTooLarge, "byte %d: name of more than %d bytes", start, maxName)
	}
	return r.src[start:r.pos], nil
}

// text reads character data up to the next tag. Comments in it are dropped, and refused unless all else is white space: what a
// person reads must not depend on who joins the parts (CVE-2017-11428).
func (r *reader) text() (string, error) {
	text, err := r.characters()
	if err != nil || !r.next("<!--") {
		return text, err
	}
	var spaces strings.Builder
	for commented := true; commented; commented = r.next("<!--") {
		if !blank(text) {
			return "", r.malformed("a comment inside text")
		}
		spaces.WriteString(text)
		if err := r.comment(); err != nil {
			return "", err
		}
		if text, err = r.characters(); err != nil {
			return "", err
		}
	}
	if !blank(text) {
		return "", r.malformed("a comment inside text")
	}
	spaces.WriteString(text)
	return spaces.String(), nil
}

// comment skips a comment whose start was read (XML 1.0 §2.5).
func (r *reader) comment() error {
	end := strings.Index(r.src[r.pos:], "--")
	if end < 0 || !strings.HasPrefix(r.src[r.pos+end:], "-->") {
		return r.malformed("a comment without an end, or with -- inside")
	}
	for _, c := range []byte(r.src[r.pos : r.pos+end]) {
		if c < 0x20 && class[c]&isSpace == 0 {
			return r.malformed("a character that XML does not allow")
		}
	}
	r.pos += end + len("-->")
	return nil
}

// characters reads character data up to the next tag or comment.
func (r *reader) characters() (string, error) {
	end := strings.IndexByte(r.src[r.pos:], '<')
	if end < 0 {
		end = len(r.src) - r.pos
	}
	raw := r.src[r.pos : r.pos+end]
	if strings.Contains(raw, "]]>") {
		return "", r.malformed("]]> in text")
	}
	return r.replaced(raw, changesText)
}

// attributeValue reads a value in quotes.
func (r *reader) attributeValue() (string, error) {
	quote := r.peek()
	if quote != '"' && quote != '\'' {
		return "", r.malformed("expected a value in quotes")
	}
	r.pos++
	end := strings.IndexByte(r.src[r.pos:], quote)
	if end < 0 {
		return "", r.malformed("a value without closing quote")
	}
	value, err := r.replaced(r.src[r.pos:r.pos+end], changesValue)
	r.pos++
	return value, err
}

// replaced steps over raw, which comes next, and returns what it stands for: references replaced; in text, line ends as \n (XML 1.0
// §2.11); in values, white space as spaces (§3.3.3). What was written as a reference is not changed again.
func (r *reader) replaced(raw string, changes byte) (string, error) {
	var out strings.Builder
	for i := 0; ; {
		start := i
		for i < len(raw) && class[raw[i]]&changes == 0 {
			i++
		}
		if i == len(raw) && start == 0 {
			r.pos += len(raw)
			return raw, nil
		}
		if out.Cap() == 0 {
			out.Grow(len(raw)) // what comes out is never longer
		}
		out.WriteString(raw[start:i])
		if i == len(raw) {
			r.pos += len(raw)
			return out.String(), nil
		}
		n, err := replace(&out, raw[i:], changes)
		if err != nil {
			r.pos += i
			return "", r.malformed(err.Error())
		}
		i += n
	}
}

var (
	errCharacter = errors.New("a character that XML does not allow here")
	errReference = errors.New("a reference to an entity or character that XML does not predefine or allow")
)

// replace writes what the first bytes of raw stand for, and returns how many they are.
func replace(out *strings.Builder, raw string, changes byte) (int, error) {
	switch c := raw[0]; {
	case c == '&':
		return dereference(out, raw)
	case class[c]&isSpace == 0:
		return 0, errCharacter
	case changes == changesValue:
		out.WriteByte(' ')
	default:
		out.WriteByte('\n')
	}
	if strings.HasPrefix(raw, "\r\n") {
		return 2, nil
	}
	return 1, nil
}

// dereference writes what a reference stands for: one of the five predefined entities, or a character (XML 1.0 §4.1, §4.6).
func dereference(out *strings.Builder, raw string) (int, error) {
	for i := range entities {
		if e := &entities[i]; strings.HasPrefix(raw, e.reference) {
			out.WriteByte(e.character)
			return len(e.reference), nil
		}
	}
	end := strings.IndexByte(raw[:min(len(raw), len("&#x0010FFFF;"))], ';')
	digits, numeric := strings.CutPrefix(raw[:max(end, 0)], "&#")
	if !numeric {
		return 0, errReference
	}
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || !isCharacter(rune(n)) {
		return 0, errReference
	}
	out.WriteRune(rune(n))
	return end + 1, nil
}

var entities = []struct {
	reference string
	character byte
}{{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}

// isCharacter is Char of XML 1.0 §2.2.
func isCharacter(c rune) bool {
	return c == '\t' || c == '\n' || c == '\r' || 0x20 <= c && c <= 0xD7FF || 0xE000 <= c && c <= 0xFFFD || 0x10000 <= c && c <= 0x10FFFF
}
