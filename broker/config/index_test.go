package config

import (
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

func TestLineIndexFindsEachKeyWhereItStands(t *testing.T) {
	t.Parallel()
	src := strings.Join([]string{
		`issuer = "https://id.example"     # 1`,
		`"quo.ted" = '''`,
		`[not.a.table]`,
		`'''`,
		``,
		`[trust.head-office]               # 6`,
		`keys = { discovery = true }`,
		`require = { department = [        # 8`,
		`  "a ] b", # ]`,
		`  "c",`,
		`] }`,
		`[[trust.head-office.grant]]       # 12`,
		`clients = ["x"]`,
		`[[trust.head-office.grant]]       # 14`,
		`scopes = [`,
		`  "one",                          # 16`,
		`  """two""""",`,
		`]`,
		`[trust.head-office.grant.when]    # 19`,
		`a.b = 1`,
		`[client . "my.app"]               # 21`,
		`"na\u006de" = "x"`,
		`grant = [{ a = 1 }, { b = 2 }]    # 23`,
	}, "\r\n")
	x := indexLines(src)
	for path, line := range map[string]int{
		"issuer": 1, `"quo.ted"`: 2, "trust": 6, "trust.head-office": 6,
		"trust.head-office.keys": 7, "trust.head-office.keys.discovery": 7,
		"trust.head-office.require.department":    8,
		"trust.head-office.require.department[1]": 10,
		"trust.head-office.grant":                 12, "trust.head-office.grant[0].clients": 13,
		"trust.head-office.grant[1]": 14, "trust.head-office.grant[1].scopes[0]": 16,
		"trust.head-office.grant[1].scopes[1]": 17,
		"trust.head-office.grant[1].when":      19, "trust.head-office.grant[1].when.a.b": 20,
		`client."my.app"`: 21, `client."my.app".name`: 22, `client."my.app".grant[1].b`: 23,
	} {
		if got := x[path]; got != line {
			t.Errorf("%s: line %d, want %d", path, got, line)
		}
	}
	if line := x.find("trust.head-office.grant[1].lifetime"); line != 14 {
		t.Errorf("a key that is not there resolves to line %d, want its table's 14", line)
	}
	if line := x.find(`client."my.app"."na[me].x"`); line != 21 {
		t.Errorf("a quoted name is cut inside: line %d, want 21", line)
	}
	if line := x.find("audit.file"); line != 0 {
		t.Errorf("a path of another file resolves to line %d, want 0", line)
	}
}

func TestNestingIsBoundedBeforeTheLibrarySeesIt(t *testing.T) {
	t.Parallel()
	deep := map[string]string{
		"arrays":        "a = " + strings.Repeat("[", 20000) + strings.Repeat("]", 20000),
		"inline tables": "a = " + strings.Repeat("{a=", 20000) + "1" + strings.Repeat("}", 20000),
		"dotted keys":   strings.Repeat("a.", 20000) + "a = 1",
		"headers":       "[" + strings.Repeat("a.", 20000) + "a]",
	}
	for name, src := range deep {
		if line := nestingFault("\n" + src); line != 2 {
			t.Errorf("%s: fault on line %d, want 2", name, line)
		}
	}
	if line := nestingFault("a = " + strings.Repeat("[", 20) + strings.Repeat("]", 20)); line != 0 {
		t.Errorf("20 levels are refused on line %d", line)
	}
}

func FuzzLineIndex(f *testing.F) {
	for _, seed := range []string{
		"a = 1\n[b.c]\nd = '''\n[x]\n'''\n[[e]]\n[[e]]\nf = [1, [2, {g = \"]\"}]]", "\"a\\u0062\" = \"\"\"x\\\"\"\"\"\"\n'c' = 1",
		"a = {b = [\n1,\n], c = 2}\nd.e . 'f' = 1979-05-27 07:32:00", "\ufeffa=1\r\nb=2", "[[", "a = \"\\", "a = [{", "=", "]", "\"\"=1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		x := indexLines(src)
		last := strings.Count(src, "\n") + 1
		for path, line := range x {
			if line < 1 || line > last {
				t.Fatalf("%q is said to stand on line %d of %d", path, line, last)
			}
		}
		if nestingFault(src) != 0 || len(src) > 1<<16 {
			return
		}
		var tree map[string]any
		if _, err := toml.Decode(src, &tree); err != nil {
			return
		}
		for key := range tree {
			if _, ok := x[joinPath("", key)]; !ok {
				t.Fatalf("top-level key %q is not found; the index holds %v", key, x)
			}
		}
	})
}
