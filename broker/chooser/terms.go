package chooser

import (
	"strings"
	"unicode/utf8"
)

// term is one word of a search.
type term struct {
	text     string
	runes    []rune
	optional bool // a little word: its absence does no harm
}

func newTerm(text string) term {
	return term{text: text, runes: []rune(text), optional: little[text]}
}

// terms splits what was typed. has says whether a domain begins with a text: "ucla.edu" is one word then, "st.gallen" is two.
func terms(typed string, has func(domain string) bool) []term {
	var list []term
	for chunk := range strings.FieldsSeq(cut(typed)) {
		folded := fold(chunk)
		if host := strings.Trim(lowerASCII(chunk), "."); strings.Contains(host, ".") && has(host) {
			list = append(list, newTerm(host))
			continue
		}
		parts := words(folded)
		if spelling(parts) { // U.C.L.A.
			parts = []string{strings.Join(parts, "")}
		}
		for _, w := range parts {
			list = append(list, newTerm(w))
		}
	}
	if len(list) > maxTerms {
		list = list[:maxTerms]
	}
	if !hasRequired(list) { // "LA" alone is no little word
		for i := range list {
			list[i].optional = false
		}
	}
	return list
}

func hasRequired(list []term) bool {
	for _, t := range list {
		if !t.optional {
			return true
		}
	}
	return false
}

// spelling says whether every part is one letter: an abbreviation with dots.
func spelling(parts []string) bool {
	for _, p := range parts {
		if utf8.RuneCountInString(p) != 1 {
			return false
		}
	}
	return len(parts) > 1
}

// cut bounds what is looked at of what was typed.
func cut(typed string) string {
	n := 0
	for i := range typed {
		if n++; n > maxText {
			return typed[:i]
		}
	}
	return typed
}
