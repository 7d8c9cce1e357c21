package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
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
			d.value(k, v, dst.FieldByIndex(d.field(dst.Type(), k.Name)), joinPath(path, k.Name))
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
func (d *decoder) table(table []key, oneOf oneOf, v any, dst reflect.Value, path string) {
	tree, ok := v.(map[string]any)
	if !ok {
		d.wrongType(path, "a table", v)
		return
	}
	d.keys(table, tree, dst, path)
	for _, k := range table {
		if _, there := tree[k.Name]; there || !k.Required || k.Unless != "" && tree[k.Unless] == true {
			continue
		}
		if misspelt(table, k.Name, tree) {
			d.settled[joinPath(path, k.Name)] = true
		} else {
			d.fault(joinPath(path, k.Name), "missing", "add it: "+plain(k.Doc))
		}
	}
	if len(oneOf.names) > 0 {
		d.exactlyOne(oneOf, tree, path)
	}
}

// oneOf says which keys of a table exclude each other, and with which switch none of them may be there.
type oneOf struct {
	names  []string
	unless string
}

func (k *key) oneOf() oneOf { return oneOf{k.OneOf, k.Unless} }

// misspelt says whether an unknown key looks as if it was meant for name: one fault is enough then.
func misspelt(table []key, name string, tree map[string]any) bool {
	for written := range tree {
		if _, known := find(table, written); !known && nearest(written, names(table)) == name {
			return true
		}
	}
	return false
}

func (d *decoder) exactlyOne(of oneOf, tree map[string]any, path string) {
	names := of.names
	var there []string
	for _, name := range names {
		if _, ok := tree[name]; ok {
			there = append(there, name)
		}
	}
	want := "write exactly one of " + strings.Join(names, ", ")
	switch {
	case of.unless != "" && tree[of.unless] == true:
		if len(there) > 0 {
			d.fault(joinPath(path, there[0]), fmt.Sprintf("stands beside %s = true", of.unless), "remove one of the two")
		}
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
	case kindOn:
		on := reflect.New(dst.Type().Elem())
		if d.setBool(v, on.Elem(), path) {
			dst.Set(on)
		}
	case kindGrace:
		d.setGrace(v, dst, path)
	case kindTrue:
		if d.setBool(v, dst, path) && v == false {
			d.fault(path, "can only be true", "write another key source, or true")
		}
	case kindInt:
		d.setInt(k, v, dst, path)
	case kindNumber:
		d.setNumber(v, dst, path)
	case kindStrings, kindPrefixes, kindStringMap, kindListMap, kindTests, kindScopes, kindTexts, kindSecret:
		dst.Set(reflect.ValueOf(d.composed(k, v, path)))
	case kindTable:
		if dst.Kind() == reflect.Pointer {
			dst.Set(reflect.New(dst.Type().Elem()))
			dst = dst.Elem()
		}
		d.table(k.Fields, k.oneOf(), v, dst, path)
	case kindTables:
		d.tables(k, v, dst, path)
	case kindNamed:
		d.named(k, v, dst, path)
	default:
		d.setText(k, v, dst, path)
	}
}

// composed decodes what is made of several values, in the Go type of its kind.
func (d *decoder) composed(k *key, v any, path string) any {
	switch k.Kind {
	case kindPrefixes:
		return d.prefixes(v, path)
	case kindStringMap:
		return d.stringMap(v, path)
	case kindListMap:
		return d.listMap(k, v, path)
	case kindTests:
		return d.tests(v, path)
	case kindScopes:
		return d.scopes(k, v, path)
	case kindTexts:
		return d.texts(v, path)
	case kindSecret:
		return d.secret(v, path)
	}
	return d.strings(k, v, path)
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
		d.table(k.Fields, k.oneOf(), elem, out.Index(i), elemPath(path, i))
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
		table, of := k.Fields, k.oneOf()
		if special, reserved := k.Special[id]; reserved {
			table, of = special, oneOf{}
		}
		elem := reflect.New(dst.Type().Elem().Elem())
		d.table(table, of, tree[id], elem.Elem(), joinPath(path, id))
		dst.SetMapIndex(reflect.ValueOf(id), elem)
	}
}

// fieldsOf finds the fields of a struct by key, those of embedded ones too.
func fieldsOf(t reflect.Type) map[string][]int {
	byName := make(map[string][]int, t.NumField())
	for _, f := range reflect.VisibleFields(t) {
		if !f.Anonymous {
			byName[f.Tag.Get("toml")] = f.Index
		}
	}
	return byName
}

// field maps a key to the struct field that carries it.
func (l *loader) field(t reflect.Type, name string) []int {
	byName := l.fields[t]
	if byName == nil {
		byName = fieldsOf(t)
		l.fields[t] = byName
	}
	return byName[name]
}
