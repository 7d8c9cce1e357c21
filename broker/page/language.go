package page

import (
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// maxLocales bounds what is parsed of a list of languages, in bytes: strangers write it.
const maxLocales = 512

// matcher finds the best of Languages. The fallback is the first of its tags.
type matcher struct {
	tags []string
	m    language.Matcher
}

func newMatcher(fallback string) *matcher {
	tags := []string{fallback}
	for _, lang := range Languages {
		if lang != fallback {
			tags = append(tags, lang)
		}
	}
	parsed := make([]language.Tag, len(tags))
	for i, t := range tags {
		parsed[i] = language.Make(t)
	}
	return &matcher{tags: tags, m: language.NewMatcher(parsed)}
}

// best returns the language for a list of wishes; false: none of them is spoken here.
func (m *matcher) best(wishes []language.Tag) (string, bool) {
	if len(wishes) == 0 {
		return "", false
	}
	_, i, confidence := m.m.Match(wishes...)
	return m.tags[i], confidence != language.No
}

// Language returns the language for a request: the parameter ui_locales (OpenID Connect Core §3.1.2.1, a list separated by
// spaces), then Accept-Language, then the default. It never fails: what is malformed is no wish.
func (r *Renderer) Language(req *http.Request) string {
	return r.language(req, nil)
}

// language is Language with wishes that go before the others, such as those of a request that led here.
func (r *Renderer) language(req *http.Request, first []string) string {
	for _, wishes := range [][]language.Tag{uiLocales(param(req, "ui_locales")), uiLocales(strings.Join(first, " ")), accepted(req)} {
		if lang, ok := r.matcher.best(wishes); ok {
			return lang
		}
	}
	return r.matcher.tags[0]
}

// param reads a parameter of the query, or of a form that the handler has parsed already: the body is not ours to read.
func param(req *http.Request, name string) string {
	if req.Form != nil {
		return req.Form.Get(name)
	}
	if !strings.Contains(req.URL.RawQuery, name) {
		return ""
	}
	return req.URL.Query().Get(name)
}

func uiLocales(list string) (tags []language.Tag) {
	if len(list) > maxLocales {
		return nil
	}
	for _, word := range strings.Fields(list) {
		if t, err := language.Parse(word); err == nil && t != language.Und {
			tags = append(tags, t)
		}
	}
	return tags
}

func accepted(req *http.Request) []language.Tag {
	list := req.Header.Get("Accept-Language")
	if list == "" || len(list) > maxLocales {
		return nil
	}
	tags, _, err := language.ParseAcceptLanguage(list)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(tags, func(t language.Tag) bool { return t == language.Und })
}
