package oidc

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"apostille/trust"
)

// Limits of claims, in bytes.
const (
	maxSubject = 1024
	maxTokenID = 256
)

// claims reads members strictly: absent is fine, another JSON type is not. An explicit null counts as a wrong type.
type claims map[string]any

func (c claims) has(name string) bool {
	_, ok := c[name]
	return ok
}

// text returns a string claim; "" if absent.
func (c claims) text(name, check string) (string, *fault) {
	v, ok := c[name]
	if !ok {
		return "", nil
	}
	s, ok := v.(string)
	if !ok {
		return "", &fault{trust.ReasonClaim, check, name + " is not a string", nil}
	}
	return s, nil
}

// texts returns a claim that is a string or an array of strings; nil if absent.
func (c claims) texts(name, check string) ([]string, *fault) {
	wrong := &fault{trust.ReasonClaim, check, name + " is not a string or an array of strings", nil}
	switch v := c[name].(type) {
	case string:
		return []string{v}, nil
	case []any:
		out := make([]string, len(v))
		for i, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, wrong
			}
			out[i] = s
		}
		return out, nil
	}
	if c.has(name) {
		return nil, wrong
	}
	return nil, nil
}

// at finds a claim by its top-level name or, if path starts with "/", by JSON pointer (RFC 6901) through objects.
func (c claims) at(path string) (any, bool) {
	if !strings.HasPrefix(path, "/") {
		v, ok := c[path]
		return v, ok
	}
	var at any = map[string]any(c)
	for step := range strings.SplitSeq(path[1:], "/") {
		object, ok := at.(map[string]any)
		if !ok {
			return nil, false
		}
		step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		if at, ok = object[step]; !ok {
			return nil, false
		}
	}
	return at, true
}

// identifier checks a value that names somebody or something: not empty, not long, and nothing in it that a person or a
// log would not show.
func identifier(s string, limit int) string {
	switch {
	case s == "":
		return "is empty"
	case len(s) > limit:
		return "is longer than " + strconv.Itoa(limit) + " bytes"
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return "holds control characters"
	}
	return ""
}

// quote joins words of ours and a value of theirs, bounded and made harmless for logs and terminals.
func quote(words, value string) string {
	const limit = 200
	if len(value) > limit {
		value = value[:limit] + "…"
	}
	return words + strconv.Quote(value)
}
