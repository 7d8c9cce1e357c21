package config

import (
	"fmt"
	"strings"

	"apostille/trust"
)

// test decodes one condition: a plain value is exact, an array one-of, a table names the test.
func (d *decoder) test(v any, path string) trust.ConditionSpec {
	var c trust.ConditionSpec
	switch v := v.(type) {
	case []any:
		c.OneOf = d.scalars(v, path)
	case map[string]any:
		c = d.namedTest(v, path)
	default:
		c.Exact = d.scalar(v, path)
	}
	return c
}

func (d *decoder) namedTest(tree map[string]any, path string) trust.ConditionSpec {
	var c trust.ConditionSpec
	table := testKeys()
	if len(tree) != 1 {
		d.fault(path, fmt.Sprintf("%d tests for one claim", len(tree)), "write exactly one of "+strings.Join(names(table), ", "))
		return c
	}
	for name, v := range tree {
		at := joinPath(path, name)
		switch name {
		case "exact":
			c.Exact = d.scalar(v, at)
		case "one_of":
			c.OneOf = d.scalars(v, at)
		case "none_of":
			c.NoneOf = d.scalars(v, at)
		case "prefix":
			c.Prefix, _ = d.text(v, at)
		case "suffix":
			c.Suffix, _ = d.text(v, at)
		case "regex":
			c.Regex, _ = d.text(v, at)
		default:
			d.unknown(table, name, at)
		}
	}
	return c
}

// scalar decodes a value that a claim can equal. A date has no JSON form, so no claim ever equals one.
func (d *decoder) scalar(v any, path string) any {
	switch v.(type) {
	case string, bool, int64, float64:
		return v
	}
	d.wrongType(path, "a string, a boolean or a number", v)
	return nil
}

func (d *decoder) scalars(v any, path string) []any {
	list, ok := v.([]any)
	if !ok {
		d.wrongType(path, "an array of values", v)
		return nil
	}
	if len(list) == 0 {
		d.fault(path, "empty array", "list at least one value")
	}
	out := make([]any, 0, len(list))
	for i, elem := range list {
		if value := d.scalar(elem, elemPath(path, i)); value != nil {
			out = append(out, value)
		}
	}
	return out
}
