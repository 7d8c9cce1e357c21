package config

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"apostille/trust"
)

const partner = `[trust.partner]
issuer = "https://partner.example"
keys = { jwks_file = "keys/partner.json" }
[trust.partner.exchange]
jwt = { audiences = ["https://id.example"] }
`

func TestPolicyFilesAddToTheMainFile(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, map[string]string{
		"apostille.toml": base, "trust.d/partner.toml": partner, "trust.d/keys/partner.json": keyFile(t, "head-office.jwks.json"),
		"trust.d/.partner.toml.swp": "\x00", "trust.d/.hidden.toml": "nonsense", "trust.d/README.md": "nonsense",
	})
	if got := c.Registry.TrustIDs(); !slices.Contains(got, "partner") || !slices.Contains(got, "head-office") {
		t.Errorf("trusts %v", got)
	}
	if c.Keys["partner"].Static == nil || c.Keys["head-office"].Discovery != "https://idp.example" {
		t.Errorf("keys %+v", c.Keys)
	}
	var files []string
	for _, file := range c.Files {
		if !filepath.IsAbs(file) {
			t.Errorf("%s is not absolute", file)
		}
		files = append(files, filepath.Base(file))
	}
	if want := []string{"apostille.toml", "partner.json", "partner.toml"}; !slices.Equal(files, want) {
		t.Errorf("files %v, want %v (paths start at the file that names them)", files, want)
	}
}

func TestTheFolderToWatchIsNamedBeforeItExists(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, map[string]string{"apostille.toml": base})
	if !slices.Equal(c.Folders, []string{filepath.Join(c.Dir, "trust.d")}) {
		t.Errorf("folders %v", c.Folders)
	}
	c = mustLoad(t, map[string]string{"apostille.toml": base, "trust.d/a.toml": ""})
	if !slices.Equal(c.Folders, []string{filepath.Join(c.Dir, "trust.d")}) {
		t.Errorf("folders %v", c.Folders)
	}
}

func TestAPolicyFolderThatIsAFileIsAFault(t *testing.T) {
	t.Parallel()
	issues := mustFail(t, map[string]string{"apostille.toml": base, "trust.d": "x"})
	if len(issues) != 1 || !strings.Contains(issues[0].Text, "cannot be read") {
		t.Errorf("got %v", issues)
	}
}

func TestPolicyFilesHoldPolicyOnly(t *testing.T) {
	t.Parallel()
	issues := mustFail(t, map[string]string{"apostille.toml": base, "trust.d/a.toml": "dev = true\n[listener]\naddress = \"127.0.0.1:1\"\n"})
	if len(issues) != 2 || issues[0].Path != "dev" || issues[1].Path != "listener" || !strings.Contains(issues[1].Remedy, "main file") {
		t.Errorf("got %v", issues)
	}
}

func TestTheSameIDInTwoFilesIsRefusedNamingBoth(t *testing.T) {
	t.Parallel()
	for _, section := range []string{"trust.head-office", "api.warehouse", "client.portal"} {
		issues := mustFail(t, map[string]string{"apostille.toml": base, "trust.d/a.toml": "[" + section + "]\n"})
		if len(issues) != 1 || issues[0].Path != section || filepath.Base(issues[0].File) != "a.toml" || !strings.Contains(issues[0].Text, "apostille.toml line ") {
			t.Errorf("%s: got %v", section, issues)
		}
	}
}

func TestMainFilesAddUpAndAKeyMayStandInOneOnly(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"a.toml": base + "[listener]\naddress = \"127.0.0.1:1\"\n", "b.toml": "[listener]\nmax_body = 5000\n",
		"c.toml": "issuer = \"https://other.example\"\n[listener]\nmax_body = 6000\n",
	})
	a, b, twice := filepath.Join(dir, "a.toml"), filepath.Join(dir, "b.toml"), filepath.Join(dir, "c.toml")
	c, err := Load(a, b, a)
	if err != nil {
		t.Fatal(err)
	}
	if c.Listener.Address != "127.0.0.1:1" || c.Listener.MaxBody != 5000 || c.Dir != dir {
		t.Errorf("got %+v in %s", c.Listener, c.Dir)
	}
	_, err = Load(a, b, twice)
	if err == nil || !strings.Contains(err.Error(), "issuer: already stands in "+a+" line 1") || !strings.Contains(err.Error(), "listener.max_body: already stands in "+b+" line 2") {
		t.Errorf("got %v", err)
	}
}

func TestAMainFileThatCannotBeReadIsAPlainError(t *testing.T) {
	t.Parallel()
	_, err := Load(filepath.Join(t.TempDir(), "gone.toml"))
	if !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
	if _, err := Load(); err == nil {
		t.Error("no file at all loads")
	}
}

func TestAFileOfMoreThanAMebibyteIsNotRead(t *testing.T) {
	t.Parallel()
	pad := strings.Repeat("#", maxFile-len(base)-1) + "\n"
	mustLoad(t, map[string]string{"apostille.toml": pad + base})
	if _, err := loadFiles(t, map[string]string{"apostille.toml": pad + base + "\n"}); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("got %v", err)
	}
	issues := mustFail(t, map[string]string{"apostille.toml": base, "trust.d/a.toml": strings.Repeat("#", maxFile+1)})
	if len(issues) != 1 || !strings.Contains(issues[0].Text, "larger than") {
		t.Errorf("got %v", issues)
	}
}

func TestAReferenceIntoABrokenFileSaysSo(t *testing.T) {
	t.Parallel()
	issues := mustFail(t, map[string]string{"apostille.toml": edit(t, base, `api = "warehouse"`, `api = "stock"`), "trust.d/a.toml": "[api.stock"})
	if !strings.Contains(issues.Error(), "unless a file that could not be read defines it") {
		t.Errorf("got %v", issues)
	}
}

func TestDefaultsAreThoseOfTheReference(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, map[string]string{"apostille.toml": base})
	l := c.Listener
	if l.Address != "127.0.0.1:8080" || l.TLS != nil || l.ReadTimeout != 10*time.Second || l.WriteTimeout != 30*time.Second ||
		l.IdleTimeout != 2*time.Minute || l.MaxHeader != 16384 || l.MaxBody != 65536 {
		t.Errorf("listener %+v", l)
	}
	if c.KeyFile != filepath.Join(c.Dir, "apostille.key") || c.Store.Path != filepath.Join(c.Dir, "apostille.db") || c.Audit.File != filepath.Join(c.Dir, "audit.jsonl") {
		t.Errorf("paths %q %q %q", c.KeyFile, c.Store.Path, c.Audit.File)
	}
	if c.Outbound.Timeout != 10*time.Second || c.Metrics.Address != "" || c.Log != (Log{"info", "json"}) {
		t.Errorf("%+v %+v %+v", c.Outbound, c.Metrics, c.Log)
	}
	if c.Limits.PerIP != (Rate{50, 100}) || c.Limits.PerClient.PerSecond == 0 || c.Limits.Concurrent < 64 {
		t.Errorf("limits %+v", c.Limits)
	}
	if office, _ := c.Registry.Trust("head-office"); office.Spec.Subject != "sub" {
		t.Errorf("the subject is %q", office.Spec.Subject)
	}
	if spec := c.Policy.Trusts["head-office"]; spec.JWT.MaxAge != time.Hour || c.Keys["head-office"].MaxStale != 24*time.Hour {
		t.Errorf("trust %+v", spec)
	}
}

func TestRatesCanBeSwitchedOffAndBurstFollowsTheRate(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, map[string]string{"apostille.toml": base + "[limits]\nper_ip = { rate = 0 }\nper_client = { rate = 2.6 }\nconcurrent = 3\n"})
	if c.Limits != (Limits{Rate{}, Rate{2.6, 6}, 3}) {
		t.Errorf("limits %+v", c.Limits)
	}
}

func TestDevModeTakesWhatOnlyADevelopersMachineNeeds(t *testing.T) {
	t.Parallel()
	text := edit(t, base, `https://id.example"`, `http://id.localhost:8080"`)
	text = edit(t, text, "\n", "\ndev = true\n")
	text = edit(t, text, `issuer = "https://idp.example"`, `issuer = "http://idp.localhost:9000"`)
	text = edit(t, text, "secret_sha256 = "+oneHash, `secret = "hunter2"`)
	text += "[store]\npath = \"memory\"\n[listener]\naddress = \"0.0.0.0:8080\"\n"
	c := mustLoad(t, map[string]string{"apostille.toml": text})
	if got := c.Credentials["portal"].SecretSHA256; len(got) != 1 || got[0] != sha256.Sum256([]byte("hunter2")) {
		t.Error("the literal secret was not hashed")
	}
	if c.Store.Path != "memory" {
		t.Errorf("store %q", c.Store.Path)
	}
	if shown := Effective(c); strings.Contains(shown, "hunter2") || !strings.Contains(shown, `secret_sha256 = ["f52fbd32…"]`) {
		t.Errorf("the effective configuration shows the secret, or no hash:\n%s", shown)
	}
	if issues := mustFail(t, map[string]string{"apostille.toml": edit(t, text, "dev = true\n", "")}); len(issues) < 5 {
		t.Errorf("outside dev mode only %d faults:\n%v", len(issues), issues)
	}
}

func TestASecretFileOpenToOthersIsAWarning(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"apostille.toml": base, "apostille.key": "x"})
	main := filepath.Join(dir, "apostille.toml")
	if c, err := Load(main); err != nil || len(c.Warnings) != 0 {
		t.Fatalf("0600: %v, %v", err, c)
	}
	if err := os.Chmod(filepath.Join(dir, "apostille.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := Load(main)
	if err != nil || len(c.Warnings) != 1 || c.Warnings[0].Path != "key_file" || !strings.Contains(c.Warnings[0].Remedy, "chmod 600") {
		t.Errorf("0644: %v, %+v", err, c)
	}
}

func TestConditionsReadAsWritten(t *testing.T) {
	t.Parallel()
	text := edit(t, base, `when = { level = 3 }`, `when = { a = "x", b = true, c = 3, d = ["x", 1], e = { exact = "x" }, f = { one_of = ["x"] }, g = { none_of = ["x"] }, h = { prefix = "x" }, i = { suffix = "x" }, j = { regex = "x|y" }, k = 1.5 }`)
	c := mustLoad(t, map[string]string{"apostille.toml": text})
	when := c.Policy.Trusts["head-office"].Grants[0].When
	for claim, got := range map[string]bool{
		"a": when["a"].Exact == "x", "b": when["b"].Exact == true, "c": when["c"].Exact == int64(3), "k": when["k"].Exact == 1.5,
		"d": slices.Equal(when["d"].OneOf, []any{"x", int64(1)}), "e": when["e"].Exact == "x", "f": slices.Equal(when["f"].OneOf, []any{"x"}),
		"g": slices.Equal(when["g"].NoneOf, []any{"x"}), "h": when["h"].Prefix == "x", "i": when["i"].Suffix == "x", "j": when["j"].Regex == "x|y",
	} {
		if !got {
			t.Errorf("%s: got %+v", claim, when[claim])
		}
	}
}

func TestKeySourcesAreNamedByWhatTheyAre(t *testing.T) {
	t.Parallel()
	jwks := keyFile(t, "head-office.jwks.json")
	source := func(keys string) string {
		files := map[string]string{"a.json": jwks, "b.json": jwks, "c.json": jwks + "\n", "p.pem": keyFile(t, "partner-2026.pem"), "q.pem": keyFile(t, "partner-next.pem"), "ca.pem": keyFile(t, "cluster-ca.pem")}
		files["apostille.toml"] = edit(t, base, "keys = { discovery = true }", keys)
		return mustLoad(t, files).Policy.Trusts["head-office"].KeySource
	}
	if got := source(`keys = { discovery = true }`); got != "discovery:https://idp.example" {
		t.Errorf("discovery: %q", got)
	}
	if got := source(`keys = { jwks_url = "https://x.example/k" }`); got != "jwks_url:https://x.example/k" {
		t.Errorf("jwks_url: %q", got)
	}
	a, b, c := source(`keys = { jwks_file = "a.json" }`), source(`keys = { jwks_file = "b.json" }`), source(`keys = { jwks_file = "c.json" }`)
	if !strings.HasPrefix(a, "static:") || a != b || a == c {
		t.Errorf("files are named by content: %q %q %q", a, b, c)
	}
	if source(`keys = { certificates = ["p.pem", "q.pem"] }`) != source(`keys = { certificates = ["q.pem", "p.pem"] }`) {
		t.Error("the order of certificates makes another source")
	}
	if source(`keys = { discovery = true }`) == source("keys = { discovery = true }\nca_file = \"ca.pem\"") {
		t.Error("other TLS roots make the same source")
	}
}

func TestKeysForOtherEndsAreLeftOutWithAWarning(t *testing.T) {
	t.Parallel()
	jwks := keyFile(t, "head-office.jwks.json")
	both := edit(t, jwks, `{"keys":[`, `{"keys":[{"kty":"EC","crv":"P-256","use":"enc","kid":"e","x":"uzoI8L_yaoaYl9SmMZg15y-gbDKb7uABS-1lcFr-Ljg","y":"UjG41Qw148369C8t2UnZ18p0aJ06ylaZAm5r3QFLzzs"},`)
	c := mustLoad(t, map[string]string{"apostille.toml": edit(t, base, "discovery = true", `jwks_file = "k.json"`), "k.json": both})
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Text, `key "e" is left out`) || len(c.Keys["head-office"].Static.Keys()) != 1 {
		t.Errorf("warnings %v, keys %+v", c.Warnings, c.Keys["head-office"].Static)
	}
}

func TestADisabledTrustIsStillChecked(t *testing.T) {
	t.Parallel()
	text := edit(t, base, "keys = {", "disabled = true\nkeys = {")
	if c := mustLoad(t, map[string]string{"apostille.toml": text}); !c.Policy.Trusts["head-office"].Disabled {
		t.Error("not disabled")
	}
	mustFail(t, map[string]string{"apostille.toml": edit(t, text, "discovery = true", `jwks_file = "gone"`)})
}

func TestOwnTokensHaveRulesAndNoKeys(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, map[string]string{"apostille.toml": base + "[[trust.local.grant]]\nclients = [\"portal\"]\napi = \"warehouse\"\nscopes = [\"stock.read\"]\n"})
	if _, ok := c.Keys[trust.Local]; ok || len(c.Policy.Trusts[trust.Local].Grants) != 1 {
		t.Errorf("keys %v, local %+v", c.Keys, c.Policy.Trusts[trust.Local])
	}
}
