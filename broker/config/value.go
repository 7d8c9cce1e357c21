package config

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"apostille/trust"
)

// setText decodes a string, or a duration written as one.
func (d *decoder) setText(k *key, v any, dst reflect.Value, path string) {
	if k.Kind == kindDuration {
		text, ok := v.(string)
		length, err := time.ParseDuration(text)
		if !ok || err != nil || length <= 0 {
			d.fault(path, `expected a duration above zero, got `+shown(v), `write a string such as "10m", "90s" or "1h30m"`)
			return
		}
		dst.SetInt(int64(length))
		return
	}
	if text, ok := d.text(v, path); ok && (k.Enum == nil || d.allowed(k.Enum, text, path)) {
		dst.SetString(text)
	}
}

// setGrace decodes a duration that may be nothing.
func (d *decoder) setGrace(v any, dst reflect.Value, path string) {
	text, ok := v.(string)
	length, err := time.ParseDuration(text)
	if !ok || err != nil || length < 0 {
		d.fault(path, `expected a duration, got `+shown(v), `write a string such as "10s"; "0s" is off`)
		return
	}
	dst.Set(reflect.ValueOf(&length))
}

// text accepts a string that says something. An empty one would mean "no restriction" to a hurried reader.
func (d *decoder) text(v any, path string) (string, bool) {
	text, ok := v.(string)
	switch {
	case !ok:
		d.wrongType(path, "a string", v)
	case text == "":
		ok = false
		d.fault(path, "empty string", "give it a value, or leave the key out")
	case strings.IndexFunc(text, unicode.IsControl) >= 0:
		ok = false
		d.fault(path, "holds a control character", "take it out")
	}
	return text, ok
}

func (d *decoder) allowed(enum []string, text, path string) bool {
	if slices.Contains(enum, text) {
		return true
	}
	remedy := "write one of " + strings.Join(enum, ", ")
	if near := nearest(text, enum); near != "" {
		remedy = fmt.Sprintf("did you mean %s? %s", near, remedy)
	}
	d.fault(path, fmt.Sprintf("%q is not allowed", text), remedy)
	return false
}

func (d *decoder) setBool(v any, dst reflect.Value, path string) bool {
	on, ok := v.(bool)
	if !ok {
		d.wrongType(path, "true or false", v)
		return false
	}
	dst.SetBool(on)
	return true
}

func (d *decoder) setInt(k *key, v any, dst reflect.Value, path string) {
	n, ok := v.(int64)
	switch {
	case !ok:
		d.wrongType(path, "an integer", v)
	case (k.Min != 0 || k.Max != 0) && (n < k.Min || n > k.Max):
		d.fault(path, fmt.Sprintf("%d is out of range", n), fmt.Sprintf("write a number from %d to %d", k.Min, k.Max))
	default:
		dst.SetInt(n)
	}
}

// maxRate keeps arithmetic on rates exact; no broker comes near it.
const maxRate = 1e6

func (d *decoder) setNumber(v any, dst reflect.Value, path string) {
	n, ok := v.(float64)
	if whole, integer := v.(int64); integer {
		n, ok = float64(whole), true
	}
	switch {
	case !ok:
		d.wrongType(path, "a number", v)
	case !(n >= 0 && n <= maxRate):
		d.fault(path, fmt.Sprintf("%v is out of range", n), "write a number from 0 to 1000000")
	default:
		dst.SetFloat(n)
	}
}

func (d *decoder) strings(k *key, v any, path string) []string {
	list, ok := v.([]any)
	if !ok {
		d.wrongType(path, "an array of strings", v)
		return nil
	}
	if n := int64(len(list)); (k.Min != 0 || k.Max != 0) && (n < k.Min || k.Max != 0 && n > k.Max) {
		d.fault(path, fmt.Sprintf("%d elements", n), "list "+countWords(k.Min, k.Max))
	}
	out := make([]string, 0, len(list))
	for i, elem := range list {
		at := elemPath(path, i)
		text, ok := d.text(elem, at)
		if !ok || k.Enum != nil && !d.allowed(k.Enum, text, at) {
			continue
		}
		if slices.Contains(out, text) {
			d.fault(at, fmt.Sprintf("%s stands there twice", quoteShort(k, text)), "drop one")
			continue
		}
		out = append(out, text)
	}
	return out
}

func (d *decoder) prefixes(v any, path string) []netip.Prefix {
	list := d.strings(&key{}, v, path)
	out := make([]netip.Prefix, 0, len(list))
	for i, text := range list {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			d.fault(elemPath(path, i), fmt.Sprintf("%q is not an address range", text), `write it as "10.20.0.0/16"; a single address as "10.20.0.7/32"`)
			continue
		}
		if prefix != prefix.Masked() {
			d.fault(elemPath(path, i), fmt.Sprintf("%q has bits beyond its length", text), fmt.Sprintf("did you mean %q?", prefix.Masked()))
			continue
		}
		out = append(out, prefix)
	}
	return out
}

func (d *decoder) stringMap(v any, path string) map[string]string {
	tree, ok := v.(map[string]any)
	if !ok {
		d.wrongType(path, "a table of strings", v)
		return nil
	}
	out := make(map[string]string, len(tree))
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		if text, ok := d.text(tree[name], joinPath(path, name)); ok {
			out[name] = text
		}
	}
	return out
}

func (d *decoder) listMap(k *key, v any, path string) map[string][]string {
	tree, ok := v.(map[string]any)
	if !ok {
		d.wrongType(path, "a table of arrays of strings", v)
		return nil
	}
	out := make(map[string][]string, len(tree))
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		out[name] = d.strings(k, tree[name], joinPath(path, name))
	}
	return out
}

func (d *decoder) scopes(k *key, v any, path string) scopesDoc {
	switch v.(type) {
	case []any:
		return scopesDoc{List: d.strings(k, v, path)}
	case map[string]any:
		return scopesDoc{Map: d.stringMap(v, path)}
	}
	d.wrongType(path, "an array of our scopes, or a table { theirs = \"ours\" }", v)
	return scopesDoc{}
}

func (d *decoder) tests(v any, path string) map[string]trust.ConditionSpec {
	tree, ok := v.(map[string]any)
	if !ok {
		d.wrongType(path, "a table of conditions", v)
		return nil
	}
	out := make(map[string]trust.ConditionSpec, len(tree))
	for _, claim := range slices.Sorted(maps.Keys(tree)) {
		out[claim] = d.test(tree[claim], joinPath(path, claim))
	}
	return out
}

func (d *decoder) wrongType(path, want string, got any) {
	d.fault(path, "expected "+want+", got "+shown(got), "see `apostille config reference`")
}
