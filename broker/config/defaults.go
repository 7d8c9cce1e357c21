package config

import "reflect"

// fillDefaults sets what was left out to what the table says it means then. Zero is "left out" for every
// key that has a default: none of them accepts a zero value.
func (l *loader) fillDefaults(table []key, dst reflect.Value) {
	for i := range table {
		k := &table[i]
		field := dst.FieldByIndex(l.field(dst.Type(), k.Name))
		if k.Default != nil && field.IsZero() {
			setDefault(field, k.Default)
			continue
		}
		switch k.Kind {
		case kindTable:
			if field = reflect.Indirect(field); field.IsValid() {
				l.fillDefaults(k.Fields, field)
			}
		case kindTables:
			for j := range field.Len() {
				l.fillDefaults(k.Fields, field.Index(j))
			}
		case kindNamed:
			l.fillNamed(k, field)
		}
	}
}

func (l *loader) fillNamed(k *key, field reflect.Value) {
	for entries := field.MapRange(); entries.Next(); {
		fields := k.Fields
		if special, reserved := k.Special[entries.Key().String()]; reserved {
			fields = special
		}
		l.fillDefaults(fields, entries.Value().Elem())
	}
}

func setDefault(field reflect.Value, value any) {
	v := reflect.ValueOf(value)
	if field.Kind() == reflect.Pointer {
		field.Set(reflect.New(v.Type()))
		field = field.Elem()
	}
	field.Set(v)
}
