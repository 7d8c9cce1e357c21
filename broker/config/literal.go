package config

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"apostille/trust"
)

// literal writes a value as TOML, on one line.
func literal(k *key, v reflect.Value) string {
	if k.Kind == kindTable {
		return inlineTable(k, reflect.Indirect(v))
	}
	return literalOf(v.Interface(), k.Secret)
}

func inlineTable(k *key, v reflect.Value) string {
	var pairs []string
	eachField(k.Fields, v, func(sub *key, field reflect.Value) {
		if !field.IsZero() {
			pairs = append(pairs, sub.Name+" = "+literal(sub, field))
		}
	})
	return braces(pairs)
}

func literalOf(v any, secret bool) string {
	switch v := v.(type) {
	case string:
		if secret {
			v = v[:min(8, len(v))] + "…"
		}
		return quote(v)
	case *time.Duration:
		return quote(shortDuration(*v))
	case *bool:
		return strconv.FormatBool(*v)
	case secretDoc:
		return v.literal()
	case time.Duration:
		return quote(shortDuration(v))
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []string:
		return list(v, func(s string) string { return literalOf(s, secret) })
	case []any:
		return list(v, func(e any) string { return literalOf(e, false) })
	case []netip.Prefix:
		return list(v, func(p netip.Prefix) string { return quote(p.String()) })
	case map[string]string:
		return table(v, quote)
	case map[string][]string:
		return table(v, func(s []string) string { return literalOf(s, false) })
	case map[string]trust.ConditionSpec:
		return table(v, testLiteral)
	case map[string]textDoc:
		return table(v, textDoc.literal)
	case scopesDoc:
		if v.Map != nil {
			return table(v.Map, quote)
		}
		return literalOf(v.List, false)
	}
	return fmt.Sprint(v)
}

func testLiteral(c trust.ConditionSpec) string {
	switch {
	case c.OneOf != nil:
		return literalOf(c.OneOf, false)
	case c.NoneOf != nil:
		return braces([]string{"none_of = " + literalOf(c.NoneOf, false)})
	case c.Prefix != "":
		return braces([]string{"prefix = " + quote(c.Prefix)})
	case c.Suffix != "":
		return braces([]string{"suffix = " + quote(c.Suffix)})
	case c.Regex != "":
		return braces([]string{"regex = " + quote(c.Regex)})
	}
	if f, ok := c.Exact.(float64); ok {
		return floatLiteral(f)
	}
	return literalOf(c.Exact, false)
}

// floatLiteral keeps a float a float: 1.0 is not the integer 1 to TOML.
func floatLiteral(f float64) string {
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.ContainsAny(text, ".IN") {
		text += ".0"
	}
	return text
}

func list[E any](elems []E, write func(E) string) string {
	out := make([]string, len(elems))
	for i, e := range elems {
		out[i] = write(e)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func table[V any](m map[string]V, write func(V) string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, keyLiteral(name)+" = "+write(m[name]))
	}
	return braces(pairs)
}

func braces(pairs []string) string {
	if len(pairs) == 0 {
		return "{}"
	}
	return "{ " + strings.Join(pairs, ", ") + " }"
}

func keyLiteral(name string) string {
	if isBare(name) {
		return name
	}
	return quote(name)
}

// quote writes a TOML basic string; Go's escapes are not all TOML's.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsControl(r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// shortDuration writes 10m instead of Go's 10m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
