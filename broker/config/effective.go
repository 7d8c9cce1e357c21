package config

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Effective is the whole configuration as one TOML text: merged, defaults filled in, paths absolute, keys
// in the order of the reference and IDs sorted. Client secrets stand there as the first digits of their
// hash, so the text is for reading and comparing, not for loading.
func Effective(c *Config) string {
	var w tomlWriter
	w.section(keyTable(), reflect.ValueOf(&c.doc).Elem(), "", "")
	return strings.TrimLeft(w.String(), "\n")
}

// eachField visits the struct fields that carry the keys of a table, in its order.
func eachField(table []key, v reflect.Value, visit func(*key, reflect.Value)) {
	byName := fieldsOf(v.Type())
	for i := range table {
		visit(&table[i], v.FieldByIndex(byName[table[i].Name]))
	}
}

// eachNamed visits the tables of a kindNamed key, by ID, with the keys that hold for each.
func eachNamed(k *key, field reflect.Value, visit func(id string, table []key, v reflect.Value)) {
	ids := make(map[string]reflect.Value, field.Len())
	for entries := field.MapRange(); entries.Next(); {
		ids[entries.Key().String()] = entries.Value().Elem()
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		table := k.Fields
		if special, reserved := k.Special[id]; reserved {
			table = special
		}
		visit(id, table, ids[id])
	}
}

// ownSection says whether a key is written under a header of its own.
func (k *key) ownSection() bool {
	return k.Kind == kindNamed || k.Kind == kindTables || k.Kind == kindTable && !k.Inline
}

// tomlWriter writes sections: plain keys first, then the tables below.
type tomlWriter struct{ strings.Builder }

func (w *tomlWriter) section(table []key, v reflect.Value, path, header string) {
	if header != "" {
		w.WriteString("\n" + header + "\n")
	}
	eachField(table, v, func(k *key, field reflect.Value) {
		if !k.ownSection() && !field.IsZero() {
			w.WriteString(k.Name + " = " + literal(k, field) + "\n")
		}
	})
	eachField(table, v, func(k *key, field reflect.Value) {
		if k.ownSection() && !field.IsZero() {
			w.below(k, field, joinPath(path, k.Name))
		}
	})
}

func (w *tomlWriter) below(k *key, field reflect.Value, path string) {
	switch k.Kind {
	case kindNamed:
		eachNamed(k, field, func(id string, table []key, v reflect.Value) {
			at := path + "." + keyLiteral(id)
			w.section(table, v, at, "["+at+"]")
		})
	case kindTables:
		for i := range field.Len() {
			w.section(k.Fields, field.Index(i), path, "[["+path+"]]")
		}
	default:
		w.section(k.Fields, reflect.Indirect(field), path, "["+path+"]")
	}
}
