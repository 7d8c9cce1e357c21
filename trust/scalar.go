package trust

import (
	"encoding/json"
	"math"
	"strconv"
)

// scalarKind is the JSON type of a scalar.
type scalarKind int

const (
	kindString scalarKind = iota + 1
	kindBool
	kindNumber
)

// scalar is a claim or configured value in a form where == means the same JSON type and the same value. JSON
// has one type of number, so 1 and 1.0 are equal, and neither equals "1".
type scalar struct {
	kind   scalarKind
	text   string
	truth  bool
	number decimal
}

// scalarOf converts a value. ok is false for null, objects, arrays, NaN, infinities and absurd numbers.
func scalarOf(v any) (s scalar, ok bool) {
	switch v := v.(type) {
	case string:
		return scalar{kind: kindString, text: v}, true
	case bool:
		return scalar{kind: kindBool, truth: v}, true
	case json.Number:
		return numberOf(v.String())
	case int64:
		return numberOf(strconv.FormatInt(v, 10))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return scalar{}, false
		}
		return numberOf(strconv.FormatFloat(v, 'e', -1, 64))
	}
	return scalar{}, false
}

func numberOf(text string) (scalar, bool) {
	d, ok := parseDecimal(text)
	return scalar{kind: kindNumber, number: d}, ok
}
