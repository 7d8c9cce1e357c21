package jose

import (
	"encoding/json"
	"testing"
	"time"
)

func TestNumericDateTakesNumbersOfSecondsOnly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		claim any
		want  int64 // -1: refused
	}{
		{"whole seconds", json.Number("1700000000"), 1700000000},
		{"a fraction rounds down", json.Number("1700000000.9"), 1700000000},
		{"an exponent", json.Number("1.7e9"), 1700000000},
		{"zero", json.Number("0"), 0},
		{"the last second taken", json.Number("7258118400"), 7258118400},
		{"a second later", json.Number("7258118401"), -1},
		{"a number no date can hold", json.Number("1e300"), -1},
		{"a number no integer can hold", json.Number("99999999999999999999"), -1},
		{"before 1970", json.Number("-1"), -1},
		{"a fraction before 1970", json.Number("-0.5"), -1},
		{"text", "1700000000", -1},
		{"a boolean", true, -1},
		{"nothing", nil, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, ok := NumericDate(c.claim)
			if ok != (c.want >= 0) || ok && !got.Equal(time.Unix(c.want, 0)) {
				t.Errorf("got %v, %v; want %d", got, ok, c.want)
			}
		})
	}
}
