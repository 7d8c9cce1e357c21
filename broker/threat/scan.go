package threat

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	funcIDs   = regexp.MustCompile(`^(?:Test|Fuzz)((?:[ALR][0-9]{2,3}_)+)`)
	literalID = regexp.MustCompile(`^([ALR][0-9]{2,3})(?:$|[_: ])`)
)

// Scan finds the tests that are named after ids in the *_test.go files of a source tree: functions such as
// TestA44_NoneIsRefused or TestA44_A45_…, and sub-tests and table rows whose string begins with the id ("A44",
// "A44_none"). It returns id → packages (folders), sorted. Folders named testdata or node_modules, those with a leading
// dot, and this package are left out.
func Scan(tree fs.FS) (map[string][]string, error) {
	found := map[string][]string{}
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipDir(name, d.Name())
		}
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, id := range idsOf(file) {
			if dir := path.Dir(name); !slices.Contains(found[id], dir) {
				found[id] = append(found[id], dir)
			}
		}
		return nil
	})
	for _, dirs := range found {
		slices.Sort(dirs)
	}
	return found, err
}

func skipDir(name, base string) error {
	hidden := strings.HasPrefix(base, ".") && name != "."
	if hidden || base == "testdata" || base == "node_modules" || name == "broker/threat" {
		return fs.SkipDir
	}
	return nil
}

// idsOf returns the ids that the tests of a file are named after. A string counts where a test gets its name from: in a
// composite literal (a table's row, a Case) or as the first argument of Run.
func idsOf(file *ast.File) []string {
	var ids []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if m := funcIDs.FindStringSubmatch(n.Name.Name); m != nil && n.Recv == nil {
				ids = append(ids, strings.Split(strings.TrimSuffix(m[1], "_"), "_")...)
			}
		case *ast.CompositeLit:
			for _, e := range n.Elts {
				ids = append(ids, idOfName(e)...)
			}
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Run" && len(n.Args) == 2 {
				ids = append(ids, idOfName(n.Args[0])...)
			}
		}
		return true
	})
	return ids
}

func idOfName(e ast.Expr) []string {
	if kv, ok := e.(*ast.KeyValueExpr); ok {
		e = kv.Value
	}
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return nil
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		return nil
	}
	if m := literalID.FindStringSubmatch(text); m != nil {
		return m[1:2]
	}
	return nil
}
