//go:build interop

package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// headOffice is npm's oidc-provider on one port, which it keeps over restarts.
type headOffice struct {
	issuer string
	port   int
	keys   string
	server *server
}

func newHeadOffice(t *testing.T) *headOffice {
	t.Helper()
	port := freePort(t)
	h := &headOffice{issuer: fmt.Sprintf("http://127.0.0.1:%d", port), port: port, keys: filepath.Join(t.TempDir(), "keys.json")}
	h.start(t)
	return h
}

// start starts it; extra settings are of the form NAME=VALUE.
func (h *headOffice) start(t *testing.T, extra ...string) {
	t.Helper()
	cmd := exec.Command("node", "provider.mjs")
	cmd.Dir = peers
	cmd.Env = append(os.Environ(), fmt.Sprintf("PORT=%d", h.port), "KEYS="+h.keys, "APP="+interopApp,
		"SERVICE="+interopService, "SECRET="+interopSecret)
	cmd.Env = append(cmd.Env, extra...)
	h.server = startServer(t, cmd, func(line string) bool { return strings.HasPrefix(line, "listening ") })
}

// rotate restarts it with a new signing key; the old one is no longer published.
func (h *headOffice) rotate(t *testing.T) {
	t.Helper()
	h.server.stop()
	h.start(t, "ROTATE=1")
}

// idToken signs alice in by the code flow and returns her ID token.
func (h *headOffice) idToken(t *testing.T) string {
	t.Helper()
	var answer struct {
		Token string `json:"id_token"`
	}
	node(t, &answer, "headoffice.mjs", "signin", map[string]any{
		"issuer": h.issuer, "client": interopApp, "secret": interopSecret, "login": "alice",
	})
	return answer.Token
}

// accessToken returns a JWT access token for the audience, by client credentials.
func (h *headOffice) accessToken(t *testing.T, audience string) string {
	t.Helper()
	var answer struct {
		Token string `json:"access_token"`
	}
	node(t, &answer, "headoffice.mjs", "service", map[string]any{
		"issuer": h.issuer, "client": interopService, "secret": interopSecret, "resource": audience, "scope": "inventory:read",
	})
	return answer.Token
}

// node runs a script of testdata/interop and decodes what it prints. A last argument that is a map is passed as JSON.
func node(t *testing.T, into any, script string, args ...any) {
	t.Helper()
	argv := []string{script}
	for _, a := range args {
		text, ok := a.(string)
		if !ok {
			b, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		argv = append(argv, text)
	}
	cmd := exec.Command("node", argv...)
	cmd.Dir = peers
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.String())
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatalf("%s printed %q: %v", script, out, err)
	}
}
