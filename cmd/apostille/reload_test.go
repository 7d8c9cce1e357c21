package main

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"apostille/broker/oauth"
	"apostille/trust"
)

// A valid file replaces what is served, any other leaves the old one serving and says why. Under load, no request fails.
func TestR07_FilesThatChangeAreTakenUpOrRefused(t *testing.T) {
	t.Parallel()
	s := serve(t)
	finish := s.load(4)
	life := func() int64 {
		_, token := s.post(ownForm())
		return token.ExpiresIn
	}
	if got := life(); got != 600 {
		t.Fatalf("tokens live %d s", got)
	}
	edit := []string{"dev = true\n", "dev = true\n\n[listener]\naddress = \"127.0.0.1:0\"\n\n[metrics]\naddress = \"127.0.0.1:0\"\n"}
	s.configure(t, append(edit, `lifetime = "10m"`, `lifetime = "5m"`)...)
	eventually(t, "the new file is served", func() bool { return life() == 300 })

	s.configure(t, append(edit, `lifetime = "10m"`, `lifetme = "1m"`)...)
	eventually(t, "a broken file is reported", func() bool {
		status, state := s.ready()
		return status == http.StatusOK && strings.Contains(state.Config, "lifetme")
	})
	if got := life(); got != 300 {
		t.Errorf("with a broken file tokens live %d s", got)
	}
	if !strings.Contains(s.log.String(), "configuration not reloaded") {
		t.Error("the log does not say so")
	}

	s.configure(t, append(edit, `lifetime = "10m"`, `lifetime = "2m"`)...)
	eventually(t, "the mended file is served", func() bool {
		_, state := s.ready()
		return life() == 120 && state.Config == "ok"
	})
	if all, failed := finish(); failed != 0 || all < 20 {
		t.Errorf("%d of %d requests failed", failed, all)
	}
	if code := s.end(t); code != exitOK {
		t.Errorf("exit code %d", code)
	}
}

// Each way in which files can be wrong, without waiting for them to settle.
func TestR07_WhatCannotBeServedLeavesTheOldServing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, a *arena)
		says  string
	}{
		{"not TOML", func(t *testing.T, a *arena) { writeFile(t, a.path(), []byte("issuer = ")) }, "apostille.toml"},
		{"half written", func(t *testing.T, a *arena) {
			text, err := os.ReadFile(a.path())
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, a.path(), text[:len(text)/2])
		}, "apostille.toml"},
		{"empty", func(t *testing.T, a *arena) { writeFile(t, a.path(), nil) }, "issuer"},
		{"missing", func(t *testing.T, a *arena) {
			if err := os.Remove(a.path()); err != nil {
				t.Fatal(err)
			}
		}, "no such file"},
		{"a key file that is gone", func(t *testing.T, a *arena) {
			if err := os.Remove(a.dir + "/cloud.json"); err != nil {
				t.Fatal(err)
			}
		}, "cloud.json"},
		{"an unknown key", func(t *testing.T, a *arena) { a.configure(t, `default_scopes`, `default_scope`) }, "default_scope"},
		{"a trust without audience", func(t *testing.T, a *arena) {
			a.configure(t, `jwt = { audiences = ["`+ours+`", "https://partner-only.example"] }`, `jwt = { audiences = [] }`)
		}, "audiences"},
		{"another issuer of ours", func(t *testing.T, a *arena) {
			a.configure(t, `issuer = "`+ours+`"`, `issuer = "https://other.example"`)
		}, "restart"},
		{"another audit file", func(t *testing.T, a *arena) { a.configure(t, `file = "-"`, `file = "other.jsonl"`) }, "restart"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newArena(t)
			c.spoil(t, a)
			a.reload(t)
			if out := a.ask(t, "portal", ownForm(), nil); out.Status != http.StatusOK || out.Token.ExpiresIn != 600 {
				t.Errorf("the old one does not serve: %s", out.Body)
			}
			if why := a.server.reloadError.Load(); why == nil || !strings.Contains(*why, c.says) {
				t.Errorf("it says %v, wanted %q", why, c.says)
			}
			a.configure(t, `lifetime = "10m"`, `lifetime = "5m"`)
			a.reload(t)
			if out := a.ask(t, "portal", ownForm(), nil); out.Status != http.StatusOK || out.Token.ExpiresIn != 300 {
				t.Errorf("the mended one does not serve: %s", out.Body)
			}
			if why := a.server.reloadError.Load(); why == nil || *why != "" {
				t.Errorf("it still says %v", why)
			}
		})
	}
}

// A policy is one generation: what was remembered under the old one is worth nothing under the new.
func TestA69_A73_ANewPolicyHoldsForRememberedTokensAtOnce(t *testing.T) {
	t.Parallel()
	a := newArena(t)
	token := a.office.Mint(foreignClaims(a.office))
	form := exchangeForm(token, "jwt")
	for range 2 {
		if out := a.ask(t, "portal", form, nil); out.Status != http.StatusOK {
			t.Fatal(out.Body)
		}
	}
	for _, c := range []struct {
		name, old, new string
		reason         trust.Reason
	}{
		{"another audience", `jwt = { audiences = ["` + ours + `"] }` + "\nid_token", `jwt = { audiences = ["https://x.example"] }` + "\nid_token", trust.ReasonAudience},
		{"a requirement", `require = { department = ["logistics"] }`, `require = { department = ["sales"] }`, trust.ReasonRequire},
		{"a rule less", `clients = ["portal", "robot"]` + "\napi = \"warehouse\"\nscopes = [\"stock.read\"]", `clients = ["robot"]` + "\napi = \"warehouse\"\nscopes = [\"stock.read\"]", trust.ReasonNoRule},
		{"the trust disabled", trustTable("office"), trustTable("office") + "disabled = true\n", trust.ReasonIssuerUnknown},
	} {
		a.configure(t, c.old, c.new)
		a.reload(t)
		out := a.ask(t, "portal", form, nil)
		if out.Status != http.StatusBadRequest || out.Audit[0].Reason != string(c.reason) {
			t.Errorf("%s: %d %s", c.name, out.Status, out.Body)
		}
		if again := a.ask(t, "portal", bearerForm(token), nil); again.Status != http.StatusBadRequest || again.Error != oauth.CodeInvalidGrant && c.reason != trust.ReasonNoRule {
			t.Errorf("%s, as an assertion: %d %s", c.name, again.Status, again.Body)
		}
		a.configure(t)
		a.reload(t)
		if out := a.ask(t, "portal", form, nil); out.Status != http.StatusOK {
			t.Errorf("after %s: %s", c.name, out.Body)
		}
	}
}
