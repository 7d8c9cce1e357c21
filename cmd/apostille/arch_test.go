package main_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// anything is the row of a package that may import every package of this module.
var anything = []string{"*"}

// layout says which packages of this module each package may import, tests apart. A row is added together with the
// package, after a look at the arrows: trust is the bottom and knows nobody, leaves know nobody, cmd/apostille wires.
var layout = map[string][]string{
	"cmd/apostille": anything,
	"cmd/bench":     {},

	"trust":        {},
	"trust/jose":   {},
	"trust/xmlsec": {},

	"upstream":            {"trust"},
	"upstream/fetch":      {},
	"upstream/keys":       {"trust/jose", "upstream/fetch"},
	"upstream/oidc":       {"trust", "trust/jose", "upstream", "upstream/fetch", "upstream/keys"},
	"upstream/saml":       {"trust", "trust/xmlsec", "upstream"},
	"upstream/federation": {"trust", "trust/xmlsec", "upstream/fetch"},

	"upstream/fake": {"trust/jose", "trust/xmlsec"},

	"upstream/saml/samltest": {},

	"exchange": {"trust", "upstream", "upstream/oidc", "broker/oauth"},

	"broker":         {"trust", "broker/clientauth", "broker/mint", "broker/page", "broker/store"},
	"broker/account": {"trust", "broker/audit", "broker/mint", "broker/oauth", "broker/page", "broker/session", "broker/store"},
	"broker/audit":   {},
	"broker/authorize": {"trust", "trust/jose", "upstream", "broker/audit", "broker/authflow", "broker/clientauth", "broker/family", "broker/mint",
		"broker/oauth", "broker/page", "broker/session", "broker/store"},
	"broker/authflow": {"trust", "upstream", "broker/audit", "broker/chooser", "broker/mint", "broker/oauth", "broker/page", "broker/seal",
		"broker/session", "broker/store"},
	"broker/bearer":     {"trust/jose", "upstream/keys", "upstream/fetch", "broker/oauth"},
	"broker/chooser":    {"broker/page"},
	"broker/clientauth": {"trust", "trust/jose", "broker/oauth"},
	"broker/config":     {"trust", "trust/jose", "trust/xmlsec", "upstream/federation", "upstream/keys", "upstream/oidc", "upstream/saml"},
	"broker/family":     {"trust", "exchange", "upstream", "broker/mint", "broker/oauth", "broker/seal", "broker/store", "broker/token"},
	"broker/introspect": {
		"trust", "upstream/oidc", "exchange", "broker/audit", "broker/clientauth", "broker/mint", "broker/oauth", "broker/store", "broker/token",
	},
	"broker/keyring": {"trust", "trust/jose", "broker/store"},
	"broker/logout":  {"trust", "broker/audit", "broker/mint", "broker/oauth", "broker/page", "broker/session", "broker/store"},
	"broker/metrics": {},
	"broker/mint":    {"trust", "trust/jose", "trust/xmlsec", "broker/keyring"},
	"broker/oauth":   {"trust"},
	"broker/seal":    {},
	"broker/samlidp": {
		"trust", "trust/xmlsec", "upstream", "broker/audit", "broker/authflow", "broker/family", "broker/mint", "broker/oauth", "broker/page", "broker/session",
		"broker/store",
	},
	"broker/session":         {"trust", "upstream", "broker/mint", "broker/store"},
	"broker/page":            {},
	"broker/store":           {},
	"broker/store/memory":    {"broker/store"},
	"broker/store/sqlite":    {"broker/store"},
	"broker/store/storetest": {"broker/store"},
	"broker/threat":          {"trust", "broker/audit"},
	"broker/token":           {"trust", "exchange", "broker/audit", "broker/clientauth", "broker/mint", "broker/oauth", "broker/store"},
	"broker/userinfo":        {"trust", "exchange", "upstream/oidc", "broker/family", "broker/mint", "broker/oauth", "broker/store", "broker/token"},
}

// importers says which packages may import a module of somebody else, tests apart. A module that is not listed may be
// imported by nobody: a new dependency is a decision, and its row says where it stops.
var importers = map[string][]string{
	"github.com/lestrrat-go/jwx/v2":       {"trust/jose"},
	"github.com/russellhaering/goxmldsig": {"trust/xmlsec"}, // in tests only: what ours is compared with
	"github.com/beevik/etree":             {"trust/xmlsec"},
	"github.com/crewjam/saml":             {"upstream/saml"}, // messages that we send; what comes is read by ours
	"github.com/coreos/go-oidc/v3":        {"upstream/fake", "upstream/keys", "upstream/oidc"},
	"golang.org/x/oauth2":                 {"upstream/fake"},
	"github.com/BurntSushi/toml":          {"broker/config"},
	"modernc.org/sqlite":                  {"broker/store/sqlite"},
	"github.com/pressly/goose/v3":         {"broker/store/sqlite"},
	"github.com/prometheus/client_golang": {"broker/metrics"},
	"github.com/spf13/cobra":              {"cmd/apostille"},
	"github.com/spf13/pflag":              {"cmd/apostille"},
	"github.com/fsnotify/fsnotify":        {"cmd/apostille"},
	"github.com/google/go-cmp":            {"broker/store/storetest"},
	"github.com/gorilla/sessions":         {"broker/session"},
	"github.com/maypok86/otter/v2":        {"broker/account", "broker/bearer", "broker/chooser", "broker/token", "upstream/oidc"},
	"golang.org/x/text":                   {"broker/chooser", "broker/page"},
	"golang.org/x/time":                   {"broker", "broker/token", "upstream/federation", "upstream/keys"},
}

// testsToo lists modules whose row binds tests as well: leaving one of them must stay a change to one package.
var testsToo = []string{"github.com/lestrrat-go/jwx/v2", "github.com/russellhaering/goxmldsig", "github.com/beevik/etree"}

// onlyFor lists packages of this module that production code must not reach, and who may import them all the same.
var onlyFor = map[string][]string{
	"upstream/fake":          {"cmd/apostille"}, // the demo; serve never starts a fake
	"broker/threat":          {},
	"broker/store/storetest": {},
	"upstream/saml/samltest": {},
}

type goPackage struct {
	ImportPath string
	GoFiles    []string

	Imports, TestImports, XTestImports []string
}

func TestImportsFollowTheLayout(t *testing.T) {
	t.Parallel()
	for _, p := range goPackages(t) {
		if len(p.GoFiles) == 0 {
			continue // tests only
		}
		name := own(p.ImportPath)
		allowed, known := layout[name]
		if !known {
			t.Errorf("package %s has no row in layout (arch_test.go): add it with the packages it may import", name)
			continue
		}
		for _, imported := range p.Imports {
			if to := own(imported); to != "" && !slices.Contains(allowed, to) && !slices.Equal(allowed, anything) {
				t.Errorf("%s imports %s, which its row in layout does not list: turn the dependency round (an interface "+
					"with the consumer), or change the row and the design with it", name, to)
			}
		}
	}
}

// A row that allows what nobody does is a door left open.
func TestTheListsAllowNothingUnused(t *testing.T) {
	t.Parallel()
	imports, testImports := map[string][]string{}, map[string][]string{} // by package
	for _, p := range goPackages(t) {
		if len(p.GoFiles) > 0 {
			imports[own(p.ImportPath)] = p.Imports
			testImports[own(p.ImportPath)] = slices.Concat(p.TestImports, p.XTestImports)
		}
	}
	for name, allowed := range layout {
		if _, exists := imports[name]; !exists {
			t.Errorf("layout has a row for %s, which does not exist", name)
		}
		for _, to := range allowed {
			if to != "*" && !slices.Contains(imports[name], "apostille/"+to) {
				t.Errorf("layout lets %s import %s, which it does not", name, to)
			}
		}
	}
	for module, users := range importers {
		for _, name := range users {
			used := imports[name]
			if slices.Contains(testsToo, module) {
				used = slices.Concat(used, testImports[name])
			}
			if !slices.ContainsFunc(used, func(i string) bool { return moduleOf(i) == module }) {
				t.Errorf("importers lets %s import %s, which it does not", name, module)
			}
		}
	}
}

func TestTestSupportStaysOutOfProduction(t *testing.T) {
	t.Parallel()
	for _, p := range goPackages(t) {
		for _, imported := range p.Imports {
			users, guarded := onlyFor[own(imported)]
			if guarded && !slices.Contains(users, own(p.ImportPath)) {
				t.Errorf("%s imports %s, which is for tests and %v only", own(p.ImportPath), own(imported), users)
			}
		}
	}
}

func TestL23_EachModuleOfOthersHasItsImporters(t *testing.T) {
	t.Parallel()
	for _, p := range goPackages(t) {
		for _, imported := range p.Imports {
			checkImporter(t, p, imported)
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			if slices.Contains(testsToo, moduleOf(imported)) {
				checkImporter(t, p, imported)
			}
		}
	}
}

// samlsp signs with SHA-1, takes RelayState for an address, and its session cookie is a token that nobody can revoke. Of crewjam/saml we take the
// messages that we send, and nothing that reads.
func TestL11_OfCrewjamSAMLOnlyMessagesAreUsed(t *testing.T) {
	t.Parallel()
	found := false
	for _, p := range goPackages(t) {
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			found = found || imported == "github.com/crewjam/saml"
			if strings.HasPrefix(imported, "github.com/crewjam/saml/") {
				t.Errorf("%s imports %s", own(p.ImportPath), imported)
			}
		}
	}
	if !found {
		t.Error("nobody imports crewjam/saml: this test and its row in importers can go")
	}
}

func checkImporter(t *testing.T, p goPackage, imported string) {
	t.Helper()
	if own(imported) != "" || !strings.Contains(strings.Split(imported, "/")[0], ".") {
		return // this module or the standard library
	}
	module := moduleOf(imported)
	if module == "" {
		t.Errorf("%s imports %s, whose module has no row in importers (arch_test.go): add it with the packages that may "+
			"import it", own(p.ImportPath), imported)
		return
	}
	if !slices.Contains(importers[module], own(p.ImportPath)) {
		t.Errorf("%s imports %s, which only %v may: use what those packages export", own(p.ImportPath), imported,
			importers[module])
	}
}

// own returns the path of a package of this module below its root, and "" for a foreign one.
func own(importPath string) string {
	path, ok := strings.CutPrefix(importPath, "apostille/")
	if !ok {
		return ""
	}
	return path
}

// moduleOf returns the module of importers that holds the package, and "" if none does.
func moduleOf(importPath string) string {
	for module := range importers {
		if importPath == module || strings.HasPrefix(importPath, module+"/") {
			return module
		}
	}
	return ""
}

func goPackages(t *testing.T) []goPackage {
	t.Helper()
	out := output(t, "go", "list", "-e", "-json=ImportPath,GoFiles,Imports,TestImports,XTestImports", "./...")
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("go list answered no JSON: %v", err)
		}
		packages = append(packages, p)
	}
	if len(packages) == 0 {
		t.Fatal("go list found no package")
	}
	return packages
}

// output runs a command at the module's root and returns what it printed.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return string(out)
}
