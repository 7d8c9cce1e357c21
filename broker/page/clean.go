package page

import (
	"strings"
	"unicode"
)

// maxName is how much of a name is shown, in characters.
const maxName = 160

// Clean makes a name that somebody else chose fit for one line: no control characters, none that turn the direction of what
// follows (a name must not rewrite the sentence around it), white space collapsed, at most 160 characters.
func Clean(name string) string {
	if plain(name) {
		return name
	}
	var b strings.Builder
	space, n := false, 0
	for _, r := range name {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u200b', r == '\u2060', r == '\ufeff', r == unicode.ReplacementChar:
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
			n++
		}
		if n++; n > maxName {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
	}
	return b.String()
}

// plain says that there is nothing to clean: printable ASCII with single spaces inside.
func plain(name string) bool {
	if len(name) > maxName {
		return false
	}
	before := byte(' ')
	for i := range len(name) {
		c := name[i]
		if c < ' ' || c > '~' || c == ' ' && before == ' ' {
			return false
		}
		before = c
	}
	return name == "" || before != ' '
}
