package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// languages are those that pages speak; a text of the configuration may have some of them.
var languages = []string{"en", "de", "fr", "es"}

func (t textDoc) literal() string {
	if plain, ok := t[""]; ok {
		return quote(plain)
	}
	return table(t, quote)
}

// texts decodes texts by name. A faulty one keeps its name, so that what refers to it is not a fault as well.
func (d *decoder) texts(v any, path string) map[string]textDoc {
	tree, ok := v.(map[string]any)
	if !ok {
		d.wrongType(path, "a table of texts", v)
		return nil
	}
	out := make(map[string]textDoc, len(tree))
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		out[name] = d.textIn(tree[name], joinPath(path, name))
	}
	return out
}

// textIn decodes one text: a string, or a table of them by language.
func (d *decoder) textIn(v any, path string) textDoc {
	tree, ok := v.(map[string]any)
	if !ok {
		if _, plain := v.(string); !plain {
			d.wrongType(path, `a string, or a table such as { en = "…", de = "…" }`, v)
		} else if text, ok := d.text(v, path); ok {
			return textDoc{"": text}
		}
		return nil
	}
	out := textDoc{}
	for _, lang := range slices.Sorted(maps.Keys(tree)) {
		at := joinPath(path, lang)
		if !slices.Contains(languages, lang) {
			d.fault(at, fmt.Sprintf("%q is not a language of the pages", lang), "write some of "+strings.Join(languages, ", "))
		} else if text, ok := d.text(tree[lang], at); ok {
			out[lang] = text
		}
	}
	if len(tree) == 0 {
		d.fault(path, "no text", `write a string, or a table such as { en = "…", de = "…" }`)
	}
	return out
}

// words splits the scopes of an API into the text for people whose language is not there, and what is there by language.
func (l *loader) words(path string, scopes map[string]textDoc) (plain map[string]string, byLang map[string]map[string]string) {
	plain, byLang = make(map[string]string, len(scopes)), map[string]map[string]string{}
	for _, scope := range slices.Sorted(maps.Keys(scopes)) {
		text := scopes[scope]
		for _, lang := range []string{"", l.doc.Login.Language, "en"} {
			if plain[scope] == "" {
				plain[scope] = text[lang]
			}
		}
		if text[""] == "" {
			byLang[scope] = text
		}
		if at := joinPath(path, scope); plain[scope] == "" && !l.faulty(at) {
			l.fault(at, "nothing for people who read another language", "add "+strings.Join(slices.Compact([]string{l.doc.Login.Language, "en"}), " or "))
		}
	}
	return plain, byLang
}
