package config

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"apostille/trust"
)

// goTypes says which Go type carries each kind.
var goTypes = map[kind]reflect.Type{
	kindString: reflect.TypeFor[string](), kindBool: reflect.TypeFor[bool](), kindTrue: reflect.TypeFor[bool](),
	kindInt: reflect.TypeFor[int64](), kindNumber: reflect.TypeFor[float64](), kindDuration: reflect.TypeFor[time.Duration](),
	kindStrings: reflect.TypeFor[[]string](), kindPrefixes: reflect.TypeFor[[]netip.Prefix](),
	kindStringMap: reflect.TypeFor[map[string]string](), kindListMap: reflect.TypeFor[map[string][]string](),
	kindGrace: reflect.TypeFor[*time.Duration](), kindOn: reflect.TypeFor[*bool](), kindSecret: reflect.TypeFor[secretDoc](),
	kindTests: reflect.TypeFor[map[string]trust.ConditionSpec](), kindScopes: reflect.TypeFor[scopesDoc](),
	kindTexts: reflect.TypeFor[map[string]textDoc](),
}

func TestEachKeyOfTheTableIsDecodedAndEachFieldIsInTheTable(t *testing.T) {
	t.Parallel()
	compareTable(t, keyTable(), reflect.TypeFor[document](), "")
}

func compareTable(t *testing.T, table []key, s reflect.Type, path string) {
	t.Helper()
	fields := map[string]reflect.Type{}
	for name, index := range fieldsOf(s) {
		fields[name] = s.FieldByIndex(index).Type
	}
	for _, k := range table {
		at := joinPath(path, k.Name)
		field, ok := fields[k.Name]
		if !ok {
			t.Errorf("%s is in the table, and no field of %s decodes it", at, s)
			continue
		}
		delete(fields, k.Name)
		compareKey(t, k, field, at)
	}
	for name := range fields {
		t.Errorf("%s decodes %q, which is not in the table", s, joinPath(path, name))
	}
}

func compareKey(t *testing.T, k key, field reflect.Type, at string) {
	t.Helper()
	switch k.Kind {
	case kindTable:
		if field.Kind() == reflect.Pointer {
			field = field.Elem()
		}
		compareTable(t, k.Fields, field, at)
	case kindTables:
		compareTable(t, k.Fields, field.Elem(), at)
	case kindNamed:
		compareTable(t, k.Fields, field.Elem().Elem(), at+".ID")
	default:
		if field != goTypes[k.Kind] {
			t.Errorf("%s is %s, decoded into %s", at, kindWords[k.Kind], field)
		}
	}
	if field.Kind() == reflect.Pointer {
		field = field.Elem()
	}
	if k.Default != nil && reflect.TypeOf(k.Default) != field {
		t.Errorf("%s: the default is a %T", at, k.Default)
	}
	if k.Doc == "" {
		t.Errorf("%s has no meaning", at)
	}
	if exclusive := strings.HasPrefix(at, "trust.ID.keys.") || at == "trust.ID.ca_file" || at == "client.ID.secret" || strings.HasPrefix(at, "client.ID.secret_") || at == "client.ID.jwks_file"; !exclusive && !k.Required && k.Kind < kindTable && k.defaultText() == "" {
		t.Errorf("%s: the reference does not say what leaving it out means", at)
	}
	for _, name := range k.OneOf {
		if _, ok := find(k.Fields, name); !ok {
			t.Errorf("%s: one of %s, which it does not have", at, name)
		}
	}
}

func TestLocalTakesKeysThatEveryTrustHas(t *testing.T) {
	t.Parallel()
	for _, k := range localKeys() {
		if _, ok := find(trustKeys(), k.Name); !ok {
			t.Errorf("local has %s, and a trust has not", k.Name)
		}
	}
}

// eachRow visits the whole table.
func eachRow(table []key, visit func(k key)) {
	for _, k := range table {
		visit(k)
		eachRow(k.Fields, visit)
	}
}

func TestTheReferenceHasEveryKey(t *testing.T) {
	t.Parallel()
	text := Reference()
	eachRow(keyTable(), func(k key) {
		if !strings.Contains(text, "| `"+k.Name+"` | ") {
			t.Errorf("%s is missing", k.Name)
		}
	})
	for _, want := range []string{
		"## `[trust.ID.exchange]`", "## `[[trust.ID.grant]]`", "## `trust.ID.keys = { … }`", "| `read_timeout` | duration | `\"10s\"` |",
		"| `max_body` | integer, 4096 to 1048576 | `65536` |", "`{ rate = 50, burst = 100 }`", "| `none_of` |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the reference lacks %q", want)
		}
	}
}

func TestTheSchemaIsJSONAndHasEveryKey(t *testing.T) {
	t.Parallel()
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	if root["$schema"] != "https://json-schema.org/draft/2020-12/schema" || root["additionalProperties"] != false {
		t.Errorf("schema %v, additionalProperties %v", root["$schema"], root["additionalProperties"])
	}
	compareSchema(t, keyTable(), root, "")
}

func compareSchema(t *testing.T, table []key, object map[string]any, path string) {
	t.Helper()
	properties, _ := object["properties"].(map[string]any)
	if len(properties) != len(table) {
		t.Errorf("%q: %d properties, %d keys", path, len(properties), len(table))
	}
	for _, k := range table {
		at := joinPath(path, k.Name)
		schema, ok := properties[k.Name].(map[string]any)
		if !ok {
			t.Errorf("%s is missing", at)
			continue
		}
		inner := map[kind]string{kindNamed: "additionalProperties", kindTables: "items"}[k.Kind]
		if inner != "" {
			schema, _ = schema[inner].(map[string]any)
		}
		if k.Fields != nil {
			compareSchema(t, k.Fields, schema, at)
		}
	}
}
