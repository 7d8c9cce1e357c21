package threat

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
)

var update = flag.Bool("update", false, "write the places found into docs/threats.md")

var (
	root = filepath.Join("..", "..")
	doc  = filepath.Join(root, "docs", "threats.md")
)

func TestTheTableNamesWhereEachDemandIsTested(t *testing.T) {
	t.Parallel()
	markdown, rows, found := readTree(t)
	fresh := WithPlaces(markdown, found)
	if *update {
		if err := os.WriteFile(doc, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if fresh != markdown {
		t.Error("docs/threats.md does not say where its rows are tested; run\n\tgo test ./broker/threat -run TestTheTable -update")
	}
	for id, where := range found {
		if !hasRow(rows, id) {
			t.Errorf("a test in %v is named after %s, which has no row in docs/threats.md", where, id)
		}
	}
}

func TestTheTableHasATestForEachDemand(t *testing.T) {
	t.Parallel()
	_, rows, found := readTree(t)
	for _, row := range rows {
		if len(found[row.ID]) == 0 {
			t.Errorf("%s has no test: given %s, must %s. Add a threat.Case or a function Test%s_…, with its twin", row.ID,
				row.Given, row.Must, row.ID)
		}
	}
}

func readTree(t *testing.T) (markdown string, rows []Row, found map[string][]string) {
	t.Helper()
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	if rows, err = ParseTable(string(text)); err != nil {
		t.Fatalf("docs/threats.md: %v", err)
	}
	if len(rows) == 0 {
		t.Fatal("docs/threats.md has no rows")
	}
	if found, err = Scan(os.DirFS(root)); err != nil {
		t.Fatal(err)
	}
	return string(text), rows, found
}

func hasRow(rows []Row, id string) bool {
	for _, r := range rows {
		if r.ID == id {
			return true
		}
	}
	return false
}

func TestParseTableReadsRowsAndRefusesBrokenOnes(t *testing.T) {
	t.Parallel()
	const head = "# Title\n\n| id | given | must | where tested |\n|---|---|---|---|\n"
	for _, c := range []struct {
		name, text string
		want       []Row
		fault      string
	}{
		{"a row with two places", head + "| A44 | none | refuse | `trust/jose`, `broker/token` |\n",
			[]Row{{"A44", "none", "refuse", []string{"trust/jose", "broker/token"}}}, ""},
		{"a row without place", head + "| R08 | SIGTERM | end | |", []Row{{ID: "R08", Given: "SIGTERM", Must: "end"}}, ""},
		{"text without a table", "no table\n", nil, ""},
		{"an id that comes twice", head + "| L16 | a | b | |\n| L16 | a | b | |\n", nil, "line 6: L16 comes twice"},
		{"a row without a demand", head + "| A44 | none | | |\n", nil, "line 5"},
		{"a row with too many cells", head + "| A44 | a|b | refuse | |\n", nil, "line 5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rows, err := ParseTable(c.text)
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Fatalf("error %v, wanted %q", err, c.fault)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(rows, c.want) {
				t.Errorf("rows %+v, error %v, wanted %+v", rows, err, c.want)
			}
		})
	}
}

func TestWithPlacesChangesTheLastColumnOnly(t *testing.T) {
	t.Parallel()
	const text = "# Title\n\n| id | given | must | where tested |\n|---|---|---|---|\n| A44 | x | y | `gone` |\n| A45 | x | y | |\nend\n"
	got := WithPlaces(text, map[string][]string{"A45": {"broker/token", "trust/jose"}})
	want := strings.NewReplacer("| `gone` |", "|  |", "| A45 | x | y | |", "| A45 | x | y | `broker/token`, `trust/jose` |").Replace(text)
	if got != want {
		t.Errorf("got\n%s\nwanted\n%s", got, want)
	}
	if again := WithPlaces(got, map[string][]string{"A45": {"broker/token", "trust/jose"}}); again != got {
		t.Errorf("a second run changes it again:\n%s", again)
	}
}

func TestScanFindsTestsByTheirNames(t *testing.T) {
	t.Parallel()
	file := func(source string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(source)} }
	found, err := Scan(fstest.MapFS{
		"trust/jose/a_test.go": file(`package jose
			func TestA44_NoneIsRefused(t *testing.T) {}
			func TestA45_L24_BothAreNamed(t *testing.T) {}
			func TestA46IsNotFollowedByALine(t *testing.T) {}
			func helper() { _ = "A47"; t.Log("A48", 1) }`),
		"broker/token/b_test.go": file(`package token
			var cases = []threat.Case{{ID: "A44"}, {ID: "A49"}}
			var rows = []row{{"A50_padding is refused", 1}}
			func TestRows(t *testing.T) { t.Run("R08 ends in time", func(t *testing.T) {}) }`),
		"broker/token/b.go":               file(`package token; func TestA51_NotATest() {}`),
		"broker/token/testdata/c_test.go": file(`package c; func TestA52_Vector(t *testing.T) {}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"A44": {"broker/token", "trust/jose"}, "A45": {"trust/jose"}, "L24": {"trust/jose"},
		"A49": {"broker/token"}, "A50": {"broker/token"}, "R08": {"broker/token"},
	}
	if !reflect.DeepEqual(found, want) {
		t.Errorf("found %v, wanted %v", found, want)
	}
}

func TestScanFailsOnATestItCannotRead(t *testing.T) {
	t.Parallel()
	if _, err := Scan(fstest.MapFS{"a/b_test.go": {Data: []byte("package")}}); err == nil {
		t.Error("a file that is no Go was passed over")
	}
}
