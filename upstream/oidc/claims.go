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
	v, ok := c[name]
	if !ok {
		return nil, nil
	}
	switch v := v.(type) {
	case string:
		return []string{v}, nil
	case []any:
		if out, ok := allStrings(v); ok {
			return out, nil
		}
	}
	return nil, &fault{trust.ReasonClaim, check, name + " is not a string or an array of strings", nil}
}

func allStrings(list []any) ([]string, bool) {
	out := make([]string, len(list))
	for i, e := range list {
		s, ok := e.(string)
		if !ok {
			return nil, false
		}
		out[i] = s
	}
	return out, true
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
