package config

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func examples(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../../configs/*.toml")
	if err != nil || len(files) < 3 {
		t.Fatalf("examples %v, %v", files, err)
	}
	return files
}

func TestExamplesLoadWithoutWarnings(t *testing.T) {
	t.Parallel()
	for _, file := range examples(t) {
		c, err := Load(file)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if len(c.Warnings) != 0 || c.Registry == nil {
			t.Errorf("%s: %v", file, c.Warnings)
		}
		if s := Summarize(c); len(s.Idle) != 0 {
			t.Errorf("%s: clients that get nothing: %v", file, s.Idle)
		}
	}
}

// What the effective text says, loaded again, says the same: nothing is lost, and defaults are what they are called.
func TestTheEffectiveTextMeansWhatWasLoaded(t *testing.T) {
	t.Parallel()
	redacted := regexp.MustCompile(`[0-9a-f]{8}…`)
	for _, file := range examples(t) {
		c, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		text := Effective(c)
		whole := redacted.ReplaceAllStringFunc(text, func(short string) string {
			return strings.TrimSuffix(short, "…") + strings.Repeat("0", 56)
		})
		again := mustLoad(t, map[string]string{"apostille.toml": whole})
		if got := Effective(again); got != text {
			t.Errorf("%s: got\n%s\nwant\n%s", file, got, text)
		}
		if d := Compare(c, again); len(d.Gains)+len(d.Losses)+len(d.Altered) > 0 {
			t.Errorf("%s: %s", file, d)
		}
	}
}

func TestEffectiveQuotesWhatTOMLWouldMisread(t *testing.T) {
	t.Parallel()
	text := edit(t, base, `when = { level = 3 }`, `when = { "a\"b" = "x\\y", "/a/b" = { regex = 'a\.b' }, f = 2.0 }`)
	c := mustLoad(t, map[string]string{"apostille.toml": text})
	want := `when = { "/a/b" = { regex = "a\\.b" }, "a\"b" = "x\\y", f = 2.0 }`
	if got := Effective(c); !strings.Contains(got, want) {
		t.Errorf("no %s in\n%s", want, got)
	}
}

func TestTheSummarySaysWhoMayGetWhatFromWhom(t *testing.T) {
	t.Parallel()
	idle := "\n[client.lonely]\nsecret_sha256 = " + oneHash + "\n[[trust.head-office.grant]]\nunauthenticated = true\napi = \"warehouse\"\nscopes = [\"stock.order\"]\n"
	c := mustLoad(t, map[string]string{"apostille.toml": base + idle})
	s := Summarize(c)
	text := s.String()
	for _, want := range []string{
		"https://id.example: 1 API, 2 clients, 1 trust\n",
		"trust head-office\n  issuer https://idp.example, keys discovery:https://idp.example\n  takes jwt for https://id.example\n",
		"  portal may get stock.read of warehouse (by token_exchange, for 10m, if department is one of [\"logistics\"] and level is 3) [head-office.grant[0]]\n",
		"  anybody with its token may get stock.order of warehouse (by token_exchange, jwt_bearer, for 10m, if department is one of [\"logistics\"]) [head-office.grant[1]]\n",
		"clients that get nothing from anybody: lonely\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	var back Summary
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &back); err != nil || back.String() != text {
		t.Errorf("%v: the JSON form loses something:\n%s", err, back.String())
	}
}

func TestTheDiffSaysWhoGainsAndWhoLoses(t *testing.T) {
	t.Parallel()
	old := mustLoad(t, map[string]string{"apostille.toml": base})
	for _, row := range []struct {
		name, old, replacement string
		want                   []string
	}{
		{"a scope that the client's registration withholds changes nothing", `scopes = ["stock.read"]`, `scopes = ["stock.read", "stock.order"]`, []string{"nothing changes\n"}},
		{"another mapped claim is a setting", "when = {", "claims = { dept = \"department\" }\nwhen = {", []string{`~ trust.head-office.grant[0].claims: (not set) → { dept = "department" }`}},
		{"a registration that no rule uses is a setting", `apis = { warehouse = ["stock.read"] }`, `apis = { warehouse = ["stock.read", "stock.order"] }`,
			[]string{`~ client.portal.apis: { warehouse = ["stock.read"] } → { warehouse = ["stock.read", "stock.order"] }`}},
		{"a client that is disabled loses", "[client.portal]", "[client.portal]\ndisabled = true", []string{"loses access\n  - head-office: portal, stock.read of warehouse\n", "~ client.portal.disabled: (not set) → true"}},
		{"a trust that is disabled takes all with it", "[trust.head-office]", "[trust.head-office]\ndisabled = true", []string{"loses access\n  - head-office: portal, stock.read of warehouse\n"}},
		{"a client without its grant loses", `grants = ["token_exchange"]`, `grants = []`, []string{"loses access\n  - head-office: portal"}},
		{"a rule for anybody is a gain", `clients = ["portal"]`, `unauthenticated = true`, []string{"gains access\n  + head-office: anybody with its token, stock.read of warehouse\n", "loses access\n  - head-office: portal"}},
		{"another condition is other terms", "level = 3", "level = 4", []string{"access on other terms\n  ~ head-office: portal", "and level is 3\n", "and level is 4\n"}},
		{"a shorter life is other terms", "when = {", "lifetime = \"5m\"\nwhen = {", []string{"for 10m", "for 5m"}},
		{"other keys are a setting", "discovery = true", `jwks_url = "https://idp.example/k"`, []string{"~ trust.head-office.keys: discovery:https://idp.example → jwks_url:https://idp.example/k"}},
		{"another secret is a setting, shortened", oneHash, `["` + strings.Repeat("ab", 32) + `"]`, []string{`~ client.portal.secret_sha256: ["ba7816bf…"] → ["abababab…"]`}},
		{"another issuer is a setting", "https://idp.example", "https://idp2.example", []string{"~ trust.head-office.issuer: "}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			text := Compare(old, mustLoad(t, map[string]string{"apostille.toml": edit(t, base, row.old, row.replacement)})).String()
			for _, want := range row.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in\n%s", want, text)
				}
			}
		})
	}
}

func TestAFileThatDidNotChangeHasAnEmptyDiff(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"apostille.toml": base})
	before, err := Load(filepath.Join(dir, "apostille.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "apostille.toml"), []byte("# a comment\n"+base), 0o600); err != nil {
		t.Fatal(err)
	}
	after, err := Load(filepath.Join(dir, "apostille.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if d := Compare(before, after); !d.Empty() || d.String() != "nothing changes\n" {
		t.Errorf("got %s", d)
	}
}

func TestAKeyFileWithOtherKeysShowsInTheDiff(t *testing.T) {
	t.Parallel()
	text := edit(t, edit(t, base, "discovery = true", `certificates = ["k.pem"]`), "secret_sha256 = "+oneHash, `jwks_file = "c.json"`)
	jwks := keyFile(t, "head-office.jwks.json")
	before := mustLoad(t, map[string]string{"apostille.toml": text, "k.pem": keyFile(t, "partner-2026.pem"), "c.json": jwks})
	after := mustLoad(t, map[string]string{"apostille.toml": text, "k.pem": keyFile(t, "partner-next.pem"), "c.json": edit(t, jwks, "head-office-2026", "other")})
	var paths []string
	for _, c := range Compare(before, after).Changes {
		paths = append(paths, c.Path)
	}
	for _, want := range []string{"trust.head-office.keys", "client.portal.jwks_file"} {
		if !slices.Contains(paths, want) {
			t.Errorf("%s is not among the changes %v", want, paths)
		}
	}
}
