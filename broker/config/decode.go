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

// decoder puts one source's tree into the document, as the key table says. Each fault is reported and
// its value left out.
type decoder struct {
	*loader
	source *source
}

func (d *decoder) fault(path, text, remedy string) { d.faultIn(d.source, path, text, remedy) }

// keys decodes a table's keys into the struct dst.
func (d *decoder) keys(table []key, tree map[string]any, dst reflect.Value, path string) {
	known := 0
	for i := range table {
		k := &table[i]
		if v, there := tree[k.Name]; there {
			known++
			d.value(k, v, dst.Field(d.field(dst.Type(), k.Name)), joinPath(path, k.Name))
		}
	}
	if known == len(tree) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		if _, known := find(table, name); !known {
			d.unknown(table, name, joinPath(path, name))
		}
	}
}

// table decodes a whole table: its keys, and which of them must be there.
func (d *decoder) table(table []key, oneOf []string, v any, dst reflect.Value, path string) {
	tree, ok := v.(map[string]any)
	if !ok {
		d.wrongType(path, "a table", v)
		return
	}
	d.keys(table, tree, dst, path)
	for _, k := range table {
		if _, there := tree[k.Name]; there || !k.Required {
			continue
		}
		if misspelt(table, k.Name, tree) {
			d.settled[joinPath(path, k.Name)] = true
		} else {
			d.fault(joinPath(path, k.Name), "missing", "add it: "+plain(k.Doc))
		}
	}
	if len(oneOf) > 0 {
		d.exactlyOne(oneOf, tree, path)
	}
}

// misspelt says whether an unknown key looks as if it was meant for name: one fault is enough then.
func misspelt(table []key, name string, tree map[string]any) bool {
	for written := range tree {
		if _, known := find(table, written); !known && nearest(written, names(table)) == name {
			return true
		}
	}
	return false
}

func (d *decoder) exactlyOne(names []string, tree map[string]any, path string) {
	var there []string
	for _, name := range names {
		if _, ok := tree[name]; ok {
			there = append(there, name)
		}
	}
	want := "write exactly one of " + strings.Join(names, ", ")
	switch {
	case len(there) == 0 && slices.Contains(names, "secret_sha256"):
		d.fault(path, "nothing to authenticate with", want+"; `apostille client new` prints a secret and its hash")
	case len(there) == 0:
		d.fault(path, "none of "+strings.Join(names, ", "), want)
	case len(there) > 1:
		d.fault(joinPath(path, there[1]), "stands beside "+there[0], want)
	}
}

func (d *decoder) unknown(table []key, name, path string) {
	text, remedy := fmt.Sprintf("unknown key %q", name), "allowed here: "+strings.Join(names(table), ", ")
	if near := nearest(name, names(table)); strings.EqualFold(near, name) {
		remedy = fmt.Sprintf("keys are case-sensitive: write %s", near)
	} else if near != "" {
		remedy = fmt.Sprintf("did you mean %s? %s", near, remedy)
	}
	d.fault(path, text, remedy)
}

func (d *decoder) value(k *key, v any, dst reflect.Value, path string) {
	switch k.Kind {
	case kindBool:
		d.setBool(v, dst, path)
	case kindTrue:
		if d.setBool(v, dst, path) && v == false {
			d.fault(path, "can only be true", "write another key source, or true")
		}
	case kindInt:
		d.setInt(k, v, dst, path)
	case kindNumber:
		d.setNumber(v, dst, path)
	case kindStrings:
		dst.Set(reflect.ValueOf(d.strings(k, v, path)))
	case kindPrefixes:
		dst.Set(reflect.ValueOf(d.prefixes(v, path)))
	case kindStringMap:
		dst.Set(reflect.ValueOf(d.stringMap(v, path)))
	case kindListMap:
		dst.Set(reflect.ValueOf(d.listMap(k, v, path)))
	case kindTests:
		dst.Set(reflect.ValueOf(d.tests(v, path)))
	case kindScopes:
		dst.Set(reflect.ValueOf(d.scopes(k, v, path)))
	case kindTable:
		if dst.Kind() == reflect.Pointer {
			dst.Set(reflect.New(dst.Type().Elem()))
			dst = dst.Elem()
		}
		d.table(k.Fields, k.OneOf, v, dst, path)
	case kindTables:
		d.tables(k, v, dst, path)
	case kindNamed:
		d.named(k, v, dst, path)
	default:
		d.setText(k, v, dst, path)
	}
}

// tables decodes [[x]], or an array of inline tables.
func (d *decoder) tables(k *key, v any, dst reflect.Value, path string) {
	list, ok := v.([]any)
	if tables, written := v.([]map[string]any); written {
		ok = true
		for _, t := range tables {
			list = append(list, t)
		}
	}
	if !ok {
		d.wrongType(path, fmt.Sprintf("tables, each under [[%s]]", path), v)
		return
	}
	out := reflect.MakeSlice(dst.Type(), len(list), len(list))
	for i, elem := range list {
		d.table(k.Fields, k.OneOf, elem, out.Index(i), elemPath(path, i))
	}
	dst.Set(out)
}

// named decodes [x.ID] tables.
func (d *decoder) named(k *key, v any, dst reflect.Value, path string) {
	tree, ok := v.(map[string]any)
	if !ok {
		d.wrongType(path, fmt.Sprintf("tables, each under [%s.ID]", path), v)
		return
	}
	if dst.IsNil() {
		dst.Set(reflect.MakeMap(dst.Type()))
	}
	for _, id := range slices.Sorted(maps.Keys(tree)) {
		table, oneOf := k.Fields, k.OneOf
		if special, reserved := k.Special[id]; reserved {
			table, oneOf = special, nil
		}
		elem := reflect.New(dst.Type().Elem().Elem())
		d.table(table, oneOf, tree[id], elem.Elem(), joinPath(path, id))
		dst.SetMapIndex(reflect.ValueOf(id), elem)
	}
}

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

// field maps a key to the struct field that carries it.
func (l *loader) field(t reflect.Type, name string) int {
	byName := l.fields[t]
	if byName == nil {
		byName = make(map[string]int, t.NumField())
		for i := range t.NumField() {
			byName[t.Field(i).Tag.Get("toml")] = i
		}
		l.fields[t] = byName
	}
	return byName[name]
}
