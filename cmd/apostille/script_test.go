package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"apostille/broker/keyring"
	"apostille/upstream/fake"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts run the program itself, by its real entry.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"apostille": main})
}

// TestScripts runs testdata/script. Each script gets a head office of its own: its keys as hq.jwks.json and hq.pem, an OpenID
// provider at $ISSUER, and canned answers of a token endpoint under $ENDPOINT.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"token": tokenCmd, "cert": certCmd, "expand": expandCmd, "await": awaitCmd, "json": jsonCmd, "setenv": setenvCmd,
			"rotate": rotateCmd, "aggregate": aggregateCmd,
		},
	})
}

// offlineIssuer is the issuer of tokens whose keys come from files.
const offlineIssuer = "https://idp.hq.hmart.example"

// party is what a script's commands work with.
type party struct {
	offline, online *fake.Provider
}

func setup(env *testscript.Env) error {
	p := &party{offline: fake.NewProvider(fake.Options{Issuer: offlineIssuer, Alg: "ES256"})}
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	env.Defer(server.Close)
	p.online = fake.NewProvider(fake.Options{Issuer: server.URL, Alg: "ES256"})
	handler = p.online
	endpoint := httptest.NewServer(http.HandlerFunc(cannedEndpoint))
	env.Defer(endpoint.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	port, err := freePort()
	if err != nil {
		return err
	}
	side, err := freePort()
	if err != nil {
		return err
	}
	env.Values["party"] = p
	env.Values["registrar"] = fake.NewIdP("registrar", "ES256")
	env.Setenv("ISSUER", server.URL)
	env.Setenv("ENDPOINT", endpoint.URL)
	env.Setenv("GONE", gone.URL)
	env.Setenv("PORT", port)
	env.Setenv("SIDE", side)
	if err := os.WriteFile(filepath.Join(env.WorkDir, "hq.pem"), p.offline.PEM(), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(env.WorkDir, "hq.jwks.json"), p.offline.JWKS(), 0o600); err != nil {
		return err
	}
	if err := keyring.NewKEKFile(filepath.Join(env.WorkDir, "apostille.key")); err != nil {
		return err
	}
	return copyBase(env.WorkDir, env.Getenv)
}

// copyBase copies the configuration that scripts start from, with variables filled in. A file that the script brings stays.
func copyBase(to string, getenv func(string) string) error {
	base := os.DirFS(filepath.Join("testdata", "base"))
	return fs.WalkDir(base, ".", func(path string, entry fs.DirEntry, err error) error {
		target := filepath.Join(to, path)
		if err != nil || entry.IsDir() {
			return errors.Join(err, os.MkdirAll(target, 0o755))
		}
		text, err := fs.ReadFile(base, path)
		if _, e := os.Stat(target); err != nil || e == nil {
			return err
		}
		return os.WriteFile(target, []byte(os.Expand(string(text), getenv)), 0o600)
	})
}

// freePort finds a port that nobody listens on just now.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port, l.Close()
}

// cannedEndpoint answers as its path says, and shows what came as the token.
func cannedEndpoint(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	id, secret, _ := r.BasicAuth()
	status, body := http.StatusOK, map[string]any{
		"access_token": fmt.Sprintf("by=%s:%s %s", id, secret, r.PostForm.Encode()), "token_type": "Bearer", "expires_in": 60, "scope": "",
	}
	switch r.URL.Path {
	case "/refuse":
		status, body = http.StatusBadRequest, map[string]any{"error": "invalid_target", "error_description": "no rule\x1b[2J"}
	case "/odd":
		body["access_token"] = "\x1b[2J"
	case "/busy":
		status, body = http.StatusServiceUnavailable, map[string]any{"error": "temporarily_unavailable"}
	case "/broken":
		status, body = http.StatusInternalServerError, map[string]any{"error": "server_error"}
	case "/html":
		_, _ = fmt.Fprint(w, "<html>welcome</html>")
		return
	case "/elsewhere":
		http.Redirect(w, r, "/ok", http.StatusTemporaryRedirect)
		return
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// jsonCmd checks that a file, stdout included, holds one JSON value.
func jsonCmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: json FILE")
	}
	if text := ts.ReadFile(args[0]); !json.Valid([]byte(text)) {
		ts.Fatalf("not JSON: %q", text)
	}
}

// setenvCmd sets a variable to what a command printed, without white space around it.
func setenvCmd(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: setenv NAME FILE")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile(args[1])))
}
