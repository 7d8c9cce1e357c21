package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"apostille/trust/jose"
)

// command runs the program and returns what it printed.
func command(t *testing.T, args ...string) (code int, out, errors string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestDemoIssuerAndToken(t *testing.T) {
	t.Parallel()
	for _, alg := range fakeAlgs {
		t.Run("a token verifies with both public forms of the key, "+string(alg), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "partner")
			if code, _, errors := command(t, "demo", "issuer", "--issuer", "https://idp.partner.example", "--dir", dir, "--alg", string(alg)); code != exitOK {
				t.Fatal(errors)
			}
			code, out, errors := command(t, "demo", "token", "--key", filepath.Join(dir, "key.pem"), "--issuer", "https://idp.partner.example",
				"--audience", "a", "--subject", "anna", "--claim", "department=logistics", "--claim", `groups:=["night"]`)
			if code != exitOK {
				t.Fatal(errors)
			}
			token, err := jose.Parse(strings.TrimSpace(out))
			if err != nil {
				t.Fatal(err)
			}
			groups, _ := token.Claims["groups"].([]any)
			if token.Claims["sub"] != "anna" || token.Claims["aud"] != "a" || token.Claims["department"] != "logistics" || len(groups) != 1 {
				t.Errorf("claims %v", token.Claims)
			}
			published, _, err := jose.ParseJWKS(content(t, dir, "jwks.json"), nil)
			if err != nil {
				t.Fatal(err)
			}
			certified, err := jose.ParsePEM(content(t, dir, "cert.pem"), nil)
			if err != nil {
				t.Fatal(err)
			}
			for form, set := range map[string]*jose.Set{"jwks.json": published, "cert.pem": certified} {
				keys := set.Lookup(token.Header.Kid, token.Header.Alg)
				if len(keys) != 1 || token.Verify(keys[0]) != nil {
					t.Errorf("%s does not verify it", form)
				}
			}
		})
	}
}

func content(t *testing.T, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDemoIssuerOverwritesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	args := []string{"demo", "issuer", "--issuer", "https://idp.partner.example", "--dir", dir}
	if code, out, errors := command(t, args...); code != exitOK || !strings.Contains(out, demoNotice) {
		t.Fatalf("first: %d, %s%s", code, out, errors)
	}
	before := content(t, dir, "key.pem")
	if code, _, errors := command(t, args...); code != exitUsage || !strings.Contains(errors, "not overwritten") {
		t.Errorf("second: %d, %s", code, errors)
	}
	if !bytes.Equal(before, content(t, dir, "key.pem")) {
		t.Error("the key is another")
	}
	info, err := os.Stat(filepath.Join(dir, "key.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestDemoTokenRefusesWhatItCannotMint(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if code, _, errors := command(t, "demo", "issuer", "--issuer", "https://idp.partner.example", "--dir", dir); code != exitOK {
		t.Fatal(errors)
	}
	base := []string{"demo", "token", "--issuer", "i", "--audience", "a", "--subject", "s", "--key"}
	key := filepath.Join(dir, "key.pem")
	for _, tt := range []struct {
		name string
		args []string
		says string
	}{
		{"a claim without a value", []string{key, "--claim", "department"}, "name=text"},
		{"a claim without a name", []string{key, "--claim", "=x"}, "name=text"},
		{"a claim that is not JSON", []string{key, "--claim", "groups:=[night]"}, "not JSON"},
		{"a certificate for a key", []string{filepath.Join(dir, "cert.pem")}, "PRIVATE KEY"},
		{"no key at all", []string{""}, "--key is missing"},
		{"a key that is not there", []string{filepath.Join(dir, "nothing.pem")}, "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, out, errors := command(t, append(append([]string{}, base...), tt.args...)...)
			if code == exitOK || out != "" || !strings.Contains(errors, tt.says) {
				t.Errorf("%d, %q, %q", code, out, errors)
			}
		})
	}
	if code, out, errors := command(t, append(append([]string{}, base...), key)...); code != exitOK || strings.Count(out, ".") != 2 {
		t.Errorf("the twin: %d, %q, %q", code, out, errors)
	}
}
