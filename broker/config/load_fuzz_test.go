package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func FuzzLoad(f *testing.F) {
	f.Add([]byte(base))
	f.Add([]byte("issuer = 1\n[[trust]]\n[api]\nx = 1\n[client.\"\"]\n"))
	f.Add([]byte("dev = true\nissuer = \"http://a\"\n[trust.local]\ngrant = [{}, 1]\n[limits]\nper_ip = {rate = inf}"))
	for _, name := range examples(f) {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "apostille.toml")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path)
		if err == nil {
			if c.Registry == nil {
				t.Fatal("it loads, and has no registry")
			}
			if Effective(c) == "" || Summarize(c).String() == "" {
				t.Fatal("it loads, and says nothing")
			}
			return
		}
		var issues Issues
		if !errors.As(err, &issues) || len(issues) == 0 {
			return
		}
		for _, issue := range issues {
			if issue.File != path || issue.Text == "" || issue.Remedy == "" {
				t.Fatalf("a fault without place, text or remedy: %+v", issue)
			}
		}
	})
}

// BenchmarkLoad5000 loads 5,000 trusts, each in its own file. A start of the broker has one second for all.
func BenchmarkLoad5000(b *testing.B) {
	files := map[string]string{"apostille.toml": base}
	for i := range 5000 {
		files[fmt.Sprintf("trust.d/t%04d.toml", i)] = fmt.Sprintf(`[trust.t%04d]
name = "Office %d"
issuer = "https://idp%d.example"
keys = { discovery = true }
require = { department = ["logistics", "sales"] }

[trust.t%04d.exchange]
jwt = { audiences = ["https://id.example"] }

[[trust.t%04d.grant]]
clients = ["portal"]
api = "warehouse"
scopes = ["stock.read"]
when = { level = 3 }
`, i, i, i, i, i)
	}
	main := filepath.Join(folder(b, files), "apostille.toml")
	for b.Loop() {
		if _, err := Load(main); err != nil {
			b.Fatal(err)
		}
	}
}
