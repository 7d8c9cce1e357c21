package trust

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxShown bounds a claim's value in a Detail, in bytes: enough to recognise it.
const maxShown = 80

// condition is a compiled ConditionSpec with its claim path.
type condition struct {
	path claimPath
	want string // what it wants, in words: `one of ["logistics","sales"]`
	test func(element any) bool
	// every: the test must hold for all elements of an array, not for any.
	every bool
}

// compileCondition checks a condition. All its faults are returned.
func compileCondition(path string, s ConditionSpec) (condition, []error) {
	var errs []error
	at, err := parseClaimPath(path)
	if err != nil {
		errs = append(errs, err)
	}
	c := condition{path: at}
	switch tests := s.tests(); {
	case len(tests) != 1:
		errs = append(errs, fmt.Errorf("a condition has exactly one test, this one has %s", countTests(tests)))
		return c, errs
	case s.Exact != nil:
		c.test, err = oneOf([]any{s.Exact})
		c.want = show(s.Exact)
	case s.OneOf != nil:
		c.test, err = oneOf(s.OneOf)
		c.want = "one of " + show(s.OneOf)
	case s.NoneOf != nil:
		c.test, err = noneOf(s.NoneOf)
		c.want, c.every = "none of "+show(s.NoneOf), true
	case s.Prefix != "":
		c.test = onString(func(v string) bool { return strings.HasPrefix(v, s.Prefix) })
		c.want = "a string that starts with " + show(s.Prefix)
	case s.Suffix != "":
		c.test = onString(func(v string) bool { return strings.HasSuffix(v, s.Suffix) })
		c.want = "a string that ends with " + show(s.Suffix)
	default:
		c.test, err = matches(s.Regex)
		c.want = "a string that matches ^(?:" + s.Regex + ")$"
	}
	if err != nil {
		errs = append(errs, err)
	}
	return c, errs
}

// tests names the fields that are set, in configuration terms.
func (s ConditionSpec) tests() []string {
	var set []string
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"exact", s.Exact != nil}, {"one_of", s.OneOf != nil}, {"none_of", s.NoneOf != nil},
		{"prefix", s.Prefix != ""}, {"suffix", s.Suffix != ""}, {"regex", s.Regex != ""},
	} {
		if f.set {
			set = append(set, f.name)
		}
	}
	return set
}

func countTests(tests []string) string {
	if len(tests) == 0 {
		return "none (an empty prefix, suffix or regex would hold for everything)"
	}
	return strings.Join(tests, ", ")
}

func oneOf(values []any) (func(any) bool, error) {
	want, err := scalars(values)
	return func(v any) bool {
		s, ok := scalarOf(v)
		return ok && slices.Contains(want, s)
	}, err
}

// noneOf refuses what it cannot compare: a value of a type that no listed value has is not known to be harmless.
func noneOf(values []any) (func(any) bool, error) {
	unwanted, err := scalars(values)
	return func(v any) bool {
		s, ok := scalarOf(v)
		comparable := ok && slices.ContainsFunc(unwanted, func(u scalar) bool { return u.kind == s.kind })
		return comparable && !slices.Contains(unwanted, s)
	}, err
}

func scalars(values []any) ([]scalar, error) {
	if len(values) == 0 {
		return nil, errors.New("the list of values is empty")
	}
	out := make([]scalar, 0, len(values))
	for _, v := range values {
		switch v.(type) {
		case string, bool, int64, float64:
		default:
			return nil, fmt.Errorf("a value is a %T; it must be a string, a boolean or a number", v)
		}
		s, ok := scalarOf(v)
		if !ok {
			return nil, fmt.Errorf("the value %v is not a number JSON can state", v)
		}
		out = append(out, s)
	}
	return out, nil
}

func onString(test func(string) bool) func(any) bool {
	return func(v any) bool {
		s, ok := v.(string)
		return ok && test(s)
	}
}

// matches anchors a pattern. It is compiled alone first: a pattern such as `a)|(b` would otherwise close our group.
func matches(pattern string) (func(any) bool, error) {
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, fmt.Errorf("the regular expression does not compile: %w", err)
	}
	re, err := regexp.Compile("^(?:" + pattern + ")$")
	if err != nil {
		return nil, fmt.Errorf("the regular expression does not compile when anchored: %w", err)
	}
	return onString(re.MatchString), nil
}

// holds says whether the claims meet the condition. An absent claim meets none.
func (c *condition) holds(claims map[string]any) bool {
	v, ok := c.path.find(claims)
	if !ok {
		return false
	}
	list, ok := v.([]any)
	if !ok {
		return c.test(v)
	}
	for _, element := range list {
		if c.test(element) != c.every {
			return !c.every
		}
	}
	return c.every
}

// String says in words what is wanted.
func (c *condition) String() string { return c.path.text + " is " + c.want }

// compare says in words what came and what is wanted.
func (c *condition) compare(claims map[string]any) string {
	v, ok := c.path.find(claims)
	if !ok {
		return c.path.text + " is absent, want " + c.want
	}
	return c.path.text + " = " + show(v) + ", want " + c.want
}

// show prints a value as JSON, which also escapes line breaks, cut to maxShown bytes. A list without entries is [], nil or not.
func show(v any) string {
	if list, ok := v.([]string); ok && list == nil {
		return "[]"
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return "(not printable)"
	}
	if len(raw) <= maxShown {
		return string(raw)
	}
	cut := raw[:maxShown]
	for len(cut) > 0 && !utf8.Valid(cut) {
		cut = cut[:len(cut)-1]
	}
	return string(cut) + "…"
}
