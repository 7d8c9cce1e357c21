package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// never are calls and fields that verify with keys a token names, or not at all, or fetch without our guard.
var never = map[string]string{
	"WithVerifyAuto": "jwx", "ParseInsecure": "jwx", "WithKeySetProvider": "jwx", "NewCache": "jwx", "NewCachedSet": "jwx", "WithJWKSetFetcher": "jwx",
	"InsecureSkipSignatureCheck": "go-oidc", "InsecureIssuerURLContext": "go-oidc", "SkipIssuerCheck": "go-oidc", "SkipExpiryCheck": "go-oidc",
	"NewRemoteKeySet": "go-oidc", "InsecureSkipVerify": "crypto/tls",
}

// forbidden reads what a file uses of that; a name that a package of ours has is no use of the library's.
func forbidden(file *ast.File) (uses []string) {
	libraries := map[string]bool{}
	for _, i := range file.Imports {
		for name, part := range map[string]string{"jwx": "lestrrat-go/jwx", "go-oidc": "coreos/go-oidc", "crypto/tls": "crypto/tls"} {
			libraries[name] = libraries[name] || strings.Contains(i.Path.Value, part)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		var name string
		switch n := n.(type) {
		case *ast.SelectorExpr:
			name = n.Sel.Name
		case *ast.KeyValueExpr:
			if id, ok := n.Key.(*ast.Ident); ok {
				name = id.Name
			}
		}
		if library, ok := never[name]; ok && libraries[library] {
			uses = append(uses, name)
		}
		return true
	})
	return uses
}

func TestL28_CallsThatVerifyNothingAreNotUsed(t *testing.T) {
	t.Parallel()
	files := 0
	err := fs.WalkDir(os.DirFS(filepath.Join("..", "..")), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "cmd/bench") {
			return nil
		}
		files++
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", path), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, use := range forbidden(file) {
			t.Errorf("%s uses %s", path, use)
		}
		return nil
	})
	if err != nil || files < 50 {
		t.Fatalf("%d files read, error %v", files, err)
	}
}

func TestForbiddenCallsAreSeen(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]int{
		`package x; import "github.com/lestrrat-go/jwx/v2/jwt"; var _, _ = jwt.ParseInsecure(nil)`:     1,
		`package x; import "crypto/tls"; var _ = tls.Config{InsecureSkipVerify: true}`:                 1,
		`package x; import "github.com/coreos/go-oidc/v3/oidc"; var _ = oidc.NewRemoteKeySet(nil, "")`: 1,
		`package x; import "apostille/upstream/fake"; var _ = fake.NewProvider(fake.Options{})`:        0,
		`package x; import "github.com/lestrrat-go/jwx/v2/jws"; var _, _ = jws.NewVerifier("ES256")`:   0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := forbidden(file); len(got) != want {
			t.Errorf("%s: %v", source, got)
		}
	}
}
