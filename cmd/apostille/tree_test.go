package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"apostille/broker/keyring"
	"apostille/upstream/fake"

	"github.com/spf13/cobra"
)

// walk visits every command of ours; cobra adds help and completion, which are its own.
func walk(cmd *cobra.Command, visit func(*cobra.Command)) {
	if cmd.Name() == "help" || cmd.Name() == "completion" {
		return
	}
	visit(cmd)
	for _, sub := range cmd.Commands() {
		walk(sub, visit)
	}
}

func tree() *cobra.Command {
	a := &app{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard, now: time.Now}
	return a.root()
}

func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()
	walk(tree(), func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		if cmd.Short == "" {
			t.Errorf("%s has no Short", path)
		}
		if !strings.Contains(cmd.Example, path) && cmd.HasParent() {
			t.Errorf("%s has no Example that begins with it: %q", path, cmd.Example)
		}
		if cmd.Runnable() && cmd.Args == nil {
			t.Errorf("%s does not say which arguments it takes", path)
		}
	})
}

// jsonCalls is how each command is called to print JSON. %D is the folder of the configuration.
var jsonCalls = map[string]string{
	"apostille init":               "init --dir %D/new",
	"apostille check":              "check",
	"apostille explain":            "explain --client warehouse-portal --subject-token @%D/token",
	"apostille inspect":            "inspect @%D/token",
	"apostille config show":        "config show",
	"apostille config diff":        "config diff %D/apostille.toml %D/apostille.toml",
	"apostille config schema":      "config schema",
	"apostille config reference":   "config reference",
	"apostille trust list":         "trust list",
	"apostille trust show":         "trust show head-office",
	"apostille trust test":         "trust test head-office --subject-token @%D/token",
	"apostille trust import cert":  "trust import cert %D/hq.pem --id new",
	"apostille trust import jwks":  "trust import jwks %D/hq.jwks.json --id new",
	"apostille trust expiring":     "trust expiring",
	"apostille federation list":    "federation list",
	"apostille federation search":  "federation search somewhere",
	"apostille federation refresh": "federation refresh",
	"apostille keys list":          "keys list",
	"apostille keys rotate":        "keys rotate --alg ES256",
	"apostille client new":         "client new x",
	"apostille client list":        "client list",
	"apostille subject block":      "subject block somebody",
	"apostille subject unblock":    "subject unblock somebody",
	"apostille subject not-before": "subject not-before somebody now",
	"apostille subject list":       "subject list",
	"apostille session list":       "session list --sub somebody",
	"apostille session logouts":    "session logouts",
	"apostille session revoke":     "session revoke --sub somebody",
	"apostille store check":        "store check",
	"apostille store migrate":      "store migrate",
	"apostille store status":       "store status",
	"apostille audit search":       "audit search %D/trail.jsonl",
	"apostille version":            "version",
}

// notHere are commands whose JSON other tests look at, or that have none.
var notHere = map[string]string{
	"apostille serve":                 "runs until it is told to stop",
	"apostille exchange":              "exchange.txtar: it needs a server",
	"apostille health":                "exchange.txtar: it needs a server",
	"apostille trust import oidc":     "import.txtar: it needs an issuer",
	"apostille trust import metadata": "assertion.txtar: it needs a document",
	"apostille keys retire":           "it needs a kid",
	"apostille demo":                  "demo_test.go",
}

func TestEveryCommandPrintsJSON(t *testing.T) {
	t.Parallel()
	walk(tree(), func(cmd *cobra.Command) {
		path := cmd.CommandPath()
		if cmd.HasSubCommands() || strings.HasPrefix(path, "apostille demo") || notHere[path] != "" {
			return
		}
		line, ok := jsonCalls[path]
		if !ok {
			t.Errorf("%s has no row in jsonCalls, nor a reason in notHere", path)
			return
		}
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			dir := prepared(t)
			var out, errs bytes.Buffer
			args := append(strings.Fields(strings.ReplaceAll(line, "%D", dir)), "--output", "json", "--config", filepath.Join(dir, "apostille.toml"))
			if code := run(t.Context(), args, strings.NewReader(""), &out, &errs); code != exitOK {
				t.Fatalf("%v: exit %d: %s", args, code, errs.String())
			}
			if !json.Valid(out.Bytes()) {
				t.Errorf("%v printed no JSON: %q", args, out.String())
			}
		})
	})
}

// prepared is a folder with the scripts' configuration, a token, and a store.
func prepared(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	hq := fake.NewProvider(fake.Options{Issuer: offlineIssuer, Alg: "ES256"})
	token := hq.Mint(map[string]any{"sub": "s", "aud": "https://id.west.hmart.example", "department": "logistics"})
	for name, text := range map[string]string{
		"token": token, "hq.pem": string(hq.PEM()), "hq.jwks.json": string(hq.JWKS()), "trail.jsonl": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	values := map[string]string{"PORT": "0", "SIDE": "0", "ISSUER": "https://idp.online.example"}
	if err := copyBase(dir, func(name string) string { return values[name] }); err != nil {
		t.Fatal(err)
	}
	if err := keyring.NewKEKFile(filepath.Join(dir, "apostille.key")); err != nil {
		t.Fatal(err)
	}
	if code := run(t.Context(), []string{"store", "migrate", "-c", filepath.Join(dir, "apostille.toml")}, nil, io.Discard, io.Discard); code != exitOK {
		t.Fatal("store migrate failed")
	}
	return dir
}
