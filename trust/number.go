package trust

import (
	"strconv"
	"strings"
)

// maxNumber bounds the text of a number that is compared, in bytes. Longer ones equal nothing.
const maxNumber = 256

// decimal is a number without rounding: ±0.digits × 10^exp, digits without leading and trailing zeros. Two
// numbers are equal when their decimals are ==. Floats would call 9007199254740993 and …992 the same; big.Rat
// would let "1e999999999" allocate.
type decimal struct {
	negative bool
	digits   string // "" is zero
	exp      int64
}

// parseDecimal reads a JSON number (RFC 8259 §6). ok is false for anything else and for absurd ones.
func parseDecimal(s string) (d decimal, ok bool) {
	if len(s) > maxNumber {
		return decimal{}, false
	}
	rest, negative := strings.CutPrefix(s, "-")
	mantissa, exp, ok := cutExponent(rest)
	if !ok {
		return decimal{}, false
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if whole == "" || strings.Trim(digits, "0123456789") != "" {
		return decimal{}, false
	}
	exp += int64(len(whole))
	significant := strings.TrimLeft(digits, "0")
	exp -= int64(len(digits) - len(significant))
	significant = strings.TrimRight(significant, "0")
	if significant == "" {
		return decimal{}, true
	}
	return decimal{negative: negative, digits: significant, exp: exp}, true
}

// cutExponent splits "1.5e-3" into "1.5" and -3.
func cutExponent(s string) (mantissa string, exp int64, ok bool) {
	at := strings.IndexAny(s, "eE")
	if at < 0 {
		return s, 0, true
	}
	exp, err := strconv.ParseInt(s[at+1:], 10, 32)
	return s[:at], exp, err == nil
}
