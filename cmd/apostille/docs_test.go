package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"apostille/broker/config"
	"apostille/broker/oauth"
	"apostille/trust"
)

var moduleRoot = filepath.Join("..", "..")

func TestConfigurationPageIsTheGeneratedOne(t *testing.T) {
	t.Parallel()
	if string(content(t, moduleRoot, "docs/configuration.md")) != config.Reference() {
		t.Error("run: apostille config reference > docs/configuration.md")
	}
}

func TestRefusalsPageHasEveryReasonAsItIsTold(t *testing.T) {
	t.Parallel()
	rows := map[string]string{} // reason → told as
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (\\d+ `[a-z_]+`) \\|").FindAllStringSubmatch(string(content(t, moduleRoot, "docs/errors.md")), -1) {
		rows[row[1]] = row[2]
	}
	reasons := declaredReasons(t)
	if len(reasons) < 40 {
		t.Fatalf("only %d reasons found", len(reasons))
	}
	for _, reason := range reasons {
		e := oauth.ErrorFor(trust.GrantTokenExchange, trust.Reason(reason), nil)
		if want := fmt.Sprintf("%d `%s`", e.Status, e.Code); rows[reason] != want {
			t.Errorf("docs/errors.md: %s is told as %q, want a row that says %q", reason, rows[reason], want)
		}
		delete(rows, reason)
	}
	for reason := range rows {
		t.Errorf("docs/errors.md: there is no reason %s", reason)
	}
}

// declaredReasons reads the values of all constants of type Reason.
func declaredReasons(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(moduleRoot, "trust", "reason.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Reason" {
			return true
		}
		for _, v := range spec.Values {
			if value, err := strconv.Unquote(v.(*ast.BasicLit).Value); err == nil {
				out = append(out, value)
			}
		}
		return true
	})
	return out
}

func TestMetricsInTheDocumentationExist(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`\bapostille_[a-z_]+\b`)
	sources, err := filepath.Glob(filepath.Join(moduleRoot, "broker", "metrics", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var made []string
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		made = append(made, name.FindAllString(string(content(t, filepath.Dir(source), filepath.Base(source))), -1)...)
	}
	made = unique(made)
	told := unique(name.FindAllString(string(content(t, moduleRoot, "docs/operations.md")), -1))
	if len(made) == 0 || !slices.Equal(made, told) {
		t.Errorf("docs/operations.md tells %v, the program makes %v", told, made)
	}
}

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

func TestLinksOfTheDocumentationLeadSomewhere(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob(filepath.Join(moduleRoot, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, filepath.Join(moduleRoot, "README.md"))
	if len(pages) < 7 {
		t.Fatalf("only %v found", pages)
	}
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#([^)]*))?\)`)
	for _, page := range pages {
		text := string(content(t, filepath.Dir(page), filepath.Base(page)))
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			target := filepath.Join(filepath.Dir(page), found[1])
			b, err := os.ReadFile(target)
			if err != nil {
				t.Errorf("%s: %v", page, err)
				continue
			}
			if found[2] != "" && !strings.Contains(strings.ToLower(string(b)), "\n## "+strings.ReplaceAll(found[2], "-", " ")+"\n") {
				t.Errorf("%s: %s has no heading %q", page, target, found[2])
			}
		}
	}
}

// TestTheConformanceTableNamesTestsThatExist holds docs/conformance.md to the source.
func TestTheConformanceTableNamesTestsThatExist(t *testing.T) {
	t.Parallel()
	declared := map[string]bool{}
	err := filepath.WalkDir(moduleRoot, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			declared[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(string(content(t, moduleRoot, filepath.Join("docs", "conformance.md"))), -1)
	if len(named) < 20 {
		t.Fatalf("only %d tests are named", len(named))
	}
	for _, m := range named {
		if !declared[m[1]] {
			t.Errorf("docs/conformance.md names %s, which does not exist", m[1])
		}
	}
}
