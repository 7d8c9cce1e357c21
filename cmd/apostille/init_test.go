package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"apostille/broker/config"
	"apostille/upstream/fetch"
)

// initPorts writes a starter configuration on free ports.
func initPorts(t *testing.T) (dir, output string, p places) {
	t.Helper()
	p, err := openPlaces(0)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
	metrics, err := quietPort()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	code, out, errors := command(t, "init", "--output", "json", "--dir", dir, "--listen-port", port(p.broker), "--metrics-port", port(metrics))
	if code != exitOK {
		t.Fatal(errors)
	}
	return dir, out, p
}

func TestServeRunsWhatInitWrites(t *testing.T) {
	t.Parallel()
	dir, out, p := initPorts(t)
	var made made
	if err := json.Unmarshal([]byte(out), &made); err != nil || len(made.Files) != 3 || made.ClientSecret == "" {
		t.Fatalf("%v, %s", err, out)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := &cast{
		urls: urls{Broker: "http://localhost:" + port(p.broker)}, configFile: filepath.Join(dir, "apostille.toml"),
		logFile: filepath.Join(t.TempDir(), "broker.log"), http: fetch.New(fetch.Options{Dev: true}).Client(nil, true),
		failed: make(chan error, 1), cancel: cancel,
	}
	t.Cleanup(c.stop)
	if err := c.serveBroker(ctx); err != nil {
		t.Fatal(err)
	}
	// The secret that was shown is the client's, and no rule grants it a thing of its own.
	own := request{url: c.urls.tokenURL(), user: made.Client, secret: made.ClientSecret, form: [][2]string{
		{"grant_type", "client_credentials"}, {"scope", "stock.read"}}}
	got, err := own.send(ctx, c.http, nil)
	if err != nil || got.status != http.StatusBadRequest || !strings.Contains(got.body, "unauthorized_client") {
		t.Errorf("%v, %+v", err, got)
	}
	own.secret = "guess"
	got, err = own.send(ctx, c.http, nil)
	if err != nil || got.status != http.StatusUnauthorized {
		t.Errorf("a wrong secret: %v, %+v", err, got)
	}
}

func TestInitWritesWhatLoads(t *testing.T) {
	t.Parallel()
	dir, out, _ := initPorts(t)
	cfg, err := config.Load(filepath.Join(dir, "apostille.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Warnings) > 0 {
		t.Errorf("warnings: %v", cfg.Warnings)
	}
	if trust, there := cfg.Policy.Trusts["head-office"]; !there || !trust.Disabled {
		t.Errorf("the example of a trust is there %v, disabled %v", there, trust.Disabled)
	}
	text := string(content(t, dir, "apostille.toml"))
	var made made
	if err := json.Unmarshal([]byte(out), &made); err != nil || strings.Contains(text, made.ClientSecret) || strings.Contains(text, "@") {
		t.Errorf("%v; a secret or a gap stands in\n%s", err, text)
	}
	info, err := os.Stat(filepath.Join(dir, "apostille.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("apostille.key: %v, %v", info, err)
	}
}

func TestInitOverwritesNothing(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"apostille.toml", "trust.d/head-office.toml", "apostille.key"} {
		t.Run("not "+name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, "trust.d"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
			code, _, errors := command(t, "init", "--dir", dir)
			if code != exitUsage || !strings.Contains(errors, filepath.Base(name)) || string(content(t, dir, name)) != "mine" {
				t.Errorf("%d, %s", code, errors)
			}
			for _, other := range []string{"apostille.toml", "trust.d/head-office.toml", "apostille.key"} {
				if _, err := os.Stat(filepath.Join(dir, other)); other != name && err == nil {
					t.Errorf("%s was written all the same", other)
				}
			}
		})
	}
}
