package config

import "encoding/json"

// Schema is the JSON Schema (draft 2020-12) of a configuration file, for editors. It states shapes;
// what concerns several keys is for `apostille check`.
func Schema() []byte {
	root := object(keyTable(), oneOf{})
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Apostille configuration"
	root["$defs"] = map[string]any{"scalar": map[string]any{"type": []string{"string", "boolean", "number"}}, "condition": conditionSchema()}
	delete(root, "required") // a file in trust.d has no issuer
	b, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil // maps of strings, numbers and slices always marshal
	}
	return append(b, '\n')
}

func object(table []key, of oneOf) map[string]any {
	properties := map[string]any{}
	var required []string
	for i := range table {
		k := &table[i]
		properties[k.Name] = k.schema()
		if k.Required && k.Unless == "" {
			required = append(required, k.Name)
		}
	}
	out := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if required != nil {
		out["required"] = required
	}
	if of.names != nil {
		out["oneOf"] = of.alternatives()
	}
	return out
}

func (of oneOf) alternatives() []any {
	out := make([]any, len(of.names))
	for i, name := range of.names {
		out[i] = map[string]any{"required": []string{name}}
	}
	if of.unless != "" {
		out = append(out, map[string]any{"required": []string{of.unless}, "properties": map[string]any{of.unless: map[string]any{"const": true}}})
	}
	return out
}

func (k *key) schema() map[string]any {
	s := k.shape()
	s["description"] = k.Doc
	if text := k.defaultText(); k.Default != nil {
		s["description"] = k.Doc + " Default: " + text + "."
	}
	return s
}

func (k *key) shape() map[string]any {
	text := map[string]any{"type": "string", "minLength": 1}
	if k.Enum != nil {
		text["enum"] = k.Enum
	}
	switch k.Kind {
	case kindBool, kindOn:
		return map[string]any{"type": "boolean"}
	case kindSecret:
		where := object(secretKeys(), oneOf{names: names(secretKeys())})
		return map[string]any{"anyOf": []any{text, where}}
	case kindTrue:
		return map[string]any{"const": true}
	case kindInt:
		return map[string]any{"type": "integer", "minimum": k.Min, "maximum": k.Max}
	case kindNumber:
		return map[string]any{"type": "number", "minimum": 0, "maximum": int64(maxRate)}
	case kindDuration, kindGrace:
		text["pattern"] = `^([0-9]+(\.[0-9]*)?(ns|us|µs|ms|s|m|h))+$`
	case kindStrings, kindPrefixes:
		return k.arrayOf(text)
	case kindStringMap:
		return mapOf(text)
	case kindListMap:
		return mapOf(k.arrayOf(text))
	case kindTests:
		return mapOf(map[string]any{"$ref": "#/$defs/condition"})
	case kindScopes:
		return map[string]any{"anyOf": []any{k.arrayOf(text), mapOf(text)}}
	case kindTexts:
		return mapOf(map[string]any{"anyOf": []any{text, textSchema(text)}})
	case kindTable:
		return object(k.Fields, k.oneOf())
	case kindTables:
		return map[string]any{"type": "array", "items": object(k.Fields, k.oneOf())}
	case kindNamed:
		return k.namedSchema()
	}
	return text
}

func (k *key) arrayOf(elem map[string]any) map[string]any {
	out := map[string]any{"type": "array", "items": elem, "uniqueItems": true}
	if k.Min > 0 {
		out["minItems"] = k.Min
	}
	if k.Max > 0 {
		out["maxItems"] = k.Max
	}
	return out
}

func mapOf(elem map[string]any) map[string]any {
	return map[string]any{"type": "object", "additionalProperties": elem}
}

// textSchema is the form of a text that has its languages.
func textSchema(text map[string]any) map[string]any {
	properties := map[string]any{}
	for _, lang := range languages {
		properties[lang] = text
	}
	return map[string]any{"type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1}
}

func (k *key) namedSchema() map[string]any {
	out := mapOf(object(k.Fields, k.oneOf()))
	if k.Special != nil {
		special := map[string]any{}
		for id, table := range k.Special {
			special[id] = object(table, oneOf{})
		}
		out["properties"] = special
	}
	return out
}

func conditionSchema() map[string]any {
	scalar := map[string]any{"$ref": "#/$defs/scalar"}
	array := map[string]any{"type": "array", "items": scalar, "minItems": 1}
	tests := map[string]any{}
	for _, k := range testKeys() {
		shape := map[string]any{"type": "string", "minLength": 1}
		switch k.Name {
		case "exact":
			shape = map[string]any{"$ref": "#/$defs/scalar"}
		case "one_of", "none_of":
			shape = map[string]any{"type": "array", "items": scalar, "minItems": 1}
		}
		shape["description"] = k.Doc
		tests[k.Name] = shape
	}
	named := map[string]any{"type": "object", "properties": tests, "additionalProperties": false, "minProperties": 1, "maxProperties": 1}
	return map[string]any{"anyOf": []any{scalar, array, named}}
}
