package trust

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"
)

// declaredReasons reads the constants of type Reason from the source, so that a new one cannot be forgotten.
func declaredReasons(t *testing.T) map[string]Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Reason{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Reason" {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out[spec.Names[0].Name] = Reason(value)
		}
		return true
	})
	return out
}

func TestEveryReasonHasAClassAndACodeOfItsOwn(t *testing.T) {
	t.Parallel()
	declared := declaredReasons(t)
	if len(declared) < 40 || len(declared) != len(classes) {
		t.Fatalf("%d reasons are declared and %d have a class", len(declared), len(classes))
	}
	seen := map[Reason]string{}
	for name, r := range declared {
		if _, ok := classes[r]; !ok {
			t.Errorf("%s has no class", name)
		}
		if other, ok := seen[r]; ok {
			t.Errorf("%s and %s are both %q", name, other, r)
		}
		seen[r] = name
	}
}

func TestClasses(t *testing.T) {
	t.Parallel()
	for r, want := range map[Reason]Class{
		"": ClassInternal, "made up": ClassInternal, ReasonPanic: ClassInternal, ReasonSignature: ClassSubject, ReasonNoRule: ClassTarget,
		ReasonScopeEmpty: ClassScope, ReasonGrantNotAllowed: ClassGrant, ReasonClientUnknown: ClassClient, ReasonStandingUnknown: ClassUnavailable,
		ReasonRequest: ClassRequest,
	} {
		if got := r.Class(); got != want {
			t.Errorf("%q is %s, want %s", r, got, want)
		}
	}
}
