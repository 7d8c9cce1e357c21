package jose

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const jwx = "github.com/lestrrat-go/jwx/"

// goFiles calls f with every Go file below root, testdata and hidden folders left out.
func goFiles(t *testing.T, root string, f func(path string, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := d.Name(); d.IsDir() && path != root && (name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".")) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err == nil {
			f(path, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// L23, L24, L27: jwx is unmaintained, parses leniently and has a key cache that never asks for an unknown kid. One package
// imports it, so that leaving it is a change of one package; of it that package imports the signatures alone.
func TestL23_L24_L27_OnlyThisPackageImportsJwxAndOnlyItsSignatures(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	goFiles(t, filepath.Join("..", ".."), func(path string, file *ast.File) {
		for _, spec := range file.Imports {
			name := must(strconv.Unquote(spec.Path.Value))
			if !strings.HasPrefix(name, jwx) {
				continue
			}
			found[strings.TrimPrefix(name, jwx)] = true
			if filepath.ToSlash(filepath.Dir(path)) != "../../trust/jose" {
				t.Errorf("%s imports %s; only trust/jose may", path, name)
			}
		}
	})
	if len(found) != 2 || !found["v2/jws"] || !found["v2/jwa"] {
		t.Errorf("packages of jwx in use: %v, want v2/jws and v2/jwa only", found)
	}
}

// L28: of jws only the two constructors are used. Everything else parses what Parse refuses, or can be told not to verify.
func TestL28_OnlySignerAndVerifierOfJwsAreUsed(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	goFiles(t, ".", func(path string, file *ast.File) {
		if strings.HasSuffix(path, "_test.go") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "jws" && strings.ToUpper(sel.Sel.Name[:1]) == sel.Sel.Name[:1] {
					used[sel.Sel.Name] = true
				}
			}
			return true
		})
	})
	if len(used) != 2 || !used["NewSigner"] || !used["NewVerifier"] {
		t.Errorf("used of jws: %v, want NewSigner and NewVerifier only", used)
	}
}

// L25: what the claims rules need to judge reaches them unchanged; see TestA61_NumbersAndStringsStayApart for the types.
func TestL25_ATokenWithoutTimesIsParsedButGainsNone(t *testing.T) {
	t.Parallel()
	parsed, err := Parse(forge(plainHeader, `{"sub":"alice"}`))
	if err != nil {
		t.Fatal(err)
	}
	if len(parsed.Claims) != 1 || parsed.Claims["sub"] != "alice" {
		t.Errorf("claims %v", parsed.Claims)
	}
}
