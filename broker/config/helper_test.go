package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// base is a configuration that loads; the tests below each change one thing about it.
const base = `issuer = "https://id.example"

[api.warehouse]
audience = "https://warehouse.example"
scopes = { "stock.read" = "See stock", "stock.order" = "Order stock" }

[client.portal]
grants = ["token_exchange"]
apis = { warehouse = ["stock.read"] }
secret_sha256 = ["ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"]

[trust.head-office]
issuer = "https://idp.example"
keys = { discovery = true }
require = { department = ["logistics"] }

[trust.head-office.exchange]
jwt = { audiences = ["https://id.example"] }

[[trust.head-office.grant]]
clients = ["portal"]
api = "warehouse"
scopes = ["stock.read"]
when = { level = 3 }
`

// folder writes files (name → text) and returns where they are.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// loadFiles loads apostille.toml among files.
func loadFiles(t testing.TB, files map[string]string) (*Config, error) {
	t.Helper()
	return Load(filepath.Join(folder(t, files), "apostille.toml"))
}

func mustLoad(t testing.TB, files map[string]string) *Config {
	t.Helper()
	c, err := loadFiles(t, files)
	if err != nil {
		t.Fatalf("does not load:\n%v", err)
	}
	return c
}

func mustFail(t testing.TB, files map[string]string) Issues {
	t.Helper()
	_, err := loadFiles(t, files)
	var issues Issues
	if !errors.As(err, &issues) {
		t.Fatalf("got %v, want Issues", err)
	}
	return issues
}

// edit replaces a piece of text that must be there.
func edit(t testing.TB, text, old, replacement string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("the text to edit lacks %q", old)
	}
	return strings.Replace(text, old, replacement, 1)
}

// lineOf is the line of the first occurrence.
func lineOf(t testing.TB, text, piece string) int {
	t.Helper()
	before, _, found := strings.Cut(text, piece)
	if !found {
		t.Fatalf("no %q in the text", piece)
	}
	return strings.Count(before, "\n") + 1
}

// keyFile reads one of the example key files.
func keyFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../configs/keys", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
