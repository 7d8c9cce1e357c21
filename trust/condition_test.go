package trust

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

// claims decodes as VERIFY does: numbers stay json.Number.
func claims(t testing.TB, text string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	out := map[string]any{}
	if err := d.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestConditions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spec  ConditionSpec
		holds []string // values of claim "v", as JSON
		fails []string // "" = absent
	}{
		{"exact string", ConditionSpec{Exact: "a"}, []string{`"a"`, `["b","a"]`}, []string{``, `null`, `"A"`, `"a "`, `["b"]`, `[]`, `{"a":"a"}`, `[["a"]]`}},
		{"exact number does not equal text", ConditionSpec{Exact: int64(1)}, []string{`1`, `1.0`, `10e-1`, `[0,1]`}, []string{`"1"`, `true`, `1.0000000000000000000001`, `1e1`}},
		{"exact text does not equal a number", ConditionSpec{Exact: "1"}, []string{`"1"`}, []string{`1`}},
		{"large integers are not rounded", ConditionSpec{Exact: int64(9007199254740993)}, []string{`9007199254740993`}, []string{`9007199254740992`, `9007199254740993.5`}},
		{"exact fraction", ConditionSpec{Exact: 0.1}, []string{`0.1`, `0.10`, `1e-1`}, []string{`0.1000000000000000055511151231257827`, `0`}},
		{"exact zero", ConditionSpec{Exact: int64(0)}, []string{`0`, `-0`, `0.0`, `0e5`}, []string{`false`, `""`, `null`}},
		{"an absurd exponent is compared, not computed", ConditionSpec{Exact: int64(1)}, []string{`1`}, []string{`1e999999999`, `1e99999999999999999999`}},
		{"exact boolean", ConditionSpec{Exact: true}, []string{`true`, `[false,true]`}, []string{`"true"`, `1`, `false`}},
		{"one of", ConditionSpec{OneOf: []any{"a", int64(2)}}, []string{`"a"`, `2`, `["x",2]`}, []string{`"2"`, `"b"`, ``}},
		{"none of needs a claim that can be compared", ConditionSpec{NoneOf: []any{"a", "b"}}, []string{`"c"`, `["c","d"]`, `[]`},
			[]string{``, `null`, `"a"`, `["c","b"]`, `1`, `{"a":1}`, `["c",null]`, `["c",["a"]]`}},
		{"prefix", ConditionSpec{Prefix: "ab"}, []string{`"abc"`, `"ab"`, `["x","abc"]`}, []string{`"xab"`, `"a"`, `1`, ``}},
		{"suffix", ConditionSpec{Suffix: "@hq.example"}, []string{`"a@hq.example"`}, []string{`"a@hq.example.evil"`, `"a@HQ.example"`}},
		{"regex is anchored on both sides of an alternative", ConditionSpec{Regex: "a|b"}, []string{`"a"`, `"b"`}, []string{`"ax"`, `"xb"`, `"a\n"`, `"x\nb"`, ``}},
		{"regex in multi-line mode stays anchored", ConditionSpec{Regex: "(?m)a"}, []string{`"a"`}, []string{`"a\nb"`, `"b\na"`}},
		{"regex is for strings", ConditionSpec{Regex: ".*"}, []string{`""`}, []string{`1`, `true`, `{}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			compiled, errs := compileCondition("v", c.spec)
			if errs != nil {
				t.Fatal(errs)
			}
			for _, v := range c.holds {
				if got := claims(t, `{"v":`+v+`}`); !compiled.holds(got) {
					t.Errorf("false: %s", compiled.compare(got))
				}
			}
			for _, v := range c.fails {
				text := `{"v":` + v + `}`
				if v == "" {
					text = `{}`
				}
				if got := claims(t, text); compiled.holds(got) {
					t.Errorf("true: %s", compiled.compare(got))
				}
			}
		})
	}
}

func TestConditionValuesMustBeStatable(t *testing.T) {
	t.Parallel()
	for _, v := range []any{math.NaN(), math.Inf(1), 1, []any{"a"}, map[string]any{}, json.Number("1")} {
		if _, errs := compileCondition("v", ConditionSpec{Exact: v}); errs == nil {
			t.Errorf("%T %v is taken", v, v)
		}
	}
	for _, v := range []any{"", "a", true, false, int64(-1), 1.5} {
		if _, errs := compileCondition("v", ConditionSpec{Exact: v}); errs != nil {
			t.Errorf("%T %v: %v", v, v, errs)
		}
	}
}

func TestClaimPaths(t *testing.T) {
	t.Parallel()
	doc := claims(t, `{"a.b":"dotted","https://x.example/dept":"uri","o":{"k":"nested","/":"slash","~":"tilde","~1":"both","":"empty"},"l":["zero",{"k":"one"}],"n":null,"":"top"}`)
	for path, want := range map[string]any{
		"a.b": "dotted", "/a.b": "dotted", "https://x.example/dept": "uri", "/o/k": "nested", "/o/~1": "slash", "/o/~0": "tilde",
		"/o/~01": "both", "/o/": "empty", "/l/0": "zero", "/l/1/k": "one", "/": "top",
		"o/k": nil, "/l/-": nil, "/l/2": nil, "/l/00": nil, "/l/+1": nil, "/l/k": nil, "/l/9999999999": nil, "/a.b/x": nil, "/n": nil, "n": nil, "A.B": nil,
	} {
		p, err := parseClaimPath(path)
		if err != nil {
			t.Errorf("%q: %v", path, err)
			continue
		}
		if got, ok := p.find(doc); got != want || ok != (want != nil) {
			t.Errorf("%q finds %v, want %v", path, got, want)
		}
	}
	for _, path := range []string{"", "/~", "/a~2", "/~/x"} {
		if _, err := parseClaimPath(path); err == nil {
			t.Errorf("%q is taken for a path", path)
		}
	}
}

func TestShownValuesAreShortAndOnOneLine(t *testing.T) {
	t.Parallel()
	if got := show("a\nb"); got != `"a\nb"` {
		t.Errorf("got %s", got)
	}
	if none, empty := show([]string(nil)), show([]string{}); none != "[]" || empty != "[]" {
		t.Errorf("an empty list shows as %s and %s", none, empty)
	}
	got := show(strings.Repeat("é", 200))
	if len(got) > maxShown+len("…") || strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("got %d bytes: %s", len(got), got)
	}
}

func FuzzClaimPath(f *testing.F) {
	for _, seed := range []string{"sub", "/a/b", "/~01", "/l/0", "/", "~"} {
		f.Add(seed, "a~/b")
	}
	f.Fuzz(func(t *testing.T, path, name string) {
		if p, err := parseClaimPath(path); err == nil {
			p.find(map[string]any{"a": map[string]any{"b": []any{"x"}}, path: true})
		}
		// What a name is escaped to finds exactly that name, one level down as well.
		escaped := "/o/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
		p, err := parseClaimPath(escaped)
		if err != nil {
			t.Fatalf("%q: %v", escaped, err)
		}
		if v, ok := p.find(map[string]any{"o": map[string]any{name: true}}); !ok || v != true {
			t.Fatalf("%q does not find %q", escaped, name)
		}
	})
}

func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{"0", "-0", "1.50", "1e3", "1e-3", "9007199254740993", "00", ".", "-", "1.2.3", "1e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := parseDecimal(text)
		if !ok || strings.ContainsAny(text, "eE") {
			return
		}
		if strings.Contains(text, ".") {
			text += "0"
		} else {
			text += ".0"
		}
		if same, ok := parseDecimal(text); len(text) <= maxNumber && (!ok || same != d) {
			t.Fatalf("%s: %+v, want %+v", text, same, d)
		}
	})
}
