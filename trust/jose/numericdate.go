package jose

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// maxDate bounds a NumericDate: the year 2200. What lies beyond is a mistake or an attack, and overflows others.
const maxDate = 7258118400

// NumericDate reads a claim of RFC 7519 §2: a JSON number of seconds since 1970, whole or with a fraction, up to the year
// 2200. Strings, booleans, absent and absurd values are not ok. Fractions round down.
func NumericDate(claim any) (t time.Time, ok bool) {
	n, isNumber := claim.(json.Number)
	if !isNumber {
		return time.Time{}, false
	}
	if !strings.ContainsAny(string(n), ".eE") {
		seconds, err := strconv.ParseInt(string(n), 10, 64)
		if err != nil || seconds < 0 || seconds > maxDate {
			return time.Time{}, false
		}
		return time.Unix(seconds, 0), true
	}
	seconds, err := strconv.ParseFloat(string(n), 64)
	if err != nil || math.IsNaN(seconds) || seconds < 0 || seconds > maxDate {
		return time.Time{}, false
	}
	return time.Unix(int64(seconds), 0), true
}
